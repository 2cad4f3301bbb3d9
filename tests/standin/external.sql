-- The procedures of Aurora MySQL 3 and 8.4 whose names differ from those of version 2, in which
-- _master stands for _source, and which has no rds_set_binlog_source_ssl. Follows replication.sql.

DELIMITER //

CREATE PROCEDURE mysql.rds_set_external_source(IN host VARCHAR(255), IN port INT,
    IN user VARCHAR(80), IN password VARCHAR(255), IN log_file VARCHAR(255), IN log_pos BIGINT,
    IN ssl_encryption TINYINT)
    SQL SECURITY DEFINER
BEGIN
    CALL standin.set_source(host, port, user, password, CONCAT('SOURCE_AUTO_POSITION = 0',
        ', SOURCE_LOG_FILE = ', QUOTE(log_file), ', SOURCE_LOG_POS = ', log_pos), ssl_encryption);
END//

-- ssl_encryption is not implemented: the connection is not encrypted until
-- rds_set_binlog_source_ssl(1).
CREATE PROCEDURE mysql.rds_set_external_source_with_auto_position(IN host VARCHAR(255), IN port INT,
    IN user VARCHAR(80), IN password VARCHAR(255), IN ssl_encryption TINYINT)
    SQL SECURITY DEFINER
BEGIN
    CALL standin.set_source(host, port, user, password, 'SOURCE_AUTO_POSITION = 1', 0);
END//

CREATE PROCEDURE mysql.rds_reset_external_source()
    SQL SECURITY DEFINER
BEGIN
    CALL standin.reset_source();
END//

CREATE PROCEDURE mysql.rds_set_binlog_source_ssl(IN mode TINYINT)
    SQL SECURITY DEFINER
BEGIN
    CALL standin.set_ssl(mode);
END//

DELIMITER ;
