"""tests/run-on and tests/run --host: nothing remains of a run on another host."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from .test_make_root import WITHOUT_NETWORK

TESTS = Path(__file__).resolve().parents[1]
PROGRAMS = ("cat", "env", "ls", "sh", "sleep", "touch", "true", "umount", "unshare")
DIRECTORIES = ("dev/shm", "etc", "home", "media", "mnt", "proc", "run", "srv", "sys", "tmp",
               "usr/bin", "usr/lib", "var/tmp")

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts need root")


def run_on(roots: Path, *command: str, host: str = "debian-13",
           stdin: str = "") -> CompletedProcess[str]:
    return subprocess.run([str(TESTS / "run-on"), host, *command], input=stdin, timeout=60,
                          env={**os.environ, "TEST_ROOTS": str(roots)}, capture_output=True,
                          text=True)


@pytest.fixture
def roots(tmp_path: Path) -> Iterator[Path]:
    """A root that make-root takes for a complete one; only the needed programs are in it."""
    root = tmp_path / "debian-13"
    for name in DIRECTORIES:
        (root / name).mkdir(parents=True)
    for name in ("bin", "lib", "lib64"):
        (root / name).symlink_to(f"usr/{name.removesuffix('64')}")
    for name in PROGRAMS:
        program = str(shutil.which(name))
        shutil.copy(program, root / "usr/bin")
        for word in subprocess.run(["ldd", program], capture_output=True, text=True,
                                   check=True).stdout.split():
            if word.startswith("/"):
                shutil.copy(word, root / "usr/lib")
    packages = [line for line in (TESTS / "packages").read_text().split("\n")
                if line and not line.startswith("#")]
    (root / ".root-contents").write_text(f"trixie {' '.join(packages)}\n")
    before = sorted(root.rglob("*"))
    yield tmp_path
    assert sorted(root.rglob("*")) == before and list(tmp_path.iterdir()) == [root]
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()


def test_a_command_has_the_checkout_the_input_and_its_own_processes(roots):
    done = run_on(roots, "sh", "-c", "ls; echo $TEST_HOST $PPID; echo /proc/[0-9]*; cat; exit 3",
                  stdin="input\n")
    assert (done.returncode, done.stderr) == (3, "")
    *checkout, host, processes, text = done.stdout.splitlines()
    assert "meson.build" in checkout
    assert (host, text) == ("debian-13 1", "input") and len(processes.split()) == 2


def test_root_and_checkout_are_read_only(roots):
    for path in ("/usr/written", "/mnt/written"):
        done = run_on(roots, "touch", path)
        assert done.returncode == 1 and "Read-only file system" in done.stderr
    assert run_on(roots, "touch", "/tmp/w", "/home/w", "/run/w", "/var/tmp/w").returncode == 0


def test_user_namespaces_are_not_denied(roots):
    if subprocess.run(["unshare", "--user", "true"]).returncode != 0:
        pytest.skip("no user namespaces on this machine")
    assert run_on(roots, "unshare", "--user", "true").returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_everything(roots, number):
    with subprocess.Popen([str(TESTS / "run-on"), "debian-13", "sh", "-c", "echo ready; sleep 600"],
                          env={**os.environ, "TEST_ROOTS": str(roots)}, stdout=subprocess.PIPE,
                          text=True) as process:
        assert process.stdout and process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(60) == (-number if number == signal.SIGKILL else 128 + number)
        # The end of the output: the last process of the namespace has ended.
        assert select.select([process.stdout], [], [], 20)[0] and process.stdout.read() == ""


def test_an_unknown_host_is_an_error(roots):
    done = run_on(roots, "true", host="debian-1")
    assert (done.returncode, done.stderr) == (2, "debian-1 is none of debian-12, debian-12-arm64, debian-13\n")


def test_without_a_mirror_the_host_is_skipped_with_the_reason(tmp_path):
    """Without TEST_ROOTS the root would be in a temporary directory, which is removed."""
    variables = {name: value for name, value in os.environ.items() if name != "TEST_ROOTS"}
    done = subprocess.run([*WITHOUT_NETWORK, str(TESTS / "run"), "--host", "debian-13"],
                          env={**variables, "TMPDIR": str(tmp_path)}, capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0
    *_, reason, name, empty, totals = done.stdout.splitlines()
    assert reason.startswith("a root of Debian trixie cannot be made: Failed getting release file")
    assert (name, empty) == ("skipped: debian-13", "")
    assert totals == "0 passed, 0 failed, 1 skipped"
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_option_is_an_error():
    done = subprocess.run([str(TESTS / "run"), "--nope"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.startswith("Usage: run ")
