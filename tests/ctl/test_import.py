"""import: the call to the daemon, and the results with --wait."""

import json
import time

import pytest

from .mock_manager import OLD_SET, cluster, microseconds
from .test_status import FAILING, held, on_terminal
from .test_wait import finish


def test_import_names_the_started_clusters(ctl, manage):
    manager = manage(cluster("billing"), cluster("orders", **held()))
    done = ctl("import")
    assert (done.returncode, done.stdout) == (0, "cluster orders: import started\n")
    assert manager.called("Import") == [{}]
    assert "has the set on disk" in ctl("import", "billing").stdout
    assert manager.called("Import")[1] == {"clusters": ["billing"]}
    assert ctl("import", "--force", "billing").stdout == "cluster billing: import started\n"
    assert json.loads(ctl("--json", "import", "billing", "--force").stdout) == \
        {"started": ["billing"]}


def test_a_forced_import_that_starts_nothing_says_why(ctl, manage):
    manage(cluster("orders", state="disabled"))
    done = ctl("import", "--force")
    assert (done.returncode, done.stdout.split(":")[0]) == (0, "nothing was started")
    assert "no cluster is enabled" in done.stdout and "--force" not in done.stdout


def test_errors_have_a_next_step(ctl, manage):
    manager = manage()
    done = ctl("import", "none")
    assert done.returncode == 64 and "there is no cluster none" in done.stderr
    for wait in ([], ["--wait"]):
        manager.script["Import"] = lambda c, _: c.error(
            "MaterialNotReady", name="default", state="invalid", reason="key-mismatch: no pair")
        done = ctl("import", *wait)
        assert done.returncode == 1
        assert "material default is invalid: key-mismatch: no pair" in done.stderr
        assert "binlog-sslctl explain default" in done.stderr
        manager.script["Import"] = lambda c, _: c.error("org.varlink.service.PermissionDenied")
        done = ctl("import", *wait)
        assert done.returncode == 1 and "control-group" in done.stderr
    assert ctl("import", "\xff".encode("latin-1")).returncode == 1
    for option in (["--timeout", "5s"], ["--ignore-replication"]):
        done = ctl("import", *option)
        assert (done.returncode, done.stderr) == (64, f"binlog-sslctl: {option[0]} requires --wait\n")


def test_wait_ends_when_all_clusters_are_current(ctl, manage):
    manager = manage(cluster("billing", state="retrying"), cluster("orders", **held()),
                     cluster("third"))
    process = ctl.start("import", "--wait")
    manager.wait(lambda: bool(manager.called("Import")))
    manager.change_cluster("orders", state="current", outcome="imported")
    time.sleep(0.3)
    assert process.poll() is None
    manager.change_cluster("billing", state="current", outcome="imported")
    status, out, err = finish(process)
    assert (status, err) == (0, "")
    assert "cluster orders: import started\n" in out and "cluster third" not in out
    assert out.endswith("cluster orders: current\ncluster billing: current\n2 of 2 imported\n")


def test_a_state_that_comes_twice_is_printed_once(ctl, manage):
    manager = manage(cluster("orders", **held()))
    process = ctl.start("import", "--wait")
    manager.wait(lambda: bool(manager.called("Import")))
    manager.change_cluster("orders", state="importing", reason=None)
    manager.change_cluster("orders", last_attempt=microseconds())
    manager.change_cluster("orders", state="current", outcome="imported")
    status, out, _ = finish(process)
    assert (status, out.count("cluster orders: importing\n")) == (0, 1)


def test_wait_reports_the_failed_cluster(ctl, manage):
    manager = manage(cluster("billing", state="retrying"), cluster("orders", **held()))
    process = ctl.start("import", "--wait")
    manager.wait(lambda: bool(manager.called("Import")))
    manager.change_cluster("orders", **held())
    manager.change_cluster("billing", state="current")
    status, out, err = finish(process)
    assert status == 1
    assert "1 of 2 imported" in err and "next: check user, password" in err
    assert "billing" not in err


def test_wait_fails_if_replication_does(ctl, manage):
    """Also of a cluster that was current before; each import is long ago."""
    manager = manage(cluster("billing", **FAILING), cluster("orders", state="retrying"))
    process = ctl.start("import", "--wait")
    manager.wait(lambda: bool(manager.called("Import")))
    manager.change_cluster("orders", state="current")
    status, out, err = finish(process)
    assert status == 1
    assert "1 of 1 imported, but replication fails in 1\n" in err
    assert "why:  replication I/O thread (error 2026): expired" in err and " orders " not in err
    assert ctl("import", "--wait", "orders").returncode == 0
    done = ctl("import", "--wait", "billing")
    assert done.returncode == 1 and "binlog-sslctl: replication fails in 1\n" in done.stderr
    assert ctl("import", "--wait", "--ignore-replication").returncode == 0


