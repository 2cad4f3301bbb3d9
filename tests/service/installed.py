"""The service installed from the package, with the commands of an administrator."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from tests.service.machine import Machine
from tests.standin import Aurora, Authority, write_material
from tests.standin.cluster import IMPORT_PASSWORD
from tests.standin.pki import Pair

UNIT = "binlog-ssld.service"
SOCKET = "binlog-ssld.socket"
SOCKET_PATH = "/run/binlog-ssld/io.binlogssl.Manager"
CONFIGURATION = "/etc/binlog-ssld/binlog-ssld.conf"
STATE = "/var/lib/binlog-ssld"
MATERIAL = "/etc/binlog-ssld/material"
EXAMPLES = "/usr/share/doc/binlog-ssld/examples"
DROP_INS = "/run/systemd/system/binlog-ssld.service.d"


class Installed:
    def __init__(self, machine: Machine, authority: Authority, aurora: Aurora) -> None:
        self.machine = machine
        self.authority = authority
        self.aurora = aurora
        self._sets = 0

    def configure(self, *, daemon: str = "", material: str = "", cluster: str = "",
                  poll: str = "500ms", port: int = 0, host: str = "localhost",
                  retry: tuple[str, str] = ("100ms", "1s"),
                  password: str = "password-file = /etc/binlog-ssld/password",
                  server_ca: str = "server-ca = /etc/binlog-ssld/rds.pem") -> None:
        """port: 0 is the stand-in; no process listens on port 1."""
        self.machine.write(CONFIGURATION, f"""[daemon]
retry-min = {retry[0]}
retry-max = {retry[1]}
{daemon}
[material default]
settle = 50ms
settle-limit = 1s
poll-interval = {poll}
{material}
[cluster orders]
host = {host}
port = {port or self.aurora.port}
user = ssl_importer
{password}
{server_ca}
{cluster}
""")

    def secrets(self) -> None:
        """As in README.md: owned by root, readable by the group of the service."""
        self.machine.write("/etc/binlog-ssld/rds.pem", self.aurora.ca.read_text())
        self.machine.write("/etc/binlog-ssld/password", IMPORT_PASSWORD + "\n", "0640")
        self.machine.shell("chgrp binlog-ssld /etc/binlog-ssld/password")

    def rotate(self, *, valid: tuple[float, float] | None = None) -> Pair:
        """Writes a new set, each file by rename; the directory determines the group.

        valid: as of issue_client().
        """
        self._sets += 1
        pair = self.authority.issue_client(f"service-{self._sets}", valid=valid)
        with tempfile.TemporaryDirectory() as folder:
            write_material(Path(folder), self.authority.certificate, pair)
            for name in ("ca.pem", "client-cert.pem", "client-key.pem"):
                self.replace(name, (Path(folder) / name).read_text())
        return pair

    def replace(self, name: str, text: str) -> None:
        """Replaces one file of the set by rename."""
        self.machine.write(f"{MATERIAL}/.{name}", text, "0640")
        self.machine.shell(f"cd {MATERIAL}; mv .{name} {name}")

    def drop_in(self, text: str) -> None:
        self.machine.shell(f"mkdir -p {DROP_INS}")
        section = "" if "[Service]" in text else "[Service]\n"
        self.machine.write(f"{DROP_INS}/test.conf", f"{section}{text}\n")
        self.machine.run("systemctl", "daemon-reload")

    def systemctl(self, verb: str, unit: str = UNIT, *, check: bool = True
                  ) -> CompletedProcess[str]:
        return self.machine.run("systemctl", verb, unit, check=check)

    def start(self) -> None:
        self.systemctl("start")

    def stop(self) -> None:
        self.systemctl("stop")

    def show(self, name: str, unit: str = UNIT) -> str:
        return self.machine.run("systemctl", "show", "--value", "--property", name,
                                unit).stdout.strip()

    def ctl(self, *arguments: str) -> CompletedProcess[str]:
        return self.machine.run("binlog-sslctl", *arguments, check=False)

    def status(self) -> dict:
        return json.loads(self.ctl("--json", "status").stdout)

    def cluster(self) -> dict:
        done = self.ctl("--json", "status")
        return json.loads(done.stdout)["clusters"][0] if done.stdout else {"state": "no answer"}

    def wait_cluster(self, state: str = "current") -> dict:
        seen: list[dict] = []

        def reached() -> bool:
            seen[:] = [self.cluster()]
            return seen[0]["state"] == state

        self.wait(reached)
        return seen[0]

    def wait_imports(self, number: int) -> None:
        """Waits for exactly so many imports, and for the cluster to be current."""
        self.wait(lambda: len(self.aurora.imports()) >= number)
        self.wait_cluster()
        assert len(self.aurora.imports()) == number

    def entries(self) -> list[dict]:
        """The journal entries of this invocation of the service."""
        self.machine.run("journalctl", "--sync")
        lines = self.machine.run("journalctl", "--output=json",
                                 f"_SYSTEMD_INVOCATION_ID={self.show('InvocationID')}").stdout
        return [json.loads(line) for line in lines.splitlines()]

    def messages(self, *options: str) -> str:
        """All journal messages of the unit since boot, from all processes.

        By name as well: journald looks for the unit of a message in /proc, where a short process
        may have ended.
        """
        self.machine.run("journalctl", "--sync")
        return self.machine.run("journalctl", "--output=cat", *options, f"_SYSTEMD_UNIT={UNIT}", "+",
                                f"UNIT={UNIT}", "+", "SYSLOG_IDENTIFIER=binlog-ssld").stdout

    def cursor(self) -> str:
        """The option with which messages() returns those from here on."""
        shown = self.machine.run("journalctl", "--lines=0", "--show-cursor").stdout
        return f"--after-cursor={shown.split('cursor: ')[1].strip()}"

    def importers(self) -> list[str]:
        return self.machine.run("pgrep", "-x", "binlog-import", check=False).stdout.split()

    def wait(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"not within {seconds} s\n{self.ctl('status').stdout}\n"
                                     f"{self.systemctl('status', check=False).stdout}")
            time.sleep(0.05)

    def clean(self) -> None:
        """Stops the units; removes records, drop-ins and configuration fragments."""
        self.machine.run("systemctl", "stop", SOCKET, UNIT, check=False)
        self.machine.run("systemctl", "reset-failed", check=False)
        self.machine.shell(f"umount -q {STATE} || true; rm -rf {STATE} {CONFIGURATION}.d {DROP_INS}"
                           f" {SOCKET_PATH}; systemctl daemon-reload")
        self.aurora.reset_options()
