"""binlog-ssld --check-clusters: findings of a check that imports nothing and writes nothing."""

import json
import re
import socket
import subprocess
import time

import pytest

from tests.integration.conftest import (LEDGER_TABLE, both_makes, configuration,
                                        ledger_created)
from tests.standin.proxy import Fault, Proxy
from tests.standin.server import free_port

IMPORT = "mysql.rds_import_binlog_ssl_material"
HOST = "host = localhost"


@pytest.fixture(autouse=True)
def no_side_effects(testbed, service):
    """Every check: no import, no record, no material needed, no socket."""
    before = len(testbed.aurora.imports())
    yield
    assert len(testbed.aurora.imports()) == before
    assert list((service.directory / "state").iterdir()) == []
    assert list((service.directory / "run").iterdir()) == []


@pytest.fixture
def check(testbed, service):
    """Runs --check-clusters --json; returns exit status and the result of the first cluster."""

    def run(replace=("", ""), **more):
        service.configure(configuration(service, testbed.aurora, **more).replace(*replace))
        done = service.run("--check-clusters", "--json")
        document = json.loads(done.stdout)
        assert document["good"] is (done.returncode == 0) and done.returncode in (0, 1)
        return done.returncode, document["clusters"][0]

    return run


def outcomes(cluster):
    return [(finding["outcome"], finding["severity"]) for finding in cluster["findings"]]


def only_address(host):
    """The address that a server without a login has: none, if the name has several."""
    found = {entry[4][0] for entry in socket.getaddrinfo(host, 0)}
    return found.pop() if len(found) == 1 else None


def without_grant(testbed, grant):
    """Revokes a grant of the importing user; returns a function that restores it."""
    testbed.aurora.sql(f"REVOKE {grant} FROM ssl_importer@'%'")
    return lambda: testbed.aurora.sql(f"GRANT {grant} TO ssl_importer@'%'")


def another(text, name, port=0, more=""):
    """The section of the cluster "orders", which is last in the text, with another name."""
    section = text[text.index("[cluster orders]"):].replace("orders", name)
    return re.sub(r"port = \d+", f"port = {port}", section) + more if port else section + more


