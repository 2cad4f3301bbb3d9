"""A file system whose server is away holds up its own material, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.conftest import configuration
from tests.standin import write_material
from tests.standin.fuse import OPEN, READ, FuseServer, private_mounts

FILES = ("ca.pem", "client-cert.pem", "client-key.pem")
DETECTED = 90  # seconds: a generous limit; it takes about 22


@pytest.fixture
def remote(service) -> Iterator[FuseServer]:
    """The directory of the material is on a file system that this process serves."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        pytest.skip("no file system can be served: there is no /dev/fuse")
    with private_mounts():
        server = FuseServer(service.material)
        try:
            yield server
        finally:
            service.kill()
            server.close()


@pytest.fixture
def content(testbed, tmp_path):
    """Returns the files of a new pair."""
    def make(name: str) -> dict[str, bytes]:
        write_material(tmp_path, testbed.authority.certificate, testbed.client(name))
        return {name: (tmp_path / name).read_bytes() for name in FILES}
    return make


def two_materials(testbed, service, other: Path) -> str:
    """The cluster orders has the material default, the cluster users one in another directory."""
    first = configuration(service, testbed.aurora, material="[material other]\n"
                          f"directory = {other}\nsettle = 50ms\npoll-interval = 500ms")
    cluster = first[first.index("[cluster orders]"):]
    return first + cluster.replace("orders", "users") + "material = other\n"


def material(service, name: str = "default") -> dict:
    return next(one for one in service.status()["materials"] if one["name"] == name)


def imported(service, cluster: str) -> str:
    return service.wait_cluster(cluster, "current")["imported_fingerprint"]


def not_responding(service) -> bool:
    return material(service)["not_responding_since"] is not None


