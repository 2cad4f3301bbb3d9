"""check-clusters: the call to the daemon, the table or document of its replies, the exit status."""

import json

import pytest

from .mock_manager import cluster

PROCEDURE = "rds_import_binlog_ssl_material"


def probe(name: str, **fields) -> dict:
    return {"name": name, "host": f"{name}.example", "port": 3306, "user": "ssl_importer",
            "import": "works", "address": "192.0.2.7", "tls_version": "TLSv1.3",
            "tls_cipher": "TLS_AES_256_GCM_SHA384",
            "certificate": {"subject": "CN = db", "issuer": "CN = ca", "names": [f"{name}.example"],
                            "name_count": 1, "not_before": 1, "not_after": 1801490709000000,
                            "chain_length": 1, "verified": True, "reason": None},
            "account": "ssl_importer@%", "server_version": "8.0.32", "writer": True,
            "logs": "clean", "keeps_call": None, "procedures": {PROCEDURE: True}, "ledger": None,
            "replication_state": "running", "replication": None, "source_probe": None,
            "payload_newlines": "raw", "duration_usec": 70000, "findings": [], **fields}


def failed(name: str, **fields) -> dict:
    finding = {"outcome": "auth", "severity": "error", "sql_errno": 1045, "text": "denied",
               "next": "correct the password"}
    return probe(name, **{"import": "fails", "findings": [finding], **fields})


def answer(*probes: tuple[int, dict | None], end: bool = True):
    """Replies of CheckClusters: the places in the configuration, and the clusters."""
    def send(connection, call):
        assert call["more"] is True
        for left, (index, found) in zip(reversed(range(len(probes))), probes):
            connection.reply({"cluster": found, "index": index, "remaining": left},
                             continues=left > 0 or not end)
    return send


@pytest.fixture
def check(ctl, manage):
    manager = manage(cluster("billing"), cluster("orders"))

    def run(*probes, arguments=(), end=True):
        manager.script["CheckClusters"] = answer(*probes, end=end)
        return ctl("check-clusters", *arguments)

    run.manager = manager
    return run


def test_the_table_has_the_clusters_in_the_order_of_the_configuration(check):
    done = check((1, probe("orders")), (0, probe("billing")))
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["CLUSTER", "IMPORT", "TLS", "CERTIFICATE", "ROLE", "PROCEDURE",
                                "LOGS", "REPLICATION", "FORM"]
    row = ["works", "1.3", "2027-02-01", "writer", "visible", "clean", "running", "raw"]
    assert [line.split() for line in lines if line.startswith("  b") or line.startswith("  o")] == \
        [["billing", *row], ["orders", *row]]
    assert check.manager.called("CheckClusters") == [{}]


def test_named_clusters_are_in_the_call(check):
    assert check((1, probe("orders")), arguments=["orders", "billing"]).returncode == 0
    assert check.manager.called("CheckClusters") == [{"clusters": ["orders", "billing"]}]


def test_a_finding_has_its_next_step_and_the_exit_status_is_1(check):
    done = check((0, probe("billing")), (1, failed("orders")))
    assert (done.returncode, done.stderr) == (1, "")
    assert "      why:   auth: denied\n      next:  correct the password\n" in done.stdout


def test_a_disabled_cluster_fails_nothing(check):
    done = check((0, probe("billing", **{"import": "disabled"})))
    assert done.returncode == 0
    assert "  billing   disabled\n" in done.stdout


def test_without_clusters_nothing_fails(check):
    done = check((0, None))
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)


def test_json_is_one_document(check):
    done = check((1, failed("orders")), (0, probe("billing")), arguments=["--json"])
    assert done.returncode == 1
    assert json.loads(done.stdout) == {"good": False,
                                       "clusters": [probe("billing"), failed("orders")]}
    assert json.loads(check((0, probe("billing")), arguments=["--json"]).stdout)["good"] is True


@pytest.mark.parametrize("error, status, text", [
    (("NoSuchCluster", {"name": "zero"}), 64, "there is no cluster zero; see: binlog-sslctl status"),
    (("CheckRunning", {}), 1, "another check of the clusters runs; fix: wait for its end"),
    (("org.varlink.service.PermissionDenied", {}), 1, "CheckClusters requires root"),
    (("org.varlink.service.MethodNotFound", {"method": "x"}), 1,
     "the running binlog-ssld has no method CheckClusters"),
    (("TooManyClients", {}), 3, "as many clients as it takes"),
])
def test_an_error_of_the_daemon_is_explained(ctl, manage, error, status, text):
    name, parameters = error
    manager = manage()
    manager.script["CheckClusters"] = lambda c, _: c.error(name, **parameters)
    done = ctl("check-clusters")
    assert (done.returncode, done.stdout) == (status, "") and text in done.stderr
    assert json.loads(ctl("--json", "check-clusters").stdout)["parameters"] == parameters


def test_a_daemon_that_goes_away_is_3_after_what_is_known(ctl, manage):
    def leave(connection, call):
        answer((0, failed("billing")), end=False)(connection, call)
        connection.disconnect()

    manager = manage()
    manager.script["CheckClusters"] = leave
    done = ctl("check-clusters")
    assert done.returncode == 3 and "closed the connection" in done.stderr
    assert "why:   auth: denied" in done.stdout
    assert ctl("--json", "check-clusters").stdout == ""


def test_the_time_is_over(check):
    done = check((0, probe("billing")), end=False, arguments=["--timeout", "100ms"])
    assert done.returncode == 1 and "  billing   works" in done.stdout
    assert "not all clusters have been checked within 100ms" in done.stderr


@pytest.mark.parametrize("broken", [
    {"cluster": probe("a"), "index": -1, "remaining": 0},
    {"cluster": probe("a"), "index": 4096, "remaining": 0},
    {"cluster": probe("a"), "index": "0", "remaining": 0},
    {"cluster": probe("a"), "index": 0},
    {"cluster": "a", "index": 0, "remaining": 0},
    {"index": 0, "remaining": 0},
    {},
])
def test_a_reply_of_another_form_is_no_answer(ctl, manage, broken):
    manager = manage()
    manager.script["CheckClusters"] = lambda c, _: c.reply(broken)
    done = ctl("check-clusters")
    assert done.returncode == 3 and "is not binlog-ssld" in done.stderr


def test_a_cluster_that_is_answered_twice_is_no_answer(check):
    assert check((0, probe("a")), (0, probe("a"))).returncode == 3


def test_texts_of_a_reply_are_clean(check):
    done = check((0, failed("a\x1b[31m", host="h\n\x07h")))
    assert done.returncode == 1
    assert not {"\x1b", "\x07"} & set(done.stdout) and "host:  h  h port" in done.stdout
