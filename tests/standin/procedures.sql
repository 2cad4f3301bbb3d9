-- Aurora's binlog procedures as the vendor's documentation and public run-books describe them. An
-- import writes the files that encrypted replication uses. mariadb.sql or mysql.sql runs before: it
-- creates the database standin and in it what the two makes have no common statement for.

-- Two directories: what the cluster has stored, with files of each import, and the local files of the
-- instance, which the I/O thread reads at each attempt to connect. They are databases: DROP DATABASE is
-- the only SQL statement that deletes files, and of files that the server does not know it deletes
-- those that end in .BAK.
CREATE DATABASE sslreplication;
CREATE DATABASE ssllocal;

CREATE TABLE standin.options (
    name VARCHAR(32) PRIMARY KEY,
    value VARCHAR(255) NOT NULL,
    initial VARCHAR(255) NOT NULL DEFAULT (value));
INSERT INTO standin.options (name, value) VALUES
    ('newlines', 'both'),      -- raw, escaped, both
    ('slow_seconds', '0'),     -- the import sleeps before it writes
    ('key_like', '-----BEGIN RSA PRIVATE KEY-----'), -- the required first line of the key
    ('local_files', 'at_once'), -- at_once, at_start, by_set_external: when they follow an import
    ('import_while_running', 'yes'), -- no: an import wants replication stopped
    ('sleeps', 'off'),         -- on: the procedures of replication sleep SLEEP(1) and SLEEP(2)
    ('transaction', ''),       -- open: the import leaves its transaction open
    ('fail_at', '');           -- import, stop, start, set, or an error number for the import

-- All imports, without the keys.
CREATE TABLE standin.imports (
    id INT PRIMARY KEY,
    at TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6),
    account VARCHAR(128) NOT NULL,
    cipher VARCHAR(64) NOT NULL,
    newlines VARCHAR(8) NOT NULL,
    ssl_ca MEDIUMTEXT NOT NULL,
    ssl_cert MEDIUMTEXT NOT NULL);

-- One row.
CREATE TABLE standin.state (
    id INT PRIMARY KEY DEFAULT 1,
    numbered INT NOT NULL DEFAULT 0,        -- the newest import that has begun to write files
    removed INT NOT NULL DEFAULT 0,         -- imports up to this one have no files any more
    local TINYINT NOT NULL DEFAULT 0,       -- there are local files
    source_ssl TINYINT NOT NULL DEFAULT 0); -- the connection to the source is encrypted
INSERT INTO standin.state () VALUES ();

DELIMITER //

CREATE FUNCTION standin.newest_import() RETURNS INT
    READS SQL DATA
    RETURN (SELECT IFNULL(MAX(id), 0) FROM standin.imports)//

CREATE FUNCTION standin.has_material() RETURNS TINYINT
    READS SQL DATA
    RETURN standin.newest_import() > (SELECT removed FROM standin.state WHERE id = 1)//

CREATE FUNCTION standin.option_of(wanted VARCHAR(32)) RETURNS VARCHAR(255)
    READS SQL DATA
    RETURN (SELECT value FROM standin.options WHERE name = wanted)//

-- INTO DUMPFILE does not overwrite files: each import has its own.
CREATE FUNCTION standin.stored(import INT, part VARCHAR(16)) RETURNS VARCHAR(400)
    READS SQL DATA
    RETURN CONCAT(@@datadir, 'sslreplication/', import, '-', part, '.BAK')//

CREATE FUNCTION standin.local(part VARCHAR(16)) RETURNS VARCHAR(400)
    READS SQL DATA
    RETURN CONCAT(@@datadir, 'ssllocal/ssl_', part, '.BAK')//

CREATE PROCEDURE standin.copy_files(IN import INT)
BEGIN
    DO GET_LOCK('standin.copy_files', 60);
    UPDATE standin.state SET local = 1 WHERE id = 1;  -- on a reader this fails, without effect
    DROP DATABASE IF EXISTS ssllocal;  -- not if the server was killed here
    CREATE DATABASE ssllocal;
    CALL standin.copy_file(standin.stored(import, 'ca.pem'), standin.local('ca.pem'));
    CALL standin.copy_file(standin.stored(import, 'cert.pem'), standin.local('cert.pem'));
    CALL standin.copy_file(standin.stored(import, 'key.pem'), standin.local('key.pem'));
    DO RELEASE_LOCK('standin.copy_files');
END//

CREATE PROCEDURE mysql.rds_import_binlog_ssl_material(IN ssl_material MEDIUMTEXT)
    SQL SECURITY DEFINER
BEGIN
    DECLARE form VARCHAR(8) DEFAULT IF(LOCATE('\n', ssl_material) > 0, 'raw', 'escaped');
    DECLARE strict MEDIUMTEXT DEFAULT REPLACE(ssl_material, '\n', '\\n');
    DECLARE ca_text, cert_text, key_text MEDIUMTEXT;
    DECLARE wanted VARCHAR(8) DEFAULT standin.option_of('newlines');
    DECLARE number, failing INT;
    SET sql_log_bin = 0;
    IF standin.option_of('fail_at') = 'import' THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'The SSL material could not be imported.';
    END IF;
    IF standin.option_of('fail_at') REGEXP '^[0-9]+$' THEN
        SET failing = standin.option_of('fail_at');
        SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = failing, MESSAGE_TEXT = 'A transient error.';
    END IF;
    IF standin.option_of('import_while_running') = 'no' THEN
        CALL standin.must_be_stopped();
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
    UPDATE standin.state SET numbered = LAST_INSERT_ID(numbered + 1) WHERE id = 1;
    SET number = LAST_INSERT_ID();
    CALL standin.write_file(standin.stored(number, 'ca.pem'), ca_text);
    CALL standin.write_file(standin.stored(number, 'cert.pem'), cert_text);
    CALL standin.write_file(standin.stored(number, 'key.pem'), key_text);
    -- Written last: when this file exists, the other three are complete.
    CALL standin.write_file(standin.stored(number, 'account'), SESSION_USER());
    IF standin.option_of('local_files') = 'at_once'
            AND (SELECT source_ssl FROM standin.state WHERE id = 1) THEN
        CALL standin.copy_files(number);
    END IF;
    IF standin.option_of('transaction') = 'open' THEN
        START TRANSACTION;
    END IF;
    INSERT INTO standin.imports (id, account, cipher, newlines, ssl_ca, ssl_cert)
        VALUES (number, SESSION_USER(), standin.cipher(), form, ca_text, cert_text);
    SELECT 'SSL material import complete.' AS Message;
END//

-- The I/O thread of the next start fails until the next import; running replication keeps its
-- session. standin.imports keeps its rows.
CREATE PROCEDURE mysql.rds_remove_binlog_ssl_material()
    SQL SECURITY DEFINER
BEGIN
    SET sql_log_bin = 0;
    UPDATE standin.state SET removed = numbered, local = 0 WHERE id = 1;
    DROP DATABASE sslreplication;
    CREATE DATABASE sslreplication;
    DROP DATABASE ssllocal;
    CREATE DATABASE ssllocal;
END//

DELIMITER ;
