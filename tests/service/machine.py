"""A container with its own systemd: the files of this machine below a temporary overlay."""

from __future__ import annotations

import ctypes
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from tests.standin.process import LIBC, die_with
from tests.standin.terminal import on_terminal

CLONE_NEWNET = 0x40000000
BOOT_SECONDS = 60.0
STOP_SECONDS = 20.0

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}

# The mount is in a namespace of its own and ends with the last process of the container.
# basic.target: the units that this machine starts at boot are not needed.
START = """
mount --bind / "$1" && exec systemd-nspawn --register=no --keep-unit \
    --volatile=overlay --directory="$1" --private-network --console=pipe \
    --kill-signal=SIGRTMIN+4 --bind-ro="$2:/packages" --bind-ro="$3:/source" ${4:+--bind="$4"} \
    --boot systemd.unit=basic.target
"""

# The policy-rc.d of the host would prevent service starts; the index of manual pages and fsync by
# dpkg are not needed in a temporary container.
PREPARE = """
rm -f /usr/sbin/policy-rc.d /var/lib/man-db/auto-update
echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/unsafe
"""


class Machine:
    """It can read the files of the host; its writes are visible only inside.

    shared: a directory, under the same path, in which the writes of both are visible to both.
    """

    def __init__(self, packages: Path, source: Path, shared: Path | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="machine-")
        self._log = open(Path(self._folder.name) / "console", "wb+")
        root = Path(self._folder.name) / "root"
        root.mkdir()
        self._process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", START, "machine",
             str(root), str(packages), str(source), str(shared or "")],
            stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
            env={"PATH": os.environ["PATH"], "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
            preexec_fn=die_with(os.getpid()))
        self.leader = 0  # the init process of the container
        try:
            self._boot()
            self.shell(PREPARE)
        except BaseException:
            self.close()
            raise

    def run(self, *command: str, check: bool = True,
            stdin: str = "") -> subprocess.CompletedProcess[str]:
        done = subprocess.run(self._inside(command), input=stdin, capture_output=True, text=True,
                              timeout=60, env=ENVIRONMENT)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}"
                                 f"{done.stderr}")
        return done

    def terminal(self, *command: str, columns: int = 80) -> tuple[int, str]:
        """Runs a command on a terminal without colour; returns its exit status and output."""
        return on_terminal(self._inside(command), columns, {**ENVIRONMENT, "NO_COLOR": "1"})

    @contextmanager
    def background(self, *command: str) -> Iterator[subprocess.Popen[str]]:
        """A process in the container; the end of the block closes its standard input."""
        process = subprocess.Popen(self._inside(command), stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True, env=ENVIRONMENT,
                                   preexec_fn=die_with(os.getpid()))
        try:
            yield process
        finally:
            process.communicate(timeout=20)

    @contextmanager
    def network(self) -> Iterator[None]:
        """Processes and sockets of this thread in the block use the loopback of the container."""
        with open("/proc/thread-self/ns/net") as mine, \
                open(f"/proc/{self.leader}/ns/net") as other:
            _enter(other.fileno())
            try:
                yield
            finally:
                _enter(mine.fileno())

    def control_group(self) -> Path:
        """The directory in which the container's systemd makes its slices."""
        mount = next(line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()
                     if line.split()[2] == "cgroup2")
        groups = Path(f"/proc/{self.leader}/cgroup").read_text().splitlines()
        init = next(line for line in groups if line.startswith("0::")).removeprefix("0::")
        return Path(mount + init).parent

    def shell(self, script: str) -> str:
        return self.run("/bin/sh", "-e", "-c", script).stdout

    def write(self, path: str, text: str, mode: str = "0644") -> None:
        self.run("/bin/sh", "-e", "-c", 'cat >"$1"; chmod "$2" "$1"', "write", path, mode,
                 stdin=text)

    def close(self) -> None:
        if self._process.poll() is None and self.leader:
            # systemd as init halts at this signal and ignores SIGTERM.
            subprocess.run(["kill", "-s", "SIGRTMIN+4", str(self.leader)], check=False)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                pass
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._log.close()
        self._folder.cleanup()

    def _inside(self, command: tuple[str, ...]) -> list[str]:
        return ["nsenter", f"--target={self.leader}", "--all", "--root", "--wd", "--", *command]

    def _boot(self) -> None:
        end = time.monotonic() + BOOT_SECONDS
        while True:
            if self._process.poll() is not None or time.monotonic() > end:
                self._log.seek(0)
                raise RuntimeError("the machine did not boot:\n"
                                   + self._log.read().decode(errors="replace")[-3000:])
            self.leader = self.leader or self._find_leader()
            if self.leader and self.run("systemctl", "is-system-running",
                                        check=False).stdout.strip() in ("running", "degraded"):
                return
            time.sleep(0.05)

    def _find_leader(self) -> int:
        """The child of nspawn that is the init process of the container."""
        for child in _children(self._process.pid):
            try:
                name = Path(f"/proc/{child}/comm").read_text().strip()
            except OSError:
                continue
            if name == "systemd":
                return child
        return 0

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()


def _enter(namespace: int) -> None:
    if LIBC.setns(namespace, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in
                Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
