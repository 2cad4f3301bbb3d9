"""A manager that stalls, dies or is let down by its importer: it comes back, once."""

from tests.service.installed import Installed

# A traced process that is killed stays for its parent until the tracer has looked: an importer
# that its deadline cannot end, as one in an uninterruptible sleep would be.
TRACE = """
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
assert libc.ptrace(0x4206, int(sys.argv[1]), None, None) == 0
print('traced', flush=True)
sys.stdin.read()
"""


def restarted(service: Installed, first: str) -> bool:
    return (service.show("MainPID") not in ("0", first)
            and service.show("ActiveState") == "active")


def test_a_manager_that_does_not_turn_is_restarted_and_imports_nothing(service: Installed):
    service.drop_in("WatchdogSec=1s\nRestartSec=100ms")
    service.start()
    service.wait_imports(1)
    first = service.show("MainPID")
    service.machine.run("kill", "-s", "STOP", first)
    service.wait(lambda: restarted(service, first))
    assert service.show("NRestarts") == "1"
    assert "Watchdog timeout" in service.messages()
    service.wait_imports(1)


def test_an_importer_that_outlives_its_deadline_ends_the_pings(service: Installed):
    service.drop_in("WatchdogSec=1s\nRestartSec=100ms")
    service.machine.shell("mkdir -p /etc/binlog-ssld/binlog-ssld.conf.d")
    service.machine.write("/etc/binlog-ssld/binlog-ssld.conf.d/deadline.conf",
                          "[daemon]\nimport-timeout = 1s\n")
    service.aurora.set_option("slow_seconds", "60")
    service.start()
    service.wait(lambda: bool(service.importers()))
    first = service.show("MainPID")
    with service.machine.background("/usr/bin/python3", "-c", TRACE, service.importers()[0]) as it:
        assert it.stdout and it.stdout.readline() == "traced\n"
        service.aurora.reset_options()
        service.wait(lambda: "orders: an importer outlived its deadline" in service.messages())
        service.wait(lambda: "Watchdog timeout" in service.messages())
    service.wait(lambda: restarted(service, first))
    service.wait_cluster()


def test_pings_go_on_while_a_cluster_is_a_black_hole(service: Installed):
    service.drop_in("WatchdogSec=1s")
    service.start()
    service.wait_imports(1)
    service.aurora.pause()
    try:
        service.rotate()
        service.wait(lambda: bool(service.importers()))
        first = service.show("WatchdogTimestampMonotonic")
        service.wait(lambda: int(service.show("WatchdogTimestampMonotonic"))
                     > int(first) + 2_000_000)
        assert service.cluster()["state"] == "importing"
        assert service.show("NRestarts") == "0"
    finally:
        service.aurora.resume()
    service.wait_imports(2)


def test_kill_9_is_followed_by_one_start_and_no_import(service: Installed):
    service.start()
    service.wait_imports(1)
    first = service.show("MainPID")
    service.machine.run("kill", "-s", "KILL", first)
    service.wait(lambda: restarted(service, first))
    assert service.show("NRestarts") == "1"
    service.wait_imports(1)


def test_kill_9_during_an_import_takes_the_importer_along(service: Installed):
    service.aurora.set_option("slow_seconds", "2")
    service.start()
    service.wait(lambda: bool(service.importers()))
    importer = service.importers()
    service.aurora.reset_options()
    service.machine.run("kill", "-s", "KILL", service.show("MainPID"))
    service.wait(lambda: service.importers() != importer)
    service.wait_cluster()
    # What the server was told before may come to its end there; nobody else sends it again.
    assert 1 <= len(service.aurora.imports()) <= 2


def test_a_daemon_that_falls_again_and_again_is_left_down_and_can_be_started(service: Installed):
    service.drop_in("ExecStart=\nExecStart=/bin/false\nRestartSec=10ms")
    service.systemctl("start", check=False)
    service.wait(lambda: service.show("ActiveState") == "failed"
                 and service.show("SubState") == "failed")
    assert service.show("NRestarts") == "10"
    service.machine.run("systemctl", "reset-failed", "binlog-ssld")
