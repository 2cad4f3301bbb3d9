"""No daemon, or a faulty one: exit status 3, the problem and the next step, in bounded time."""

import os
import socket
import subprocess
import threading
import time

import pytest

from tests.standin import terminal

from .conftest import CTL

COMMANDS = [["status"], ["import"], ["import", "--wait"], ["wait"], ["monitor"], ["metrics"],
            ["reload"], ["history"]]
COMMAND_METHODS = [("status", "GetStatus"), ("metrics", "GetMetrics"), ("reload", "Reload"),
                   ("history", "GetHistory")]


def assert_unreachable(done: subprocess.CompletedProcess[str], *words: str) -> None:
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.count("\n") == 1
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize("arguments", COMMANDS)
def test_no_socket(ctl, arguments):
    (ctl.directory / "binlog-ssld.conf").touch()
    assert_unreachable(ctl(*arguments), f"there is no {ctl.socket}", "systemctl start binlog-ssld")


def test_without_a_configuration_nothing_is_started(ctl):
    assert_unreachable(ctl("status"), f"there is no {ctl.directory}/binlog-ssld.conf, without which")
    other = f"{ctl.directory}/other"
    assert_unreachable(ctl("--socket", other, "status"), f"there is no {other}: ")


def test_a_stale_socket(ctl):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(ctl.socket))
    assert_unreachable(ctl("status"), "nobody listens", "systemctl start binlog-ssld")


def test_a_regular_file_as_socket(ctl):
    ctl.socket.write_text("")
    assert_unreachable(ctl("status"), "nobody listens")


def test_a_too_long_path(ctl):
    assert_unreachable(ctl("--socket", "/" + "x" * 200, "status"), "File name too long")


@pytest.mark.parametrize("closed", ["socket", "directory"])
def test_permission_denied(ctl, manage, closed, tmp_path):
    manage()
    # A copy of the command where another user can run it.
    program = ctl.directory / "ctl"
    program.write_bytes(CTL.read_bytes())
    program.chmod(0o755)
    for directory in (ctl.directory, *ctl.directory.parents[:-1]):
        if directory.stat().st_uid == os.getuid() and str(directory).startswith("/tmp/"):
            directory.chmod(0o755)
    path = ctl.socket
    if closed == "directory":
        inner = ctl.directory / "closed"
        inner.mkdir(mode=0o700)
        path = inner / "socket"
    else:
        path.chmod(0o600)
    done = subprocess.run([str(program), "--socket", str(path), "status"], user="nobody",
                          group="nogroup", extra_groups=[], capture_output=True, text=True,
                          env=ctl.environment, cwd="/")
    assert_unreachable(done, "may not be opened by this user", "as root")


def set_answer(manager, method: str, answer) -> None:
    manager.script[method] = lambda connection, _: answer(connection)


@pytest.mark.parametrize("command, method", COMMAND_METHODS)
@pytest.mark.parametrize("data", [
    b"no json\0", b"[]\0", b"{\0", b"\0", b'{"parameters": 7}\0',
    b'{"parameters": {"a": 1, "a": 2}}\0',
    b'{"error": 5}\0', b"\xff\xfe\0", b"[" * 5000 + b"]" * 5000 + b"\0"])
def test_garbage(ctl, manage, command, method, data):
    set_answer(manage(), method, lambda connection: connection.raw(data))
    assert_unreachable(ctl(command), "is not binlog-ssld")


@pytest.mark.parametrize("parameters", [
    {}, {"materials": [], "clusters": None}, {"materials": [{}], "clusters": []},
    {"materials": [], "clusters": ["orders"]}, {"materials": 1, "clusters": 2}])
def test_an_answer_with_a_wrong_structure(ctl, manage, parameters):
    set_answer(manage(), "GetStatus", lambda connection: connection.reply(parameters))
    assert_unreachable(ctl("status"), "is not binlog-ssld")


