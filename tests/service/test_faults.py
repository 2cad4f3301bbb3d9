"""Invalid configurations, and a state directory that cannot be written."""

import pytest

from tests.service.installed import CONFIGURATION, SOCKET, STATE, Installed

SECRET = "hunter2-is-not-for-the-journal"


def refused(service: Installed) -> str:
    """Asserts exit status 78 without a restart; returns the messages."""
    begin = service.cursor()
    assert service.systemctl("start", check=False).returncode != 0
    assert service.show("ExecMainStatus") == "78"
    assert service.show("ActiveState") == "failed"
    assert service.show("NRestarts") == "0"
    return service.messages(begin)


def test_an_unknown_key_is_named_with_its_line(service: Installed):
    service.machine.write(CONFIGURATION, "[daemon]\ncolour = red\n")
    assert f"{CONFIGURATION}:2: unknown key colour in [daemon]" in refused(service)


def test_without_a_configuration_nothing_is_started(service: Installed):
    service.machine.shell(f"rm {CONFIGURATION}")
    service.start()
    assert service.show("ActiveState") == "inactive"
    assert service.show("ConditionResult") == "no"
    assert service.ctl("status").stderr == (
        f"binlog-sslctl: there is no {CONFIGURATION}, without which binlog-ssld does not start; "
        "see: man binlog-ssld.conf\n")
    done = service.machine.run("runuser", "-u", "binlog-ssld", "--", "binlog-ssld", check=False)
    assert done.returncode == 78
    assert f"{CONFIGURATION}: cannot be read: No such file" in done.stderr


@pytest.mark.parametrize("spoil, text", [
    (f"chmod 0600 {CONFIGURATION}", "cannot be read: Permission denied"),
    (f"rm {CONFIGURATION}; mkdir {CONFIGURATION}", "cannot be read: Is a directory"),
    (f"rm {CONFIGURATION}; mkfifo {CONFIGURATION}", "cannot be read: No such device or address"),
    (f"mkdir {CONFIGURATION}.d; touch {CONFIGURATION}.d/a.conf; chmod 0 {CONFIGURATION}.d/a.conf",
     "a.conf: cannot be read: Permission denied"),
])
def test_a_configuration_that_cannot_be_read_is_named(service: Installed, spoil, text):
    service.machine.shell(spoil)
    try:
        assert text in refused(service)
    finally:
        service.machine.shell(f"rm -r {CONFIGURATION}")


def test_a_service_that_fails_again_and_again_works_when_the_fault_is_mended(service: Installed):
    """More often than the limit of systemd by default, and without a command."""
    service.drop_in("ExecStartPre=/usr/bin/test ! -e /run/fault\nRestartSec=100ms")
    service.machine.shell("touch /run/fault")
    try:
        assert service.systemctl("start", check=False).returncode != 0
        service.wait(lambda: int(service.show("NRestarts")) > 12, 60)
        assert service.show("ActiveState", SOCKET) == "active"
    finally:
        service.machine.shell("rm /run/fault")
    service.wait(lambda: service.show("ActiveState") == "active")
    service.wait_imports(1)


@pytest.mark.parametrize("line", [
    f"password = {SECRET}", f"passwd={SECRET}", f"password-file = {SECRET}"])
def test_a_password_in_the_configuration_is_refused_and_not_repeated(service: Installed, line):
    """Other users may read this file, so that it must not contain a password."""
    service.configure(password=line)
    messages = refused(service)
    assert SECRET not in messages + service.messages()
    assert "password-credential" in messages or "password-file" in messages
    assert f"{CONFIGURATION}:14: " in messages


@pytest.fixture
def small_state(service: Installed) -> Installed:
    """A state directory on a separate file system with 16 KiB: two files, one being replaced."""
    service.machine.shell(f"""
        install -d -m 0700 -o binlog-ssld -g binlog-ssld {STATE}
        mount -t tmpfs -o size=16k,mode=0700,uid=binlog-ssld,gid=binlog-ssld tmpfs {STATE}
    """)
    return service


def test_a_full_state_directory_delays_no_import_and_is_retried(small_state: Installed):
    service = small_state
    service.machine.shell(f"head -c 16384 /dev/zero >{STATE}/fill")
    service.start()
    service.wait_imports(1)
    service.wait(lambda: "No space left on device: the record" in service.ctl("status").stdout)
    service.wait(lambda: "No space left" in service.show("StatusText"))
    assert service.ctl("status").returncode == 1
    service.rotate()
    service.wait_imports(2)
    service.machine.shell(f"rm {STATE}/fill")
    service.wait(lambda: service.ctl("status").returncode == 0)
    messages = [entry["MESSAGE"] for entry in service.entries()]
    assert len([line for line in messages if "cannot be written (No space left" in line]) == 1
    assert len([line for line in messages if "the record is written again" in line]) == 1
    service.systemctl("restart")
    service.wait_imports(2)


def test_a_state_directory_that_turns_read_only_is_retried(small_state: Installed):
    service = small_state
    service.start()
    service.wait_imports(1)
    service.machine.shell(f"mount -o remount,ro {STATE}")
    service.rotate()
    service.wait_imports(2)
    service.wait(lambda: "Read-only file system" in service.show("StatusText"))
    service.machine.shell(f"mount -o remount,rw {STATE}")
    service.wait(lambda: service.ctl("status").returncode == 0)
    service.systemctl("restart")
    service.wait_imports(2)
