"""tests/make-root: a root is complete, or there is none and one sentence says why."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

MAKE_ROOT = Path(__file__).resolve().parents[1] / "make-root"
SUITE = "trixie"
WITHOUT_NETWORK = ("unshare", "--net")
AS_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="debootstrap needs root")


def make_root(directory: Path, *packages: str, suite: str = SUITE, within: tuple[str, ...] = (),
              **environment: str) -> CompletedProcess[str]:
    return subprocess.run([*within, str(MAKE_ROOT), suite, str(directory), *packages],
                          env={**os.environ, **environment}, capture_output=True, text=True,
                          timeout=600)


def assert_failed(done: CompletedProcess[str], reason: str, *, suite: str = SUITE) -> None:
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"a root of Debian {suite} cannot be made: ")
    assert reason in done.stderr and done.stderr.count("\n") == 1


def processes_below(directory: Path) -> list[str]:
    """The processes whose command line or root names the directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace")
            if str(directory) in command + os.readlink(process / "root"):
                found.append(command.replace("\0", " "))
        except OSError:  # it has ended, or is not ours to look at
            continue
    return found


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """An empty directory, which is empty again after the test and was left by all processes."""
    yield tmp_path
    assert list(tmp_path.iterdir()) == []
    assert processes_below(tmp_path) == []
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="roots-") as parent:
        directory = Path(parent) / "root"
        done = make_root(directory, "cron")
        if "Failed getting release file" in done.stderr:
            pytest.skip(done.stderr.strip())
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        yield directory


def test_a_root_has_its_suite_and_packages_and_starts_no_service(root):
    assert f"VERSION_CODENAME={SUITE}\n" in (root / "etc/os-release").read_text()
    assert (root / "usr/sbin/cron").exists()
    policy = subprocess.run(["chroot", str(root), "invoke-rc.d", "cron", "start"],
                            capture_output=True, text=True)
    assert "policy-rc.d denied execution of start" in policy.stderr
    assert processes_below(root) == []
    assert str(root) not in Path("/proc/self/mounts").read_text()
    assert [path.name for path in root.parent.iterdir()] == [root.name]


def test_a_complete_root_is_kept_without_network(root):
    (root / "kept").touch()
    done = make_root(root, "cron", within=WITHOUT_NETWORK)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (root / "kept").exists()


def test_a_root_with_other_packages_is_not_kept(root):
    assert_failed(make_root(root, "cron", "nosuchpackage", within=WITHOUT_NETWORK),
                  "Failed getting release file")
    assert (root / "usr/sbin/cron").exists()


def test_an_unreachable_mirror(place):
    assert_failed(make_root(place / "root", within=WITHOUT_NETWORK), "Failed getting release file")


def test_an_unknown_suite(place):
    assert_failed(make_root(place / "root", suite="nosuch"), "No such script", suite="nosuch")


@pytest.mark.parametrize("size", ["40m", "200m"])
def test_a_full_disk(place, size):
    """It is full while debootstrap reads the index, and while apt installs the packages."""
    within = ("unshare", "--mount", "sh", "-c",
              f"mount -t tmpfs -o size={size} tmpfs '{place}' || exit 2\n"
              f"\"$@\"; status=$?; ls -A '{place}'; exit $status", "sh")
    assert_failed(make_root(place / "root", "gcc", within=within), "No space left on device")


def test_without_root(place):
    assert_failed(make_root(place / "root", within=AS_NOBODY), "it needs root")


def test_without_debootstrap(place):
    """The command is in /usr/sbin."""
    assert_failed(make_root(place / "root", PATH="/usr/bin"), "debootstrap is not installed")


def test_without_a_mirror_of_apt(place, tmp_path_factory):
    configuration = tmp_path_factory.mktemp("apt") / "apt.conf"
    configuration.write_text('Dir::Etc { SourceList "/dev/null"; SourceParts "/dev/null"; };\n')
    assert_failed(make_root(place / "root", APT_CONFIG=str(configuration)),
                  "apt has no index of a Debian mirror")


def test_a_parent_that_does_not_exist(place):
    assert_failed(make_root(place / "nowhere/root"), "nowhere is no directory")


def test_the_directory_of_another_owner_is_not_changed(tmp_path):
    (tmp_path / "precious").touch()
    assert_failed(make_root(tmp_path), "exists and was not made by this script")
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_all_processes(tmp_path, number):
    """After SIGKILL the half-made root remains; the next run makes it anew."""
    half = tmp_path / "root.new"
    process = subprocess.Popen([str(MAKE_ROOT), SUITE, str(tmp_path / "root")])
    end = time.monotonic() + 60
    while not (half / "debootstrap").exists():
        assert process.poll() is None and time.monotonic() < end
        time.sleep(0.01)
    process.send_signal(number)
    assert process.wait(timeout=60) == (-number if number == signal.SIGKILL else 128 + number)
    while processes_below(tmp_path):
        assert number == signal.SIGKILL and time.monotonic() < end
        time.sleep(0.01)
    assert not (half / "usr").exists()  # debootstrap has not gone on
    if number == signal.SIGKILL:
        assert_failed(make_root(tmp_path / "root", within=WITHOUT_NETWORK),
                      "Failed getting release file")
    assert list(tmp_path.iterdir()) == []
