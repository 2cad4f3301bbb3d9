"""Clusters that cannot be imported into: each has its own outcome and delays no other."""

import os
import signal

import pytest

from tests.integration.conftest import configuration
from tests.standin import write_material
from tests.standin.server import free_port

PASSING = {"unreachable", "tls", "timed_out", "unknown", "not_writer"}


def start(house, service, **more):
    service.configure(configuration(service, house.aurora, **more))
    write_material(service.material, house.authority.certificate, house.client("outcome"))
    service.start()


def expect(service, outcome, errno=None):
    cluster = service.wait_cluster("orders", "retrying" if outcome in PASSING else "held")
    assert cluster["outcome"] == outcome
    assert cluster["next_attempt"] is not None
    assert cluster["reason"]
    if errno:
        assert cluster["sql_errno"] == errno
    return cluster


def test_a_server_that_is_down_is_unreachable(house, service):
    start(house, service, port=free_port())
    cluster = expect(service, "unreachable")
    assert cluster["reason"] == "Can't connect to server on 'localhost'"


def test_a_wrong_password_is_held_as_auth(house, service):
    service.password_file("wrong")
    start(house, service)
    expect(service, "auth", 1045)


@pytest.mark.parametrize("source, step", [
    ("password-file = /nowhere/password", "let the service's user read password-file"),
    ("password-credential = nowhere", "hand the credential to the unit: LoadCredential="),
    ("password-command = /bin/false", "run password-command by hand")])
def test_a_password_that_is_not_to_be_had_says_where_to_look(house, service, source, step):
    text = configuration(service, house.aurora)
    line = next(line for line in text.splitlines() if line.startswith("password-file"))
    service.configure(text.replace(line, source))
    write_material(service.material, house.authority.certificate, house.client("outcome"))
    service.start()
    cluster = expect(service, "auth")
    assert cluster["reason"].startswith("no password: ")
    assert cluster["next_step"].startswith(step)


def test_an_unverified_server_gets_nothing(house, service):
    service.configure(configuration(service, house.aurora).replace(
        str(house.aurora.ca), str(house.authority.certificate)))
    write_material(service.material, house.authority.certificate, house.client("outcome"))
    before = len(house.aurora.imports())
    service.start()
    expect(service, "tls")
    assert len(house.aurora.imports()) == before


@pytest.mark.parametrize("statement, undo, outcome, errno", [
    ("REVOKE EXECUTE ON PROCEDURE mysql.rds_import_binlog_ssl_material FROM ssl_importer@'%'",
     "GRANT EXECUTE ON PROCEDURE mysql.rds_import_binlog_ssl_material TO ssl_importer@'%'",
     "no_privilege", 1370),
    ("UPDATE standin.options SET value = 'import' WHERE name = 'fail_at'", "DO 0",
     "rejected", 1644),
    ("SET GLOBAL general_log = 1", "SET GLOBAL general_log = 0", "refused_log", None),
])
def test_what_needs_an_operator_is_held(house, service, statement, undo, outcome, errno):
    house.aurora.sql(statement)
    try:
        start(house, service)
        expect(service, outcome, errno)
    finally:
        house.aurora.sql(undo)


IMPORT = "EXECUTE ON PROCEDURE mysql.rds_import_binlog_ssl_material"
STOP = "EXECUTE ON PROCEDURE mysql.rds_stop_replication"
START = "EXECUTE ON PROCEDURE mysql.rds_start_replication"
STATUS = "REPLICA MONITOR ON *.*"


@pytest.mark.parametrize("grant, outcome, errno", [
    (IMPORT, "no_privilege", 1370), (STOP, "replication_failed", 1370),
    (START, "replication_failed", 1370), (STATUS, "replication_failed", 1227)])
def test_a_missing_grant_is_told_as_the_statement_that_heals_it(house, service, grant, outcome,
                                                                errno):
    house.source.demand("/CN=outcome")
    house.aurora.sql(f"REVOKE {grant} FROM ssl_importer@'%'")
    try:
        start(house, service, cluster="replication = restart", daemon="retry-held = 1h")
        statement = expect(service, outcome, errno)["next_step"].partition(";")[0]
        assert statement == f"GRANT {grant} TO 'ssl_importer'@'%'"
        assert statement in service.log()
        assert f"next: {statement}" in " ".join(service.ctl("status").stdout.split())
    finally:
        house.aurora.sql(f"GRANT {grant} TO ssl_importer@'%'")
    assert service.ctl("import", "--wait").returncode == 0
    assert service.cluster("orders")["next_step"] is None


