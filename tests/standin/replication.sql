-- Replication of the stand-in: what does not depend on the version of Aurora. Follows procedures.sql.

-- The calls that have succeeded, in their order; of AWS's table the columns that all calls have.
CREATE TABLE mysql.rds_history (
    id INT AUTO_INCREMENT PRIMARY KEY,
    action_timestamp TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    called_by_user VARCHAR(128) NOT NULL,
    action VARCHAR(32) NOT NULL);

DELIMITER //

CREATE PROCEDURE standin.remember(IN action VARCHAR(32))
BEGIN
    INSERT INTO mysql.rds_history (called_by_user, action) VALUES (SESSION_USER(), action);
END//

CREATE PROCEDURE standin.must_be_stopped()
BEGIN
    IF standin.threads() > 0 THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT =
            'You can''t modify replication because replication is running. '
            'First call mysql.rds_stop_replication.';
    END IF;
END//

-- The three seconds of AWS's procedures.
CREATE PROCEDURE standin.sleep_before()
BEGIN
    IF standin.option_of('sleeps') = 'on' THEN
        DO SLEEP(1);
    END IF;
END//

CREATE PROCEDURE standin.sleep_after()
BEGIN
    IF standin.option_of('sleeps') = 'on' THEN
        DO SLEEP(2);
    END IF;
END//

CREATE FUNCTION standin.with_files() RETURNS TEXT
    READS SQL DATA
    RETURN CONCAT('SOURCE_SSL = 1, SOURCE_SSL_VERIFY_SERVER_CERT = 0',
        ', SOURCE_SSL_CA = ', QUOTE(standin.local('ca.pem')),
        ', SOURCE_SSL_CERT = ', QUOTE(standin.local('cert.pem')),
        ', SOURCE_SSL_KEY = ', QUOTE(standin.local('key.pem')))//

-- coordinates: the options that say where to begin.
CREATE PROCEDURE standin.set_source(IN host VARCHAR(255), IN port INT, IN user VARCHAR(80),
    IN password VARCHAR(255), IN coordinates TEXT, IN ssl_encryption TINYINT)
