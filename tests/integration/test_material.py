"""What stands on disk is named in status; while it is not good nothing is sent and nothing lost."""

import os
import shutil
from pathlib import Path

import pytest

from tests.integration.conftest import configuration
from tests.standin import write_material

KEY = "client-key.pem"
CERT = "client-cert.pem"


@pytest.fixture
def running(house, service):
    """A daemon with a good set imported; afterwards nothing more may have been sent."""
    service.configure(configuration(service, house.aurora)
                      .replace("settle-limit = 300ms", "settle-limit = 1s"))
    write_material(service.material, house.authority.certificate, house.client("good"))
    service.start()
    good = service.wait_cluster("orders", "current")["imported_fingerprint"]
    before = len(house.aurora.imports())
    yield service
    assert len(house.aurora.imports()) == before
    assert service.cluster("orders")["imported_fingerprint"] == good


def rules(material: dict) -> list[tuple[str, str]]:
    return [(problem["file"], problem["rule"]) for problem in material["problems"]]


def replace(path: Path, content: bytes) -> None:
    fresh = path.with_name(".fresh")
    fresh.write_bytes(content)
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
def test_one_bad_file_is_changing_and_then_named(running, spoil, state, rule):
    spoil(running.material)
    changing = running.wait_material("changing")
    assert rules(changing) == [rule]
    material = running.wait_material(state)
    assert rules(material) == [rule]
    assert rule[1] in material["reason"]
    assert running.cluster("orders")["state"] == "waiting"
    assert running.ctl("status").returncode == 2


def test_an_empty_directory_is_missing_at_once(running):
    for path in running.material.iterdir():
        path.unlink()
    material = running.wait_material("missing")
    assert {rule for _, rule in rules(material)} == {"file-missing"}


def test_a_set_that_comes_back_is_no_new_set(running):
    saved = running.material.with_name("saved")
    running.material.rename(saved)
    assert running.wait_material("missing")["watch"] == \
        f"poll ({running.material}: No such file or directory)"
    saved.rename(running.material)
    assert running.wait_material("valid")["watch"] == "inotify"
    running.wait_cluster("orders", "current")
    assert "the path is watched again" in running.log()


def test_a_directory_that_appears_later_is_imported(house, service):
    service.configure(configuration(service, house.aurora, material="poll-interval = 1h")
                      .replace("poll-interval = 500ms\n", ""))
    shutil.rmtree(service.material)
    service.start()
    material = service.wait_material("missing")
    assert "No such file or directory" in material["watch"]
    assert service.cluster("orders")["reason"] == "material default is missing"
    write_material(service.material, house.authority.certificate, house.client("later"))
    service.wait_cluster("orders", "current")
    assert service.status()["materials"][0]["watch"] == "inotify"
    assert service.status()["materials"][0]["missed_events"] == 0


def test_an_expired_set_is_called_so_at_once_and_not_sent(house, service):
    service.configure(configuration(service, house.aurora))
    before = len(house.aurora.imports())
    write_material(service.material, house.authority.certificate,
                   house.client("expired", valid=(-7200, -3600)))
    service.start()
    material = service.wait_material("expired")
    assert rules(material) == [("cert", "cert-expired")]
    assert len(house.aurora.imports()) == before


def test_a_set_of_tomorrow_is_imported_when_its_time_comes(house, service):
    service.configure(configuration(service, house.aurora, material="poll-interval = 1h")
                      .replace("poll-interval = 500ms\n", ""))
    before = len(house.aurora.imports())
    write_material(service.material, house.authority.certificate,
                   house.client("tomorrow", valid=(3, 3600)))
    service.start()
    material = service.wait_material("not_yet_valid")
    assert rules(material)[0] == ("cert", "cert-not-yet-valid")
    assert len(house.aurora.imports()) == before
    service.wait_cluster("orders", "current")
    assert len(house.aurora.imports()) == before + 1


def test_a_set_that_expires_while_watched_is_told(house, service):
    service.configure(configuration(service, house.aurora))
    write_material(service.material, house.authority.certificate,
                   house.client("short", valid=(-3600, 4)))
    service.start()
    assert service.wait_material("expiring")["reason"]
    service.wait_cluster("orders", "current")
    service.wait_material("expired")
    assert "material default is expired" in service.log()


def test_that_it_expires_soon_is_told_once_also_across_a_restart(house, service):
    service.configure(configuration(service, house.aurora))
    write_material(service.material, house.authority.certificate,
                   house.client("soon", valid=(-3600, 3 * 86400)))
    service.start()
    service.wait_cluster("orders", "current")
    assert service.log().count("expires within 7d and has not been renewed") == 1
    service.stop()
    service.start()
    service.wait_material("expiring")
    service.wait_cluster("orders", "current")
    assert service.log().count("has not been renewed") == 1
    write_material(service.material, house.authority.certificate,
                   house.client("sooner", valid=(-3600, 3600)))
    service.wait(lambda: "expires within 1d and has not been renewed" in service.log())
    assert service.log().count("has not been renewed") == 2
