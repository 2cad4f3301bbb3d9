"""A demonstration: a first import starts replication, and a rotation keeps it running."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from .cluster import IMPORT_PASSWORD, Aurora, Source
from .pki import Authority, write_material
from .service import Service
from .workspace import Workspace


def step(text: str) -> None:
    print(f"* {text}", flush=True)


def indent(text: str) -> None:
    print("\n".join("    " + line for line in text.rstrip("\n").split("\n")), flush=True)


def carry_row(source: Source, aurora: Aurora, number: int, text: str) -> None:
    source.sql(f"INSERT INTO app.t VALUES ({number}, '{text}')")
    if aurora.wait_for_row(number) != text:
        raise SystemExit(f"the row did not arrive: {aurora.replication().get('Last_IO_Error')}")
    step(f"a row inserted at the source arrived at the replica: {text}")


def show(service: Service) -> None:
    step("binlog-sslctl status")
    indent(service.ctl("status").stdout)
    step("the daemon's log")
    indent(service.log())


def stay(service: Service, source: Source, aurora: Aurora) -> None:
    step("all processes run until Ctrl-C; commands for another terminal:")
    indent(f"export RUNTIME_DIRECTORY={service.directory}/run\n"
           f"{service.build}/binlog-sslctl status\n"
           f"ls {service.material}     # the watched directory: change a file, then run status\n"
           f"mariadb --socket={aurora.socket}     # the stand-in for Aurora\n"
           f"mariadb --socket={source.socket}     # the source\n"
           f"tail -f {service.log_path}")
    signal.sigwait({signal.SIGINT, signal.SIGTERM})


def demonstrate(workspace: Workspace, build: Path, staying: bool) -> None:
    step("creating two CAs: one for the source, one like that of RDS")
    authority = Authority(workspace.path / "ca", "Replication CA")
    rds = Authority(workspace.path / "rds", "RDS stand-in CA")
    step("starting the source and the stand-in for Aurora on loopback")
    source = Source(workspace, authority.issue_server(), authority.certificate)
    aurora = Aurora(workspace, rds)
    source.start(wait=False)
    aurora.start(wait=False)
    source.ready()
    aurora.ready()
    aurora.prepare()
    aurora.follow(source)
    first = authority.issue_client(subject="/O=Example/CN=replica-2026")
    second = authority.issue_client(subject="/O=Example/CN=replica-2027")
    source.prepare(first.subject)
    step(f"the source accepts replication only with subject {first.subject}")

    service = Service(build, workspace.path / "service")
    workspace.own(service)
    service.configure(f"""[material default]
directory = {service.material}

[cluster orders]
host = localhost
port = {aurora.port}
user = ssl_importer
password-file = {service.password_file(IMPORT_PASSWORD)}
server-ca = {aurora.ca}
replication = restart
""")
    write_material(service.material, authority.certificate, first)
    step("starting replication, which the source refuses without the certificate")
    aurora.start_replication()
    step("starting binlog-ssld")
    service.start()
    service.wait_cluster("orders", "current")
    step("the first import has restarted replication")
    carry_row(source, aurora, 1, "before the rotation")

    step(f"rotating to {second.subject}; the source now requires this subject")
    source.require_subject(second.subject)
    write_material(service.material, authority.certificate, second)
    service.wait(lambda: len(aurora.imports()) == 2)
    service.wait_cluster("orders", "current")
    carry_row(source, aurora, 2, "after the rotation")
    show(service)
    if staying:
        stay(service, source, aurora)
    service.stop()
    step("cleaned up")


def main() -> int:
    parser = argparse.ArgumentParser(prog="quickstart")
    parser.add_argument("--build", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--stay", action="store_true", help="keep it running until Ctrl-C")
    options = parser.parse_args()
    if options.stay:  # blocked until sigwait() in stay()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    with Workspace() as workspace:
        demonstrate(workspace, options.build.resolve(), options.stay)
    return 0


if __name__ == "__main__":
    sys.exit(main())
