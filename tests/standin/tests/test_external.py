"""rds_set_external_*, rds_reset_external_* and rds_set_binlog_source_ssl."""

import pytest

from tests.standin.client import SqlError
from tests.standin.cluster import NAMES
from tests.standin.tests.calls import (RUNNING, START, STOP, import_pair, refused, runs,
                                       set_auto_position, set_source)

RESET = "CALL mysql.rds_reset_external_source"
NO_PRIVILEGE, NO_PROCEDURE = 1370, 1305
NO_MATERIAL = "No SSL material is imported. First call mysql.rds_import_binlog_ssl_material."
CALLS = {
    "set": "rds_set_external_source('127.0.0.1', 1, 'u', 'p', 'f', 4, 0)",
    "auto": "rds_set_external_source_with_auto_position('127.0.0.1', 1, 'u', 'p', 0)",
    "reset": "rds_reset_external_source()",
    "ssl": "rds_set_binlog_source_ssl(1)",
}
ANY_CALL = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


def present(aurora):
    return {name for name, in aurora.sql(
        "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'mysql'"
        " AND ROUTINE_NAME REGEXP 'external|source_ssl'")}


@pytest.fixture
def imported(replica, authority, pair):
    """Configured with the certificate that the source requires, and stopped."""
    import_pair(replica, authority, pair)
    return replica


@pytest.fixture
def running(imported):
    imported.sql(START)
    imported.wait_for_replication(runs)
    return imported


def test_the_procedures_of_one_version_exist_only(aurora):
    assert present(aurora) == set(NAMES[3])
    aurora.become_version(2)
    try:
        assert present(aurora) == set(NAMES[2])
    finally:
        aurora.become_version(3)
    assert present(aurora) == set(NAMES[3])


def test_those_of_version_2_work_under_their_names(imported, source):
    imported.become_version(2)
    try:
        imported.sql(set_source(source, source.position(), 1).replace("_source", "_master"))
        imported.sql(START)
        imported.wait_for_replication(runs)
        imported.sql(STOP)
        imported.sql("CALL mysql.rds_reset_external_master")
        assert imported.replication() == {}
        with pytest.raises(SqlError) as caught:
            imported.sql(set_source(source, source.position(), 1))
        assert caught.value.code == NO_PROCEDURE
        imported.follow(source)
        imported.sql(START)
        imported.wait_for_replication(runs)
    finally:
        imported.become_version(3)


@ANY_CALL
def test_each_can_be_granted_alone(replica, call):
    name = call.split("(")[0]

    def code():
        try:
            replica.as_importer().sql(f"CALL mysql.{call}")
        except SqlError as error:
            return error.code
        return 0

    assert code() == NO_PRIVILEGE
    replica.grant(name)
    try:
        assert code() == 0
        others = {other.split("(")[0] for other in CALLS.values()} - {name}
        visible = replica.as_importer().sql(
            "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'mysql'")
        assert [name] in visible and not any([other] in visible for other in others)
    finally:
        replica.revoke(name)
    assert code() == NO_PRIVILEGE


@ANY_CALL
def test_each_is_refused_while_replication_runs(running, call):
    before = running.replication(), running.history()
    assert refused(running.client(), f"CALL mysql.{call}") == RUNNING
    status = running.replication()
    assert runs(status) and running.history() == before[1]
    assert [status[name] for name in ("Source_Port", "Source_User", "Source_SSL_Cert")] == \
        [before[0][name] for name in ("Source_Port", "Source_User", "Source_SSL_Cert")]


@pytest.mark.parametrize("thread", ["IO_THREAD", "SQL_THREAD"])
def test_one_running_thread_is_enough(running, thread):
    running.sql(f"STOP REPLICA {thread}")
    assert refused(running.client(), f"CALL mysql.{CALLS['set']}") == RUNNING
    assert refused(running.client(), START) == \
        "Replication might be running. First call mysql.rds_stop_replication."
    running.sql(STOP)
    status = running.replication()
    assert (status["Replica_IO_Running"], status["Replica_SQL_Running"]) == ("No", "No")


@pytest.mark.parametrize("call", [CALLS["set"], CALLS["auto"], CALLS["reset"]])
def test_autocommit_is_needed(replica, call):
    before = replica.replication()
    assert refused(replica.client(), f"SET autocommit = 0; CALL mysql.{call}") == \
        "autocommit must be enabled."
    assert replica.replication() == before


def test_ssl_without_imported_material_is_refused(replica, source, authority, pair):
    before = replica.replication()
    assert refused(replica.client(), set_source(source, source.position(), 1)) == NO_MATERIAL
    assert replica.replication() == before
    import_pair(replica, authority, pair)
    replica.sql(set_source(source, source.position(), 1))
    replica.sql("CALL mysql.rds_remove_binlog_ssl_material")
    assert refused(replica.client(), set_source(source, source.position(), 1)) == NO_MATERIAL


