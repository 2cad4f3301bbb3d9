"""The unit under a real systemd."""

import json
import time

from tests.service.machine import Machine


def show(machine: Machine, name: str) -> str:
    return machine.run("systemctl", "show", "--value", "--property", name,
                       "binlog-ssld").stdout.strip()


def entries(machine: Machine) -> list[dict]:
    """What this invocation of the service said to the journal."""
    machine.run("journalctl", "--sync")
    lines = machine.run("journalctl", "--output=json",
                        f"_SYSTEMD_INVOCATION_ID={show(machine, 'InvocationID')}").stdout
    return [json.loads(line) for line in lines.splitlines()]


def wait_for(condition) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_it_is_ready_though_its_cluster_is_down_and_says_why_in_one_line(service):
    service.run("systemctl", "start", "binlog-ssld")
    assert show(service, "ActiveState") == "active"
    wait_for(lambda: "orders: " in show(service, "StatusText"))
    text = show(service, "StatusText")
    assert text.startswith("0/1 clusters current; orders: ") and "next try" in text
    assert "certificate valid until" in text
    assert text in service.run("systemctl", "status", "binlog-ssld", check=False).stdout


def test_the_journal_has_the_fields(service):
    service.run("systemctl", "start", "binlog-ssld")
    wait_for(lambda: any(e.get("BINLOG_SSL_OUTCOME") for e in entries(service)))
    failed = next(e for e in entries(service) if e.get("BINLOG_SSL_OUTCOME"))
    assert failed["BINLOG_SSL_OUTCOME"] == "unreachable"
    assert failed["BINLOG_SSL_CLUSTER"] == "orders"
    assert failed["BINLOG_SSL_ATTEMPT"] == "1"
    assert int(failed["BINLOG_SSL_SQL_ERRNO"]) in (2002, 2003)
    assert len(failed["BINLOG_SSL_FINGERPRINT"]) == 64
    assert int(failed["BINLOG_SSL_DURATION_USEC"]) > 0
    assert failed["PRIORITY"] == "4" and len(failed["MESSAGE_ID"]) == 32
    assert failed["_SYSTEMD_UNIT"] == "binlog-ssld.service"
    assert "<" not in failed["MESSAGE"][:1]
    good = next(e for e in entries(service) if "is valid" in e["MESSAGE"])
    assert good["BINLOG_SSL_MATERIAL"] == "default" and good["PRIORITY"] == "5"


def test_it_stops_by_itself_and_cleanly(service):
    service.run("systemctl", "start", "binlog-ssld")
    wait_for(lambda: show(service, "StatusText") != "")
    service.run("systemctl", "stop", "binlog-ssld")
    assert show(service, "Result") == "success"
    assert show(service, "ExecMainStatus") == "0"


def test_the_status_is_answered_to_anyone(service):
    service.run("systemctl", "start", "binlog-ssld")
    wait_for(lambda: "orders: " in show(service, "StatusText"))
    done = service.run("runuser", "-u", "nobody", "--", "binlog-sslctl", "status", check=False)
    assert done.returncode == 1 and "retrying" in done.stdout


def test_a_bad_configuration_fails_with_78_and_is_not_restarted(service):
    service.write("/etc/binlog-ssld/binlog-ssld.conf", "[daemon]\ncolour = red\n")
    assert service.run("systemctl", "start", "binlog-ssld", check=False).returncode != 0
    assert show(service, "ExecMainStatus") == "78"
    assert show(service, "ActiveState") == "failed"
    assert show(service, "NRestarts") == "0"


def test_a_manager_that_does_not_turn_is_restarted(service):
    service.shell("mkdir -p /run/systemd/system/binlog-ssld.service.d")
    service.write("/run/systemd/system/binlog-ssld.service.d/watchdog.conf",
                  "[Service]\nWatchdogSec=1s\nRestartSec=100ms\n")
    service.run("systemctl", "daemon-reload")
    service.run("systemctl", "start", "binlog-ssld")
    first = show(service, "MainPID")
    service.run("kill", "-s", "STOP", first)
    wait_for(lambda: show(service, "MainPID") not in ("0", first)
             and show(service, "ActiveState") == "active")
    assert show(service, "NRestarts") == "1"
    service.shell("rm -r /run/systemd/system/binlog-ssld.service.d; systemctl daemon-reload")
