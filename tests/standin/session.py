"""A connection that stays open: the mariadb command with its input held."""

from __future__ import annotations

import os
import subprocess
from types import TracebackType

from .client import Client


class Disconnected(Exception):
    """The server has ended the connection, or refused a statement: what became of it is unknown."""


class Session:
    def __init__(self, client: Client) -> None:
        self._process = subprocess.Popen(
            client.command("--skip-column-names", "--unbuffered", "--skip-reconnect"),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, "MYSQL_PWD": client.password})

    def ask(self, text: str) -> str:
        """Executes statements of which exactly one returns a row, and returns this row."""
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(text + ";\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise Disconnected from error
        line = self._process.stdout.readline()
        if not line.endswith("\n"):
            raise Disconnected
        return line.removesuffix("\n")

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()