@pytest.mark.parametrize("ssl, allowed", [(0, "No"), (1, "Yes")])
def test_ssl_encryption_decides_about_tls(imported, source, ssl, allowed):
    imported.sql(set_source(source, source.position(), ssl))
    status = imported.replication()
    assert status["Source_SSL_Allowed"] == allowed
    assert (status["Source_SSL_Cert"] != "") is (ssl == 1)
    imported.sql(START)
    assert imported.replication()["Source_SSL_Allowed"] == allowed


def test_replication_begins_at_the_position(imported, source):
    position = source.position()
    source.sql("INSERT INTO app.t VALUES (1, 'after the position')")
    imported.sql(set_source(source, position, 1))
    imported.sql(START)
    assert imported.wait_for_row(1) == "after the position"


def test_a_reset_removes_the_configuration(imported):
    imported.sql(RESET)
    assert imported.replication() == {}


def test_set_binlog_source_ssl_turns_tls_on_and_off(imported, source):
    imported.sql(set_source(source, source.position(), 0))
    imported.sql("CALL mysql.rds_set_binlog_source_ssl(1)")
    assert imported.replication()["Source_SSL_Allowed"] == "Yes"
    imported.sql(START)
    imported.wait_for_replication(runs)
    imported.sql(STOP)
    imported.sql("CALL mysql.rds_set_binlog_source_ssl(0)")
    assert imported.replication()["Source_SSL_Allowed"] == "No"
    assert refused(imported.client(), "CALL mysql.rds_set_binlog_source_ssl(2)") == \
        "The mode must be 0 or 1."


def test_with_auto_position_tls_must_be_turned_on_after_it(imported, source):
    imported.sql(imported.make.assume(source.executed()))
    imported.sql(set_auto_position(source))
    status = imported.replication()
    assert status["Source_SSL_Allowed"] == "No"
    assert status[imported.make.auto_position[0]] == imported.make.auto_position[1]
    imported.sql("CALL mysql.rds_set_binlog_source_ssl(1)")
    imported.sql(START)
    imported.wait_for_replication(runs)
    source.sql("INSERT INTO app.t VALUES (2, 'by GTID')")
    assert imported.wait_for_row(2) == "by GTID"


def test_a_position_follows_auto_position(imported, source):
    """And back: the one ends the other."""
    imported.follow(source, auto_position=True)
    column, value = imported.make.auto_position
    assert imported.replication()[column] == value
    imported.follow(source)
    assert imported.replication()[column] != value
    imported.sql(START)
    imported.wait_for_replication(runs)


def test_fail_at_set_refuses_a_new_source(imported, source):
    imported.set_option("fail_at", "set")
    before = imported.replication()
    assert refused(imported.client(), set_source(source, source.position(), 1)) == \
        "Replication could not be configured."
    assert imported.replication() == before


def test_the_history_has_the_calls_that_succeeded(running, source):
    before = len(running.history())
    refused(running.client(), set_source(source, source.position(), 1))
    running.sql(STOP)
    running.sql(set_source(source, source.position(), 1))
    running.sql("CALL mysql.rds_set_binlog_source_ssl(1)")
    running.sql(START)
    running.sql(f"{STOP}; {RESET}")
    assert running.history()[before:] == \
        ["stop", "set source", "set ssl", "start", "stop", "reset source"]


@ANY_CALL
@pytest.mark.parametrize("setting", ["0", "1"])
def test_a_call_restores_the_binary_log_of_the_session(replica, call, setting):
    text = f"SET sql_log_bin = {setting}; CALL mysql.{call}; SELECT @@sql_log_bin"
    assert replica.sql(text) == [[setting]]


@pytest.fixture
def trying(replica):
    """A procedure that fails after it has turned the binary log off, and goes on."""
    replica.sql("""DELIMITER //
        CREATE PROCEDURE standin.trying()
        BEGIN
            DECLARE failed TINYINT DEFAULT 0;
            DECLARE CONTINUE HANDLER FOR SQLEXCEPTION SET failed = 1;
            CALL mysql.rds_set_external_source(NULL, 1, 'u', 'p', 'f', 4, 0);
            SELECT failed, @@session.sql_log_bin;
        END//
        DELIMITER ;""")
    yield replica
    replica.sql("DROP PROCEDURE standin.trying")


def test_a_call_that_fails_restores_the_binary_log_of_the_session(trying):
    body = trying.rows("SHOW CREATE PROCEDURE standin.set_source")[0]["Create Procedure"]
    assert str(body).index("SET sql_log_bin = 0") < str(body).index("CALL standin.change_source")
    assert trying.sql("CALL standin.trying()") == [["1", "1"]]
