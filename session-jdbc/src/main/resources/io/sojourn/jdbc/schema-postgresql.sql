-- Sojourn's tables, version 2, for PostgreSQL 11 and later. Times are milliseconds since 1970 in UTC, by this database's clock.

-- origin: SHA-256 of the id that the session was created under. session_key: SHA-256 of the present id.
-- max_inactive_interval: 0 or less, never. expiry: null, never. claimed_until: not null, a node is ending the session.
-- lease_holder: a request has the session to itself until leased_until; next_holder is the next to.
-- saves: which saves of nodes were the last, and the versions that they made.
CREATE TABLE IF NOT EXISTS sojourn_session (
  application           BYTEA  NOT NULL,
  origin                BYTEA  NOT NULL,
  session_key           BYTEA  NOT NULL,
  version               BIGINT NOT NULL,
  creation_time         BIGINT NOT NULL,
  last_access_time      BIGINT NOT NULL,
  max_inactive_interval BIGINT NOT NULL,
  touch_interval        BIGINT NOT NULL,
  expiry                BIGINT NULL,
  claimed_until         BIGINT NULL,
  principal             BYTEA  NULL,
  lease_holder          BIGINT NULL,
  leased_until          BIGINT NULL,
  next_holder           BIGINT NULL,
  next_until            BIGINT NULL,
  saves                 TEXT   NOT NULL DEFAULT '',
  PRIMARY KEY (application, origin)
) WITH (fillfactor = 70);

CREATE UNIQUE INDEX IF NOT EXISTS sojourn_session_key ON sojourn_session (application, session_key);

CREATE INDEX IF NOT EXISTS sojourn_session_expiry ON sojourn_session (application, expiry) WHERE expiry IS NOT NULL;

CREATE INDEX IF NOT EXISTS sojourn_session_principal ON sojourn_session (application, principal) WHERE principal IS NOT NULL;

-- version: of the save that last wrote the attribute. Without content: the mark of a removal.
CREATE TABLE IF NOT EXISTS sojourn_session_attribute (
  application BYTEA  NOT NULL,
  origin      BYTEA  NOT NULL,
  name        BYTEA  NOT NULL,
  version     BIGINT NOT NULL,
  content     BYTEA  NULL,
  PRIMARY KEY (application, origin, name),
  FOREIGN KEY (application, origin) REFERENCES sojourn_session ON DELETE CASCADE
) WITH (fillfactor = 90);

CREATE TABLE IF NOT EXISTS sojourn_session_version (
  version INT NOT NULL PRIMARY KEY
);

INSERT INTO sojourn_session_version (version) VALUES (2);
