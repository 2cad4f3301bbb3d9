"""One daemon, with one cluster for each mock server, and its status."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.standin.service import Service

from .conversation import Script
from .secret import PASSWORD, Secret
from .server_identity import ServerIdentities
from .server_pool import ServerPool

USER = "ssl_importer"
SOURCE_USER = "repl_aurora"


@dataclass
class SessionData:
    """Certificates, key and canary file that all tests of a session share."""

    identities: ServerIdentities
    secret: Secret
    canary: Path


class Harness:
    def __init__(self, session: SessionData, pool: ServerPool, service: Service,
                 daemon: str = "") -> None:
        """daemon: further keys of [daemon]."""
        self.session = session
        self.service = service
        self.scripts: dict[str, Script] = {}
        self._pool = pool
        self._daemon = daemon
        self._clusters: list[str] = []

    def add(self, name: str, script: Script, settings: dict[str, str] | None = None) -> None:
        values = {"host": "localhost", "user": USER,
                  "password-file": str(self._password_file(script.password)),
                  "server-ca": str(self.session.identities.authority.certificate),
                  **(settings or {})}
        values["port"] = str(self._pool.add(script, values["host"]))
        lines = [f"{key} = {value}" for key, value in values.items() if value]
        self.scripts[name] = script
        # Numbers, because the names are longer than a section name may be.
        self._clusters.append("\n".join([f"[cluster c{len(self._clusters)}]", *lines]))

    def add_source(self, name: str, source: Script, settings: dict[str, str]) -> None:
        """A good cluster whose replication source has this script; scripts[name] is the source."""
        self.add(name, self.script(), {
            "source-host": "localhost", "source-user": SOURCE_USER, "source-port":
            str(self._pool.add(source)), "source-password-file":
            str(self._password_file(source.password, "source-")), **settings})
        self.scripts[name] = source

    def script(self, identity: str = "good", **more) -> Script:
        return Script(self.session.identities.context(identity), canary=self.session.canary,
                      **{"password": PASSWORD.encode(), **more})

    @property
    def sanitized(self) -> bool:
        return b"__asan_init" in (self.service.build / "binlog-ssld").read_bytes()

    def _password_file(self, password: bytes, kind: str = "") -> Path:
        path = self.service.directory / f"{kind}password-{len(self._clusters)}"
        path.write_bytes(password + b"\n")
        path.chmod(0o600)
        return path

    def start(self) -> None:
        self._configure()
        self.service.start()

    def check(self) -> dict[str, dict]:
        """Returns the results of --check-clusters, by the names given to add()."""
        self._configure()
        done = self.service.run("--check-clusters", "--json")
        return dict(zip(self.scripts, json.loads(done.stdout)["clusters"], strict=True))

    def _configure(self) -> None:
        """Each cluster gets one attempt: a retry begins later than any test ends."""
        self.service.configure(f"""[daemon]
retry-min = 1h
retry-max = 1h
{self._daemon}
[material default]
directory = {self.service.material}
settle = 50ms
""" + "\n".join(self._clusters) + "\n")

    def clusters(self) -> dict[str, dict]:
        """The status of the clusters, by the names given to add()."""
        names = list(self.scripts)
        return {names[int(cluster["name"][1:])]: cluster
                for cluster in self.service.status()["clusters"]}

    def wait(self, seconds: float) -> dict[str, dict]:
        """Waits until the attempt of each cluster has ended."""
        seen: dict[str, dict] = {}

        def reached() -> bool:
            seen.clear()
            seen.update(self.clusters())
            return all(cluster["state"] not in ("waiting", "importing")
                       for cluster in seen.values())

        self.service.wait(reached, seconds)
        return seen

    def readable_output(self) -> dict[str, str]:
        """Everything that a user can read afterwards: log, status, metrics, records, rollout."""
        state = self.service.directory / "state"
        for number in range(len(self._clusters)):
            self.service.wait((state / f"c{number}.json").exists)
        return {"the log": self.service.log(), "the status": str(self.service.status()),
                "the status as text": self.service.ctl("status").stdout,
                "the metrics": self.service.ctl("metrics").stdout,
                **{path.name: path.read_text(errors="replace")
                   for path in state.rglob("*") if path.is_file()}}
