-- Aurora's binlog procedures as the vendor's documentation and public run-books describe them. An
-- import writes the files that encrypted replication uses. mariadb.sql or mysql.sql runs before: it
-- creates the database standin and in it what the two makes have no common statement for.

-- The directory of the files is a database: DROP DATABASE is the only SQL statement that deletes
-- files, and of files that the server does not know it deletes those that end in .BAK.
CREATE DATABASE sslreplication;

CREATE TABLE standin.options (
    name VARCHAR(32) PRIMARY KEY,
    value VARCHAR(255) NOT NULL,
    initial VARCHAR(255) NOT NULL DEFAULT (value));
INSERT INTO standin.options (name, value) VALUES
    ('newlines', 'both'),      -- raw, escaped, both
    ('slow_seconds', '0'),     -- the import sleeps before it writes
    ('key_like', '-----BEGIN RSA PRIVATE KEY-----'), -- the required first line of the key
    ('transaction', ''),       -- open: the import leaves its transaction open
    ('fail_at', '');           -- import, stop, start, or an error number for the import

-- All imports, without the keys.
CREATE TABLE standin.imports (
    id INT AUTO_INCREMENT PRIMARY KEY,
    at TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6),
    account VARCHAR(128) NOT NULL,
    cipher VARCHAR(64) NOT NULL,
    newlines VARCHAR(8) NOT NULL,
    ssl_ca MEDIUMTEXT NOT NULL,
    ssl_cert MEDIUMTEXT NOT NULL);

DELIMITER //

CREATE FUNCTION standin.option_of(wanted VARCHAR(32)) RETURNS VARCHAR(255)
    READS SQL DATA
    RETURN (SELECT value FROM standin.options WHERE name = wanted)//

-- INTO DUMPFILE does not overwrite files: each import has its own.
CREATE FUNCTION standin.prefix_of(import INT) RETURNS VARCHAR(400)
    READS SQL DATA
    RETURN CONCAT(@@datadir, 'sslreplication/', import)//

CREATE PROCEDURE mysql.rds_import_binlog_ssl_material(IN ssl_material MEDIUMTEXT)
    SQL SECURITY DEFINER
BEGIN
    DECLARE form VARCHAR(8) DEFAULT IF(LOCATE('\n', ssl_material) > 0, 'raw', 'escaped');
    DECLARE strict MEDIUMTEXT DEFAULT REPLACE(ssl_material, '\n', '\\n');
    DECLARE ca_text, cert_text, key_text MEDIUMTEXT;
    DECLARE wanted VARCHAR(8) DEFAULT standin.option_of('newlines');
    DECLARE prefix VARCHAR(400);
    DECLARE failing INT;
    SET sql_log_bin = 0;
    IF standin.option_of('fail_at') = 'import' THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'The SSL material could not be imported.';
    END IF;
    IF standin.option_of('fail_at') REGEXP '^[0-9]+$' THEN
        SET failing = standin.option_of('fail_at');
        SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = failing, MESSAGE_TEXT = 'A transient error.';
    END IF;
    IF wanted <> 'both' AND wanted <> form THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'The SSL material is not in the right format.';
    END IF;
    IF JSON_VALID(strict) THEN
        SET ca_text = JSON_UNQUOTE(JSON_EXTRACT(strict, '$.ssl_ca'));
        SET cert_text = JSON_UNQUOTE(JSON_EXTRACT(strict, '$.ssl_cert'));
        SET key_text = JSON_UNQUOTE(JSON_EXTRACT(strict, '$.ssl_key'));
    END IF;
    IF ca_text IS NULL OR cert_text IS NULL OR key_text IS NULL THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'The SSL material is not valid JSON.';
    END IF;
    IF LOCATE(standin.option_of('key_like'), key_text) <> 1 THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'ssl_key must be an RSA PRIVATE KEY.';
    END IF;
    DO SLEEP(standin.option_of('slow_seconds'));
    IF standin.option_of('transaction') = 'open' THEN
        START TRANSACTION;
    END IF;
    INSERT INTO standin.imports (account, cipher, newlines, ssl_ca, ssl_cert)
        VALUES (SESSION_USER(), standin.cipher(), form, ca_text, cert_text);
    SET prefix = standin.prefix_of(LAST_INSERT_ID());
    CALL standin.write_file(CONCAT(prefix, '-ca.pem.BAK'), ca_text);
    CALL standin.write_file(CONCAT(prefix, '-cert.pem.BAK'), cert_text);
    CALL standin.write_file(CONCAT(prefix, '-key.pem.BAK'), key_text);
    -- Written last: when this file exists, the other three are complete.
    CALL standin.write_file(CONCAT(prefix, '-account.BAK'), SESSION_USER());
    SELECT 'SSL material import complete.' AS Message;
