"""wait: started by a deploy hook before, while or after the daemon reads the new files."""

import hashlib
import json
import re
import ssl
import time
from pathlib import Path

import pytest

from tests.standin import Authority
from tests.standin.clock import Clock

from .conftest import BUILD
from .mock_manager import (OLD_SET, SET, MockManager, certificate, cluster, material,
                           microseconds, problem)
from .test_status import FAILING, held, on_terminal

NEW_SET = "f" * 64


@pytest.fixture(scope="session")
def renewed(tmp_path_factory) -> Path:
    """A file as a renewal tool writes it: the leaf, then the CA."""
    authority = Authority(tmp_path_factory.mktemp("ca"))
    path = tmp_path_factory.mktemp("new") / "fullchain.pem"
    path.write_bytes(b"some words of the tool\n"
                     + authority.issue_client("new").certificate.read_bytes()
                     + authority.certificate.read_bytes())
    return path


def digest(path: Path) -> str:
    text = path.read_text()
    end = "-----END CERTIFICATE-----"
    first = text[text.index("-----BEGIN"):text.index(end) + len(end)]
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).hexdigest()


def finish(process, seconds: float = 20) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=seconds)
    return process.returncode, out, err


def test_all_current_succeeds_after_a_second(ctl, manage):
    manage(cluster("billing"), cluster("orders"), cluster("off", state="disabled"))
    start = time.monotonic()
    done = ctl("wait")
    assert (done.returncode, done.stdout, done.stderr) == (0, "2/2 clusters current\n", "")
    assert 0.9 < time.monotonic() - start < 4


def test_an_import_that_starts_meanwhile_is_waited_for(ctl, manage):
    manager = manage(cluster("orders"))
    process = ctl.start("wait")
    manager.wait_subscriber()
    manager.change_material(state="changing", fingerprint=None)
    manager.change_cluster("orders", state="waiting", reason="material default is changing")
    manager.change_material(state="valid", fingerprint=NEW_SET)
    manager.change_cluster("orders", state="importing", reason=None)
    time.sleep(1.5)
    assert process.poll() is None
    manager.change_cluster("orders", state="current", imported_fingerprint=NEW_SET)
    status, out, err = finish(process)
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "material default: changing", "cluster orders: waiting: material default is changing",
        "material default: valid", "cluster orders: importing", "cluster orders: current",
        "1/1 clusters current"]


def test_replication_that_fails_is_a_failure(ctl, manage):
    manage(cluster("billing", **FAILING), cluster("orders"))
    done = ctl("wait")
    assert done.returncode == 1
    assert ("2/2 clusters current, but replication fails in 1; waiting longer does not help\n"
            in done.stderr)
    assert "why:  replication I/O thread (error 2026): expired" in done.stderr
    done = ctl("--json", "wait")
    assert (done.returncode, json.loads(done.stdout)["current"]) == (1, True)
    done = ctl("wait", "--ignore-replication")
    assert (done.returncode, done.stdout) == (0, "2/2 clusters current\n")


def test_current_with_an_older_set_is_not_sufficient(ctl, manage):
    manager = manage(cluster("orders"))
    process = ctl.start("wait")
    manager.wait_subscriber()
    manager.change_material(fingerprint=NEW_SET)
    time.sleep(1.5)
    assert process.poll() is None
    manager.change_cluster("orders", imported_fingerprint=NEW_SET)
    assert finish(process)[0] == 0


def test_the_certificate_on_disk_must_be_the_one_in_the_file(ctl, manage, renewed):
    manager = manage(cluster("orders"), cluster("other", material="second", **held()),
                     materials=[material(), material("second", state="expired")])
    process = ctl.start("wait", "--cert", str(renewed))
    manager.wait_subscriber()
    time.sleep(1.5)
    assert process.poll() is None
    new = certificate(sha256=digest(renewed))
    manager.change_material(fingerprint=NEW_SET, certificate=new)
    manager.change_cluster("orders", state="importing")
    manager.change_cluster("orders", state="current", imported_fingerprint=NEW_SET)
    status, out, _ = finish(process)
    assert status == 0 and out.endswith("1/1 clusters current\n")


def test_with_a_matching_certificate_there_is_no_delay(ctl, manage, renewed):
    manage(materials=[material(certificate=certificate(sha256=digest(renewed)))])
    taken = []
    for _ in range(3):  # a loaded machine may be slow once
        start = time.monotonic()
        assert ctl("wait", "--cert", str(renewed)).returncode == 0
        taken.append(time.monotonic() - start)
    assert min(taken) < 0.8


def test_a_certificate_in_no_material_is_reported_at_the_timeout(ctl, manage, renewed):
    manage()
    done = ctl("wait", "--cert", str(renewed), "--timeout", "1s")
    assert done.returncode == 1
    assert f"the certificate in {renewed} is in no material" in done.stderr
    assert "next: does the renewal tool write to the directory" in done.stderr


