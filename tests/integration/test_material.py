"""The status names the problem of an unusable set; nothing is sent, and the last import remains."""

import os
import shutil
from pathlib import Path

import pytest

from tests.integration.conftest import configuration
from tests.standin import write_material
from tests.standin.pki import PKCS1, damage_key, key_as

KEY = "client-key.pem"
CERT = "client-cert.pem"


@pytest.fixture
def running(testbed, service):
    """A daemon that has imported a good set; after the test, no other import may have occurred."""
    service.configure(configuration(service, testbed.aurora)
                      .replace("settle-limit = 300ms", "settle-limit = 1s"))
    write_material(service.material, testbed.authority.certificate, testbed.client("good"))
    service.start()
    good = service.wait_cluster("orders", "current")["imported_fingerprint"]
    before = len(testbed.aurora.imports())
    yield service
    assert len(testbed.aurora.imports()) == before
    assert service.cluster("orders")["imported_fingerprint"] == good


def rules(material: dict) -> list[tuple[str, str]]:
    return [(problem["file"], problem["rule"]) for problem in material["problems"]]


def replace(path: Path, content: bytes) -> None:
    fresh = path.with_name(".fresh")
    fresh.write_bytes(content)
    fresh.chmod(path.stat().st_mode & 0o777)
    fresh.rename(path)