END//

-- The next start configures replication with the deleted files, and its I/O thread fails until the
-- next import; running replication keeps its session. standin.imports keeps its rows.
CREATE PROCEDURE mysql.rds_remove_binlog_ssl_material()
    SQL SECURITY DEFINER
BEGIN
    SET sql_log_bin = 0;
    DROP DATABASE sslreplication;
    CREATE DATABASE sslreplication;
END//

CREATE PROCEDURE mysql.rds_stop_replication()
    SQL SECURITY DEFINER
BEGIN
    IF standin.option_of('fail_at') = 'stop' THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'Replication could not be stopped.';
    END IF;
    IF NOT standin.is_running() THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT =
            'Slave is already stopped or may not be configured. Run SHOW SLAVE STATUS\\G;';
    END IF;
    STOP REPLICA;
    -- The threads end shortly after the statement.
    WHILE standin.is_running() DO
        DO SLEEP(0.01);
    END WHILE;
    SELECT 'Slave is now down or disabled' AS Message;
END//

CREATE PROCEDURE mysql.rds_start_replication()
    SQL SECURITY DEFINER
BEGIN
    DECLARE newest INT DEFAULT (SELECT MAX(id) FROM standin.imports);
    DECLARE prefix VARCHAR(400) DEFAULT standin.prefix_of(newest);
    IF standin.option_of('fail_at') = 'start' THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'Replication could not be started.';
    END IF;
    IF standin.is_running() THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT =
            'Replication may already be running. Call rds_stop_replication to stop replication';
    END IF;
    IF newest IS NOT NULL THEN
        CALL standin.change_source(CONCAT('SOURCE_SSL = 1, SOURCE_SSL_VERIFY_SERVER_CERT = 0,',
            ' SOURCE_SSL_CA = ', QUOTE(CONCAT(prefix, '-ca.pem.BAK')), ',',
            ' SOURCE_SSL_CERT = ', QUOTE(CONCAT(prefix, '-cert.pem.BAK')), ',',
            ' SOURCE_SSL_KEY = ', QUOTE(CONCAT(prefix, '-key.pem.BAK'))));
    END IF;
    START REPLICA;
    SELECT 'Replication started. Slave is now running normally.' AS Message;
END//

CREATE PROCEDURE mysql.rds_set_external_source(IN host VARCHAR(255), IN port INT,
    IN user VARCHAR(80), IN password VARCHAR(255), IN log_file VARCHAR(255), IN log_pos BIGINT,
    IN ssl_encryption TINYINT)
    SQL SECURITY DEFINER
BEGIN
    IF standin.is_running() THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT =
            'You can''t modify replication because replication is running. '
            'First call mysql.rds_stop_replication.';
    END IF;
    CALL standin.change_source(CONCAT(
        'SOURCE_HOST = ', QUOTE(host), ', SOURCE_PORT = ', port, ', SOURCE_USER = ', QUOTE(user),
        ', SOURCE_PASSWORD = ', QUOTE(password), ', SOURCE_LOG_FILE = ', QUOTE(log_file),
        ', SOURCE_LOG_POS = ', log_pos, ', SOURCE_SSL = ', ssl_encryption,
        ', SOURCE_CONNECT_RETRY = 1'));
END//

DELIMITER ;