@both_makes
def test_a_good_cluster_has_all_fields(testbed, check):
    status, cluster = check(cluster="replication = restart")
    assert status == 0
    assert cluster["duration_usec"] > 0
    expected = {
        "name": "orders", "host": "localhost", "port": testbed.aurora.port, "import": "works",
        "address": "127.0.0.1", "tls_version": "TLSv1.3", "account": "ssl_importer@%",
        "user": "ssl_importer", "writer": True, "logs": "clean", "keeps_call": None,
        "payload_newlines": None, "findings": [],
        "procedures": {"rds_import_binlog_ssl_material": True, "rds_stop_replication": True,
                       "rds_start_replication": True, "rds_remove_binlog_ssl_material": False},
        "source_probe": None}
    assert {name: cluster[name] for name in expected} == expected
    assert [[cluster["server_version"]]] == testbed.aurora.sql("SELECT VERSION()")
    assert "TLS_" in cluster["tls_cipher"]
    assert cluster["certificate"] == {
        "subject": "CN = localhost", "issuer": "CN = RDS stand-in CA",
        "names": ["localhost", "127.0.0.1"], "name_count": 2, "chain_length": 1,
        "verified": True, "reason": None, "not_before": cluster["certificate"]["not_before"],
        "not_after": cluster["certificate"]["not_after"]}
    begin, end = (cluster["certificate"][name] // 10**6 for name in ("not_before", "not_after"))
    assert end - begin == 365 * 86400
    assert 363 * 86400 < end - time.time() < 366 * 86400
    assert cluster["replication"]["configured"] is True
    assert set(cluster) == {*expected, "duration_usec", "server_version", "tls_cipher",
                            "certificate", "replication", "replication_state", "ledger"}
    assert cluster["replication_state"] in ("running", "not_running", "stopped")


def test_the_table_has_a_line_for_each_cluster(testbed, service):
    text = configuration(service, testbed.aurora, cluster="replication = observe")
    service.configure(text + another(text, "a-name-that-is-as-long-as-a-name-may-be4")
                      + another(text, "down", free_port())
                      + another(text, "off", more="enabled = no\n"))
    done = service.run("--check-clusters")
    lines = done.stdout.splitlines()
    assert done.returncode == 1 and done.stderr == ""
    # The texts below a row stay on their line.
    assert all(len(line) <= 100 for line in lines if not re.match("      [a-z]+:", line)), done.stdout
    assert lines[0].split() == ["CLUSTER", "IMPORT", "TLS", "CERTIFICATE", "ROLE", "PROCEDURE",
                                "LOGS", "REPLICATION", "FORM"]
    row = next(line for line in lines if line.startswith("  orders")).split()
    assert row[1:3] == ["works", "1.3"] and row[4:7] == ["writer", "visible", "clean"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", row[3])
    assert (f"cert: CN = localhost, issued by CN = RDS stand-in CA, for localhost, 127.0.0.1, "
            f"valid until {row[3]}") in " ".join(done.stdout.split())
    assert done.stdout.count("cert:") == 2  # none for "down" and "off"
    assert any(line.split() == ["off", "disabled"] for line in lines)
    assert any(line.split()[:2] == ["down", "fails"] for line in lines)
    assert "why:   unreachable: " in done.stdout and "next:  check host" in done.stdout


def test_only_the_named_clusters_are_asked(testbed, service):
    with Proxy(testbed.aurora.port) as proxy:
        text = configuration(service, testbed.aurora)
        service.configure(text + another(text, "users") + another(text, "other", proxy.port)
                          + another(text, "off", more="enabled = no\n"))
        for names, found in ((["users", "orders", "users"], ["orders", "users"]),
                             (["off"], ["off"])):
            done = service.run("--check-clusters", "--json", *names)
            assert done.returncode == 0
            assert [c["name"] for c in json.loads(done.stdout)["clusters"]] == found
        assert proxy.connections == []


def test_an_unknown_name_names_the_known_ones_and_asks_none(testbed, service):
    with Proxy(testbed.aurora.port) as proxy:
        text = configuration(service, testbed.aurora, port=proxy.port)
        service.configure(text + another(text, "users"))
        done = service.run("--check-clusters", "orders", "zero\x1b")
        assert (done.returncode, done.stdout) == (64, "")
        assert done.stderr == ("binlog-ssld: there is no cluster zero ; the configuration has: "
                               "orders, users\n")
        assert proxy.connections == []


def test_the_payload_form_of_the_record_is_shown(testbed, service):
    state = service.directory / "state"
    service.configure(configuration(service, testbed.aurora))
    record = state / "orders.json"
    try:
        record.write_text(json.dumps({"payload_newlines": "escaped", "newlines": "escaped"}))
        done = service.run("--check-clusters", "--json")
        assert json.loads(done.stdout)["clusters"][0]["payload_newlines"] == "escaped"
    finally:
        record.unlink()
    service.configure(configuration(service, testbed.aurora, cluster="payload-newlines = raw"))
    done = service.run("--check-clusters", "--json")
    assert json.loads(done.stdout)["clusters"][0]["payload_newlines"] == "raw"


def test_a_wrong_password_is_an_auth_error_after_verified_tls(testbed, service, check):
    service.password_file("wrong")
    status, cluster = check()
    assert status == 1 and outcomes(cluster) == [("auth", "error")]
    assert cluster["findings"][0]["sql_errno"] == 1045
    assert cluster["address"] == only_address("localhost")
    assert cluster["tls_version"] is cluster["writer"] is cluster["server_version"] is None
    assert cluster["certificate"]["verified"] is True  # TLS succeeded


def test_a_missing_password_is_named(testbed, service, check):
    (service.directory / "etc" / "password").unlink()
    status, cluster = check()
    assert status == 1 and outcomes(cluster) == [("auth", "error")]
    assert "etc/password: No such file" in cluster["findings"][0]["text"]


def test_a_server_that_is_down_is_unreachable(check):
    status, cluster = check(port=free_port())
    assert status == 1 and outcomes(cluster) == [("unreachable", "error")]
    assert cluster["address"] == only_address("localhost")
    assert cluster["certificate"] is None


def test_a_name_that_does_not_resolve_has_no_address(check):
    status, cluster = check((HOST, "host = nowhere.invalid"))
    assert status == 1 and outcomes(cluster) == [("unreachable", "error")]
    assert cluster["address"] is None and "nowhere.invalid" in cluster["findings"][0]["text"]


def test_an_unverified_ca_gets_no_login(testbed, check):
    status, cluster = check((str(testbed.aurora.ca), str(testbed.authority.certificate)))
    assert status == 1 and outcomes(cluster) == [("tls", "error")]
    finding = cluster["findings"][0]
    assert "the issuer CN = RDS stand-in CA is not in server-ca" in finding["text"]
    assert finding["next"].startswith("server-ca lacks the CA that signed, CN = RDS stand-in CA: ")
    certificate = cluster["certificate"]
    assert certificate["verified"] is False and certificate["reason"] in finding["text"]
    assert certificate["issuer"] == "CN = RDS stand-in CA" and certificate["not_after"] > 0


def test_a_server_ca_that_cannot_be_read_is_named(testbed, service, check):
    missing = service.directory / "no-bundle.pem"
    status, cluster = check((str(testbed.aurora.ca), str(missing)))
    assert status == 1 and cluster["tls_version"] is None
    assert cluster["certificate"] is None
    assert f"server-ca cannot be read: {missing}" in cluster["findings"][0]["text"]


def test_a_host_that_the_certificate_does_not_name_gets_no_login(check):
    status, cluster = check((HOST, "host = ::ffff:127.0.0.1"))
    assert status == 1 and outcomes(cluster) == [("tls", "error")]
    assert cluster["address"] == "::ffff:127.0.0.1"
    finding = cluster["findings"][0]
    assert "the certificate is for localhost, 127.0.0.1; host is ::ffff:127.0.0.1" in finding["text"]
    assert finding["next"] == "host must be one of: localhost, 127.0.0.1"


@both_makes
def test_a_procedure_that_is_not_granted_names_the_grant(testbed, check):
    restore = without_grant(testbed, f"EXECUTE ON PROCEDURE {IMPORT}")
    try:
        status, cluster = check()
    finally:
        restore()
    assert status == 1 and outcomes(cluster) == [("no_privilege", "error")]
    finding = cluster["findings"][0]
    assert "may not execute it, or the server does not have it" in finding["text"]
    assert f"GRANT EXECUTE ON PROCEDURE {IMPORT} TO 'ssl_importer'@'%'" in finding["next"]
    # The text before the semicolon is a valid statement.
    testbed.aurora.sql(finding["next"].split(";")[0])


@both_makes
def test_a_server_without_the_procedure_has_the_same_finding(testbed, check):
    with testbed.aurora.without_procedure():
        status, cluster = check()
    assert status == 1 and outcomes(cluster) == [("no_privilege", "error")]
    assert cluster["procedures"]["rds_import_binlog_ssl_material"] is False


@both_makes
@pytest.mark.parametrize("mode, status, severity", [
    ("ignore", 0, None), ("observe", 0, "warning"), ("restart", 1, "error")])
def test_the_severity_of_an_unreadable_status_depends_on_the_mode(
        testbed, check, mode, status, severity):
    privilege = testbed.aurora.make.status_privilege
    restore = without_grant(testbed, f"{privilege} ON *.*")
    try:
        found, cluster = check(cluster=f"replication = {mode}")
    finally:
        restore()
    assert found == status
    assert outcomes(cluster) == ([("replication_failed", severity)] if severity else [])
    if severity:
        assert cluster["findings"][0]["next"] == \
            f"GRANT {privilege} ON *.* TO 'ssl_importer'@'%'"


@both_makes
@pytest.mark.parametrize("name", ["rds_stop_replication", "rds_start_replication"])
def test_a_restart_needs_both_procedures(testbed, check, name):
    restore = without_grant(testbed, f"EXECUTE ON PROCEDURE mysql.{name}")
    try:
        status, cluster = check(cluster="replication = restart")
        assert check(cluster="replication = observe")[0] == 0
    finally:
        restore()
    assert status == 1 and outcomes(cluster) == [("replication_failed", "error")]
    assert f"GRANT EXECUTE ON PROCEDURE mysql.{name} TO 'ssl_importer'@'%'" in \
        cluster["findings"][0]["next"]


@both_makes
def test_repoint_needs_what_sets_the_source(testbed, service, check):
    password = service.directory / "etc" / "source-password"
    password.write_text("not used\n")
    repoint = f"replication = repoint\nsource-password-file = {password}"
    status, cluster = check(cluster=repoint)
    assert status == 1 and outcomes(cluster) == [("replication_failed", "error")]
    assert ("GRANT EXECUTE ON PROCEDURE mysql.rds_set_external_source TO 'ssl_importer'@'%'"
            in cluster["findings"][0]["next"])
    testbed.aurora.grant("rds_set_external_source")
    try:
        assert check(cluster=repoint)[0] == 0
    finally:
        testbed.aurora.revoke("rds_set_external_source")


@both_makes
def test_a_ledger_of_an_earlier_version_names_the_statement(testbed, check):
    ledger = f"replication = restart\nledger = {LEDGER_TABLE}"
    with ledger_created(testbed):
        assert outcomes(check(cluster=ledger)[1]) == []
        testbed.aurora.sql(f"ALTER TABLE {LEDGER_TABLE} DROP replication_stopped, "
                           "MODIFY state ENUM('importing', 'imported', 'failed') NOT NULL")
        status, cluster = check(cluster=ledger)
        assert status == 0 and outcomes(cluster) == [("rejected", "warning")]
        statement = cluster["findings"][0]["next"]
        assert statement.startswith(f"ALTER TABLE {LEDGER_TABLE} ADD replication_stopped")
        testbed.aurora.sql(statement)
        assert outcomes(check(cluster=ledger)[1]) == []


@both_makes
def test_a_reader_is_an_error(testbed, check):
    testbed.aurora.become_reader()
    try:
        status, cluster = check()
    finally:
        testbed.aurora.become_writer()
    assert status == 1 and outcomes(cluster) == [("not_writer", "error")]
    assert cluster["writer"] is False


@both_makes
@pytest.mark.parametrize("policy, status, found", [
    ("refuse", 1, [("refused_log", "error")]), ("warn", 0, [("refused_log", "warning")]),
    ("ignore", 0, [])])
def test_the_severity_of_a_log_that_keeps_the_key_depends_on_the_policy(testbed, check, policy,
                                                                        status, found):
    testbed.aurora.sql("SET GLOBAL general_log = 1")
    try:
        assert check(cluster=f"query-log = {policy}")[0] == status
        assert outcomes(check(cluster=f"query-log = {policy}")[1]) == found
    finally:
        testbed.aurora.sql("SET GLOBAL general_log = 0")


@pytest.mark.parametrize("flight", range(6))
def test_a_server_that_stops_answering_is_timed_out_at_each_step(testbed, check, flight):
    """At the greeting, in the TLS handshake, at the login, at each query."""
    with Proxy(testbed.aurora.port) as proxy:
        proxy.fault = Fault(flight, "request", "silence")
        start = time.monotonic()
        status, cluster = check(port=proxy.port, daemon="import-timeout = 2s")
        assert time.monotonic() - start < 3
    assert status == 1 and ("timed_out", "error") in outcomes(cluster)


def test_a_server_that_stops_answering_has_a_finding(testbed, check):
    with Proxy(testbed.aurora.port, to_server=0.05, to_client=0.05) as proxy:
        proxy.fault = Fault(4, "request", "silence")
        status, cluster = check(port=proxy.port, daemon="import-timeout = 1s")
    assert status == 1 and outcomes(cluster) == [("timed_out", "error")]
    assert cluster["findings"][0]["text"] == "the server has not answered in time"
    assert cluster["findings"][0]["next"]


def test_a_prober_that_exceeds_its_deadline_is_killed(testbed, check):
    """The connect timeout of the client library has whole seconds and would end later."""
    with Proxy(testbed.aurora.port, to_server=0.4, to_client=0.4) as proxy:
        proxy.fault = Fault(1, "request", "silence")
        status, cluster = check(port=proxy.port, daemon="import-timeout = 1s")
    assert status == 1 and outcomes(cluster) == [("timed_out", "error")]
    assert cluster["findings"][0]["text"] == "no answer within 1s (import-timeout)"
    assert cluster["findings"][0]["next"]


def test_server_ca_can_be_a_directory(testbed, check, tmp_path):
    """Made by openssl rehash from a split bundle; with and without the root of the server."""
    other = testbed.authority.certificate
    for number, root in enumerate((other, testbed.aurora.ca)):
        (tmp_path / f"{number}.pem").write_bytes(root.read_bytes())
    subprocess.run(["openssl", "rehash", str(tmp_path)], check=True)
    file = f"server-ca = {testbed.aurora.ca}"
    status, cluster = check(replace=(file, f"server-ca = {tmp_path}"))
    assert status == 0 and cluster["certificate"]["verified"] is True
    (tmp_path / "1.pem").unlink()
    subprocess.run(["openssl", "rehash", str(tmp_path)], check=True)
    status, cluster = check(replace=(file, f"server-ca = {tmp_path}"))
    assert status == 1 and outcomes(cluster) == [("tls", "error")]
    assert cluster["certificate"]["verified"] is False


def test_it_takes_few_round_trips(testbed, check):
    with Proxy(testbed.aurora.port) as proxy:
        assert check(port=proxy.port, cluster="replication = observe")[0] == 0
        (login,) = proxy.connections
        assert login.closed.wait(60)
        assert login.round_trips == 5  # TLS, login, three queries


def test_clusters_are_checked_in_parallel_and_hanging_ones_delay_no_other(testbed, service):
    """Twenty over a slow connection, three that never answer, one that is down."""
    with Proxy(testbed.aurora.port, to_server=0.1, to_client=0.1) as slow, \
            Proxy(testbed.aurora.port) as silent:
        silent.fault = Fault(0, "request", "silence")
        text = configuration(service, testbed.aurora, daemon="import-timeout = 3s")
        service.configure(text + "".join(
            [another(text, f"slow{n}", slow.port) for n in range(20)]
            + [another(text, f"hang{n}", silent.port) for n in range(3)]
            + [another(text, "down", free_port())]))
        start = time.monotonic()
        done = service.run("--check-clusters", "--json")
        took = time.monotonic() - start
    clusters = {c["name"]: c for c in json.loads(done.stdout)["clusters"]}
    found = {name: cluster["import"] for name, cluster in clusters.items()}
    assert done.returncode == 1
    assert [name for name in found if found[name] != "works"] == ["hang0", "hang1", "hang2", "down"]
    assert outcomes(clusters["hang1"]) == [("timed_out", "error")]
    assert outcomes(clusters["down"]) == [("unreachable", "error")]
    assert took < 4  # sequentially, the slow ones alone would take 20 times 1.4 s


def test_a_bad_configuration_exits_with_78(testbed, service):
    service.configure(configuration(service, testbed.aurora, cluster="colour = red"))
    done = service.run("--check-clusters")
    assert done.returncode == 78 and "unknown key colour" in done.stderr and done.stdout == ""


def test_json_is_accepted_for_check_clusters_only(service):
    assert service.run("--json").returncode == 64
    assert service.run("--check", "--json").returncode == 64
