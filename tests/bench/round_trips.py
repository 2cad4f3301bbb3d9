"""Prints the round trips of one import, counted by a proxy.

    /usr/bin/python3 -m tests.bench.round_trips --build BUILD

Without TCP connect and greeting: these are one more round trip each, on every connection.
"""

from __future__ import annotations

from pathlib import Path

from tests.bench.arguments import run
from tests.standin import Aurora, Authority, Source, Workspace, write_material
from tests.standin.client import Client
from tests.standin.cluster import IMPORT_PASSWORD, IMPORT_USER, NAMES
from tests.standin.proxy import Connection, Proxy
from tests.standin.service import Service
from tests.standin.source import REPLICATION_PASSWORD

ONE_WAY = 0.02  # seconds; far more than client and server need between two flights
EXTERNAL = NAMES[3]  # the procedures of repoint
LEDGER = Path(__file__).parents[2] / "conf" / "ledger.sql"
RUNNING = "restart, running before"
STATUS_READS = "SHOW GLOBAL STATUS LIKE 'Com_show_slave_status'"


def status_reads(aurora: Aurora) -> int:
    return int(aurora.sql(STATUS_READS)[0][1] or 0)


def only(connections: list[Connection]) -> Connection:
    connection, = connections
    if not connection.closed.wait(5):
        raise RuntimeError("the connection is still open")
    return connection


def configuration(service: Service, aurora: Aurora, port: int, settings: str) -> str:
    return f"""[material default]
directory = {service.material}
settle = 10ms
[cluster orders]
host = localhost
port = {port}
user = {IMPORT_USER}
password-file = {service.password_file(IMPORT_PASSWORD)}
server-ca = {aurora.ca}
{settings}
"""


def measure(workspace: Workspace, build: Path) -> None:
    authority = Authority(workspace.path / "ca")
    aurora = Aurora(workspace, Authority(workspace.path / "rds", "RDS stand-in CA"))
    source = Source(workspace, authority.issue_server(), authority.certificate)
    pair = authority.issue_client(subject="/O=Example/CN=replica")
    for server in (aurora, source):
        server.start()
    aurora.prepare()
    aurora.sql(LEDGER.read_text())
    aurora.follow(source)
    source.prepare(pair.subject)
    aurora.grant(*EXTERNAL)
    password = workspace.path / "source-password"
    password.write_text(REPLICATION_PASSWORD + "\n")
    source_login = f"source-password-file = {password}"
    with Proxy(aurora.port, to_server=ONE_WAY, to_client=ONE_WAY) as proxy, \
            Proxy(source.port, to_server=ONE_WAY, to_client=ONE_WAY) as to_source:
        Client.over_tcp(proxy.port, IMPORT_USER, IMPORT_PASSWORD, ca=aurora.ca).sql("")
        print(f"{'login alone':<38}{only(proxy.connections).round_trips:>3} round trips")
        ledger = "\nledger = binlog_ssl.ledger"
        probe = f"\nsource-probe = require\nsource-port = {to_source.port}\n{source_login}"
        for name, settings in (("ignore", "replication = ignore"),
                               ("ignore, with a ledger", "replication = ignore" + ledger),
                               ("observe", "replication = observe"),
                               ("observe, with a probe", "replication = observe" + probe),
                               ("restart, stopped before", "replication = restart"),
                               (RUNNING, "replication = restart"),
                               (RUNNING + ", with a ledger", "replication = restart" + ledger),
                               (RUNNING + ", with a probe", "replication = restart" + probe),
                               ("repoint, running before",
                                f"replication = repoint\n{source_login}")):
            if "running" in name:
                aurora.start_replication()
            # Neither a record nor the ledger names the set, so that a new service imports it.
            aurora.sql("DELETE FROM binlog_ssl.ledger")
            service = Service(build, workspace.path / name)
            service.configure(configuration(service, aurora, proxy.port, settings))
            write_material(service.material, authority.certificate, pair)
            reads, first = status_reads(aurora), len(proxy.connections)
            done = service.run("--once")
            if done.returncode != 0:
                raise SystemExit(f"binlog-ssld --once: {done.stderr}")
            reads = status_reads(aurora) - reads
            probed = [one.round_trips for one in to_source.connections]
            to_source.connections.clear()
            print(f"{name:<38}{only(proxy.connections[first:]).round_trips:>3} round trips"
                  f"{f', {reads} of them to read the status' if reads else ''}"
                  f"{f'; and {sum(probed)} to the source' if probed else ''}")


if __name__ == "__main__":
    run(measure)
