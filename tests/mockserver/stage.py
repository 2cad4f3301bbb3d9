"""A daemon with a cluster for each script that is played, and what it says of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.standin.service import Service

from .conversation import Script
from .house import House
from .identity import Identities
from .secret import PASSWORD, Secret

USER = "ssl_importer"


@dataclass
class Props:
    """What a stage needs of the session."""

    identities: Identities
    secret: Secret
    canary: Path


class Stage:
    def __init__(self, props: Props, house: House, service: Service, daemon: str = "") -> None:
        self.props = props
        self.service = service
        self.scripts: dict[str, Script] = {}
        self._house = house
        self._daemon = daemon
        self._clusters: list[str] = []

    def add(self, name: str, script: Script, settings: dict[str, str] | None = None) -> None:
        values = {"host": "localhost", "user": USER,
                  "password-file": str(self._password_file(script.password)),
                  "server-ca": str(self.props.identities.authority.certificate),
                  "port": str(self._house.admit(script)), **(settings or {})}
        lines = [f"{key} = {value}" for key, value in values.items() if value]
        self.scripts[name] = script
        # Numbers, because our names are longer than a section's may be.
        self._clusters.append("\n".join([f"[cluster c{len(self._clusters)}]", *lines]))

    def script(self, identity: str = "good", **more) -> Script:
        return Script(self.props.identities.context(identity), canary=self.props.canary,
                      **{"password": PASSWORD.encode(), **more})

    @property
    def sanitized(self) -> bool:
        return b"__asan_init" in (self.service.build / "binlog-ssld").read_bytes()

    def _password_file(self, password: bytes) -> Path:
        path = self.service.directory / f"password-{len(self._clusters)}"
        path.write_bytes(password + b"\n")
        path.chmod(0o600)
        return path

    def start(self) -> None:
        self._configure()
        self.service.start()

    def check(self) -> dict[str, dict]:
        """What --check-clusters says, by the names that they were added with."""
        self._configure()
        done = self.service.run("--check-clusters", "--json")
        return dict(zip(self.scripts, json.loads(done.stdout)["clusters"], strict=True))

    def _configure(self) -> None:
        """One attempt each: what fails is not tried again for longer than any test lasts."""
        self.service.configure(f"""[daemon]
retry-min = 1h
retry-max = 1h
{self._daemon}
[material default]
directory = {self.service.material}
settle = 50ms
""" + "\n".join(self._clusters) + "\n")

    def clusters(self) -> dict[str, dict]:
        """By the names that they were added with."""
        names = list(self.scripts)
        return {names[int(cluster["name"][1:])]: cluster
                for cluster in self.service.status()["clusters"]}

    def wait(self, seconds: float) -> dict[str, dict]:
        """Until each cluster had its attempt."""
        seen: dict[str, dict] = {}

        def reached() -> bool:
            seen.clear()
            seen.update(self.clusters())
            return all(cluster["state"] not in ("waiting", "importing")
                       for cluster in seen.values())

        self.service.wait(reached, seconds)
        return seen

    def told(self) -> dict[str, str]:
        """All that anybody may read afterwards."""
        state = self.service.directory / "state"
        for number in range(len(self._clusters)):
            self.service.wait((state / f"c{number}.json").exists)
        return {"the log": self.service.log(), "the status": str(self.service.status()),
                "the status as text": self.service.ctl("status").stdout,
                "the metrics": self.service.ctl("metrics").stdout,
                **{path.name: path.read_text(errors="replace")
                   for path in state.rglob("*") if path.is_file()}}
