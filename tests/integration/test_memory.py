"""The key is in the memory of a child that needs it, for as long as it does, and nowhere else.

No core is taken: madvise(MADV_DONTDUMP) keeps pages out of one, and a process that is not dumpable
writes none at all. What is searched is every page in every readable mapping of /proc/PID/mem, which
holds whatever a core could and more. That the search finds is shown where it has to find: in an
importer within its CALL.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import shutil
import signal
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.integration.conftest import configuration
from tests.integration.process import PAYLOAD, Process
from tests.mockserver.secret import Secret
from tests.standin import write_material
from tests.standin.cluster import IMPORT_PASSWORD
from tests.standin.service import Service

F_GET_SEALS = 1034  # fcntl(2)
SEALS = 0x1 | 0x2 | 0x4 | 0x8  # SEAL, SHRINK, GROW, WRITE
NOBODY = 65534
CA_SIZE = 1 << 20  # the most that a file may have; it keeps an inspector busy for a while
PASSWORD = Secret.of_password(IMPORT_PASSWORD)


def write(house, service, name: str = "memory") -> Secret:
    pair = house.client(name)
    write_material(service.material, house.authority.certificate, pair)
    return Secret.of_key(pair.key)


def calling(house, service) -> Process:
    """An importer within its CALL."""
    service.wait(house.aurora.in_call)
    return Process(service.importers()[0])


@pytest.fixture
def slow(house, service) -> Iterator[Service]:
    """Its importers stay in their CALL, and it does not try again by itself."""
    house.aurora.set_option("slow_seconds", "60")
    service.configure(configuration(service, house.aurora).replace(
        "retry-min = 50ms\nretry-max = 200ms", "retry-min = 1h\nretry-max = 1h"))
    yield service
    service.kill()
    house.aurora.end_calls()


def run_as_nobody(house, service) -> None:
    """Where root runs it, files in /proc are root's anyway. The program is copied, for nobody may
    not see where it was built."""
    for name in ("binlog-ssld", "binlog-sslctl"):
        shutil.copy(service.build / name, service.directory / name)
    service.build = service.directory
    for path in (service.directory, *service.directory.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    service.wrapper = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                       "--pdeathsig=KILL"]


def is_closed_to_its_user(process: Process) -> None:
    """Not dumpable: proc(5) then gives the files below /proc/PID to root."""
    assert (process.path / "status").stat().st_uid == 0
    assert (process.path / "mem").stat().st_uid == 0
    assert f"Uid:\t{NOBODY}\t{NOBODY}" in (process.path / "status").read_text()
    assert process.core_limit() == ("0", "0")


def test_the_manager_holds_no_key_after_imports(house, service):
    service.configure(configuration(service, house.aurora))
    secrets = [write(house, service, "memory-0")]
    service.start()
    service.wait_cluster("orders", "current")
    for number in range(1, 4):
        secrets.append(write(house, service, f"memory-{number}"))
        wanted = len(secrets)
        service.wait(lambda: service.ctl("metrics").stdout.count(
            f'imports_total{{cluster="orders",outcome="imported"}} {wanted}\n') == 1)
    cluster = service.wait_cluster("orders", "current")
    manager = Process(service.pid)
    for secret in secrets:
        assert manager.holds(secret) == set()
    assert manager.holds(PASSWORD) == set()
    assert PAYLOAD not in manager.maps and PAYLOAD in " ".join(manager.descriptors().values())
    fingerprint = Secret({"fingerprint": cluster["imported_fingerprint"].encode()})
    assert manager.holds(fingerprint) == {"fingerprint"}


def test_within_the_call_the_importer_has_the_key_and_the_manager_not(house, slow):
    secret = write(house, slow)
    slow.start()
    importer, manager = calling(house, slow), Process(slow.pid)
    found = importer.holds(secret)
    assert {name for name in secret.pieces if "line" in name and "PKCS#1" in name} <= found
    assert PAYLOAD in importer.maps
    assert manager.holds(secret) == set() and manager.holds(PASSWORD) == set()
    for process in (importer, manager):
        assert secret.found_in(process.told_at_start()) == []
        assert PASSWORD.found_in(process.told_at_start()) == []


def test_an_importer_is_closed_and_has_open_what_it_needs(house, slow):
    write(house, slow)
    run_as_nobody(house, slow)
    slow.start()
    importer = calling(house, slow)
    is_closed_to_its_user(importer)
    assert (Path(f"/proc/{slow.pid}") / "status").stat().st_uid == NOBODY  # where it shows
    descriptors = importer.descriptors()
    assert sorted(name for number, name in descriptors.items() if number > 2) == \
        [PAYLOAD + " (deleted)", "socket", "socket"]
    assert {0, 1, 2} < set(descriptors)

    house.aurora.end_calls()
    slow.wait_cluster("orders", "retrying")
    house.aurora.set_option("slow_seconds", "0")
    assert slow.ctl("import", "--wait").returncode == 0
    slow.wait(lambda: Process(slow.pid).children() == [])


def test_nobody_can_change_the_payload_any_more(house, slow):
    write(house, slow)
    slow.start()
    importer = calling(house, slow)
    number = next(number for number, name in importer.descriptors().items() if PAYLOAD in name)
    payload = os.open(f"/proc/{importer.pid}/fd/{number}", os.O_RDWR)
    try:
        size = os.fstat(payload).st_size
        assert fcntl.fcntl(payload, F_GET_SEALS) & SEALS == SEALS
        assert not stat.S_IMODE(os.fstat(payload).st_mode) & 0o111  # MFD_NOEXEC_SEAL
        with pytest.raises(PermissionError):
            os.pwrite(payload, b"x", 0)
        for length in (size - 1, size + 1):
            with pytest.raises(PermissionError):
                os.ftruncate(payload, length)
        with pytest.raises(PermissionError):
            mmap.mmap(payload, size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
    finally:
        os.close(payload)


def stop_with_key(process: Process, secret: Secret) -> bool:
    """Lets it run for a moment at a time until it has the key; it may end before that is seen."""
    line = "line 9 of PKCS#8"  # as it stands in the file
    one = Secret({line: secret.pieces[line]})
    with suppress(ProcessLookupError, FileNotFoundError):
        while process.state() not in "ZX":
            os.kill(process.pid, signal.SIGSTOP)
            while process.state() not in "TZX":
                pass
            if process.state() == "T" and process.holds(one):
                return True
            os.kill(process.pid, signal.SIGCONT)
            time.sleep(0.001)
    return False


def inspector_with_key(house, service) -> tuple[Process, Secret]:
    """One that has read the key and was stopped before its end. It lives for milliseconds, and who
    comes too late writes another set."""
    manager = Process(service.pid)
    for _ in range(20):
        service.wait(lambda: manager.children() == [])  # what comes then has this set
        secret = write(house, service)
        seen = time.monotonic() + 2
        while time.monotonic() < seen:
            for process in map(Process, manager.children()):
                if stop_with_key(process, secret):
                    return process, secret
    raise AssertionError("no inspector was caught with the key")


def test_an_inspector_is_closed_and_leaves_nothing_behind(house, service):
    service.configure(configuration(service, house.aurora, cluster="enabled = no"))
    write(house, service)
    run_as_nobody(house, service)
    service.start()
    service.wait_material("valid")
    authority = house.authority.certificate.read_bytes()
    large = service.directory / "large.pem"
    large.write_bytes(authority * (CA_SIZE // len(authority)))
    (service.material / "ca.pem").unlink()
    service.configure(configuration(service, house.aurora, cluster="enabled = no",
                                    material=f"ca = {large}"))
    assert service.ctl("reload").returncode == 0
    service.wait(lambda: service.status()["materials"][0]["ca_count"] > 1)
    inspector, secret = inspector_with_key(house, service)
    assert (inspector.path / "comm").read_text() == "binlog-inspect\n"
    is_closed_to_its_user(inspector)
    others = [name for number, name in inspector.descriptors().items() if number > 2]
    assert PAYLOAD + " (deleted)" in others and others.count("socket") == 1
    # While it reads, also a file and the directories on the way to all of them, and nothing else.
    files = [large, *service.material.iterdir()]
    assert {name for name in others if name not in (PAYLOAD + " (deleted)", "socket")} <= \
        {str(place) for file in files for place in (file, *file.parents)}
    os.kill(inspector.pid, signal.SIGCONT)
    manager = Process(service.pid)
    service.wait(lambda: manager.children() == [])
    service.wait_material("valid")
    assert manager.holds(secret) == set()


def test_an_importer_dies_with_the_manager(house, slow):
    write(house, slow)
    slow.start()
    importer = calling(house, slow)
    assert importer.state() == "S"
    slow.kill()
    end = time.monotonic() + 20
    while importer.state() not in "ZX":
        assert time.monotonic() < end, "the importer lives on"
        time.sleep(0.01)
