"""binlog-sslctl against the daemon, as users and deploy hooks run it."""

import json
import os
import signal
import subprocess
import threading
import time

import pytest

from tests.integration.conftest import configuration
from tests.standin import write_material
from tests.standin.server import free_port


@pytest.fixture
def current(testbed, service):
    service.configure(configuration(service, testbed.aurora))
    write_material(service.material, testbed.authority.certificate, testbed.client("control"))
    service.start()
    service.wait_cluster("orders", "current")
    return service


def ctl(service, *arguments, seconds=60):
    return subprocess.run([service.build / "binlog-sslctl", *map(str, arguments)],
                          env=service.environment, capture_output=True, text=True, timeout=seconds)


def test_import_wait_succeeds(testbed, current):
    before = len(testbed.aurora.imports())
    done = ctl(current, "import", "--wait", "--force")
    assert done.returncode == 0, done.stderr
    assert len(testbed.aurora.imports()) == before + 1
    assert ctl(current, "import", "--wait").returncode == 0
    assert len(testbed.aurora.imports()) == before + 1


def test_import_wait_reports_the_failure(testbed, current):
    testbed.aurora.set_option("fail_at", "import")
    done = ctl(current, "import", "--wait", "--force", "orders")
    assert done.returncode == 1
    assert "The SSL material could not be imported." in done.stdout + done.stderr
    assert ctl(current, "import", "nobody").returncode == 64


def test_wait_works_as_a_deploy_hook(testbed, current):
    """It runs directly after the tool that wrote the files, before the daemon has read them."""
    pair = testbed.client("hook")
    before = len(testbed.aurora.imports())
    write_material(current.material, testbed.authority.certificate, pair)
    done = ctl(current, "wait", "--cert", current.material / "client-cert.pem", "--timeout", "20s")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(testbed.aurora.imports()) == before + 1
    assert current.cluster("orders")["state"] == "current"


def test_wait_fails_when_the_import_fails(testbed, current):
    testbed.aurora.set_option("fail_at", "import")
    write_material(current.material, testbed.authority.certificate, testbed.client("refused"))
    done = ctl(current, "wait", "--cert", current.material / "client-cert.pem", "--timeout", "20s")
    assert done.returncode == 1
    assert "The SSL material could not be imported." in done.stdout + done.stderr


def test_wait_continues_after_a_restart_of_the_daemon(testbed, service):
    service.configure(configuration(service, testbed.aurora, port=free_port()))
    write_material(service.material, testbed.authority.certificate, testbed.client("restarted"))
    service.start()
    service.wait_cluster("orders", "retrying")
    done = []
    waiting = threading.Thread(target=lambda: done.append(ctl(service, "wait", "--timeout", "30s")))
    waiting.start()
    time.sleep(0.5)
    service.stop()
    service.configure(configuration(service, testbed.aurora))
    service.start()
    waiting.join()
    assert done[0].returncode == 0, done[0].stdout + done[0].stderr


def test_monitor_prints_transitions(testbed, current):
    watching = subprocess.Popen([current.build / "binlog-sslctl", "--json", "monitor"],
                                env=current.environment, stdout=subprocess.PIPE, text=True)
    try:
        lines = iter(watching.stdout.readline, "")
        for line in lines:
            if json.loads(line)["event"] == "ready":
                break
        write_material(current.material, testbed.authority.certificate, testbed.client("monitored"))
        states = []
        for line in lines:
            cluster = json.loads(line)["cluster"]
            if cluster:
                states.append(cluster["state"])
                if states[-1] == "current":
                    break
        assert "importing" in states
    finally:
        os.kill(watching.pid, signal.SIGTERM)
        watching.wait()
        watching.stdout.close()


def test_reload_and_metrics(testbed, current):
    assert ctl(current, "reload").returncode == 0
    assert "binlog_ssld_build_info" in ctl(current, "metrics").stdout
    current.configure("[daemon]\ncolour = red\n")
    done = ctl(current, "reload")
    assert done.returncode == 1
    assert "binlog-ssld.conf:2: " in done.stderr and "colour" in done.stderr


def test_explain_and_check_of_a_good_directory(current):
    done = ctl(current, "explain")
    assert done.returncode == 0 and "default" in done.stdout
    assert ctl(current, "check", current.material).returncode == 0
    (current.material / "client-key.pem").write_text("nonsense")
    done = ctl(current, "check", current.material)
    assert done.returncode == 1 and "pem-empty" in done.stdout
