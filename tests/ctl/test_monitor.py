"""monitor: the current state, then every change."""

import json
import re
import time

from .mock_manager import cluster, material
from .test_status import held


def lines_of(process, n: int) -> list[str]:
    return [process.stdout.readline().rstrip("\n") for _ in range(n)]


def test_each_transition_is_a_line_with_its_time(ctl, manage):
    manager = manage(cluster("billing"), cluster("orders", state="importing"))
    process = ctl.start("monitor")
    first = lines_of(process, 3)
    assert all(re.match(r"\d\d:\d\d:\d\d  ", line) for line in first)
    assert [line[10:] for line in first] == [
        "material default: valid", "cluster billing: current", "cluster orders: importing"]
    manager.wait_subscriber()
    manager.change_cluster("orders", **held())
    manager.publish("removed", cluster=manager.clusters["billing"])
    manager.publish("reloaded")
    manager.publish("something-new")
    assert [line[10:] for line in lines_of(process, 3)] == [
        "cluster orders: held: 1045: Access denied for user 'ssl_importer'@'10.0.0.7' (using "
        "password: YES)", "cluster billing: removed from the configuration",
        "the configuration was read again"]
    manager.stop()
    assert lines_of(process, 1)[0].endswith("binlog-ssld is gone; waiting for it to come back")
    manager.start()
    assert lines_of(process, 1)[0].endswith("material default: valid")
    process.terminate()


def test_json_lines_are_the_replies(ctl, manage):
    manager = manage(cluster("orders"))
    process = ctl.start("monitor", "--json")
    events = [json.loads(line) for line in lines_of(process, 3)]
    assert [line["event"] for line in events] == ["state", "state", "ready"]
    assert events[0]["material"] == manager.materials["default"] and events[0]["cluster"] is None
    manager.wait_subscriber()
    manager.change_cluster("orders", state="importing")
    assert json.loads(lines_of(process, 1)[0])["cluster"]["state"] == "importing"
    process.terminate()


def test_control_characters_are_removed(ctl, manage):
    manage(cluster("orders", state="held", reason="a\x1b[2Jb\nc"),
           materials=[material(state="invalid", reason="\x9b31m")])
    process = ctl.start("monitor")
    first = lines_of(process, 2)
    assert first[0].endswith("invalid:  31m") and first[1].endswith("held: a [2Jb c")
    process.terminate()


def test_monitor_uses_no_processor_time_while_idle(ctl, manage):
    manager = manage()
    process = ctl.start("monitor")
    lines_of(process, 2)
    manager.wait_subscriber()
    time.sleep(1)
    fields = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()
    assert int(fields[11]) + int(fields[12]) < 10  # ticks of user and system time
    process.terminate()
