"""Prints what one run of the daemon writes with fsync(2), counted by strace.

    /usr/bin/python3 -m tests.bench.syncs --build BUILD

Three clusters of one material get a set. In each mode the set that is on its way is written once,
and each record once; a mode that stops replication writes each stop, too. A record is written once
more half a second after a change that was not the last, as on a slow machine. Each write has two
calls, for the file and for its directory.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path

from tests.bench.arguments import run
from tests.standin import Aurora, Authority, Source, Workspace, write_material
from tests.standin.cluster import IMPORT_PASSWORD, IMPORT_USER
from tests.standin.cluster import NAMES as PROCEDURES
from tests.standin.service import Service
from tests.standin.source import REPLICATION_PASSWORD

NAMES = ("orders", "billing", "stock")
MODES = ("ignore", "observe", "restart", "repoint")
SYNC = re.compile(r"\bf(?:data)?sync\(\d+<([^>]*)>\) += 0")


def configuration(service: Service, aurora: Aurora, mode: str) -> str:
    password = service.password_file(IMPORT_PASSWORD)
    source_password = service.directory / "source-password"
    source_password.write_text(REPLICATION_PASSWORD + "\n")
    login = f"source-password-file = {source_password}\n" if mode == "repoint" else ""
    return f"""[daemon]
parallel-imports = 1 ; the clusters are the same server
[material default]
directory = {service.material}
settle = 10ms
[cluster-defaults]
host = localhost
port = {aurora.port}
user = {IMPORT_USER}
password-file = {password}
server-ca = {aurora.ca}
replication = {mode}
{login}""" + "".join(f"[cluster {name}]\n" for name in NAMES)


def kind(path: str) -> str:
    """Of a file of the state directory, which may have the name of a temporary one."""
    name = Path(path).name
    if any(name.startswith((cluster, f".{cluster}")) for cluster in NAMES):
        return "records"
    return "sets on their way" if "rollout" in name else "directory"


def syncs(service: Service, trace: Path) -> Counter[str]:
    service.wrapper = ["strace", "--follow-forks", "--decode-fds=path", "--quiet=all",
                       "--trace=fsync,fdatasync", f"--output={trace}"]
    done = service.run("--once")
    if done.returncode != 0:
        raise SystemExit(f"binlog-ssld --once: {done.stderr}")
    return Counter(kind(path) for path in SYNC.findall(trace.read_text()))


def measure(workspace: Workspace, build: Path) -> None:
    if shutil.which("strace") is None:
        raise SystemExit("strace is not installed")
    authority = Authority(workspace.path / "ca")
    aurora = Aurora(workspace, Authority(workspace.path / "rds", "RDS stand-in CA"))
    source = Source(workspace, authority.issue_server(), authority.certificate)
    pair = authority.issue_client("syncs")
    for server in (aurora, source):
        server.start()
    aurora.prepare()
    aurora.grant(*PROCEDURES[aurora.version])
    aurora.follow(source)
    source.prepare(pair.subject)
    for mode in MODES:
        if mode in ("restart", "repoint"):  # the modes before have imported what a start needs
            aurora.start_replication()
            aurora.wait_for_replication(lambda status: status["Replica_IO_Running"] == "Yes")
        service = Service(build, workspace.path / mode)
        service.configure(configuration(service, aurora, mode))
        write_material(service.material, authority.certificate, pair)
        counted = syncs(service, service.directory / "trace")
        print(f"{mode:<10}{len(NAMES)} clusters: "
              + ", ".join(f"{counted[name]} of {name}" for name in
                          ("sets on their way", "records", "directory")))


if __name__ == "__main__":
    run(measure)
