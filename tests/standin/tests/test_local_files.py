"""When the files that the I/O thread reads follow an import, and whether an import wants a stop."""

import time

import pytest

from tests.standin.client import SqlError
from tests.standin.pki import PKCS1, key_as
from tests.standin.tests.calls import (ACCESS_DENIED, REMOVE, RUNNING, START, STOP, TLS_ERROR, fails,
                                       import_pair, runs, set_source)

MODES = ["at_once", "at_start", "by_set_external"]
ANY_MODE = pytest.mark.parametrize("mode", MODES)


def repoint(aurora, source, ssl=1):
    """At the coordinates that are executed: no event is skipped or applied twice."""
    aurora.sql(set_source(source, aurora.coordinates(), ssl))


def attempts(source):
    return int(source.rows("SHOW GLOBAL STATUS LIKE 'Aborted_connects'")[0]["Value"])


def wait_for_attempts(source, number=2):
    """Until the source has refused the replica that often again."""
    before, end = attempts(source), time.monotonic() + 20
    while attempts(source) < before + number:
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def running(replica, source, authority, pair, mode):
    """Replication that runs with pair in the mode under test."""
    replica.set_option("local_files", mode)
    import_pair(replica, authority, pair)
    repoint(replica, source)
    replica.sql(START)
    replica.wait_for_replication(runs)
    return replica


@pytest.fixture
def broken(running, source, authority, other_pair):
    """The source requires other_pair, and then it is imported."""
    source.require_subject(other_pair.subject)
    assert running.wait_for_replication(fails)["Last_IO_Errno"] == ACCESS_DENIED
    import_pair(running, authority, other_pair)
    return running


@ANY_MODE
def test_set_external_with_ssl_copies_the_files(running, authority, pair):
    assert running.local_files() == {
        "ca": authority.certificate.read_bytes(), "cert": pair.certificate.read_bytes(),
        "key": key_as(pair.key, PKCS1)}
    paths = [str(running.replication()[f"Source_SSL_{name}"]) for name in ("CA_File", "Cert", "Key")]
    assert {path.split("/")[-2] for path in paths} == {"ssllocal"}


@ANY_MODE
def test_names_of_files_do_not_tell_old_from_new(broken, source):
    names = ["Source_SSL_CA_File", "Source_SSL_Cert", "Source_SSL_Key"]
    before = broken.replication()
    broken.sql(STOP)
    repoint(broken, source)
    assert [broken.replication()[name] for name in names] == [before[name] for name in names]


@pytest.mark.parametrize("mode", ["at_once"])
def test_at_once_an_import_mends_an_io_thread_that_tries_again(broken):
    broken.wait_for_replication(runs)


@pytest.mark.parametrize("mode", ["at_start"])
def test_at_start_the_next_start_takes_the_import(broken, source, pair, other_pair):
    assert broken.local_files()["cert"] == pair.certificate.read_bytes()
    wait_for_attempts(source)
    assert broken.replication()["Last_IO_Errno"] == ACCESS_DENIED
    broken.sql(f"{STOP}; {START}")
    broken.wait_for_replication(runs)
    assert broken.local_files()["cert"] == other_pair.certificate.read_bytes()


@pytest.mark.parametrize("mode", ["by_set_external"])
def test_by_set_external_a_start_still_has_the_old_certificate(broken, source, pair, other_pair):
    broken.sql(f"{STOP}; {START}")
    assert broken.wait_for_replication(fails)["Last_IO_Errno"] == ACCESS_DENIED
    wait_for_attempts(source)
    assert broken.replication()["Last_IO_Errno"] == ACCESS_DENIED
    assert broken.local_files()["cert"] == pair.certificate.read_bytes()
    broken.sql(STOP)
    repoint(broken, source)
    broken.sql(START)
    broken.wait_for_replication(runs)
    assert broken.local_files()["cert"] == other_pair.certificate.read_bytes()


@pytest.mark.parametrize("mode", ["by_set_external"])
def test_by_set_external_needs_ssl_and_no_other_procedure_copies(broken, source, pair):
    broken.sql(STOP)
    repoint(broken, source, ssl=0)
    broken.sql("CALL mysql.rds_set_binlog_source_ssl(1)")
    assert broken.local_files()["cert"] == pair.certificate.read_bytes()
    broken.sql(START)
    assert broken.wait_for_replication(fails)["Last_IO_Errno"] == ACCESS_DENIED


@ANY_MODE
def test_no_row_is_lost_or_doubled_by_a_new_source(broken, source, other_pair):
    source.sql("INSERT INTO app.t VALUES (1, 'while broken')")
    broken.sql(STOP)
    repoint(broken, source)
    broken.sql(START)
    assert broken.wait_for_row(1) == "while broken"
    source.sql("INSERT INTO app.t VALUES (2, 'then')")
    assert broken.wait_for_row(2) == "then"


@ANY_MODE
def test_a_removal_deletes_the_local_files_too(running):
    running.sql(REMOVE)
    assert running.local_files() == {}


@pytest.mark.parametrize("mode, restored", [("at_once", False), ("at_start", True),
                                            ("by_set_external", False)])
def test_lost_local_files(running, mode, restored):
    running.lose_local_files()
    assert running.local_files() == {} and running.material() != []
    running.sql(f"{STOP}; {START}")
    if restored:
        running.wait_for_replication(runs)
    else:
        assert running.wait_for_replication(fails)["Last_IO_Errno"] == TLS_ERROR


@pytest.mark.parametrize("mode", ["at_once"])
def test_an_import_can_want_replication_stopped(running, authority, other_pair):
    running.set_option("import_while_running", "no")
    before, files = running.imports(), running.material()
    with pytest.raises(SqlError) as caught:
        import_pair(running, authority, other_pair)
    assert (caught.value.code, caught.value.message) == (1644, RUNNING)
    assert (running.imports(), running.material()) == (before, files)
    running.sql(STOP)
    import_pair(running, authority, other_pair)
    assert len(running.imports()) == len(before) + 1
