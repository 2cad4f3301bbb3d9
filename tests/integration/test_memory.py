"""Only the child process that needs the key has it in memory, and only while it needs it.

The tests do not search core dumps: madvise(MADV_DONTDUMP) excludes pages, and a process that is not
dumpable writes none. They search every page of every readable mapping in /proc/PID/mem, which has
more than a core dump. An importer in its CALL, which must have the key, proves that the search
works.
"""

from __future__ import annotations

import fcntl
import json
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
CA_SIZE = 1 << 20  # the largest accepted file; reading it takes the inspector some time
PASSWORD = Secret.of_password(IMPORT_PASSWORD)


def write(testbed, service, name: str = "memory") -> Secret:
    pair = testbed.client(name)
    write_material(service.material, testbed.authority.certificate, pair)
    return Secret.of_key(pair.key)


def calling(testbed, service) -> Process:
    """Waits for an importer that is in its CALL."""
    service.wait(testbed.aurora.in_call)
    return Process(service.importers()[0])


@pytest.fixture
def slow(testbed, service) -> Iterator[Service]:
    """Its importers stay in their CALL, and it does not retry within the test."""
    testbed.aurora.set_option("slow_seconds", "60")
    service.configure(configuration(service, testbed.aurora).replace(
        "retry-min = 50ms\nretry-max = 200ms", "retry-min = 1h\nretry-max = 1h"))
    yield service
    service.kill()
    testbed.aurora.end_calls()


def run_as_nobody(testbed, service) -> None:
    """As root, the files in /proc would always belong to root. The program is copied, because the
    user nobody may not have access to the build directory."""
    for name in ("binlog-ssld", "binlog-sslctl"):
        shutil.copy(service.build / name, service.directory / name)
    service.build = service.directory
    for path in (service.directory, *service.directory.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    service.wrapper = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                       "--pdeathsig=KILL"]


def assert_not_dumpable(process: Process) -> None:
    """Files below /proc/PID of a process that is not dumpable belong to root: proc(5)."""
    assert (process.path / "status").stat().st_uid == 0
    assert (process.path / "mem").stat().st_uid == 0
    assert f"Uid:\t{NOBODY}\t{NOBODY}" in (process.path / "status").read_text()
    assert process.core_limit() == ("0", "0")


def test_the_manager_holds_no_key_after_imports(testbed, service):
    service.configure(configuration(service, testbed.aurora))
    secrets = [write(testbed, service, "memory-0")]
    service.start()
    service.wait_cluster("orders", "current")
    for number in range(1, 4):
        secrets.append(write(testbed, service, f"memory-{number}"))
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


def test_during_the_call_the_importer_has_the_key_and_the_manager_has_not(testbed, slow):
    secret = write(testbed, slow)
    slow.start()
    importer, manager = calling(testbed, slow), Process(slow.pid)
    found = importer.holds(secret)
    assert {name for name in secret.pieces if "line" in name and "PKCS#1" in name} <= found
    assert PAYLOAD in importer.maps
    assert manager.holds(secret) == set() and manager.holds(PASSWORD) == set()
    for process in (importer, manager):
        assert secret.found_in(process.start_data()) == []
        assert PASSWORD.found_in(process.start_data()) == []


def test_of_a_json_secret_the_importer_keeps_the_password_alone(testbed, slow):
    """The text is long, so that the session does not overwrite all of what the parser may leave; the
    pieces are longer than what the dynamic linker may save of the vector registers."""
    others = [f"text-{number}-of-the-object \u00e9" * 100 * number for number in range(1, 6)]
    path = slow.directory / "secret"
    path.write_text(json.dumps({"password": IMPORT_PASSWORD, **{
        f"member {number}": other for number, other in enumerate(others)}}))
    text = (slow.directory / "etc" / "binlog-ssld.conf").read_text()
    slow.configure(text.replace(str(slow.directory / "etc" / "password"),
                                f"{path}\npassword-field = password"))
    write(testbed, slow)
    slow.start()
    importer = calling(testbed, slow)
    assert importer.holds(PASSWORD) != set()
    parts = [other[:500] for other in others]
    assert importer.holds(Secret({
        f"{kind} of {part[:6]}": piece for part in parts for kind, piece in (
            ("text", json.dumps(part)[1:-1].encode()), ("string", part.encode()))})) == set()


