"""Start, stop, restart, reload: results of systemctl, and the journal."""

import re

import pytest

from tests.service.installed import CONFIGURATION, EXAMPLES, Installed


def test_the_service_is_ready_although_a_cluster_is_down_and_shows_the_reason(service: Installed):
    service.configure(port=1)
    service.start()
    assert service.show("ActiveState") == "active"
    # During an attempt there is no next one.
    service.wait(lambda: re.fullmatch(r"0/1 clusters current; orders: .+, next try .+, "
                                      r"certificate valid until .+",
                                      service.show("StatusText")) is not None)
    # The time of the next attempt changes meanwhile.
    service.wait(lambda: service.show("StatusText") in service.systemctl("status", check=False
                                                                         ).stdout)


def test_the_journal_has_the_fields(service: Installed):
    service.configure(port=1)
    service.start()
    service.wait(lambda: any(e.get("BINLOG_SSL_OUTCOME") for e in service.entries()))
    failed = next(e for e in service.entries() if e.get("BINLOG_SSL_OUTCOME"))
    assert failed["BINLOG_SSL_OUTCOME"] == "unreachable"
    assert failed["BINLOG_SSL_CLUSTER"] == "orders"
    assert failed["BINLOG_SSL_ATTEMPT"] == "1"
    assert int(failed["BINLOG_SSL_SQL_ERRNO"]) in (2002, 2003)
    assert len(failed["BINLOG_SSL_FINGERPRINT"]) == 64
    assert int(failed["BINLOG_SSL_DURATION_USEC"]) > 0
    assert failed["PRIORITY"] == "4" and len(failed["MESSAGE_ID"]) == 32
    assert failed["_SYSTEMD_UNIT"] == "binlog-ssld.service"
    assert "<" not in failed["MESSAGE"][:1]
    good = next(e for e in service.entries() if "is valid" in e["MESSAGE"])
    assert good["BINLOG_SSL_MATERIAL"] == "default" and good["PRIORITY"] == "5"
    service.configure()
    service.systemctl("reload")
    service.wait_imports(1)
    imported, = (e for e in service.entries() if e.get("BINLOG_SSL_OUTCOME") == "imported")
    assert int(imported["BINLOG_SSL_DURATION_USEC"]) > 0
    assert "BINLOG_SSL_ATTEMPT" not in imported


def test_a_restart_imports_nothing(service: Installed):
    service.start()
    service.wait_imports(1)
    for verb in ("restart", "try-restart"):
        service.systemctl(verb)
        service.wait_imports(1)


def test_a_stop_is_clean(service: Installed):
    service.start()
    service.wait(lambda: service.show("StatusText") != "")
    service.stop()
    assert service.show("Result") == "success"
    assert service.show("ExecMainStatus") == "0"


def test_a_stop_waits_for_a_running_import(service: Installed):
    """Longer than TimeoutStopSec, which the service extends."""
    service.drop_in("TimeoutStopSec=1s")
    service.aurora.set_option("slow_seconds", "4")
    service.start()
    service.wait(lambda: bool(service.importers()))
    service.stop()
    assert service.show("Result") == "success"
    assert len(service.aurora.imports()) == 1
    service.aurora.set_option("slow_seconds", "0")
    service.start()
    service.wait_imports(1)


@pytest.mark.parametrize("kind", ["notify", "notify-reload"])
def test_a_reload_uses_the_new_configuration(service: Installed, kind: str):
    """systemctl reload returns when the new configuration is in force."""
    set_type(service, kind)
    service.configure(port=1)
    service.start()
    service.wait_cluster("retrying")
    pid = service.show("MainPID")
    service.configure()
    before = service.status()["loaded_at"]
    service.systemctl("reload")
    assert service.status()["loaded_at"] > before
    assert service.show("ActiveState") == "active" and service.show("MainPID") == pid
    service.wait_imports(1)


@pytest.mark.parametrize("kind, status", [("notify", 1), ("notify-reload", 0)])
def test_after_a_refused_configuration_the_old_one_stays(service: Installed, kind: str,
                                                         status: int):
    """The protocol of notify-reload has no word for it: only the journal has the reason then."""
    set_type(service, kind)
    service.start()
    service.wait_imports(1)
    pid, before = service.show("MainPID"), service.status()["loaded_at"]
    service.machine.write(CONFIGURATION, "[daemon]\ncolour = red\n")
    assert service.systemctl("reload", check=False).returncode == status
    assert "unknown key colour" in service.messages()
    assert service.status()["loaded_at"] == before
    assert service.show("ActiveState") == "active" and service.show("MainPID") == pid
    service.rotate()
    service.wait_imports(2)


def set_type(service: Installed, kind: str) -> None:
    if kind == "notify-reload":
        version = int(service.machine.run("systemctl", "--version").stdout.split()[1])
        if version < 253:
            pytest.skip(f"systemd {version} has no Type=notify-reload")
        service.drop_in(service.machine.shell(f"cat {EXAMPLES}/notify-reload.conf"))
    assert service.show("Type") == kind


def test_the_once_unit_and_its_timer_import_too(service: Installed):
    service.machine.shell(f"install -m 0644 {EXAMPLES}/binlog-ssld-once.* /run/systemd/system/;"
                          "systemctl daemon-reload")
    once, timer = "binlog-ssld-once.service", "binlog-ssld-once.timer"
    try:
        service.systemctl("start", timer)
        assert service.show("Triggers", timer) == once
        assert service.show("ActiveState", timer) == "active"
        service.systemctl("start", once)
        assert service.show("Result", once) == "success"
        assert len(service.aurora.imports()) == 1
        service.systemctl("start", once)
        assert len(service.aurora.imports()) == 1
        service.configure(port=1)
        service.rotate()
        assert service.systemctl("start", once, check=False).returncode != 0
        assert service.show("ExecMainStatus", once) == "1"
        service.configure()
        service.start()  # this starts the daemon instead of the once unit
        service.wait_imports(2)
    finally:
        service.systemctl("stop", timer)
        service.machine.shell("rm /run/systemd/system/binlog-ssld-once.*;"
                              "systemctl daemon-reload")
