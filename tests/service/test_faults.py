"""Bad input: configurations that cannot be used."""

import pytest

from tests.service.installed import CONFIGURATION, Installed

SECRET = "hunter2-is-not-for-the-journal"


def refused(service: Installed) -> str:
    """Exit 78, no restart; what was said."""
    assert service.systemctl("start", check=False).returncode != 0
    assert service.show("ExecMainStatus") == "78"
    assert service.show("ActiveState") == "failed"
    assert service.show("NRestarts") == "0"
    return "\n".join(entry["MESSAGE"] for entry in service.entries())


def test_an_unknown_key_is_named_with_its_line(service: Installed):
    service.machine.write(CONFIGURATION, "[daemon]\ncolour = red\n")
    assert f"{CONFIGURATION}:2: unknown key colour in [daemon]" in refused(service)


def test_without_a_configuration_nothing_is_started(service: Installed):
    service.machine.shell(f"rm {CONFIGURATION}")
    service.start()
    assert service.show("ActiveState") == "inactive"
    assert service.show("ConditionResult") == "no"
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


@pytest.mark.parametrize("line", [
    f"password = {SECRET}", f"passwd={SECRET}", f"password-file = {SECRET}"])
def test_a_password_in_the_configuration_is_refused_and_not_repeated(service: Installed, line):
    """Whoever may read the file: a password never stands in it."""
    service.configure(password=line)
    said = refused(service)
    assert SECRET not in service.messages()
    assert "password-credential" in said or "password-file" in said
    assert f"{CONFIGURATION}:12: " in said
