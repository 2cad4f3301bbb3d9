"""binlog-ssld as a contestant: the installed unit with its sandbox."""

from __future__ import annotations

from pathlib import Path

from tests.bench.alternatives.contestant import Contestant, Task
from tests.service.machine import Machine

UNIT = "binlog-ssld.service"
DIRECTORY = "/etc/binlog-ssld"


class BinlogSsld(Contestant):
    name = "ssld"
    title = "binlog-ssld"

    def __init__(self, machine: Machine, directory: Path) -> None:
        """As root, without capabilities: tools of the patterns write keys that only root reads."""
        super().__init__(machine, directory)
        self.drop_in(UNIT, "User=root\nGroup=root\n")

    def start(self, task: Task) -> None:
        """Other settings have their defaults, for example the settle time: 100 ms."""
        self.machine.shell(f"mkdir -p {DIRECTORY}; rm -rf /var/lib/binlog-ssld")
        self.machine.write(f"{DIRECTORY}/password", task.password + "\n", "0600")
        self.machine.write(f"{DIRECTORY}/binlog-ssld.conf", f"""[daemon]
parallel-imports = {len(task.users)}
[material default]
directory = {task.cert.parent}
ca = {task.ca}
cert = {task.cert}
key = {task.key}
[cluster-defaults]
host = localhost
port = {task.port}
password-file = {DIRECTORY}/password
server-ca = {task.server_ca}
replication = ignore
""" + "".join(f"[cluster {user}]\nuser = {user}\n" for user in task.users))
        # Patterns start it more often than its unit permits.
        self.machine.run("systemctl", "reset-failed", UNIT, check=False)
        self.machine.run("systemctl", "start", UNIT)

    def stop(self) -> None:
        self.machine.run("systemctl", "stop", UNIT, "binlog-ssld.socket")