def test_an_importer_is_not_dumpable_and_has_the_needed_descriptors_only(testbed, slow):
    write(testbed, slow)
    run_as_nobody(testbed, slow)
    slow.start()
    importer = calling(testbed, slow)
    assert_not_dumpable(importer)
    assert (Path(f"/proc/{slow.pid}") / "status").stat().st_uid == NOBODY  # the counterexample
    descriptors = importer.descriptors()
    assert sorted(name for number, name in descriptors.items() if number > 2) == \
        [PAYLOAD + " (deleted)", "socket", "socket"]
    assert {0, 1, 2} < set(descriptors)

    testbed.aurora.end_calls()
    slow.wait_cluster("orders", "retrying")
    testbed.aurora.set_option("slow_seconds", "0")
    assert slow.ctl("import", "--wait").returncode == 0
    slow.wait(lambda: Process(slow.pid).jobs() == [])


def test_the_payload_is_sealed(testbed, slow):
    write(testbed, slow)
    slow.start()
    importer = calling(testbed, slow)
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
    """Runs the process for 1 ms at a time until it has the key. Returns false if it ends before."""
    line = "line 9 of PKCS#8"  # as in the file
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


def inspector_with_key(testbed, service) -> tuple[Process, Secret]:
    """Returns an inspector that has read the key and is stopped. It runs for milliseconds only;
    another set is written if it has ended before it is stopped."""
    manager = Process(service.pid)
    for _ in range(20):
        service.wait(lambda: manager.jobs() == [])  # the next child reads this set
        secret = write(testbed, service)
        seen = time.monotonic() + 2
        while time.monotonic() < seen:
            for process in map(Process, manager.jobs()):
                if stop_with_key(process, secret):
                    return process, secret
    raise AssertionError("no inspector could be stopped while it had the key")


def test_an_inspector_is_not_dumpable_and_leaves_no_key(testbed, service):
    service.configure(configuration(service, testbed.aurora, cluster="enabled = no"))
    write(testbed, service)
    run_as_nobody(testbed, service)
    service.start()
    service.wait_material("valid")
    authority = testbed.authority.certificate.read_bytes()
    large = service.directory / "large.pem"
    large.write_bytes(authority * (CA_SIZE // len(authority)))
    (service.material / "ca.pem").unlink()
    service.configure(configuration(service, testbed.aurora, cluster="enabled = no",
                                    material=f"ca = {large}"))
    assert service.ctl("reload").returncode == 0
    service.wait(lambda: service.status()["materials"][0]["ca_count"] > 1)
    inspector, secret = inspector_with_key(testbed, service)
    assert (inspector.path / "comm").read_text() == "binlog-inspect\n"
    assert_not_dumpable(inspector)
    others = [name for number, name in inspector.descriptors().items() if number > 2]
    assert PAYLOAD + " (deleted)" in others and others.count("socket") == 1
    # While it reads: also the files and the directories on their paths, and nothing else.
    files = [large, *service.material.iterdir()]
    assert {name for name in others if name not in (PAYLOAD + " (deleted)", "socket")} <= \
        {str(place) for file in files for place in (file, *file.parents)}
    os.kill(inspector.pid, signal.SIGCONT)
    manager = Process(service.pid)
    service.wait(lambda: manager.jobs() == [])
    service.wait_material("valid")
    assert manager.holds(secret) == set()


def test_a_watcher_is_not_dumpable_and_has_neither_key_nor_payload(testbed, service):
    service.configure(configuration(service, testbed.aurora))
    secret = write(testbed, service)
    run_as_nobody(testbed, service)
    service.start()
    service.wait_cluster("orders", "current")
    (watcher,) = map(Process, service.watchers())
    assert_not_dumpable(watcher)
    assert watcher.holds(secret) == set() and watcher.holds(PASSWORD) == set()
    names = [name for number, name in watcher.descriptors().items() if number > 2]
    assert names.count("socket") == 2  # reports, and the result of a job; no client, no server
    assert not [name for name in names if PAYLOAD in name or name.startswith(str(service.material))]


def test_an_importer_dies_with_the_manager(testbed, slow):
    write(testbed, slow)
    slow.start()
    importer = calling(testbed, slow)
    assert importer.state() == "S"
    slow.kill()
    end = time.monotonic() + 20
    while importer.state() not in "ZX":
        assert time.monotonic() < end, "the importer still runs"
        time.sleep(0.01)
