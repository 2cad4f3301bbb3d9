"""Measures the socket: answers per second, latency during imports and floods, memory.

    /usr/bin/python3 -m tests.bench.status --build BUILD
"""

from __future__ import annotations

import multiprocessing
import socket
import statistics
import threading
import time
from contextlib import suppress
from pathlib import Path

from tests.bench.arguments import run
from tests.bench.imports import pss_kb
from tests.standin import Aurora, Authority, Workspace, write_material
from tests.standin.cluster import IMPORT_PASSWORD
from tests.standin.service import Service

CALL = b'{"method":"io.binlogssl.Manager.GetStatus"}\0'
SECONDS = 3.0
QUERIES = 100_000
IMPORTS = 200
ONEWAY = b'{"method":"io.binlogssl.Manager.GetStatus","oneway":true}\0'
FLOODERS = (0, 8, 63)  # with the caller the most clients that the service has


class Caller:
    """One connection; answers are counted but not parsed, to keep the client's share small."""

    def __init__(self, service: Service) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(str(service.directory / "run" / "io.binlogssl.Manager"))
        self._socket.settimeout(30)
        self._buffer = memoryview(bytearray(1 << 23))

    def call(self) -> int:
        self._socket.sendall(CALL)
        size = 0
        while True:
            received = self._socket.recv_into(self._buffer[size:])
            if received == 0:
                raise EOFError("the service closed the connection")
            size += received
            if self._buffer[size - 1] == 0:
                return size


def configuration(service: Service, aurora: Aurora, clusters: int) -> str:
    text = f"""[daemon]
parallel-imports = {max(clusters, 1)}
[material default]
directory = {service.material}
[cluster-defaults]
host = localhost
port = {aurora.port}
user = ssl_importer
password-file = {service.password_file(IMPORT_PASSWORD)}
server-ca = {aurora.ca}
replication = ignore
"""
    return text + "".join(f"[cluster c{n}]\n" for n in range(clusters))


def all_current(service: Service) -> bool:
    return all(cluster["state"] == "current" for cluster in service.status()["clusters"])


def answers_a_second(service: Service) -> None:
    caller = Caller(service)
    size, n, end = 0, 0, time.monotonic() + SECONDS
    while time.monotonic() < end:
        size = caller.call()
        n += 1
    print(f"GetStatus with 40 clusters ({size} bytes): {n / SECONDS:.0f} per second")


def memory_after_many(service: Service) -> None:
    caller = Caller(service)
    for _ in range(100):
        caller.call()
    before = pss_kb(service.pid)
    for _ in range(QUERIES):
        caller.call()
    print(f"proportional set size: {before} kB, after {QUERIES} queries {pss_kb(service.pid)} kB")


def flood(service: Service, n: int) -> None:
    """In a process of its own: n clients that send oneway calls as fast as the service reads."""
    def send(client: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client.sendall(ONEWAY * 1000)

    for _ in range(n):
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.connect(str(service.directory / "run" / "io.binlogssl.Manager"))
        threading.Thread(target=send, args=(client,), daemon=True).start()
    threading.Event().wait()


def answers_while_flooded(service: Service) -> None:
    for n in FLOODERS:
        service.stop()  # ends the clients before
        service.start()
        flooders = multiprocessing.Process(target=flood, args=(service, n), daemon=True)
        flooders.start()
        time.sleep(1)
        caller = Caller(service)
        delays: list[float] = []
        end = time.monotonic() + SECONDS
        while len(delays) < 2 or time.monotonic() < end:
            begin = time.monotonic()
            caller.call()
            delays.append((time.monotonic() - begin) * 1000)
        flooders.kill()
        flooders.join()
        quantiles = statistics.quantiles(delays, n=100)
        print(f"GetStatus with {n} clients that send oneway calls: median "
              f"{statistics.median(delays):.2f} ms, 99th percentile {quantiles[98]:.2f} ms, "
              f"worst {max(delays):.2f} ms")


def answers_while_importing(service: Service, aurora: Aurora) -> None:
    delays: list[float] = []
    done = threading.Event()

    def call_repeatedly() -> None:
        caller = Caller(service)
        while not done.is_set():
            begin = time.monotonic()
            caller.call()
            delays.append((time.monotonic() - begin) * 1000)
            time.sleep(0.001)

    aurora.set_option("slow_seconds", "1")
    client = threading.Thread(target=call_repeatedly)
    with service.varlink() as varlink:
        client.start()
        varlink.call("Import", force=True)
        most = 0
        while any(cluster["state"] == "importing"
                  for cluster in varlink.call("GetStatus")["clusters"]):
            most = max(most, len(service.importers()))
            time.sleep(0.1)
    done.set()
    client.join()
    quantiles = statistics.quantiles(delays, n=100)
    print(f"GetStatus while {most} imports ran: median {statistics.median(delays):.1f} ms, "
          f"99th percentile {quantiles[98]:.1f} ms, worst {max(delays):.1f} ms")


def measure(workspace: Workspace, build: Path) -> None:
    authority = Authority(workspace.path / "ca")
    aurora = Aurora(workspace, Authority(workspace.path / "rds", "RDS stand-in CA"),
                    arguments=("--max-connections=500",))
    aurora.start()
    aurora.prepare()
    service = Service(build, workspace.path / "service")
    workspace.own(service)
    write_material(service.material, authority.certificate, authority.issue_client("a"))
    for clusters, figures in ((40, (answers_a_second, memory_after_many, answers_while_flooded)),
                              (IMPORTS, (lambda one: answers_while_importing(one, aurora),))):
        service.configure(configuration(service, aurora, clusters))
        service.start()
        service.wait(lambda: all_current(service), 120)
        for figure in figures:
            figure(service)
        service.stop()


if __name__ == "__main__":
    run(measure)
