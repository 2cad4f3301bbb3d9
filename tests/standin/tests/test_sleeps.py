"""The option sleeps: the procedures of replication sleep as AWS's do."""

import threading
import time

import pytest

from tests.standin.tests.calls import START, STOP, import_pair, refused, set_source

SLEEPS = "SELECT INFO FROM information_schema.PROCESSLIST WHERE INFO IN ('DO SLEEP(1)', 'DO SLEEP(2)')"
PROCEDURES = ["standin.set_source", "standin.set_ssl", "standin.reset_source",
              "mysql.rds_stop_replication", "mysql.rds_start_replication"]


def threads(aurora):
    status = aurora.replication()
    return status["Replica_IO_Running"] != "No", status["Replica_SQL_Running"] != "No"


def sleeps_of(aurora, call):
    """Returns the statements in which the call is seen to sleep, each with the threads then."""
    seen = {}
    caller = threading.Thread(target=aurora.sql, args=[call])
    caller.start()
    while caller.is_alive():
        for text, in aurora.sql(SLEEPS):
            if text not in seen:
                seen[text] = threads(aurora)
        time.sleep(0.02)
    caller.join()
    return seen


@pytest.mark.parametrize("name", PROCEDURES)
def test_every_procedure_sleeps_before_and_after_its_statement(aurora, name):
    body = str(aurora.rows(f"SHOW CREATE PROCEDURE {name}")[0]["Create Procedure"])
    before, after = body.index("CALL standin.sleep_before()"), body.index("CALL standin.sleep_after()")
    statement = max(body.index(text) for text in ("standin.change_source(", "RESET REPLICA",
                                                  "STOP REPLICA", "START REPLICA") if text in body)
    assert before < statement < after


def test_a_stop_and_a_start_sleep_one_second_and_two(replica):
    assert sleeps_of(replica, START) == {}
    replica.set_option("sleeps", "on")
    stopped, started = (False, False), (True, True)
    assert sleeps_of(replica, STOP) == {"DO SLEEP(1)": started, "DO SLEEP(2)": stopped}
    assert sleeps_of(replica, START) == {"DO SLEEP(1)": stopped, "DO SLEEP(2)": started}


def test_a_new_source_sleeps_one_second_and_two(replica, source):
    call = set_source(source, source.position(), 0)
    assert sleeps_of(replica, call) == {}
    replica.set_option("sleeps", "on")
    assert set(sleeps_of(replica, call)) == {"DO SLEEP(1)", "DO SLEEP(2)"}


def test_a_start_that_sleeps_sees_that_a_thread_has_ended(replica, source, authority, pair):
    """A position that the source does not have ends the I/O thread at once."""
    import_pair(replica, authority, pair)
    replica.sql(set_source(source, ("binlog.999999", 4), 1))
    replica.set_option("sleeps", "on")
    assert refused(replica.client(), START) == \
        "Slave has encountered an error. Run SHOW SLAVE STATUS\\G; to see the error."
    assert replica.history()[-1] != "start"