def test_replication_that_fails_just_after_the_import_may_connect_again(ctl, manage):
    manager = manage(cluster("orders", state="retrying"))
    process = ctl.start("import", "--wait")
    manager.wait(lambda: bool(manager.called("Import")))
    manager.change_cluster("orders", **FAILING, state="current", imported_at=microseconds())
    time.sleep(1.5)
    assert process.poll() is None
    manager.change_cluster("orders", replication=None, health="ok", reason=None)
    status, out, err = finish(process)
    assert (status, err) == (0, "") and out.endswith("\n1 of 1 imported\n")


def test_an_import_that_ends_before_its_event_is_not_missed(ctl, manage):
    """The daemon may send both transitions of a quick import in one event."""
    manager = manage(cluster("orders"))

    def answer(connection, _):
        connection.reply({"started": ["orders"]})
        time.sleep(0.2)
        manager.change_cluster("orders", last_attempt=microseconds())

    manager.script["Import"] = answer
    done = ctl("import", "--force", "--wait", "orders")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "1 of 1 imported")


def test_the_state_before_the_import_is_not_taken_as_its_result(ctl, manage):
    manager = manage(cluster("orders"))
    manager.script["Import"] = lambda connection, _: connection.reply({"started": ["orders"]})
    done = ctl("import", "--force", "--wait", "--timeout", "1s")
    assert done.returncode == 1 and "0 of 1 imported, and the time is over" in done.stderr
    assert "cluster orders: its import has not ended" in done.stderr


def test_a_running_import_is_waited_for_too(ctl, manage):
    manager = manage(cluster("orders", state="importing"))
    manager.script["Import"] = lambda connection, _: connection.reply({"started": []})
    process = ctl.start("import", "--wait", "orders")
    manager.wait(lambda: bool(manager.called("Import")))
    time.sleep(0.3)
    assert process.poll() is None
    manager.change_cluster("orders", state="current")
    assert finish(process)[0] == 0


def test_a_daemon_that_stops_meanwhile_is_waited_for(ctl, manage):
    manager = manage(cluster("orders", state="retrying"))
    process = ctl.start("import", "--wait")
    manager.wait(lambda: bool(manager.called("Import")))
    time.sleep(0.2)
    manager.stop()
    manager.clusters["orders"] = cluster("orders", state="waiting")
    manager.start()
    manager.wait_subscriber()
    time.sleep(0.3)
    assert process.poll() is None
    manager.change_cluster("orders", state="importing")
    manager.change_cluster("orders", state="current")
    assert finish(process)[0] == 0


def test_a_cluster_that_a_reload_drops_is_not_waited_for(ctl, manage):
    manager = manage(cluster("orders", state="retrying"))
    process = ctl.start("import", "--wait")
    manager.wait(lambda: bool(manager.called("Import")))
    time.sleep(0.2)
    manager.publish("removed", cluster=manager.clusters["orders"])
    manager.publish("reloaded")
    status, _, err = finish(process)
    assert status == 1 and "0 of 1 imported" in err
    assert "cluster orders: removed from the configuration" in err


def test_the_timeout_ends_the_wait(ctl, manage):
    manage(cluster("orders", state="retrying", imported_fingerprint=OLD_SET))
    start = time.monotonic()
    done = ctl("import", "--wait", "--timeout", "1s")
    assert done.returncode == 1 and time.monotonic() - start < 4
    assert "the time is over" in done.stderr


def test_json_has_the_started_clusters_and_their_results(ctl, manage):
    manager = manage(cluster("orders", **held()))
    process = ctl.start("--json", "import", "--wait")
    manager.wait(lambda: bool(manager.called("Import")))
    manager.change_cluster("orders", state="current")
    status, out, _ = finish(process)
    assert status == 0
    assert json.loads(out) == {"started": ["orders"], "clusters": [manager.clusters["orders"]]}


def test_a_terminal_gets_one_line_that_is_updated(ctl, manage):
    manage(cluster("orders", state="retrying"))
    text = on_terminal(ctl, "import", "--wait", "--timeout", "1s")
    assert "\rimporting orders; 0 of 1 done, 0s" in text


@pytest.mark.parametrize("data", [b"garbage\0", b'{"parameters": {}}\0'])
def test_an_invalid_answer_exits_with_3(ctl, manage, data):
    manage().script["Import"] = lambda connection, _: connection.raw(data)
    assert ctl("import").returncode == 3
    assert ctl("import", "--wait").returncode == 3
