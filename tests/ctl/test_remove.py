"""remove: the call to the daemon, the wait for the result, and the result."""

import json

from .mock_manager import cluster, removal
from .test_wait import finish

DISABLED = {"state": "disabled", "reason": "enabled = no"}


def start(ctl, manager, *names):
    process = ctl.start("remove", *names)
    manager.wait_subscriber()
    return process


def test_the_command_waits_for_the_result(ctl, manage):
    manager = manage(cluster("billing"), cluster("orders", **DISABLED))
    process = start(ctl, manager, "orders")
    assert manager.called("Remove") == [{"clusters": ["orders"]}]
    assert process.poll() is None
    manager.change_cluster("orders", removal=removal())
    assert finish(process) == (0, "cluster orders: the client material is removed\n", "")


def test_a_failure_is_printed_with_its_next_step(ctl, manage):
    manager = manage(cluster("billing", **DISABLED), cluster("orders", **DISABLED))
    process = start(ctl, manager, "orders", "billing")
    manager.change_cluster("billing", removal=removal())
    manager.change_cluster("orders", removal=removal(outcome="no_privilege", reason="denied",
                                                     next_step="GRANT it"))
    status, out, err = finish(process)
    assert (status, out) == (1, "cluster billing: the client material is removed\n")
    assert err == ("binlog-sslctl: cluster orders: not removed: no_privilege: denied\n"
                   "binlog-sslctl: next: GRANT it\n")


def test_a_result_of_an_earlier_removal_is_not_taken_for_this_one(ctl, manage):
    manager = manage(cluster("orders", **DISABLED, removal=removal(outcome="unreachable")))
    process = start(ctl, manager, "orders")
    manager.change_cluster("orders", removal=removal())
    assert finish(process)[0] == 0


def test_a_warning_does_not_fail_the_command(ctl, manage):
    manager = manage(cluster("orders", **DISABLED))
    process = start(ctl, manager, "orders")
    manager.change_cluster("orders", removal=removal(reason="replication is active",
                                                     next_step="CALL it"))
    status, out, err = finish(process)
    assert (status, out) == (0, "cluster orders: the client material is removed\n")
    assert "cluster orders: warning: replication is active" in err and "next: CALL it" in err


def test_json_has_the_clusters(ctl, manage):
    manager = manage(cluster("billing"), cluster("orders", **DISABLED))
    process = start(ctl, manager, "--json", "orders")
    manager.change_cluster("orders", removal=removal(outcome="auth", reason="denied"))
    status, out, err = finish(process)
    assert (status, err) == (1, "")
    (found,) = json.loads(out)["clusters"]
    assert (found["name"], found["removal"]["outcome"]) == ("orders", "auth")


def test_the_command_line_must_name_disabled_clusters(ctl, manage):
    manager = manage(cluster("billing"), cluster("orders", **DISABLED))
    assert ctl("remove").returncode == 64
    assert manager.called("Remove") == []
    done = ctl("remove", "none")
    assert done.returncode == 64 and "there is no cluster none" in done.stderr
    done = ctl("remove", "orders", "billing")
    assert done.returncode == 1
    assert "cluster billing is enabled" in done.stderr and "enabled = no" in done.stderr
    manager.script["Remove"] = lambda c, _: c.error("ClusterBusy", name="orders")
    done = ctl("remove", "orders")
    assert done.returncode == 1 and "an import into cluster orders has not ended" in done.stderr
    manager.script["Remove"] = lambda c, _: c.error("org.varlink.service.PermissionDenied")
    done = ctl("remove", "orders")
    assert done.returncode == 1 and "control-group" in done.stderr
    assert ctl("remove", "\xff".encode("latin-1")).returncode == 1
    assert ctl("remove", "--force", "orders").returncode == 64


def test_no_daemon_is_unreachable(ctl):
    assert ctl("remove", "orders").returncode == 3


def test_a_removal_that_takes_longer_is_reported(ctl, manage):
    manage(cluster("orders", **DISABLED))
    done = ctl("remove", "--timeout", "1s", "orders")
    assert done.returncode == 1 and "cluster orders: its removal has not ended" in done.stderr


def test_a_daemon_that_is_restarted_meanwhile_has_the_result(ctl, manage):
    """A removal that succeeded leaves no trace; one in doubt stands in the record."""
    manager = manage(cluster("billing", **DISABLED), cluster("orders", **DISABLED))
    process = start(ctl, manager, "orders", "billing")
    manager.stop()
    manager.clusters["orders"]["removal"] = removal(outcome="unknown", reason="the service ended")
    manager.clusters["billing"] |= {"removal": None, "imported_fingerprint": None}
    manager.start()
    status, out, err = finish(process)
    assert (status, out) == (1, "cluster billing: the client material is removed\n")
    assert "cluster orders: not removed: unknown: the service ended" in err


def test_a_cluster_that_a_reload_drops_or_enables_has_no_result(ctl, manage):
    manager = manage(cluster("billing", **DISABLED), cluster("orders", **DISABLED))
    process = start(ctl, manager, "orders", "billing")
    gone = manager.clusters.pop("orders")
    manager.publish("removed", cluster=gone)
    manager.change_cluster("billing", state="current", removal=None)
    status, out, err = finish(process)
    assert (status, out) == (1, "")
    assert "cluster orders: removed from the configuration" in err
    assert "cluster billing: enabled again" in err
