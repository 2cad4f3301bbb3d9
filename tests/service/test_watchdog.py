"""A manager that hangs or dies is restarted once; an importer that cannot be ended is no reason."""

from tests.service.installed import Installed

# A killed process that is traced is not reported to its parent until the tracer has waited for it:
# an importer that outlives its deadline, as one in uninterruptible sleep would.
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


def test_a_hanging_manager_is_restarted_and_imports_nothing(service: Installed):
    service.drop_in("WatchdogSec=1s\nRestartSec=100ms")
    service.start()
    service.wait_imports(1)
    first = service.show("MainPID")
    service.machine.run("kill", "-s", "STOP", first)
    service.wait(lambda: restarted(service, first))
    assert service.show("NRestarts") == "1"
    assert "Watchdog timeout" in service.messages()
    service.wait_imports(1)


def test_an_importer_that_cannot_be_ended_holds_up_nothing(service: Installed):
    service.drop_in("WatchdogSec=1s\nRestartSec=100ms")
    service.machine.shell("mkdir -p /etc/binlog-ssld/binlog-ssld.conf.d")
    service.machine.write("/etc/binlog-ssld/binlog-ssld.conf.d/deadline.conf",
                          "[daemon]\nimport-timeout = 1s\n")
    service.aurora.set_option("slow_seconds", "60")
    service.start()
    service.wait(lambda: bool(service.importers()))
    first = service.show("MainPID")
    with service.machine.background("/usr/bin/python3", "-c", TRACE,
                                    service.importers()[0]) as tracer:
        assert tracer.stdout and tracer.stdout.readline() == "traced\n"
        service.aurora.reset_options()
        service.wait(lambda: "and does not end" in service.messages())
        pinged = service.show("WatchdogTimestampMonotonic")
        service.wait(lambda: service.show("WatchdogTimestampMonotonic") != pinged)
        assert len(service.importers()) == 1
    service.wait_cluster()
    assert (service.show("MainPID"), service.show("NRestarts")) == (first, "0")


def test_watchdog_pings_continue_while_a_cluster_does_not_answer(service: Installed):
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


def test_sigkill_is_followed_by_one_restart_and_no_import(service: Installed):
    service.start()
    service.wait_imports(1)
    first = service.show("MainPID")
    service.machine.run("kill", "-s", "KILL", first)
    service.wait(lambda: restarted(service, first))
    assert service.show("NRestarts") == "1"
    service.wait_imports(1)


def test_sigkill_during_an_import_ends_the_importer_too(service: Installed):
    service.aurora.set_option("slow_seconds", "2")
    service.start()
    service.wait(lambda: bool(service.importers()))
    importer = service.importers()
    service.aurora.reset_options()
    service.machine.run("kill", "-s", "KILL", service.show("MainPID"))
    service.wait(lambda: service.importers() != importer)
    service.wait_cluster()
    # The server may still complete the first CALL; only the restarted daemon sends the set again.
    assert 1 <= len(service.aurora.imports()) <= 2