@pytest.mark.parametrize("content, words", [
    (None, "there is no such file"), (b"", "found none in 0 bytes"),
    (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "not a valid X.509")])
def test_a_file_without_certificate_is_reported_immediately(ctl, manage, tmp_path, content, words):
    manage()
    path = tmp_path / "cert.pem"
    if content is not None:
        path.write_bytes(content)
    done = ctl("wait", "--cert", str(path))
    assert done.returncode == 1 and words in done.stderr


def test_the_timeout_names_the_late_cluster_and_the_reason(ctl, manage):
    manage(cluster("billing"), cluster("orders", state="retrying", outcome="unreachable",
                                       reason="2002: Connection refused",
                                       next_step="check host, port, name resolution and the "
                                       "security group"))
    start = time.monotonic()
    done = ctl("wait", "--timeout", "2s")
    assert done.returncode == 1 and 1.8 < time.monotonic() - start < 5
    assert "1/2 clusters current; the time is over" in done.stderr
    assert "why:  2002: Connection refused\n" in done.stderr
    assert "next: check host, port" in done.stderr and "billing" not in done.stderr


def test_a_cluster_that_becomes_held_ends_the_wait_immediately(ctl, manage):
    manager = manage(cluster("orders", state="importing"))
    process = ctl.start("wait")
    manager.wait_subscriber()
    start = time.monotonic()
    manager.change_cluster("orders", **held())
    status, _, err = finish(process)
    assert status == 1 and time.monotonic() - start < 3
    assert "waiting longer does not help" in err and "Access denied" in err
    assert "next: check user, password" in err


@pytest.mark.parametrize("state", ["invalid", "missing", "expired"])
def test_a_bad_material_at_the_start_has_a_grace_period(ctl, manage, state):
    bad = material(state=state, fingerprint=None, problems=[problem("key-mismatch", "no pair")],
                   next_step="write the key")
    manager = manage(cluster("orders", state="waiting", imported_fingerprint=OLD_SET),
                     materials=[bad])
    start = time.monotonic()
    process = ctl.start("wait")
    manager.wait_subscriber()
    time.sleep(3)
    assert process.poll() is None
    if state == "expired":  # the daemon reads the renewed one in time
        manager.change_material(state="valid", fingerprint=SET, problems=[])
        manager.change_cluster("orders", state="current", imported_fingerprint=SET)
        assert finish(process)[0] == 0
        return
    status, _, err = finish(process)
    assert status == 1 and 4.5 < time.monotonic() - start < 9
    assert "no pair" in err and "next: write the key" in err


def test_a_held_cluster_at_the_start_has_the_same_grace_period(ctl, manage):
    manager = manage(cluster("orders", **held()))
    process = ctl.start("wait")
    manager.wait_subscriber()
    time.sleep(2)
    manager.change_material(fingerprint=NEW_SET)
    manager.change_cluster("orders", state="importing")
    manager.change_cluster("orders", state="current", imported_fingerprint=NEW_SET)
    assert finish(process)[0] == 0


def test_a_cluster_held_with_the_old_set_does_not_fail_the_new_one(ctl, manage, renewed):
    """The event of the material arrives late, and before that of its cluster."""
    manager = manage(cluster("orders", state="importing"))
    process = ctl.start("wait", "--cert", str(renewed))
    manager.wait_subscriber()
    manager.change_cluster("orders", **held())
    time.sleep(6)
    manager.change_material(fingerprint=NEW_SET, last_change=microseconds(),
                            certificate=certificate(sha256=digest(renewed)))
    time.sleep(0.5)
    assert process.poll() is None
    manager.change_cluster("orders", state="importing")
    manager.change_cluster("orders", state="current", imported_fingerprint=NEW_SET)
    assert finish(process)[0] == 0


def test_a_polled_path_has_a_longer_grace_period(ctl, manage):
    manage(cluster("orders", state="waiting"), materials=[
        material(state="expired", watch="poll: /nfs does not tell changes")])
    assert "the time is over" in ctl("wait", "--timeout", "7s").stderr


@pytest.mark.parametrize("starts, seconds", [(3600, 5), (3, 2)])
def test_a_not_yet_valid_set_is_waited_for_if_it_becomes_valid_in_time(ctl, manage, starts,
                                                                       seconds):
    future = certificate(not_before=microseconds(starts))
    manager = manage(cluster("orders", state="waiting"), materials=[
        material(state="not_yet_valid", certificate=future)])
    process = ctl.start("wait", "--timeout", "60s")
    manager.wait_subscriber()
    if starts > 60:
        assert finish(process)[0] == 1
        return
    time.sleep(seconds)
    manager.change_material(state="valid")
    manager.change_cluster("orders", state="current")
    assert finish(process)[0] == 0


