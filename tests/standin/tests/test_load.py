"""Load on the source: every committed row arrives at the replica once, whatever happens."""

import pytest

from tests.standin import Load
from tests.standin.load import TABLE
from tests.standin.source import REPLICATION_USER
from tests.standin.tests.calls import (ACCESS_DENIED, START, STOP, fails, import_pair, refused, runs,
                                       set_auto_position, set_source)

POSITIONS = pytest.mark.parametrize("auto_position", [False, True], ids=["file", "gtid"])


@pytest.fixture
def load(source):
    with Load(source) as load:
        yield load
    if not source.running:
        source.start()


@pytest.fixture
def running(replica, source, authority, pair, auto_position):
    """Replication runs from before the load on."""
    replica.follow(source, auto_position=auto_position)
    import_pair(replica, authority, pair)
    replica.sql(START)
    replica.wait_for_replication(runs)
    return replica


def repoint(aurora, source, auto_position):
    """Goes on where replication has been stopped."""
    if auto_position:
        aurora.sql(set_auto_position(source))
        aurora.sql("CALL mysql.rds_set_binlog_source_ssl(1)")
    else:
        aurora.sql(set_source(source, aurora.coordinates(), 1))


@POSITIONS
def test_each_row_arrives_once(running, load):
    load.advance()
    count = load.compare(running)
    assert count >= 5 and count == load.committed
    assert running.sql(f"SELECT COUNT(*), COUNT(DISTINCT id) FROM {TABLE}") == [[str(count)] * 2]


@POSITIONS
def test_the_source_is_killed_and_started_again(running, source, load):
    load.advance()
    port, pid = source.port, source.pid
    source.kill()
    source.start()
    assert source.port == port and source.pid != pid
    load.advance()
    running.wait_for_replication(runs)
    load.compare(running)


@POSITIONS
def test_replication_is_stopped_and_repointed(running, source, load, auto_position):
    for _ in range(3):
        load.advance()
        running.sql(STOP)
        load.advance()
        repoint(running, source, auto_position)
        running.sql(START)
        running.wait_for_replication(runs)
    load.compare(running)


@POSITIONS
def test_the_source_requires_another_subject_under_load(running, source, load, authority, other_pair):
    load.advance()
    source.require_subject(other_pair.subject)
    assert running.wait_for_replication(fails)["Last_IO_Errno"] == ACCESS_DENIED
    load.advance()
    import_pair(running, authority, other_pair)
    running.wait_for_replication(runs)
    load.compare(running)


@POSITIONS
def test_with_purged_logs_the_source_answers_1236(running, source, load):
    running.wait_for_replication(lambda status: running.sql(
        "SELECT 1 FROM information_schema.TABLES WHERE TABLE_NAME = 'numbers'"))
    running.sql(STOP)
    load.advance()
    source.purge()
    running.sql(START)
    status = running.wait_for_replication(fails)
    assert status["Last_IO_Errno"] == running.make.purged
    assert "1236" in status["Last_IO_Error"]
    assert status["Replica_IO_Running"] == "No"
    with pytest.raises(AssertionError, match="has not caught up"):
        load.compare(running, seconds=0)


@pytest.mark.parametrize("auto_position", [False])
def test_a_start_that_sleeps_refuses_what_ends_at_1236(running, source, load):
    running.sql(STOP)
    load.advance()
    source.purge()
    running.set_option("sleeps", "on")
    assert "encountered an error" in refused(running.client(), START)


@pytest.mark.parametrize("auto_position", [False])
@pytest.mark.parametrize("change, where", [
    ("DELETE FROM {} WHERE id = 2", r"missing \[2\]"),
    ("INSERT INTO {} VALUES (3, 'row 3')", r"more than once \[3\]"),
    ("UPDATE {} SET text = 'other' WHERE id = 2", "at the replica"),
])
def test_a_row_that_is_missing_doubled_or_changed_is_found(running, load, change, where):
    load.advance()
    load.compare(running)
    running.sql(change.format(TABLE))
    with pytest.raises(AssertionError, match=where):
        load.compare(running)


def test_a_load_counts_on_after_its_connection_is_killed(source, load):
    load.advance()
    for thread, in source.sql("SELECT ID FROM information_schema.PROCESSLIST "
                              "WHERE USER = 'root' AND ID <> CONNECTION_ID()"):
        source.sql(f"KILL {thread}")
    load.advance()
    count = load.stop()
    assert source.sql(f"SELECT COUNT(*), MAX(id) FROM {TABLE}") == [[str(count)] * 2]


def test_a_load_cannot_say_what_a_dead_source_has(source, load):
    load.advance()
    source.kill()
    with pytest.raises(AssertionError, match="does not say whether row"):
        load.stop(seconds=0.5)
    source.start()
    count = load.stop()
    assert source.sql(f"SELECT COUNT(*), MAX(id) FROM {TABLE}") == [[str(count)] * 2]


def test_the_subject_is_required_at_the_next_connection(source, pair, other_pair):
    def required():
        return str(source.sql(f"SHOW CREATE USER {REPLICATION_USER}@'%'")[0][0])

    assert pair.subject in required()
    source.require_subject(other_pair.subject)
    assert other_pair.subject in required() and pair.subject not in required()
