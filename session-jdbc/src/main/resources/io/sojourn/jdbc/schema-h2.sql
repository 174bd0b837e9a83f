-- Sojourn's tables, version 2, for H2 2.2 and later. Times are milliseconds since 1970 in UTC, by this database's clock.

-- origin: SHA-256 of the id that the session was created under. session_key: SHA-256 of the present id.
-- max_inactive_interval: 0 or less, never. expiry: null, never. claimed_until: not null, a node is ending the session.
-- lease_holder: a request has the session to itself until leased_until; next_holder is the next to.
-- saves: which saves of nodes were the last, and the versions that they made.
CREATE TABLE IF NOT EXISTS sojourn_session (
  application           VARBINARY(200) NOT NULL,
  origin                BINARY(32)     NOT NULL,
  session_key           BINARY(32)     NOT NULL,
  version               BIGINT         NOT NULL,
  creation_time         BIGINT         NOT NULL,
  last_access_time      BIGINT         NOT NULL,
  max_inactive_interval BIGINT         NOT NULL,
  touch_interval        BIGINT         NOT NULL,
  expiry                BIGINT         NULL,
  claimed_until         BIGINT         NULL,
  principal             VARBINARY(320) NULL,
  lease_holder          BIGINT         NULL,
  leased_until          BIGINT         NULL,
  next_holder           BIGINT         NULL,
  next_until            BIGINT         NULL,
  saves                 VARCHAR(120)   NOT NULL DEFAULT '',
  PRIMARY KEY (application, origin),
  UNIQUE (application, session_key)
);

CREATE INDEX IF NOT EXISTS sojourn_session_expiry ON sojourn_session (application, expiry);

CREATE INDEX IF NOT EXISTS sojourn_session_principal ON sojourn_session (application, principal);

-- version: of the save that last wrote the attribute. Without content: the mark of a removal.
CREATE TABLE IF NOT EXISTS sojourn_session_attribute (
  application VARBINARY(200)  NOT NULL,
  origin      BINARY(32)      NOT NULL,
  name        VARBINARY(1100) NOT NULL,
  version     BIGINT          NOT NULL,
  content     BLOB            NULL,
  PRIMARY KEY (application, origin, name),
  FOREIGN KEY (application, origin) REFERENCES sojourn_session (application, origin) ON DELETE CASCADE
);

CREATE TABLE IF NOT EXISTS sojourn_session_version (
  version INT NOT NULL PRIMARY KEY
);

INSERT INTO sojourn_session_version (version) VALUES (2);
