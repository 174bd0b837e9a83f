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
  PRIMARY KEY (application, origin),
  UNIQUE KEY sojourn_session_key (application, session_key),
  KEY sojourn_session_expiry (application, expiry)
) ENGINE = InnoDB;

CREATE TABLE IF NOT EXISTS sojourn_attribute (
  application VARBINARY(200)  NOT NULL,
  origin      BINARY(32)      NOT NULL,
  name        VARBINARY(1100) NOT NULL,
  version     BIGINT          NOT NULL,
  content     LONGBLOB        NULL,
  PRIMARY KEY (application, origin, name)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC;
