-- Aurora's binlog procedures on a MariaDB server, with the behaviour of the vendor's documentation
-- and public run-books. An import writes the files that encrypted replication uses.

-- The directory of the files is a database: DROP DATABASE is the only SQL statement that deletes
-- files, and of files that the server does not know it deletes those that end in .BAK.
CREATE DATABASE sslreplication;

CREATE DATABASE standin;
CREATE TABLE standin.options (
    name VARCHAR(32) PRIMARY KEY,
    value VARCHAR(255) NOT NULL,
    initial VARCHAR(255) NOT NULL DEFAULT value);
INSERT INTO standin.options (name, value) VALUES
    ('newlines', 'both'),      -- raw, escaped, both
    ('slow_seconds', '0'),     -- the import sleeps before it writes
    ('key_like', '-----BEGIN RSA PRIVATE KEY-----'), -- the required first line of the key
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
    RETURN CONCAT(@@datadir, 'sslreplication/', import)//

CREATE PROCEDURE standin.write_file(IN path VARCHAR(512), IN content MEDIUMTEXT)
BEGIN
    EXECUTE IMMEDIATE CONCAT('SELECT ? INTO DUMPFILE ', QUOTE(path)) USING content;
END//

CREATE PROCEDURE mysql.rds_import_binlog_ssl_material(IN ssl_material MEDIUMTEXT)
    SQL SECURITY DEFINER
BEGIN
    DECLARE form VARCHAR(8) DEFAULT IF(LOCATE('\n', ssl_material) > 0, 'raw', 'escaped');
    DECLARE strict MEDIUMTEXT DEFAULT REPLACE(ssl_material, '\n', '\\n');
    DECLARE key_text MEDIUMTEXT;
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
    IF NOT JSON_VALID(strict) OR JSON_VALUE(strict, '$.ssl_ca') IS NULL
        OR JSON_VALUE(strict, '$.ssl_cert') IS NULL OR JSON_VALUE(strict, '$.ssl_key') IS NULL THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'The SSL material is not valid JSON.';
    END IF;
    SET key_text = JSON_VALUE(strict, '$.ssl_key');
    IF LOCATE(standin.option_of('key_like'), key_text) <> 1 THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'ssl_key must be an RSA PRIVATE KEY.';
    END IF;
    DO SLEEP(standin.option_of('slow_seconds'));
    INSERT INTO standin.imports (account, cipher, newlines, ssl_ca, ssl_cert)
        VALUES (SESSION_USER(),
            (SELECT VARIABLE_VALUE FROM information_schema.SESSION_STATUS
                WHERE VARIABLE_NAME = 'Ssl_cipher'),
            form, JSON_VALUE(strict, '$.ssl_ca'), JSON_VALUE(strict, '$.ssl_cert'));
    SET prefix = standin.prefix_of(LAST_INSERT_ID());
    CALL standin.write_file(CONCAT(prefix, '-ca.pem.BAK'), JSON_VALUE(strict, '$.ssl_ca'));
    CALL standin.write_file(CONCAT(prefix, '-cert.pem.BAK'), JSON_VALUE(strict, '$.ssl_cert'));
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

-- Replication runs if either thread runs. A procedure cannot read the columns of SHOW REPLICA
-- STATUS, but it can read the status variables.
CREATE FUNCTION standin.is_running() RETURNS TINYINT
    READS SQL DATA
    RETURN (SELECT VARIABLE_VALUE = 'ON' FROM information_schema.GLOBAL_STATUS
        WHERE VARIABLE_NAME = 'Slave_running')
        OR EXISTS (SELECT 1 FROM information_schema.PROCESSLIST
            WHERE USER = 'system user' AND COMMAND IN ('Slave_IO', 'Slave_SQL'))//

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
    STOP SLAVE;
    -- The threads stay in the process list for a short time.
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
        EXECUTE IMMEDIATE CONCAT('CHANGE MASTER TO MASTER_SSL = 1,',
            ' MASTER_SSL_VERIFY_SERVER_CERT = 0,',
            ' MASTER_SSL_CA = ', QUOTE(CONCAT(prefix, '-ca.pem.BAK')), ',',
            ' MASTER_SSL_CERT = ', QUOTE(CONCAT(prefix, '-cert.pem.BAK')), ',',
            ' MASTER_SSL_KEY = ', QUOTE(CONCAT(prefix, '-key.pem.BAK')));
    END IF;
    START SLAVE;
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
    EXECUTE IMMEDIATE CONCAT('CHANGE MASTER TO MASTER_HOST = ', QUOTE(host),
        ', MASTER_PORT = ', port, ', MASTER_USER = ', QUOTE(user),
        ', MASTER_PASSWORD = ', QUOTE(password), ', MASTER_LOG_FILE = ', QUOTE(log_file),
        ', MASTER_LOG_POS = ', log_pos, ', MASTER_SSL = ', ssl_encryption,
        ', MASTER_CONNECT_RETRY = 1');
END//

DELIMITER ;
