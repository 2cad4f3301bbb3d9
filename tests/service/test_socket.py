"""Ownership of the socket, socket activation, and conflicts."""

import re

from tests.service.installed import CONFIGURATION, SOCKET, SOCKET_PATH, Installed

CONNECT = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
LISTEN = ("import socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen();"
          "print('ready', flush=True); sys.stdin.read()")


def inode(service: Installed) -> str:
    return service.machine.shell(f"stat -c '%i %a %G' {SOCKET_PATH}").strip()


def test_the_socket_unit_starts_first_and_sets_mode_and_group(service: Installed):
    service.start()
    assert service.show("ActiveState", SOCKET) == "active"
    assert (int(service.show("ActiveEnterTimestampMonotonic", SOCKET))
            < int(service.show("ExecMainStartTimestampMonotonic")))
    after = service.show("After").split()
    assert {SOCKET, "network-online.target"} <= set(after)
    assert inode(service).endswith(" 666 binlog-ssld")
    link = service.machine.shell("readlink /run/varlink/registry/io.binlogssl.Manager").strip()
    assert link == SOCKET_PATH


def test_a_connection_starts_the_service(service: Installed):
    service.systemctl("start", SOCKET)
    assert service.show("ActiveState") == "inactive"
    service.machine.run("/usr/bin/python3", "-c", CONNECT, SOCKET_PATH)
    service.wait(lambda: service.show("ActiveState") == "active")
    service.wait_imports(1)


def test_the_socket_of_systemd_remains_after_stop_and_restart(service: Installed):
    service.start()
    first = inode(service)
    service.systemctl("restart")
    assert inode(service) == first
    service.stop()
    assert inode(service) == first
    service.systemctl("stop", SOCKET)
    assert service.machine.run("test", "-e", SOCKET_PATH, check=False).returncode != 0


def test_a_command_does_not_start_a_service_that_was_stopped(service: Installed):
    service.start()
    service.wait_imports(1)
    with service.machine.background("sh", "-c", "binlog-sslctl monitor & read _; kill $!"
                                    ) as monitor:
        assert monitor.stdout and monitor.stdout.readline()
        service.stop()
        for command in (["status"], ["wait"], ["import"], ["nagios"]):
            done = service.ctl(*command)
            assert done.returncode == 3
            assert "binlog-ssld is stopped; fix: systemctl start binlog-ssld" in (
                done.stderr or done.stdout)
        while "is gone" not in monitor.stdout.readline():
            pass
        assert service.show("ActiveState", SOCKET) == "active"
        assert service.show("ActiveState") == "inactive"
    service.machine.run("runuser", "-u", "nobody", "--", "binlog-sslctl", "status", check=False)
    assert service.show("ActiveState") == "inactive"
    service.start()
    assert service.ctl("status").returncode == 0


def test_without_the_socket_unit_the_daemon_creates_and_removes_the_socket(service: Installed):
    service.machine.run("systemctl", "mask", "--runtime", SOCKET)
    try:
        service.start()
        service.wait_imports(1)
        assert inode(service).endswith(" 666 binlog-ssld")
        service.stop()
        assert service.machine.run("test", "-e", SOCKET_PATH, check=False).returncode != 0
    finally:
        service.machine.run("systemctl", "unmask", "--runtime", SOCKET)


def test_any_user_can_read_the_status(service: Installed):
    service.configure(port=1)
    service.start()
    service.wait_cluster("retrying")
    done = service.machine.run("runuser", "-u", "nobody", "--", "binlog-sslctl", "status",
                               check=False)
    # The next attempt can be under way.
    assert done.returncode == 1 and re.search("retrying|importing", done.stdout)
    done = service.machine.run("runuser", "-u", "nobody", "--",
                               "/usr/lib/nagios/plugins/check_binlog_ssld", check=False)
    assert re.match(r"BINLOG_SSLD WARNING - 0/1 clusters current.* \| days_left=36\d\.\d ",
                    done.stdout)
    assert done.returncode == 1


def test_a_path_in_use_is_named_and_not_changed(service: Installed):
    service.machine.run("systemctl", "mask", "--runtime", SOCKET)
    service.drop_in("Restart=no")
    try:
        service.machine.shell("mkdir -p /run/binlog-ssld")
        with service.machine.background("/usr/bin/python3", "-c", LISTEN, SOCKET_PATH) as other:
            assert other.stdout and other.stdout.readline() == "ready\n"
            assert service.systemctl("start", check=False).returncode != 0
            assert f"{SOCKET_PATH}: Address already in use" in service.messages()
            service.machine.shell(f"test -S {SOCKET_PATH}")
        service.machine.shell(f"rm {SOCKET_PATH}; echo precious >{SOCKET_PATH}")
        assert service.systemctl("start", check=False).returncode != 0
        assert service.machine.shell(f"cat {SOCKET_PATH}") == "precious\n"
        assert f"{SOCKET_PATH}: File exists" in service.messages()
    finally:
        service.machine.run("systemctl", "unmask", "--runtime", SOCKET)


def test_a_refused_configuration_does_not_stop_the_socket_unit(service: Installed):
    """The socket still listens; after the configuration is corrected, the next request succeeds."""
    service.configure(cluster="colour = red")
    assert service.systemctl("start", check=False).returncode != 0
    for _ in range(12):
        assert service.ctl("status").returncode == 3
    for command in (["status"], ["wait", "--timeout", "5s"], ["import", "--wait"]):
        done = service.ctl(*command)
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr.startswith(
            f"binlog-sslctl: binlog-ssld does not start: {CONFIGURATION}:")
        assert "unknown key colour" in done.stderr
    assert service.show("ActiveState", SOCKET) == "active"
    service.configure()
    assert service.ctl("status").returncode in (0, 1)
    service.wait_imports(1)