def half_written(directory: Path) -> None:
    text = (directory / CERT).read_bytes()
    replace(directory / CERT, text[:len(text) // 2])


def emptied(directory: Path) -> None:
    (directory / CERT).write_bytes(b"")


def removed(directory: Path) -> None:
    (directory / KEY).unlink()


def a_fifo(directory: Path) -> None:
    (directory / KEY).unlink()
    os.mkfifo(directory / KEY)


def a_directory(directory: Path) -> None:
    (directory / KEY).unlink()
    (directory / KEY).mkdir()


def a_gigabyte(directory: Path) -> None:
    os.truncate(directory / CERT, 1 << 30)


def a_loop(directory: Path) -> None:
    (directory / "a").symlink_to("b")
    (directory / "b").symlink_to("a")
    (directory / KEY).unlink()
    (directory / KEY).symlink_to("a")


@pytest.mark.parametrize("spoil, state, rule", [
    (half_written, "invalid", ("cert", "pem-malformed")),
    (emptied, "invalid", ("cert", "pem-empty")),
    (removed, "missing", ("key", "file-missing")),
    (a_fifo, "invalid", ("key", "file-kind")),
    (a_directory, "invalid", ("key", "file-kind")),
    (a_gigabyte, "invalid", ("cert", "file-size")),
    (a_loop, "invalid", ("key", "file-kind")),
])
def test_one_bad_file_is_changing_and_then_a_named_problem(running, spoil, state, rule):
    spoil(running.material)
    changing = running.wait_material("changing")
    assert rules(changing) == [rule]
    material = running.wait_material(state)
    assert rules(material) == [rule]
    assert rule[1] in material["reason"]
    assert running.cluster("orders")["state"] == "waiting"
    assert running.ctl("status").returncode == 2


def put(path: Path, content: bytes, like: os.stat_result, *, rename: bool) -> None:
    """Writes another file or into the same one, with the size and times of like."""
    target = path.with_name(".fresh") if rename else path
    target.write_bytes(content)
    target.chmod(like.st_mode & 0o777)
    os.utime(target, ns=(like.st_atime_ns, like.st_mtime_ns))
    if rename:
        target.rename(path)
    now = path.stat()
    assert (now.st_size, now.st_mtime_ns) == (like.st_size, like.st_mtime_ns)


@pytest.mark.parametrize("rename", [True, False])
@pytest.mark.parametrize("number", ["d", "dmp1"])
def test_a_key_damaged_under_a_current_set_is_named_and_its_repair_imports_nothing(
        running, number, rename):
    path = running.material / KEY
    good, damaged = key_as(path, PKCS1), damage_key(path, number)
    replace(path, good)
    like = path.stat()
    put(path, damaged, like, rename=rename)
    changing = running.wait_material("changing")
    # One that is written in place can be read while it is empty.
    assert rules(changing) == [("key", "key-damaged")] or not rename
    material = running.wait_material("invalid")
    assert rules(material) == [("key", "key-damaged")]
    assert running.cluster("orders")["state"] == "waiting"
    put(path, good, like, rename=rename)
    running.wait_material("valid")
    running.wait_cluster("orders", "current")


def test_a_set_with_a_damaged_key_is_imported_once_it_is_repaired(testbed, service):
    pair = testbed.client("damaged")
    service.configure(configuration(service, testbed.aurora))
    write_material(service.material, testbed.authority.certificate, pair)
    replace(service.material / KEY, damage_key(pair.key, "dmp1"))
    before = len(testbed.aurora.imports())
    service.start()
    assert rules(service.wait_material("invalid")) == [("key", "key-damaged")]
    assert service.cluster("orders")["state"] == "waiting"
    assert len(testbed.aurora.imports()) == before
    replace(service.material / KEY, pair.key.read_bytes())
    service.wait_cluster("orders", "current")
    assert len(testbed.aurora.imports()) == before + 1


def test_an_empty_directory_is_missing_immediately(running):
    for path in running.material.iterdir():
        path.unlink()
    material = running.wait_material("missing")
    assert {rule for _, rule in rules(material)} == {"file-missing"}


def test_a_set_that_returns_is_not_imported_again(running):
    saved = running.material.with_name("saved")
    running.material.rename(saved)
    assert running.wait_material("missing")["watch"] == \
        f"poll ({running.material}: No such file or directory)"
    saved.rename(running.material)
    assert running.wait_material("valid")["watch"] == "inotify"
    running.wait_cluster("orders", "current")
    assert "the path is watched again" in running.log()


def test_a_directory_that_appears_later_is_imported(testbed, service):
    service.configure(configuration(service, testbed.aurora, material="poll-interval = 1h")
                      .replace("poll-interval = 500ms\n", ""))
    shutil.rmtree(service.material)
    service.start()
    material = service.wait_material("missing")
    assert "No such file or directory" in material["watch"]
    assert service.cluster("orders")["reason"] == "material default is missing"
    write_material(service.material, testbed.authority.certificate, testbed.client("later"))
    service.wait_cluster("orders", "current")
    assert service.status()["materials"][0]["watch"] == "inotify"
    assert service.status()["materials"][0]["missed_events"] == 0


def test_an_expired_set_is_reported_immediately_and_not_sent(testbed, service):
    service.configure(configuration(service, testbed.aurora))
    before = len(testbed.aurora.imports())
    write_material(service.material, testbed.authority.certificate,
                   testbed.client("expired", valid=(-7200, -3600)))
    service.start()
    material = service.wait_material("expired")
    assert rules(material) == [("cert", "cert-expired")]
    assert len(testbed.aurora.imports()) == before


def test_a_set_that_is_not_yet_valid_is_imported_at_its_not_before(testbed, service):
    service.configure(configuration(service, testbed.aurora, material="poll-interval = 1h")
                      .replace("poll-interval = 500ms\n", ""))
    before = len(testbed.aurora.imports())
    write_material(service.material, testbed.authority.certificate,
                   testbed.client("tomorrow", valid=(3, 3600)))
    service.start()
    material = service.wait_material("not_yet_valid")
    assert rules(material)[0] == ("cert", "cert-not-yet-valid")
    assert len(testbed.aurora.imports()) == before
    service.wait_cluster("orders", "current")
    assert len(testbed.aurora.imports()) == before + 1


def test_a_set_that_expires_while_watched_is_reported(testbed, service):
    service.configure(configuration(service, testbed.aurora))
    write_material(service.material, testbed.authority.certificate,
                   testbed.client("short", valid=(-3600, 4)))
    service.start()
    assert service.wait_material("expiring")["reason"]
    service.wait_cluster("orders", "current")
    service.wait_material("expired")
    assert "material default is expired" in service.log()


def test_a_renewed_certificate_of_a_day_is_valid(testbed, service):
    service.configure(configuration(service, testbed.aurora))
    write_material(service.material, testbed.authority.certificate,
                   testbed.client("today", valid=(-60, 86400)))
    service.start()
    first = service.wait_cluster("orders", "current")["imported_fingerprint"]
    write_material(service.material, testbed.authority.certificate,
                   testbed.client("tomorrow", valid=(-60, 86400)))
    service.wait(lambda: service.cluster("orders")["imported_fingerprint"] != first)
    service.wait_cluster("orders", "current")
    assert service.wait_material("valid")["problems"] == []
    assert "expires within" not in service.log()


def test_the_expiry_warning_is_logged_once_even_after_a_restart(testbed, service):
    service.configure(configuration(service, testbed.aurora))
    write_material(service.material, testbed.authority.certificate,
                   testbed.client("soon", valid=(-30 * 86400, 3 * 86400)))
    service.start()
    service.wait_cluster("orders", "current")
    assert service.log().count("expires within 7d: ") == 1
    service.stop()
    service.start()
    service.wait_material("expiring")
    service.wait_cluster("orders", "current")
    assert service.log().count("expires within") == 1
    write_material(service.material, testbed.authority.certificate,
                   testbed.client("sooner", valid=(-30 * 86400, 3600)))
    service.wait(lambda: "expires within 1d: " in service.log())
    assert service.log().count("expires within") == 2