def test_only_its_own_material_waits_for_a_file_system(testbed, service, remote, content, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    write_material(other, testbed.authority.certificate, testbed.client("local"))
    service.configure(two_materials(testbed, service, other))
    remote.write(content("remote"))
    service.start()
    before = {name: imported(service, name) for name in ("orders", "users")}
    remote.hang()
    service.wait(lambda: remote.waiting > 0)

    write_material(other, testbed.authority.certificate, testbed.client("local, renewed"))
    service.wait(lambda: imported(service, "users") != before["users"])
    assert service.ctl("reload").returncode == 0
    service.wait(lambda: not_responding(service), DETECTED)
    state = material(service)
    assert state["state"] == "valid"
    assert state["reason"].startswith(f"the file system of {service.material} has not answered")
    assert service.status()["health"] == "warning"
    assert service.cluster("orders")["imported_fingerprint"] == before["orders"]
    assert 'file_system_responding{material="default"} 0' in service.ctl("metrics").stdout
    assert 'file_system_responding{material="other"} 1' in service.ctl("metrics").stdout
    assert f"run:  findmnt -T {service.material}" in service.ctl("status").stdout
    assert len(service.watchers()) <= 3  # one of them cannot be killed yet

    remote.write(content("remote, renewed"))
    remote.answer_again()
    service.wait(lambda: imported(service, "orders") != before["orders"], DETECTED)
    assert not not_responding(service)
    service.wait(lambda: len(service.watchers()) == 2)
    log = service.log()
    assert log.count("has not answered since") == log.count("answers again") == 1
    assert log.count("orders: set") == log.count("users: set") == 2


def test_a_stop_does_not_wait_for_a_file_system(testbed, service, remote, content):
    service.configure(configuration(service, testbed.aurora))
    remote.write(content("stopped"))
    service.start()
    imported(service, "orders")
    remote.hang()
    service.wait(lambda: remote.waiting > 0)
    assert service.stop() == 0


def test_a_start_with_a_file_system_that_does_not_respond(testbed, service, remote, content,
                                                          tmp_path):
    service.configure(configuration(service, testbed.aurora))
    remote.hang()
    service.start()
    service.wait(lambda: not_responding(service), DETECTED)
    assert service.cluster("orders")["state"] == "waiting"
    remote.write(content("late"))
    remote.answer_again()
    service.wait(lambda: service.cluster("orders")["state"] == "current", DETECTED)
    service.stop()

    remote.hang()
    # Not a pipe: its end would come with the last process that waits for the file system.
    with open(tmp_path / "once.log", "wb") as log:
        once = subprocess.run([str(service.build / "binlog-ssld"), "--once"], stderr=log,
                              env=service.environment, timeout=DETECTED)
    assert once.returncode == 1
    assert "has not answered since" in (tmp_path / "once.log").read_text()


def test_files_that_cannot_be_read_are_not_invalid(testbed, service, remote, content):
    """As on NFS, which answers stat(2) from its cache for a while."""
    service.configure(configuration(service, testbed.aurora))
    remote.write(content("readable"))
    service.start()
    first = imported(service, "orders")
    remote.hang({OPEN, READ})
    remote.write(content("unreadable"))
    service.wait(lambda: not_responding(service), DETECTED)
    assert material(service)["state"] == "valid"
    assert len(service.processes("binlog-inspect")) == 1
    remote.answer_again()
    service.wait(lambda: imported(service, "orders") != first, DETECTED)
    assert not not_responding(service)


def test_a_slow_file_system_is_waited_for(testbed, service, remote, content):
    service.configure(configuration(service, testbed.aurora))
    remote.write(content("slow"))
    service.start()
    first = imported(service, "orders")
    watchers = service.watchers()
    remote.delay = 5
    slow = remote.requests
    service.wait(lambda: remote.requests >= slow + 8, DETECTED)  # 40 s
    assert not not_responding(service)
    assert service.watchers() == watchers
    remote.write(content("fast"))
    remote.delay = 0
    service.wait(lambda: imported(service, "orders") != first, DETECTED)
    assert not not_responding(service)
    assert "no progress" not in service.log()


def test_a_metrics_file_that_cannot_be_written_holds_up_nothing(testbed, service, remote, content,
                                                                tmp_path):
    local = tmp_path / "local"
    local.mkdir()
    write_material(local, testbed.authority.certificate, testbed.client("first"))
    service.configure(configuration(service, testbed.aurora, daemon=f"metrics-file = "
                                    f"{service.material}/binlog-ssld.prom")
                      .replace(f"directory = {service.material}", f"directory = {local}"))
    remote.hang()
    service.start()
    first = imported(service, "orders")
    service.wait(lambda: remote.waiting > 0)
    write_material(local, testbed.authority.certificate, testbed.client("second"))
    service.wait(lambda: imported(service, "orders") != first)
    assert len(service.processes("binlog-metrics")) == 1
    service.wait(lambda: "binlog-ssld.prom" in service.log(), DETECTED)
    assert service.stop() == 0


def test_a_password_file_that_cannot_be_read_holds_up_its_own_cluster(testbed, service, remote,
                                                                     content, tmp_path):
    local = tmp_path / "local"
    local.mkdir()
    write_material(local, testbed.authority.certificate, testbed.client("first"))
    password = service.directory / "etc" / "password"
    text = two_materials(testbed, service, local)
    text = text.replace(f"directory = {service.material}", f"directory = {local}")
    orders, users = text.index("[cluster orders]"), text.index("[cluster users]")
    service.configure(text[:orders].replace("[daemon]", "[daemon]\nparallel-imports = 1\n"
                                            "import-timeout = 1s") +
                      text[orders:users].replace(str(password), f"{service.material}/password") +
                      text[users:])
    remote.write({"password": password.read_bytes()})
    remote.hang()
    service.start()
    first = imported(service, "users")
    service.wait(lambda: service.cluster("orders")["state"] == "retrying", DETECTED)
    assert "does not end" in service.cluster("orders")["reason"]
    write_material(local, testbed.authority.certificate, testbed.client("second"))
    service.wait(lambda: imported(service, "users") != first, DETECTED)
    assert service.ctl("import", "orders").returncode == 0
    assert len(service.importers()) == 1
    remote.answer_again()
    assert imported(service, "orders") == imported(service, "users")
    service.wait(lambda: service.importers() == [])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_a_watch_process_is_replaced_and_nothing_is_lost(testbed, service, number):
    service.configure(configuration(service, testbed.aurora))
    write_material(service.material, testbed.authority.certificate, testbed.client("first"))
    service.start()
    first = imported(service, "orders")
    (watcher,) = service.watchers()
    os.kill(watcher, number)
    write_material(service.material, testbed.authority.certificate, testbed.client("second"))
    service.wait(lambda: imported(service, "orders") != first, DETECTED)
    service.wait(lambda: len(service.watchers()) == 1)
    assert service.watchers() != [watcher]
    assert not not_responding(service)
    assert service.log().count("the watch process") == 1
    assert 'watch_restarts_total{material="default"} 1' in service.ctl("metrics").stdout