@pytest.mark.parametrize("command, method", COMMAND_METHODS)
@pytest.mark.parametrize("data", [b"", b'{"parameters": {"mat'])
def test_disconnect_during_the_answer(ctl, manage, command, method, data):
    def answer(connection):
        connection.raw(data)
        connection.disconnect()

    set_answer(manage(), method, answer)
    assert_unreachable(ctl(command), "closed the connection before its answer was complete",
                       "journalctl -u binlog-ssld")


@pytest.mark.parametrize("data", [b"", b'{"parameters": {"mat'])
def test_no_answer_ends_after_ten_seconds(ctl, manage, data):
    set_answer(manage(), "GetStatus", lambda connection: connection.raw(data))
    start = time.monotonic()
    assert_unreachable(ctl("status"), "does not answer")
    assert 9 < time.monotonic() - start < 14


def test_a_daemon_that_does_not_accept_times_out(ctl):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(ctl.socket))
        listener.listen(0)
        with socket.socket(socket.AF_UNIX) as first:
            first.connect(str(ctl.socket))
            assert_unreachable(ctl("status"), "does not answer")


def test_an_answer_in_pieces_is_accepted(ctl, manage):
    def answer(connection):
        text = b'{"parameters": {"materials": [], "clusters": [], "health": "ok"}}\0'
        for i in range(len(text)):
            connection.raw(text[i:i + 1])
            time.sleep(0.001)

    set_answer(manage(), "GetStatus", answer)
    assert ctl("status").returncode == 0


def test_a_large_answer_is_accepted(ctl, manage):
    from .mock_manager import cluster
    manage(*(cluster(f"cluster-{i}") for i in range(2000)))
    done = ctl("status")
    assert done.returncode == 0 and done.stdout.count(" current ") == 2000


def test_an_endless_answer_ends_with_an_error(ctl, manage):
    stop = threading.Event()

    def answer(connection):
        while not stop.is_set():
            try:
                connection.stream.sendall(b" " * 1_000_000)
            except OSError:
                return

    set_answer(manage(), "GetStatus", answer)
    try:
        assert ctl("status").returncode == 3
    finally:
        stop.set()


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_daemon_that_does_not_start_is_quoted(ctl, manage, arguments):
    """It answers before the call, and disconnects."""
    def answer(connection):
        connection.error("NotStarted", text="/etc/b.conf:5: unknown key colour")
        connection.disconnect()

    manager = manage()
    for method in ("GetStatus", "GetHistory", "GetMetrics", "Reload", "Import", "Subscribe"):
        set_answer(manager, method, answer)
    assert_unreachable(ctl(*arguments),
                       "binlog-ssld does not start: /etc/b.conf:5: unknown key colour; "
                       "when that is mended: systemctl start binlog-ssld\n")


@pytest.mark.parametrize("columns", range(60, 101, 10))
def test_an_error_is_wrapped_on_a_terminal(ctl, manage, columns):
    """Of the command in it no word goes to the next line."""
    set_answer(manage(), "GetStatus", lambda connection: connection.error(
        "NotStarted", text=f"/etc/b.conf:5: unknown key colour; allowed: {'some-key, ' * 15}x"))
    status, text = terminal.on_terminal([str(CTL), "status"], columns, ctl.environment)
    lines = text.splitlines()
    assert status == 3 and len(lines) > 2 and max(map(len, lines)) <= columns
    assert "systemctl start binlog-ssld\n" in text
    assert {line[:15] for line in lines[1:]} == {" " * 15}
    assert " ".join([lines[0], *(line[15:] for line in lines[1:])]) + "\n" == ctl("status").stderr


def test_an_error_instead_of_the_status_is_unknown_to_monitoring(ctl, manage):
    set_answer(manage(), "GetStatus", lambda connection: connection.error("x.y.Broken"))
    done = ctl("status")
    assert done.returncode == 3 and "x.y.Broken" in done.stderr
