"""Five daemons, three clusters, fifty rotations; one daemon is killed in each rotation."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from pathlib import Path

from tests.standin import Aurora, Authority, Workspace, write_material
from tests.standin.cluster import IMPORT_PASSWORD
from tests.standin.service import Service

from .conftest import LEDGER_SQL, LEDGER_TABLE

DAEMONS, CLUSTERS, ROTATIONS = 5, 3, 50
LATE = 0.15   # seconds between the first and the last host that gets a set
SLOW = "0.05"  # duration of the CALL in seconds, so that some kills occur during one
KILLED = 0.25  # seconds after the start of a rotation within which the daemon is killed


class KilledDaemon:
    """A daemon that is killed and restarted at a random time in each rotation."""

    def __init__(self, service: Service, generator: random.Random) -> None:
        self.service = service
        self._generator = generator

    def kill_and_restart(self, begin: float) -> None:
        time.sleep(max(0.0, begin + self._generator.uniform(0, KILLED) - time.monotonic()))
        self.service.kill()
        self.service.start()


def configuration(service: Service, auroras: list[Aurora]) -> str:
    clusters = "".join(f"[cluster c{n}]\nport = {aurora.port}\n"
                       for n, aurora in enumerate(auroras))
    return f"""[daemon]
retry-min = 20ms
retry-max = 200ms
check-interval = 1s
[material default]
directory = {service.material}
settle = 10ms
[cluster-defaults]
host = localhost
user = ssl_importer
password-file = {service.password_file(IMPORT_PASSWORD)}
server-ca = {auroras[0].ca}
replication = ignore
ledger = {LEDGER_TABLE}
{clusters}"""


def completed(aurora: Aurora) -> int:
    query = f"SELECT COUNT(*) FROM {LEDGER_TABLE} WHERE state = 'imported'"
    return int(aurora.sql(query)[0][0] or 0)


def test_each_set_is_imported_once_per_cluster_and_all_agree() -> None:
    build = Path(os.environ.get("BUILD", "build")).resolve()
    seed = random.randrange(1 << 32)
    generator = random.Random(seed)
    with Workspace() as workspace:
        authority = Authority(workspace.path / "ca")
        rds = Authority(workspace.path / "rds", "RDS stand-in CA")
        auroras = [Aurora(workspace, rds, f"aurora-{n}") for n in range(CLUSTERS)]
        for aurora in auroras:
            aurora.start(wait=False)
        # One key for all, and certificates with increasing notBefore.
        key = authority.issue_client("first").key
        pairs = [authority.issue_client("rotating", key=key, valid=(n - 3600, 86400))
                 for n in range(ROTATIONS)]
        for aurora in auroras:
            aurora.ready()
            aurora.prepare()
            aurora.sql(LEDGER_SQL.read_text())
            aurora.set_option("slow_seconds", SLOW)
        services = [Service(build, workspace.directory(f"d{n}")) for n in range(DAEMONS)]
        for service in services:
            workspace.own(service)
            service.configure(configuration(service, auroras))
        killed = KilledDaemon(services[0], generator)
        for number, pair in enumerate(pairs):
            begin = time.monotonic()
            for service in generator.sample(services, DAEMONS):
                write_material(service.material, authority.certificate, pair)
                time.sleep(generator.uniform(0, LATE / DAEMONS))
            if number == 0:
                for service in services:
                    service.start()
            killed.kill_and_restart(begin)
            services[1].wait(lambda: all(completed(aurora) == number + 1 for aurora in auroras), 60)

        def agree(service: Service) -> bool:
            clusters = service.status()["clusters"]
            return ({c["state"] for c in clusters} == {"current"} and
                    {c["imported_fingerprint"] for c in clusters} == newest)

        query = f"SELECT fingerprint FROM {LEDGER_TABLE} ORDER BY id DESC LIMIT 1"
        newest = {aurora.sql(query)[0][0] for aurora in auroras}
        assert len(newest) == 1, seed
        for service in services:
            service.wait(lambda: agree(service), 60)
        repeated = 0
        for aurora in auroras:
            sets = Counter(row["ssl_cert"] for row in aurora.imports())
            assert len(sets) == ROTATIONS, seed
            # Twice only if the daemon was killed between the CALL and the update of the ledger.
            assert max(sets.values()) <= 2, seed
            repeated += sum(sets.values()) - ROTATIONS
            states = Counter(row["state"]
                             for row in aurora.rows(f"SELECT state FROM {LEDGER_TABLE}"))
            assert states == {"imported": ROTATIONS}, seed
        # Rare: the killed daemon must be the one that imports, and be in its CALL.
        assert repeated <= CLUSTERS * ROTATIONS // 4, seed
        for service in services:
            assert service.stop() == 0
        print(f"seed {seed}: {repeated} of {CLUSTERS * ROTATIONS} imports were repeated")