@pytest.mark.parametrize("errno", [1205, 1213, 1317])
def test_a_rejection_of_the_moment_is_tried_again_by_itself(house, service, errno):
    house.aurora.set_option("fail_at", str(errno))
    start(house, service)
    cluster = service.wait_cluster("orders", "retrying")
    assert (cluster["outcome"], cluster["sql_errno"]) == ("rejected", errno)
    house.aurora.set_option("fail_at", "")
    service.wait_cluster("orders", "current")


def test_a_server_without_the_procedure_is_named(house, service):
    with house.aurora.without_procedure():
        start(house, service)
        expect(service, "no_procedure", 1305)


def test_a_reader_gets_nothing_and_the_writer_it_becomes_does(house, service):
    before = len(house.aurora.imports())
    house.aurora.become_reader()
    try:
        start(house, service)
        expect(service, "not_writer")
        assert len(house.aurora.imports()) == before
    finally:
        house.aurora.become_writer()
    service.wait_cluster("orders", "current")
    assert len(house.aurora.imports()) == before + 1


def test_a_hanging_cluster_is_killed_at_its_deadline_and_delays_no_other(house, service):
    house.aurora.set_option("slow_seconds", "30")
    text = configuration(service, house.aurora, daemon="import-timeout = 1s")
    other = text[text.index("[cluster orders]"):].replace("[cluster orders]", "[cluster down]")
    text += other.replace(f"port = {house.aurora.port}", f"port = {free_port()}")
    service.configure(text)
    write_material(service.material, house.authority.certificate, house.client("slow"))
    service.start()
    service.wait(lambda: service.cluster("down")["outcome"] == "unreachable", 0.9)
    service.wait(lambda: service.cluster("orders")["outcome"] in ("timed_out", "unknown"))
    assert service.cluster("orders")["imported_fingerprint"] is None


def test_an_importer_that_dies_is_crashed_and_the_next_one_imports(house, service):
    house.aurora.set_option("slow_seconds", "20")
    start(house, service)
    service.wait(lambda: service.importers() != [])
    os.kill(service.importers()[0], signal.SIGKILL)
    service.wait(lambda: service.cluster("orders")["outcome"] == "crashed")
    house.aurora.set_option("slow_seconds", "0")
    for importer in service.importers():
        os.kill(importer, signal.SIGKILL)
    service.wait_cluster("orders", "current")


def test_a_start_that_is_refused_is_replication_failed(house, service):
    house.aurora.set_option("fail_at", "start")
    before = len(house.aurora.imports())
    start(house, service, cluster="replication = restart")
    cluster = expect(service, "replication_failed", 1644)
    assert "rds_start_replication: Replication could not be started." in cluster["reason"]
    assert cluster["imported_fingerprint"] is not None
    assert len(house.aurora.imports()) == before + 1


def test_a_replica_that_does_not_come_back_is_reconnected_without_a_second_import(house, service):
    good = house.client("outcome")
    house.source.demand("/CN=somebody else")
    before = len(house.aurora.imports())
    service.configure(configuration(service, house.aurora, cluster="replication = restart",
                                    daemon="import-timeout = 3s\nretry-held = 500ms"))
    write_material(service.material, house.authority.certificate, good)
    service.start()
    cluster = service.wait_cluster("orders", "held")
    assert cluster["outcome"] == "replication_failed"
    assert cluster["replication"]["io_running"] == "Connecting"
    assert cluster["replication"]["io_errno"] == 1045
    assert cluster["in_use"] is None
    house.source.demand(good.subject)
    assert service.wait_cluster("orders", "current")["in_use"] is True
    assert len(house.aurora.imports()) == before + 1

def test_no_more_importers_than_allowed_run_at_once(house, service):
    house.aurora.set_option("slow_seconds", "0.3")
    text = configuration(service, house.aurora, daemon="parallel-imports = 2")
    one = text[text.index("[cluster orders]"):]
    text += "".join(one.replace("orders", f"more{n}") for n in range(4))
    service.configure(text)
    write_material(service.material, house.authority.certificate, house.client("many"))
    before = len(house.aurora.imports())
    most = 0

    def all_current() -> bool:
        nonlocal most
        most = max(most, len(service.importers()))
        return len(house.aurora.imports()) == before + 5

    service.start()
    service.wait(all_current)
    assert most == 2
