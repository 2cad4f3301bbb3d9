"""The configuration of the daemon of a campaign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.standin.cluster import REPLICATION_PASSWORD
from tests.standin.service import Service

from .cluster import Cluster
from .schedule import Guard, Mode

CANARY = 0  # the number of the cluster that gets each set first, if one does

DAEMON = """[daemon]
import-timeout = 20s
retry-min = 50ms
retry-max = 500ms
retry-held = 1s
check-interval = 1s
{keys}[material default]
directory = {material}
settle = 50ms
settle-limit = 300ms
poll-interval = 500ms
"""

CLUSTER = """[cluster {name}]
host = localhost
port = {port}
user = ssl_importer
password-file = {password}
server-ca = {ca}
replication = {mode}
{keys}"""


@dataclass(frozen=True)
class Keys:
    """Further lines of the configuration: of the daemon, of each cluster, of the canary."""

    daemon: str = ""
    cluster: str = ""
    canary: str = ""


KEYS: dict[Guard, Keys] = {
    "none": Keys(),
    "probe": Keys(cluster="source-probe = require\n"),
    "canary": Keys(daemon="rollout = canary\ncanary-hold = 1s\n", canary="canary = yes\n"),
    "rollback": Keys(cluster="on-replication-failure = rollback\n"),
}


def configuration(service: Service, mode: Mode, guard: Guard, clusters: Sequence[Cluster]) -> str:
    keys, etc = KEYS[guard], service.directory / "etc"
    source_password = etc / "source-password"
    source_password.write_text(REPLICATION_PASSWORD + "\n")
    source_password.chmod(0o600)
    # The key of what logs in to the source, or tells a replica how to.
    login = f"source-password-file = {source_password}\n"
    more = keys.cluster + (login if guard == "probe" or mode == "repoint" else "")
    # MySQL's performance_schema keeps the statement with the password.
    more += "query-log = warn\n" if mode == "repoint" else ""
    return DAEMON.format(material=service.material, keys=keys.daemon) + "".join(
        CLUSTER.format(name=cluster.name, port=cluster.from_daemon.port, mode=mode,
                       password=etc / "password", ca=cluster.aurora.ca,
                       keys=more + (keys.canary if number == CANARY else ""))
        for number, cluster in enumerate(clusters))
