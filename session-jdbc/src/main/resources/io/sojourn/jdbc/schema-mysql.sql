-- Sojourn's tables, version 2, for MySQL 8 and MariaDB 10.6, and later ones. Times are milliseconds since 1970 in UTC, by this database's clock.

-- A row of kind 0, with an empty name, for each session, and one of kind 1 for each of its attributes. Without content: the mark of a removal.
CREATE TABLE IF NOT EXISTS sojourn_session (
  application           VARBINARY(200)  NOT NULL,
  origin                BINARY(32)      NOT NULL COMMENT 'SHA-256 of the id that the session was created under',
  kind                  TINYINT         NOT NULL,
  name                  VARBINARY(1100) NOT NULL,
  version               BIGINT          NOT NULL COMMENT 'of the session; of the save that last wrote the attribute',
  content               LONGBLOB        NULL,
  replaces              BIGINT          NULL COMMENT 'not null: counts as the mark of a removal',
  session_key           BINARY(32)      NULL COMMENT 'SHA-256 of the present id',
  creation_time         BIGINT          NULL,
  last_access_time      BIGINT          NULL,
  max_inactive_interval BIGINT          NULL COMMENT 'milliseconds; 0 or less: never',
  touch_interval        BIGINT          NULL COMMENT 'milliseconds',
  expiry                BIGINT          NULL COMMENT 'null: never',
  claimed_until         BIGINT          NULL COMMENT 'not null: a node is ending the session',
  principal             VARBINARY(320)  NULL,
  lease_holder          BIGINT          NULL COMMENT 'a request that has the session to itself',
  leased_until          BIGINT          NULL,
  next_holder           BIGINT          NULL COMMENT 'the request that is to have it next',
  next_until            BIGINT          NULL,
  saves                 VARBINARY(120)  NULL COMMENT 'which saves were the last, and the versions that they made',
  PRIMARY KEY (application, origin, kind, name),
  UNIQUE KEY sojourn_session_key (application, session_key),
  KEY sojourn_session_expiry (application, expiry),
  KEY sojourn_session_principal (application, principal)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;

CREATE TABLE IF NOT EXISTS sojourn_session_version (
  version INT NOT NULL PRIMARY KEY
) ENGINE = InnoDB;

INSERT INTO sojourn_session_version (version) VALUES (2);
