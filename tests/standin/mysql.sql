-- What procedures.sql needs, for MySQL.

CREATE DATABASE standin;

DELIMITER //

-- Only a user variable can be a parameter of EXECUTE. While the key is written, it is in
-- performance_schema.user_variables_by_thread and, in the text of EXECUTE, in the process list.
CREATE PROCEDURE standin.write_file(IN path VARCHAR(512), IN content MEDIUMTEXT)
BEGIN
    SET @standin_text = CONCAT('SELECT ? INTO DUMPFILE ', QUOTE(path));
    SET @standin_content = content;
    PREPARE write_file FROM @standin_text;
    EXECUTE write_file USING @standin_content;
    DEALLOCATE PREPARE write_file;
    SET @standin_text = NULL, @standin_content = NULL;
END//

CREATE PROCEDURE standin.copy_file(IN path VARCHAR(512), IN copy VARCHAR(512))
BEGIN
    SET @standin_text = CONCAT('SELECT LOAD_FILE(', QUOTE(path), ') INTO DUMPFILE ', QUOTE(copy));
    PREPARE copy_file FROM @standin_text;
    EXECUTE copy_file;
    DEALLOCATE PREPARE copy_file;
END//

-- As in MySQL 8.0 the I/O thread never gives up; since 8.4 it does so after 10 attempts.
CREATE PROCEDURE standin.change_source(IN options TEXT)
BEGIN
    SET @standin_text = CONCAT('CHANGE REPLICATION SOURCE TO SOURCE_RETRY_COUNT = 86400, ', options);
    PREPARE change_source FROM @standin_text;
    EXECUTE change_source;
    DEALLOCATE PREPARE change_source;
    SET @standin_text = NULL;
END//

-- LIKE uses no index, so the import counts for log_queries_not_using_indexes, as with MariaDB.
CREATE FUNCTION standin.cipher() RETURNS VARCHAR(64)
    READS SQL DATA
    RETURN (SELECT VARIABLE_VALUE FROM performance_schema.session_status
        WHERE VARIABLE_NAME LIKE 'Ssl_cipher')//

-- The running threads of replication: 0, 1, 2.
CREATE FUNCTION standin.threads() RETURNS TINYINT
    READS SQL DATA
    RETURN EXISTS (SELECT 1 FROM performance_schema.replication_connection_status
            WHERE SERVICE_STATE <> 'OFF')
        + EXISTS (SELECT 1 FROM performance_schema.replication_applier_status
            WHERE SERVICE_STATE <> 'OFF')//

DELIMITER ;
