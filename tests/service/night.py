"""What an operator has at night: the service, the terminal, the servers; and the page of status."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from contextlib import ExitStack
from typing import NamedTuple

from tests.service.installed import Installed
from tests.standin import Aurora, Source

COLUMNS = 80
# So that what the operator does mends a fault, and no retry.
NO_RETRY = ("1h", "1h")

LABEL = re.compile(r" {6}(\w+): +")
HANG = " " * 12  # of a text behind the label why, next or run
PROGRAM = "binlog-sslctl: "


class Page:
    """The output of status on a terminal."""

    def __init__(self, status: int, text: str) -> None:
        self.status = status
        self.lines = text.splitlines()

    def part(self, label: str, lines: int | None = None) -> str:
        """The first text with this label in so many lines, unwrapped; "" if there is none."""
        found: list[str] = []
        for line in self.lines[:lines]:
            match = LABEL.match(line)
            if found and (match or not line.startswith(HANG)):
                break
            if found or (match and match[1] == label):
                found.append(line[len(HANG):])
        return " ".join(found)

    def headline(self) -> str:
        """The first line, or the message of an error, unwrapped."""
        if not self.lines[0].startswith(PROGRAM):
            return self.lines[0]
        return " ".join(line[len(PROGRAM):] for line in self.lines)


class Night(NamedTuple):
    """other: a second cluster; source: of a replication of the first; undo: what the end of the
    test calls, whether the scenario has come to its end or not."""

    service: Installed
    other: Aurora
    source: Source
    undo: ExitStack

    def look(self, *arguments: str) -> Page:
        return Page(*self.service.machine.terminal("binlog-sslctl", "status", *arguments,
                                                   columns=COLUMNS))

    def run(self, page: Page) -> None:
        """Runs the command that the page prints."""
        command = page.part("run")
        assert command.startswith("binlog-sslctl "), page.lines
        self.service.machine.shell(command)

    def reload(self, **configuration) -> None:
        self.service.configure(retry=NO_RETRY, **configuration)
        self.service.systemctl("reload")

    def wait_material(self, state: str) -> None:
        self.service.wait(lambda: self.service.status()["materials"][0]["state"] == state)

    def wait_clusters(self, *states: str) -> None:
        """Waits until these are the states of all clusters, in any order."""
        self.service.wait(lambda: self._states() == sorted(states))

    def is_well(self) -> bool:
        return self.service.ctl("status").returncode == 0 and set(self._states()) == {"current"}

    def _states(self) -> list[str]:
        return sorted(cluster["state"] for cluster in self.service.status()["clusters"])


Play = Generator[None, Page, None]


class Scenario(NamedTuple):
    """What status prints; the arguments are those of scenario()."""

    play: Callable[[Night], Play]
    status: int
    cause: str
    step: str
    arguments: tuple[str, ...]


SCENARIOS: list[Scenario] = []


def scenario(status: int, cause: str, step: str, *arguments: str
             ) -> Callable[[Callable[[Night], Play]], None]:
    """Adds a generator to SCENARIOS.

    Until its yield it breaks one thing, and waits for the state that follows. The yield returns the
    page, and what comes then is what an operator does who reads it.

    status: of the command; cause: a pattern in the headline and in STATUS= of the unit; step: the
    begin of the next step; arguments: of the command.
    """
    def add(play: Callable[[Night], Play]) -> None:
        SCENARIOS.append(Scenario(play, status, cause, step, arguments))
    return add