BEGIN
    DECLARE logging TINYINT DEFAULT @@session.sql_log_bin;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        IF @@session.sql_log_bin <> logging THEN
            SET sql_log_bin = logging;
        END IF;
        RESIGNAL;
    END;
    IF standin.option_of('fail_at') = 'set' THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'Replication could not be configured.';
    END IF;
    IF NOT @@autocommit THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'autocommit must be enabled.';
    END IF;
    CALL standin.must_be_stopped();
    IF ssl_encryption AND NOT standin.has_material() THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT =
            'No SSL material is imported. First call mysql.rds_import_binlog_ssl_material.';
    END IF;
    SET sql_log_bin = 0;
    CALL standin.sleep_before();
    IF ssl_encryption THEN
        CALL standin.copy_files(standin.newest_import());
    END IF;
    CALL standin.change_source(CONCAT(
        'SOURCE_HOST = ', QUOTE(host), ', SOURCE_PORT = ', port, ', SOURCE_USER = ', QUOTE(user),
        ', SOURCE_PASSWORD = ', QUOTE(password), ', SOURCE_CONNECT_RETRY = 1, ', coordinates, ', ',
        IF(ssl_encryption, standin.with_files(), CONCAT(
            'SOURCE_SSL = 0, SOURCE_SSL_CA = '''', SOURCE_SSL_CERT = '''', SOURCE_SSL_KEY = ''''')
        )));
    UPDATE standin.state SET source_ssl = ssl_encryption WHERE id = 1;
    CALL standin.sleep_after();
    CALL standin.remember('set source');
    SET sql_log_bin = logging;
END//

-- mode 1: TLS with the local files or, if there are none, without a client certificate.
CREATE PROCEDURE standin.set_ssl(IN mode TINYINT)
BEGIN
    DECLARE logging TINYINT DEFAULT @@session.sql_log_bin;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        IF @@session.sql_log_bin <> logging THEN
            SET sql_log_bin = logging;
        END IF;
        RESIGNAL;
    END;
    CALL standin.must_be_stopped();
    IF mode IS NULL OR mode NOT IN (0, 1) THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'The mode must be 0 or 1.';
    END IF;
    SET sql_log_bin = 0;
    CALL standin.sleep_before();
    IF mode = 1 AND standin.has_material() AND standin.option_of('local_files') <> 'by_set_external' THEN
        CALL standin.copy_files(standin.newest_import());
    END IF;
    CALL standin.change_source(CASE
        WHEN mode = 0 THEN 'SOURCE_SSL = 0'
        WHEN (SELECT local FROM standin.state WHERE id = 1) THEN standin.with_files()
        ELSE 'SOURCE_SSL = 1, SOURCE_SSL_VERIFY_SERVER_CERT = 0' END);
    UPDATE standin.state SET source_ssl = mode WHERE id = 1;
    CALL standin.sleep_after();
    CALL standin.remember('set ssl');
    SET sql_log_bin = logging;
END//

CREATE PROCEDURE standin.reset_source()
BEGIN
    DECLARE logging TINYINT DEFAULT @@session.sql_log_bin;
    DECLARE EXIT HANDLER FOR SQLEXCEPTION
    BEGIN
        IF @@session.sql_log_bin <> logging THEN
            SET sql_log_bin = logging;
        END IF;
        RESIGNAL;
    END;
    IF NOT @@autocommit THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'autocommit must be enabled.';
    END IF;
    CALL standin.must_be_stopped();
    SET sql_log_bin = 0;
    CALL standin.sleep_before();
    RESET REPLICA ALL;
    UPDATE standin.state SET source_ssl = 0 WHERE id = 1;
    CALL standin.sleep_after();
    CALL standin.remember('reset source');
    SET sql_log_bin = logging;
END//

CREATE PROCEDURE mysql.rds_stop_replication()
    SQL SECURITY DEFINER
BEGIN
    IF standin.option_of('fail_at') = 'stop' THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'Replication could not be stopped.';
    END IF;
    IF standin.threads() = 0 THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT =
            'Slave is already stopped or may not be configured. Run SHOW SLAVE STATUS\\G;';
    END IF;
    CALL standin.sleep_before();
    STOP REPLICA;
    -- The threads end shortly after the statement.
    WHILE standin.threads() > 0 DO
        DO SLEEP(0.01);
    END WHILE;
    CALL standin.sleep_after();
    CALL standin.remember('stop');
    SELECT 'Slave is now down or disabled' AS Message;
END//

CREATE PROCEDURE mysql.rds_start_replication()
    SQL SECURITY DEFINER
BEGIN
    IF standin.option_of('fail_at') = 'start' THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'Replication could not be started.';
    END IF;
    IF standin.threads() = 1 THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT =
            'Replication might be running. First call mysql.rds_stop_replication.';
    ELSEIF standin.threads() > 1 THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT =
            'Replication may already be running. Call rds_stop_replication to stop replication';
    END IF;
    CALL standin.sleep_before();
    IF standin.has_material() AND standin.option_of('local_files') <> 'by_set_external'
            AND (SELECT source_ssl FROM standin.state WHERE id = 1) THEN
        IF standin.option_of('local_files') = 'at_start' THEN
            CALL standin.copy_files(standin.newest_import());
        END IF;
        CALL standin.change_source(standin.with_files());
    END IF;
    START REPLICA;
    CALL standin.sleep_after();
    IF standin.option_of('sleeps') = 'on' AND standin.threads() < 2 THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT =
            'Slave has encountered an error. Run SHOW SLAVE STATUS\\G; to see the error.';
    END IF;
    CALL standin.remember('start');
    SELECT 'Replication started. Slave is now running normally.' AS Message;
END//

DELIMITER ;
