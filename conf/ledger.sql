-- The ledger of a cluster, for ledger = binlog_ssl.ledger: who imported which set, and when.
-- Create it once, on the writer. Schema and table may have other names. Times are UTC.
CREATE DATABASE IF NOT EXISTS binlog_ssl;
CREATE TABLE binlog_ssl.ledger (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    fingerprint CHAR(64) CHARACTER SET ascii NOT NULL,
    not_before DATETIME NOT NULL, -- of the certificate
    not_after DATETIME NOT NULL,
    daemon VARCHAR(64) NOT NULL,  -- name of the host that imported
    account VARCHAR(400) NOT NULL,
    started_at DATETIME(6) NOT NULL,
    imported_at DATETIME(6),
    state ENUM('importing', 'imported', 'failed', 'removed') NOT NULL,
    replication_stopped VARCHAR(300)) -- for this import, at these coordinates; not started since
    ENGINE = InnoDB;
GRANT SELECT, INSERT, UPDATE ON binlog_ssl.ledger TO 'ssl_importer'@'%';
