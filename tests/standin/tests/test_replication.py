"""Replication uses the imported files, and the procedures return the documented messages."""

import pytest

from tests.standin.source import REPLICATION_USER
from tests.standin.tests.calls import (ACCESS_DENIED, REMOVE, START, STOP, TLS_ERROR, fails,
                                       import_pair, refused, runs)

STARTED = [{"Message": "Replication started. Slave is now running normally."}]


@pytest.fixture
def running(replica, authority, pair):
    import_pair(replica, authority, pair)
    replica.as_importer().sql(START)
    replica.wait_for_replication(runs)
    return replica


def test_replication_runs_with_the_required_subject(running, source):
    source.sql("INSERT INTO app.t VALUES (1, 'over TLS')")
    assert running.wait_for_row(1) == "over TLS"
    assert running.replication()["Source_SSL_Allowed"] == "Yes"


def test_with_another_subject_the_start_succeeds_and_the_io_thread_fails(
        replica, authority, other_pair):
    import_pair(replica, authority, other_pair)
    assert replica.as_importer().rows(START) == STARTED
    status = replica.wait_for_replication(fails)
    assert status["Last_IO_Errno"] == ACCESS_DENIED
    assert REPLICATION_USER in str(status["Last_IO_Error"])
    assert status["Replica_IO_Running"] == "Connecting"


def test_without_material_the_start_succeeds_and_the_io_thread_fails(replica):
    assert replica.as_importer().rows(START) == STARTED
    assert replica.wait_for_replication(fails)["Replica_IO_Running"] == "Connecting"


def test_a_new_required_subject_breaks_replication_until_import_and_restart(
        running, source, authority, other_pair):
    source.require_subject(other_pair.subject)
    assert running.wait_for_replication(fails)["Last_IO_Errno"] == ACCESS_DENIED
    import_pair(running, authority, other_pair)
    running.as_importer().sql(f"{STOP}; {START}")
    running.wait_for_replication(runs)
    source.sql("INSERT INTO app.t VALUES (2, 'after the rotation')")
    assert running.wait_for_row(2) == "after the rotation"


def test_an_import_does_not_affect_running_replication(running, authority, other_pair):
    before = running.replication()
    import_pair(running, authority, other_pair)
    after = running.replication()
    assert runs(after)
    assert after["Source_SSL_Cert"] == before["Source_SSL_Cert"]


def test_a_removal_does_not_affect_running_replication_but_the_next_start(running, authority, pair):
    running.sql(REMOVE)
    assert runs(running.replication())
    running.as_importer().sql(STOP)
    assert running.as_importer().rows(START) == STARTED
    status = running.wait_for_replication(fails)
    assert status["Last_IO_Errno"] == TLS_ERROR
    import_pair(running, authority, pair)
    running.as_importer().sql(f"{STOP}; {START}")
    running.wait_for_replication(runs)


def test_starting_running_replication_is_refused(running):
    assert refused(running.as_importer(), START) == \
        "Replication may already be running. Call rds_stop_replication to stop replication"
    assert runs(running.replication())


def test_starting_replication_that_cannot_connect_is_refused(replica):
    replica.as_importer().sql(START)
    replica.wait_for_replication(fails)
    assert "may already be running" in refused(replica.as_importer(), START)


def test_stopping_stopped_replication_is_refused(replica):
    assert refused(replica.as_importer(), STOP) == \
        "Slave is already stopped or may not be configured. Run SHOW SLAVE STATUS\\G;"


def test_stopping_stops_both_threads(running):
    assert running.as_importer().rows(STOP) == [{"Message": "Slave is now down or disabled"}]
    status = running.replication()
    assert (status["Replica_IO_Running"], status["Replica_SQL_Running"]) == ("No", "No")


def test_fail_at_stop_refuses_a_stop(running):
    running.set_option("fail_at", "stop")
    assert refused(running.as_importer(), STOP) == "Replication could not be stopped."
    assert runs(running.replication())


def test_fail_at_start_refuses_a_start(replica, authority, pair):
    import_pair(replica, authority, pair)
    replica.set_option("fail_at", "start")
    assert refused(replica.as_importer(), START) == "Replication could not be started."
    assert replica.replication()["Replica_IO_Running"] == "No"
