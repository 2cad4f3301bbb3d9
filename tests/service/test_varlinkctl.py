"""varlinkctl, a Varlink client that is not ours, with the interface of the service."""

from __future__ import annotations

import json
import shutil
from subprocess import CompletedProcess

import pytest

from tests.service.installed import SOCKET_PATH, Installed

INTERFACE = "io.binlogssl.Manager"

pytestmark = pytest.mark.skipif(shutil.which("varlinkctl") is None,
                                reason="no varlinkctl: systemd 255 has it")


def varlinkctl(service: Installed, *arguments: str, stdin: str = "",
               check: bool = True) -> CompletedProcess[str]:
    return service.machine.run("varlinkctl", *arguments, stdin=stdin, check=check)


def call(service: Installed, method: str, parameters: str = "{}", *options: str,
         check: bool = True) -> CompletedProcess[str]:
    return varlinkctl(service, *options, "call", SOCKET_PATH, f"{INTERFACE}.{method}", parameters,
                      check=check)


@pytest.fixture
def running(service: Installed) -> Installed:
    service.start()
    service.wait_imports(1)
    return service


def test_info_and_lists(running: Installed):
    info = json.loads(varlinkctl(running, "info", "--json=short", SOCKET_PATH).stdout)
    version = running.machine.run("binlog-ssld", "--version").stdout.split()[1]
    assert (info["product"], info["version"]) == ("binlog-ssld", version)
    assert sorted(info["interfaces"]) == [INTERFACE, "org.varlink.service"]
    assert varlinkctl(running, "list-interfaces", SOCKET_PATH).stdout.split() == \
        sorted(info["interfaces"])
    methods = varlinkctl(running, "list-methods", SOCKET_PATH, INTERFACE).stdout.split()
    assert methods == [f"{INTERFACE}.{name}" for name in
                       ("CheckClusters", "GetHistory", "GetMetrics", "GetStatus", "Import",
                        "Reload", "Remove", "Subscribe")]


def test_the_description_is_valid(running: Installed):
    """Both parsers of varlinkctl accept it; a type that is not defined is refused."""
    text = varlinkctl(running, "introspect", SOCKET_PATH, INTERFACE).stdout
    assert f"interface {INTERFACE}\n" in text and "error InvalidConfiguration" in text
    assert varlinkctl(running, "validate-idl", stdin=text).stdout == text
    broken = text.replace("health: Health", "health: Wealth")
    assert broken != text
    assert varlinkctl(running, "validate-idl", stdin=broken, check=False).returncode != 0


def test_the_registry_has_the_service_by_name(running: Installed):
    place = f"/run/varlink/registry/{INTERFACE}"
    assert "binlog-ssld" in varlinkctl(running, "info", place).stdout


def test_calls(running: Installed):
    status = json.loads(call(running, "GetStatus").stdout)
    assert [(cluster["name"], cluster["state"]) for cluster in status["clusters"]] == \
        [("orders", "current")]
    assert json.loads(call(running, "GetStatus", "{}", "--more").stdout.lstrip("\x1e"))
    assert "binlog_ssld_cluster_current" in json.loads(call(running, "GetMetrics").stdout)["text"]
    assert json.loads(call(running, "Import", '{"force": true}').stdout) == {"started": ["orders"]}
    running.wait_imports(2)
    assert call(running, "Reload").stdout == "{}\n"
    loaded = json.loads(call(running, "GetStatus").stdout)["loaded_at"]
    assert loaded > status["loaded_at"]
    assert call(running, "Reload", "{}", "--oneway").stdout == ""
    running.wait(lambda: running.status()["loaded_at"] > loaded)


def test_more_follows_a_rotation_until_the_service_stops(running: Installed):
    with running.machine.background("varlinkctl", "--more", "--timeout=infinity", "call",
                                    SOCKET_PATH, f"{INTERFACE}.Subscribe", "{}") as subscriber:
        assert subscriber.stdout

        def event() -> dict:
            assert subscriber.stdout
            return json.loads(subscriber.stdout.readline().lstrip("\x1e"))

        try:
            state = [event() for _ in range(3)]
            assert [reply["event"] for reply in state] == ["state", "state", "ready"]
            running.rotate()
            states = []
            while "current" not in states:
                reply = event()
                assert reply["event"] == "changed"
                states += [reply["cluster"]["state"]] if reply["cluster"] else []
            assert "importing" in states
            running.systemctl("reload")
            while event()["event"] != "reloaded":
                pass
        finally:
            running.stop()


@pytest.mark.parametrize("method, parameters, error, answer", [
    ("Subscribe", "{}", "org.varlink.service.ExpectedMore", {}),
    ("Import", '{"clusters": ["nope"]}', f"{INTERFACE}.NoSuchCluster", {"name": "nope"}),
    ("Import", '{"clusters": 3}', "org.varlink.service.InvalidParameter",
     {"parameter": "clusters"}),
    ("GetStatus", '{"colour": 3}', "org.varlink.service.InvalidParameter",
     {"parameter": "colour"}),
    ("Nope", "{}", "org.varlink.service.MethodNotFound", {"method": f"{INTERFACE}.Nope"}),
    ("Nope.Nope", "{}", "org.varlink.service.InterfaceNotFound",
     {"interface": f"{INTERFACE}.Nope"}),
])
def test_errors(running: Installed, method, parameters, error, answer):
    done = call(running, method, parameters, check=False)
    assert done.returncode == 1 and error in done.stderr
    assert json.loads(done.stdout) == answer


def test_errors_of_the_material_and_of_the_configuration(running: Installed):
    running.machine.shell("rm /etc/binlog-ssld/material/*")
    running.wait(lambda: running.status()["materials"][0]["state"] == "missing")
    done = call(running, "Import", check=False)
    assert f"{INTERFACE}.MaterialNotReady" in done.stderr
    assert json.loads(done.stdout)["state"] == "missing"
    running.configure(cluster="colour = red")
    done = call(running, "Reload", check=False)
    assert f"{INTERFACE}.InvalidConfiguration" in done.stderr
    answer = json.loads(done.stdout)
    assert "unknown key colour" in answer["text"] and answer["line"] > 0


def test_other_users_may_read_only(running: Installed):
    as_nobody = ("runuser", "-u", "nobody", "--", "varlinkctl", "call", SOCKET_PATH)
    assert json.loads(running.machine.run(*as_nobody, f"{INTERFACE}.GetStatus", "{}").stdout)
    for method in ("Import", "Reload"):
        done = running.machine.run(*as_nobody, f"{INTERFACE}.{method}", "{}", check=False)
        assert done.returncode == 1 and "org.varlink.service.PermissionDenied" in done.stderr
