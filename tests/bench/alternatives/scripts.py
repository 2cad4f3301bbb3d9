"""The script of an administrator, started in three ways: a loop, a path unit, incron."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.bench.alternatives.contestant import Contestant, Task
from tests.service.machine import Machine

PROGRAMS = Path("/source/tests/bench/alternatives")
EVENTS = "IN_CLOSE_WRITE,IN_MOVED_TO,IN_CREATE,IN_DELETE,IN_ATTRIB,IN_MOVE_SELF,IN_DELETE_SELF"


class Script(Contestant):
    """Writes the settings and the option files, with the password, of the script."""

    def configure(self, task: Task) -> list[Path]:
        """Returns the directories with the files."""
        clusters, state = self.directory / "clusters", self.directory / "state"
        for directory in (clusters, state):
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir(mode=0o700)
        for user in task.users:
            path = clusters / f"{user}.cnf"
            path.touch(mode=0o600)
            path.write_text(f"[client]\nhost=localhost\nprotocol=tcp\nport={task.port}\n"
                            f"user={user}\npassword=\"{task.password}\"\nssl-ca={task.server_ca}\n")
        self.settings.write_text(f"ca={task.ca}\ncert={task.cert}\nkey={task.key}\n"
                                 f"clusters={clusters}\nstate={state}\n")
        return sorted({path.parent for path in (task.ca, task.cert, task.key)})

    @property
    def settings(self) -> Path:
        return self.directory / "settings"

    @property
    def command(self) -> list[str]:
        return [f"{PROGRAMS}/import-material", str(self.settings)]


class Loop(Script):
    name = "loop"
    title = "script, inotifywait"

    def start(self, task: Task) -> None:
        self.configure(task)
        self.run_unit("bench-loop", "--property=Restart=always",
                      f"{PROGRAMS}/watch-material", str(self.settings))

    def stop(self) -> None:
        self.machine.run("systemctl", "stop", "bench-loop.service")


class PathUnit(Script):
    name = "path"
    title = "script, path unit"

    def start(self, task: Task) -> None:
        watched = [f"--path-property=PathChanged={path}" for path in self.configure(task)]
        self.run_unit("bench-path", *watched, "--path-property=TriggerLimitIntervalSec=0",
                      "--property=StartLimitIntervalSec=0", "--property=Type=oneshot",
                      *self.command)
        self.machine.run("systemctl", "start", "--no-block", "bench-path.service")

    def stop(self) -> None:
        self.machine.run("systemctl", "stop", "bench-path.path")
        # Not loaded any more unless it runs.
        self.machine.run("systemctl", "stop", "bench-path.service", check=False)


class Incron(Script):
    name = "incron"
    title = "script, incron"

    def __init__(self, machine: Machine, directory: Path) -> None:
        super().__init__(machine, directory)
        self.drop_in("incron.service", "")

    def start(self, task: Task) -> None:
        command = " ".join(self.command)
        table = "".join(f"{path} {EVENTS} {command}\n" for path in self.configure(task))
        self.machine.write("/etc/incron.d/bench", table)
        self.machine.run("systemctl", "start", "incron.service")
        self.run_unit("bench-incron", "--collect", *self.command)

    def stop(self) -> None:
        self.machine.run("systemctl", "stop", "incron.service")
        self.machine.run("systemctl", "stop", "bench-incron.service", check=False)
