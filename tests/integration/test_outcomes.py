"""Failing imports: each has its outcome and does not delay other clusters."""

import os
import signal

import pytest

from tests.integration.conftest import configuration
from tests.standin import write_material
from tests.standin.server import free_port

BOTH_MAKES = True

TRANSIENT = {"unreachable", "tls", "timed_out", "unknown", "not_writer"}


def start(testbed, service, **more):
    service.configure(configuration(service, testbed.aurora, **more))
    write_material(service.material, testbed.authority.certificate, testbed.client("outcome"))
    service.start()


def expect(service, outcome, errno=None):
    cluster = service.wait_cluster("orders", "retrying" if outcome in TRANSIENT else "held")
    assert cluster["outcome"] == outcome
    assert cluster["next_attempt"] is not None
    assert cluster["reason"]
    if errno:
        assert cluster["sql_errno"] == errno
    return cluster


def test_a_server_that_is_down_is_unreachable(testbed, service):
    start(testbed, service, port=free_port())
    cluster = expect(service, "unreachable")
    assert cluster["reason"] == "Can't connect to server on 'localhost': Connection refused"


def test_a_wrong_password_is_held_as_auth(testbed, service):
    service.password_file("wrong")
    start(testbed, service)
    expect(service, "auth", 1045)


@pytest.mark.parametrize("source, step", [
    ("password-file = /nowhere/password", "let the service's user read password-file"),
    ("password-credential = nowhere", "hand the credential to the unit: LoadCredential="),
    ("password-command = /bin/false", "run password-command by hand")])
def test_an_unavailable_password_has_a_next_step(testbed, service, source, step):
    text = configuration(service, testbed.aurora)
    line = next(line for line in text.splitlines() if line.startswith("password-file"))
    service.configure(text.replace(line, source))
    write_material(service.material, testbed.authority.certificate, testbed.client("outcome"))
    service.start()
    cluster = service.wait_cluster("orders", "retrying")
    assert (cluster["outcome"], cluster["sql_errno"]) == ("auth", None)
    assert cluster["reason"].startswith("no password: ")
    assert cluster["next_step"].startswith(step)


def test_an_unverified_server_receives_nothing(testbed, service):
    service.configure(configuration(service, testbed.aurora).replace(
        str(testbed.aurora.ca), str(testbed.authority.certificate)))
    write_material(service.material, testbed.authority.certificate, testbed.client("outcome"))
    before = len(testbed.aurora.imports())
    service.start()
    expect(service, "tls")
    assert len(testbed.aurora.imports()) == before


@pytest.mark.parametrize("statement, undo, outcome, errno", [
    ("REVOKE EXECUTE ON PROCEDURE mysql.rds_import_binlog_ssl_material FROM ssl_importer@'%'",
     "GRANT EXECUTE ON PROCEDURE mysql.rds_import_binlog_ssl_material TO ssl_importer@'%'",
     "no_privilege", 1370),
    ("UPDATE standin.options SET value = 'import' WHERE name = 'fail_at'", "DO 0",
     "rejected", 1644),
    ("SET GLOBAL general_log = 1", "SET GLOBAL general_log = 0", "refused_log", None),
])
def test_an_error_that_needs_an_operator_is_held(testbed, service, statement, undo, outcome, errno):
    testbed.aurora.sql(statement)
    try:
        start(testbed, service)
        expect(service, outcome, errno)
    finally:
        testbed.aurora.sql(undo)


IMPORT = "EXECUTE ON PROCEDURE mysql.rds_import_binlog_ssl_material"
STOP = "EXECUTE ON PROCEDURE mysql.rds_stop_replication"
START = "EXECUTE ON PROCEDURE mysql.rds_start_replication"
STATUS = "{status_privilege} ON *.*"


@pytest.mark.parametrize("grant, outcome, errno", [
    (IMPORT, "no_privilege", 1370), (STOP, "replication_failed", 1370),
    (START, "replication_failed", 1370), (STATUS, "replication_failed", 1227)])
def test_a_missing_grant_has_the_grant_statement_as_next_step(testbed, service, grant, outcome,
                                                              errno):
    grant = grant.format(status_privilege=testbed.aurora.make.status_privilege)
    testbed.source.require_subject("/CN=outcome")
    testbed.aurora.start_replication()
    testbed.aurora.sql(f"REVOKE {grant} FROM ssl_importer@'%'")
    try:
        start(testbed, service, cluster="replication = restart", daemon="retry-held = 1h")
        statement = expect(service, outcome, errno)["next_step"].partition(";")[0]
        assert statement == f"GRANT {grant} TO 'ssl_importer'@'%'"
        assert statement in service.log()
        # Not while it is importing: stopped replication is started again and again.
        service.wait(lambda: f"next: {statement}" in
                     " ".join(service.ctl("status").stdout.split()))
    finally:
        testbed.aurora.sql(f"GRANT {grant} TO ssl_importer@'%'")
    assert service.ctl("import", "--wait").returncode == 0
    assert service.cluster("orders")["next_step"] is None


