-- What procedures.sql needs, for MariaDB.

CREATE DATABASE standin;

DELIMITER //

CREATE PROCEDURE standin.write_file(IN path VARCHAR(512), IN content MEDIUMTEXT)
BEGIN
    EXECUTE IMMEDIATE CONCAT('SELECT ? INTO DUMPFILE ', QUOTE(path)) USING content;
END//

CREATE PROCEDURE standin.copy_file(IN path VARCHAR(512), IN copy VARCHAR(512))
BEGIN
    EXECUTE IMMEDIATE
        CONCAT('SELECT LOAD_FILE(', QUOTE(path), ') INTO DUMPFILE ', QUOTE(copy));
END//

CREATE PROCEDURE standin.change_source(IN options TEXT)
BEGIN
    SET options = REPLACE(options, 'SOURCE_AUTO_POSITION = 1', 'SOURCE_USE_GTID = slave_pos');
    SET options = REPLACE(options, 'SOURCE_AUTO_POSITION = 0', 'SOURCE_USE_GTID = no');
    EXECUTE IMMEDIATE CONCAT('CHANGE MASTER TO ', REPLACE(options, 'SOURCE_', 'MASTER_'));
END//

CREATE FUNCTION standin.cipher() RETURNS VARCHAR(64)
    READS SQL DATA
    RETURN (SELECT VARIABLE_VALUE FROM information_schema.SESSION_STATUS
        WHERE VARIABLE_NAME = 'Ssl_cipher')//

-- The running threads of replication: 0, 1, 2. A procedure cannot read SHOW REPLICA STATUS. Connect
-- is the I/O thread without a connection.
CREATE FUNCTION standin.threads() RETURNS TINYINT
    READS SQL DATA
    RETURN (SELECT COUNT(DISTINCT COMMAND = 'Slave_SQL') FROM information_schema.PROCESSLIST
        WHERE USER = 'system user' AND COMMAND IN ('Slave_IO', 'Connect', 'Slave_SQL'))//

DELIMITER ;
