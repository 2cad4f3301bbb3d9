"""One process of MariaDB or MySQL on loopback, with a directory of its own."""

from __future__ import annotations

import errno
import itertools
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from .client import Client, SqlError, Value
from .make import ACCOUNT
from .pki import Pair
from .workspace import Workspace

START_SECONDS = 30.0
STOP_SECONDS = 20.0
PORT_ATTEMPTS = 5
NO_SUCH_THREAD = 1094
PORTS = range(10000, 32000)
SESSIONS = 8
PORTS_OF_SESSION = len(PORTS) // SESSIONS
_ports = itertools.count(random.randrange(PORTS_OF_SESSION))


class Server:
    """Must be started from a thread that runs longer: the kernel kills it when that thread ends."""

    def __init__(self, workspace: Workspace, name: str, arguments: Sequence[str] = (), *,
                 identity: Pair | None = None, client_ca: Path | None = None) -> None:
        self.workspace = workspace
        self.make = workspace.make
        self.name = name
        self.directory = workspace.directory(name, account=ACCOUNT)
        self.datadir = self.directory / "data"
        self.socket = self.directory / "socket"
        self.port = 0
        self._arguments = list(arguments)
        self._process: subprocess.Popen[bytes] | None = None
        subprocess.run(["cp", "-a", "--reflink=auto", str(workspace.template()),
                        str(self.datadir)], check=True)
        if identity is not None:
            self._arguments += self._tls(identity, client_ca)
        workspace.own(self)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self.running and self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, extra: Sequence[str] = (), *, wait: bool = True) -> None:
        """wait=False: ready() must follow; so several servers can start in parallel."""
        if self.running:
            raise RuntimeError(f"{self.name} is already running")
        # The port of the first start is kept, so that clients find a restarted server.
        attempts = 1 if self.port else PORT_ATTEMPTS
        self.port = self.port or free_port()
        self._spawn(extra)
        while wait:
            try:
                return self.ready()
            except PortTaken:
                attempts -= 1
                if attempts == 0:
                    raise
                self.port = free_port()
                self._spawn(extra)

    def ready(self, seconds: float = START_SECONDS) -> None:
        """Waits until the server sends its greeting."""
        end = time.monotonic() + seconds
        while not self._sends_greeting():
            if not self.running:
                log = self.error_log()
                kind = PortTaken if "Bind on TCP/IP port" in log else RuntimeError
                raise kind(f"{self.name} did not start:\n{log[-3000:]}")
            if time.monotonic() > end:
                self.kill()
                raise TimeoutError(f"{self.name} was not ready in {seconds} s:\n"
                                   f"{self.error_log()[-3000:]}")
            time.sleep(0.005)

    def stop(self) -> None:
        if self.running and self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                pass
        self.kill()

    def kill(self) -> None:
        if self._process is not None:
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Stops the process; the kernel still accepts connections, which get no answer."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def restart(self, extra: Sequence[str] = ()) -> None:
        self.stop()
        self.start(extra)

    def client(self) -> Client:
        return Client.on_socket(self.socket)

    def sql(self, text: str) -> list[list[Value]]:
        return self.client().sql(text)

    def rows(self, text: str) -> list[dict[str, Value]]:
        return self.client().rows(text)

    def end_session(self, thread: Value) -> None:
        try:
            self.sql(f"KILL {thread}")
        except SqlError as error:
            if error.code != NO_SUCH_THREAD:  # it has already ended
                raise

    def error_log(self) -> str:
        path = self.directory / "error.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def private_file(self, name: str, content: bytes) -> Path:
        """Creates a file that only the server's user can read."""
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_bytes(content)
        shutil.chown(path, ACCOUNT, ACCOUNT)
        return path

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None or not self.running:
            raise RuntimeError(f"{self.name} is not running")
        self._process.send_signal(number)

    def _spawn(self, extra: Sequence[str]) -> None:
        command = [*self.make.command(self.datadir), f"--socket={self.socket}",
                   f"--port={self.port}", "--bind-address=127.0.0.1",
                   f"--pid-file={self.directory / 'pid'}", f"--tmpdir={self.directory}",
                   "--skip-name-resolve",
                   "--max-connections=200", "--table-open-cache=200", "--thread-cache-size=4",
                   "--sync-binlog=0", "--innodb-flush-log-at-trx-commit=2", *self._arguments,
                   *extra]
        with open(self.directory / "error.log", "wb") as log:
            self._process = subprocess.Popen(command, **self.workspace.child(), stdout=log,
                                             stderr=log)

    def _sends_greeting(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(1)
            try:
                probe.connect(str(self.socket))
                return len(probe.recv(5)) == 5
            except OSError:
                return False

    def _tls(self, identity: Pair, client_ca: Path | None) -> list[str]:
        certificate = self.private_file("server-cert.pem", identity.certificate.read_bytes())
        key = self.private_file("server-key.pem", identity.key.read_bytes())
        arguments = [f"--ssl-cert={certificate}", f"--ssl-key={key}",
                     "--tls-version=TLSv1.2,TLSv1.3"]
        if client_ca is not None:
            trusted = self.private_file("client-ca.pem", client_ca.read_bytes())
            arguments.append(f"--ssl-ca={trusted}")
        return arguments

    def __enter__(self) -> Server:
        if not self.running:
            self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.stop()


class PortTaken(RuntimeError):
    pass


def free_port() -> int:
    """A port that nobody is given while the test uses it.

    It is below those that the kernel gives to clients, each session has a range of its own, and a
    port comes again only after all others of the range.
    """
    session = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = PORTS.start + session % SESSIONS * PORTS_OF_SESSION
    while True:
        port = first + next(_ports) % PORTS_OF_SESSION
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                return port