@pytest.mark.parametrize("errno", [1205, 1213, 1317])
def test_a_transient_rejection_is_retried(testbed, service, errno):
    testbed.aurora.set_option("fail_at", str(errno))
    start(testbed, service)
    cluster = service.wait_cluster("orders", "retrying")
    assert (cluster["outcome"], cluster["sql_errno"]) == ("rejected", errno)
    testbed.aurora.set_option("fail_at", "")
    service.wait_cluster("orders", "current")


def test_a_server_without_the_procedure_is_no_procedure(testbed, service):
    with testbed.aurora.without_procedure():
        start(testbed, service)
        expect(service, "no_procedure", 1305)


def test_a_reader_gets_no_import_until_it_is_the_writer(testbed, service):
    before = len(testbed.aurora.imports())
    testbed.aurora.become_reader()
    try:
        start(testbed, service)
        expect(service, "not_writer")
        assert len(testbed.aurora.imports()) == before
    finally:
        testbed.aurora.become_writer()
    service.wait_cluster("orders", "current")
    assert len(testbed.aurora.imports()) == before + 1


def test_a_hanging_import_is_killed_at_its_deadline_and_delays_no_other(testbed, service):
    testbed.aurora.set_option("slow_seconds", "30")
    text = configuration(service, testbed.aurora, daemon="import-timeout = 1s")
    other = text[text.index("[cluster orders]"):].replace("[cluster orders]", "[cluster down]")
    text += other.replace(f"port = {testbed.aurora.port}", f"port = {free_port()}")
    service.configure(text)
    write_material(service.material, testbed.authority.certificate, testbed.client("slow"))
    service.start()
    service.wait(lambda: service.cluster("down")["outcome"] == "unreachable", 0.9)
    service.wait(lambda: service.cluster("orders")["outcome"] in ("timed_out", "unknown"))
    assert service.cluster("orders")["imported_fingerprint"] is None


def test_a_killed_importer_is_crashed_and_the_next_one_imports(testbed, service):
    testbed.aurora.set_option("slow_seconds", "20")
    start(testbed, service)
    service.wait(lambda: service.importers() != [])
    os.kill(service.importers()[0], signal.SIGKILL)
    service.wait(lambda: service.cluster("orders")["outcome"] == "crashed")
    testbed.aurora.set_option("slow_seconds", "0")
    for importer in service.importers():
        os.kill(importer, signal.SIGKILL)
    service.wait_cluster("orders", "current")


def test_a_refused_start_is_replication_failed(testbed, service):
    testbed.aurora.start_replication()
    testbed.aurora.set_option("fail_at", "start")
    before = len(testbed.aurora.imports())
    start(testbed, service, cluster="replication = restart")
    cluster = expect(service, "replication_failed", 1644)
    assert "rds_start_replication: Replication could not be started." in cluster["reason"]
    assert cluster["imported_fingerprint"] is not None
    assert len(testbed.aurora.imports()) == before + 1


def test_failed_replication_is_restarted_without_a_second_import(testbed, service):
    good = testbed.client("outcome")
    testbed.source.require_subject("/CN=somebody else")
    testbed.aurora.start_replication()
    before = len(testbed.aurora.imports())
    service.configure(configuration(service, testbed.aurora, cluster="replication = restart",
                                    daemon="import-timeout = 3s\nretry-held = 500ms"))
    write_material(service.material, testbed.authority.certificate, good)
    service.start()
    cluster = service.wait_cluster("orders", "held")
    assert cluster["outcome"] == "replication_failed"
    assert cluster["replication"]["io_running"] == "Connecting"
    assert cluster["replication"]["io_errno"] == 1045
    assert cluster["in_use"] is None
    testbed.source.require_subject(good.subject)
    assert service.wait_cluster("orders", "current")["in_use"] is True
    assert len(testbed.aurora.imports()) == before + 1


def test_no_more_importers_than_allowed_run_at_once(testbed, service):
    testbed.aurora.set_option("slow_seconds", "0.3")
    text = configuration(service, testbed.aurora, daemon="parallel-imports = 2")
    one = text[text.index("[cluster orders]"):]
    text += "".join(one.replace("orders", f"more{n}") for n in range(4))
    service.configure(text)
    write_material(service.material, testbed.authority.certificate, testbed.client("many"))
    before = len(testbed.aurora.imports())
    most = 0

    def all_current() -> bool:
        nonlocal most
        most = max(most, len(service.importers()))
        return len(testbed.aurora.imports()) == before + 5

    service.start()
    service.wait(all_current)
    assert most == 2
