"""What a campaign plays in: a source, its replicas, the networks between them, and the daemon."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from tests.standin import Aurora, Authority, Source, Workspace
from tests.standin.cluster import IMPORT_PASSWORD
from tests.standin.cluster import NAMES as NAMES_OF_VERSION
from tests.standin.make import Make
from tests.standin.proxy import Proxy
from tests.standin.service import Service
from tests.standin.state_disk import StateDisk

from .cluster import Cluster
from .configuration import configuration
from .material import MaterialSet
from .schedule import Guard, Mode

NAMES = ("orders", "billing", "stock")
CALL_SECONDS = "0.4"  # long enough for a fault within it


class SourceAddress:
    """The source as a replica sees it: behind a network that can be cut."""

    def __init__(self, source: Source, network: Proxy) -> None:
        self._source = source
        self.port = network.port
        self.position = source.position
        self.executed = source.executed


class Scene:
    """Everything ends with the block."""

    def __init__(self, build: Path, make: Make, mode: Mode, clusters: int,
                 auto_position: bool) -> None:
        self.newest_connection = 0  # of the source, when the present set was written
        self._mode = mode
        self._auto_position = auto_position
        self._build = build
        self._make = make
        self._count = clusters
        self._resources = ExitStack()

    def __enter__(self) -> Scene:
        with ExitStack() as resources:
            self._open(resources)
            self._resources = resources.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._resources.close()

    def delay_files(self) -> None:
        """From now on the files of an import reach a replica as late as the mode can use them.

        With GTIDs rds_set_external_source has no TLS: they come with the next start at the latest.
        """
        if self._mode == "repoint" and not self._auto_position:
            for cluster in self.clusters:
                cluster.delay_files()

    def configure(self, guard: Guard) -> None:
        self.service.configure(configuration(self.service, self._mode, guard, self.clusters))

    def reload(self) -> None:
        done = self.service.ctl("reload")
        if done.returncode != 0:
            raise AssertionError(f"the configuration is refused: {done.stderr}")

    def statuses(self) -> list[dict]:
        return self.service.status()["clusters"]

    def trust(self, material: MaterialSet) -> None:
        """The source accepts client certificates of these authorities, and no others."""
        self.source.private_file("client-ca.pem", material.bundle.encode())
        self.source.sql(self._make.reload_tls)

    def become(self, issuer: Authority) -> None:
        """The source gets a certificate of this authority."""
        identity = issuer.issue_server()
        self.source.private_file("server-cert.pem", identity.certificate.read_bytes())
        self.source.private_file("server-key.pem", identity.key.read_bytes())
        self.source.sql(self._make.reload_tls)

    def mark(self) -> None:
        """What connections() counts begins now."""
        self.newest_connection = int(self.source.sql("SELECT CONNECTION_ID()")[0][0] or 0)

    def connections(self) -> int:
        """The replicas that have connected to the source since mark()."""
        return sum(str(row["Command"]).startswith("Binlog Dump")
                   and int(row["Id"] or 0) > self.newest_connection
                   for row in self.source.rows("SHOW PROCESSLIST"))

    def _open(self, resources: ExitStack) -> None:
        self.workspace = resources.enter_context(Workspace(make=self._make))
        self.authority = Authority(self.workspace.path / "ca", "Campaign CA 0")
        self.source = Source(self.workspace, self.authority.issue_server(),
                             self.authority.certificate)
        rds = Authority(self.workspace.path / "rds", "RDS stand-in CA")
        replicas = [Aurora(self.workspace, rds, name,
                           # SIGKILL can leave the relay logs different from their index.
                           (f"--server-id={number}", "--relay-log-recovery=ON"))
                    for number, name in enumerate(NAMES[:self._count], 2)]
        for server in (self.source, *replicas):
            server.start(wait=False)
        self.source.ready()
        self.clusters = []
        for replica in replicas:
            replica.ready()
            replica.prepare()
            from_daemon = resources.enter_context(Proxy(replica.port, to_server=0, to_client=0))
            to_source = resources.enter_context(Proxy(self.source.port, to_server=0, to_client=0))
            self.clusters.append(Cluster(replica.name, replica, from_daemon, to_source,
                                         self._auto_position or self._make.crash_safe))
            replica.set_option("slow_seconds", CALL_SECONDS)
            replica.set_option("local_files", "at_start")
            if self._mode == "repoint":
                replica.grant(*NAMES_OF_VERSION[replica.version])
            replica.follow(SourceAddress(self.source, to_source),
                           auto_position=self._auto_position)
        self.source.prepare("/CN=nobody")  # what it creates is replicated
        self.service = Service(self._build, self.workspace.directory("daemon"))
        self.service.password_file(IMPORT_PASSWORD)
        self.disk = StateDisk(self.service.directory / "state")
        resources.callback(self.disk.close)
        self.service.wrapper = self.disk.wrapper()
        resources.callback(self.service.kill)