def test_a_daemon_that_restarts_is_waited_for(ctl, manage):
    manager = manage(cluster("orders", state="importing"))
    process = ctl.start("wait")
    manager.wait_subscriber()
    manager.stop()
    time.sleep(1)
    assert process.poll() is None
    manager.clusters["orders"] = cluster("orders", state="waiting")
    manager.start()
    manager.wait_subscriber()
    manager.change_cluster("orders", state="current")
    status, out, _ = finish(process)
    assert status == 0
    assert "binlog-ssld is gone; waiting for it to come back" in out


def test_a_daemon_that_does_not_restart_exits_with_3(ctl, manage):
    manager = manage(cluster("orders", state="importing"))
    process = ctl.start("wait", "--timeout", "2s")
    manager.wait_subscriber()
    manager.stop()
    status, _, err = finish(process)
    assert status == 3 and "went away" in err


def test_no_enabled_cluster_is_reported(ctl, manage):
    manage(cluster("orders", state="disabled"))
    done = ctl("wait")
    assert done.returncode == 0 and "no enabled cluster uses it" in done.stdout


def test_json_has_the_final_state_only(ctl, manage):
    manager = manage(cluster("orders"), cluster("off", state="disabled"))
    answer = json.loads(ctl("--json", "wait").stdout)
    assert answer == {"current": True, "materials": [manager.materials["default"]],
                      "clusters": [manager.clusters["orders"]]}
    manager.change_cluster("orders", **held())
    done = ctl("--json", "wait", "--timeout", "1s")
    assert done.returncode == 1 and json.loads(done.stdout)["current"] is False


def test_a_terminal_gets_one_line_that_is_updated(ctl, manage):
    manage(cluster("billing"), cluster("orders", state="importing"))
    text = on_terminal(ctl, "wait", "--timeout", "2s")
    assert text.count("\r") >= 2
    assert re.search(r"\r1/2 clusters current; importing orders; \ds, giving up in \ds\x1b", text)
    assert text.split("\r\x1b[K")[-1].startswith("binlog-sslctl: 1/2 clusters current")


def test_a_wrong_timeout_exits_with_64(ctl):
    done = ctl("wait", "--timeout", "5")
    assert done.returncode == 64 and "such as 90s" in done.stderr


def set_subscribe_answer(manager: MockManager, answer) -> None:
    manager.script["Subscribe"] = lambda connection, _: answer(connection)


@pytest.mark.parametrize("command", ["wait", "monitor"])
@pytest.mark.parametrize("data", [b"garbage\0", b"", b'{"parameters": {"event": "sta', (
    b'{"parameters": {"event": "state", "material": {}, "cluster": null}, "continues": true}\0')])
def test_an_incomplete_subscription_exits_with_3(ctl, manage, command, data):
    def answer(connection):
        connection.raw(data)
        connection.disconnect()

    set_subscribe_answer(manage(), answer)
    done = ctl(command)
    assert done.returncode == 3 and done.stdout == ""


def test_a_subscription_without_events_ends_after_ten_seconds(ctl, manage):
    set_subscribe_answer(manage(), lambda connection: None)
    start = time.monotonic()
    done = ctl("wait")
    assert done.returncode == 3 and "does not answer" in done.stderr
    assert time.monotonic() - start < 14


@pytest.mark.parametrize("command", ["wait", "monitor"])
def test_a_daemon_without_subscribe_is_recognised(ctl, manage, command):
    set_subscribe_answer(manage(), lambda c: c.error(
        "org.varlink.service.MethodNotFound", method="x"))
    done = ctl(command)
    assert done.returncode == 1 and "older than this command" in done.stderr


def test_a_wall_clock_that_is_set_back_delays_no_answer(ctl, manage, tmp_path):
    manager = manage(cluster("billing"), cluster("orders"))
    clock = Clock(tmp_path / "clock")
    ctl.environment |= clock.variables(BUILD)
    process = ctl.start("wait")
    manager.wait_subscriber()
    clock.set(-24 * 3600)
    assert finish(process) == (0, "2/2 clusters current\n", "")


def test_a_wall_clock_that_is_set_forward_ends_no_grace(ctl, manage, renewed, tmp_path):
    """A hook that runs before the daemon reads the files is answered by what it reads."""
    old = material(state="invalid", reason="cut short", since=microseconds(-3600))
    manager = manage(cluster("orders", state="waiting"), materials=[old])
    clock = Clock(tmp_path / "clock")
    ctl.environment |= clock.variables(BUILD)
    process = ctl.start("wait")
    manager.wait_subscriber()
    clock.set(24 * 3600)
    time.sleep(1.5)  # it has evaluated once more
    assert process.poll() is None
    manager.change_material(state="valid", fingerprint=NEW_SET, reason=None)
    manager.change_cluster("orders", state="current", imported_fingerprint=NEW_SET)
    assert finish(process)[0] == 0
