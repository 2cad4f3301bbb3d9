-- What procedures.sql needs, for MariaDB.

CREATE DATABASE standin;

DELIMITER //

CREATE PROCEDURE standin.write_file(IN path VARCHAR(512), IN content MEDIUMTEXT)
BEGIN
    EXECUTE IMMEDIATE CONCAT('SELECT ? INTO DUMPFILE ', QUOTE(path)) USING content;
END//

CREATE PROCEDURE standin.change_source(IN options TEXT)
BEGIN
    EXECUTE IMMEDIATE CONCAT('CHANGE MASTER TO ', REPLACE(options, 'SOURCE_', 'MASTER_'));
END//

CREATE FUNCTION standin.cipher() RETURNS VARCHAR(64)
    READS SQL DATA
    RETURN (SELECT VARIABLE_VALUE FROM information_schema.SESSION_STATUS
        WHERE VARIABLE_NAME = 'Ssl_cipher')//

-- A procedure cannot read the columns of SHOW REPLICA STATUS, but it can read the status variables.
CREATE FUNCTION standin.is_running() RETURNS TINYINT
    READS SQL DATA
    RETURN (SELECT VARIABLE_VALUE = 'ON' FROM information_schema.GLOBAL_STATUS
        WHERE VARIABLE_NAME = 'Slave_running')
        OR EXISTS (SELECT 1 FROM information_schema.PROCESSLIST
            WHERE USER = 'system user' AND COMMAND IN ('Slave_IO', 'Slave_SQL'))//

DELIMITER ;
