"""binlog-ssld as a watcher, with one stand-in server as the target of all instances."""

from __future__ import annotations

import functools
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.standin import Aurora, Authority, Workspace
from tests.standin.client import quoted
from tests.standin.service import Service

from .watcher import SETTLE_LIMIT, Applied, Claim, Mode

INOTIFY_LIMIT = Path(__file__).with_name("inotify_limit.py")
PASSWORD = "importer of a pattern run"
LOOKAHEAD = 64  # imports run in parallel and end in any order, but never so far apart


@functools.cache
def need_user_namespaces() -> None:
    """Skips the test where user namespaces are not available: in chroots and most containers."""
    tried = subprocess.run(["unshare", "--user", "true"], capture_output=True, text=True)
    if tried.returncode != 0:
        pytest.skip(f"watches cannot be denied: {tried.stderr.strip()}")


class Target:
    """Reads the files that each import writes, and assigns imports to accounts."""

    def __init__(self, aurora: Aurora) -> None:
        self.aurora = aurora
        self.directory = aurora.datadir / "sslreplication"
        self._lock = threading.Lock()
        self._seen: dict[str, list[Applied]] = {}
        self._missing = {1}
        self._newest = 0

    def account(self, name: str) -> None:
        self.aurora.sql(
            f"CREATE USER {name}@'%' IDENTIFIED BY {quoted(PASSWORD)} REQUIRE SSL;"
            f"GRANT EXECUTE ON PROCEDURE mysql.rds_import_binlog_ssl_material TO {name}@'%'")

    def applied(self, account: str) -> list[Applied]:
        with self._lock:
            self._scan()
            return list(self._seen.get(account, []))

    def _scan(self) -> None:
        for number in sorted(self._missing | set(range(self._newest + 1,
                                                       self._newest + LOOKAHEAD))):
            marker = self.directory / f"{number}-account.BAK"
            if not marker.exists() or marker.stat().st_size == 0:
                continue
            ca, cert, key = ((self.directory / f"{number}-{part}.pem.BAK").read_bytes()
                             for part in ("ca", "cert", "key"))
            account = marker.read_text().split("@")[0]
            self._seen.setdefault(account, []).append(
                Applied(ca, cert, key, marker.stat().st_mtime))
            self._missing.update(range(self._newest + 1, number))
            self._missing.discard(number)
            self._newest = max(self._newest, number)


class BinlogSsld:
    """A daemon that logs in to the target with an account of its own."""

    def __init__(self, build: Path, directory: Path, target: Target, account: str) -> None:
        self.service = Service(build, directory)
        self.target = target
        self.account = account
        self.more_material = ""  # further keys of [material]
        self.preload: list[str] = []  # variables of its environment
        self.accounts = [account]  # one for each cluster; claim() and applied() use the first
        self._socket: socket.socket | None = None
        self._paused: list[int] = []
        target.account(account)

    def configure(self, files: Sequence[Path], poll: float) -> None:
        ca, cert, key = files
        clusters = "".join(f"""
[cluster {account}]
host = localhost
port = {self.target.aurora.port}
user = {account}
password-file = {self.service.password_file(PASSWORD)}
server-ca = {self.target.aurora.ca}
replication = ignore
""" for account in self.accounts)
        self.service.configure(f"""[daemon]
retry-min = 50ms
retry-max = 200ms
[material default]
directory = {cert.parent}
ca = {ca}
cert = {cert}
key = {key}
settle = 50ms
settle-limit = {SETTLE_LIMIT * 1000:.0f}ms
poll-interval = {poll * 1000:.0f}ms
{self.more_material}
{clusters}""")

    def start(self, files: Sequence[Path], mode: Mode, *, account: int | None = None,
              isolated: bool = False, limit: str = "max_inotify_watches") -> None:
        self.configure(files, mode.poll)
        # setpriv is last: a change of user clears the parent-death signal.
        self.service.wrapper = ["setpriv", "--pdeathsig", "KILL"]
        if account is not None:
            self.service.wrapper += [f"--reuid={account}", f"--regid={account}", "--clear-groups"]
            for path in self.service.directory.rglob("*"):
                os.chown(path, account, account)
        self.service.wrapper += ["env", *self.preload]
        if mode.denied:
            need_user_namespaces()
            self.service.wrapper[:0] = [sys.executable, "-S", "-E", str(INOTIFY_LIMIT), limit]
        if isolated:
            self.service.wrapper[:0] = ["unshare", "--mount", "--propagation", "slave"]
        self.service.start()

    def applied(self) -> list[Applied]:
        return self.target.applied(self.account)

    def status(self) -> dict:
        """GetStatus over one persistent connection; not thread-safe."""
        if self._socket is None:
            self._socket = self._connect()
        self._socket.sendall(b'{"method":"io.binlogssl.Manager.GetStatus"}\0')
        answer = bytearray()
        while not answer.endswith(b"\0"):
            block = self._socket.recv(65536)
            if not block:
                raise ConnectionError("the status socket was closed")
            answer += block
        return json.loads(answer[:-1])["parameters"]

    def _connect(self) -> socket.socket:
        """Retries while the socket file is that of the previous process, where nothing listens."""
        end = time.monotonic() + 10
        while True:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(30)
            try:
                connection.connect(str(self.service.directory / "run/io.binlogssl.Manager"))
                return connection
            except ConnectionRefusedError:
                connection.close()
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)

    def claim(self) -> Claim:
        return claim_of(self.status())

    def pause(self) -> None:
        """The manager first, so that it starts no process that would run on."""
        self._pause(self.service.pid)
        for process in self.service.watchers():
            self._pause(process)

    def _pause(self, process: int) -> None:
        os.kill(process, signal.SIGSTOP)
        self._paused.append(process)
        while Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "TZ":
            time.sleep(0.001)

    def resume(self) -> None:
        while self._paused:
            os.kill(self._paused.pop(), signal.SIGCONT)

    def restart(self) -> None:
        self.service.start()

    def stop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        try:
            if self.service.running:
                self.resume()  # a stopped process does not end
            self.service.stop()
        finally:
            self.service.kill()

    def log(self) -> str:
        return self.service.log()


def claim_of(status: dict) -> Claim:
    material, cluster = status["materials"][0], status["clusters"][0]
    return Claim(
        time.time(), cluster["imported_fingerprint"],
        cluster["state"] == "current", material["state"] == "invalid", material["missed_events"],
        f"{material['state']} ({material['reason']}) on disk {(material['fingerprint'] or '')[:12]}"
        f" watch {material['watch']}; {cluster['state']} ({cluster['reason']}) imported "
        f"{(cluster['imported_fingerprint'] or '')[:12]} {cluster['outcome']}",
        material["fingerprint"])


@contextmanager
def subject(workspace: Workspace) -> Iterator[Callable[[], BinlogSsld]]:
    build = workspace.directory("bin")
    for name in ("binlog-ssld", "binlog-sslctl"):
        # A copy: only root may reach the build directory, and some watchers run as another user.
        shutil.copy(Path(os.environ.get("BUILD", "build")) / name, build / name)
    aurora = Aurora(workspace, Authority(workspace.path / "rds", "RDS stand-in CA"))
    aurora.start()
    aurora.prepare()
    aurora.set_option("slow_seconds", "0.03")  # makes a claim before the end of the CALL observable
    target, count = Target(aurora), itertools.count(1)
    (workspace.path / "rds").chmod(0o755)
    workspace.directory("w")

    def make() -> BinlogSsld:
        number = next(count)
        return BinlogSsld(build, workspace.directory(f"w/{number}"), target, f"w{number}")

    yield make
