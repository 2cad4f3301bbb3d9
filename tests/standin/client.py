"""The mariadb command as a client of a stand-in server."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ERROR = re.compile(r"^ERROR (\d+)(?: \((\w+)\))?(?: at line \d+)?: (.*)", re.MULTILINE | re.DOTALL)
ESCAPE = re.compile(r"\\(.)")
ESCAPED = {"n": "\n", "t": "\t", "0": "\0", "\\": "\\"}

Value = str | None


class SqlError(Exception):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        found = ERROR.search(text)
        self.code = int(found[1]) if found else 0
        self.state = found[2] if found else ""
        self.message = found[3].strip() if found else text.strip()


@dataclass(frozen=True)
class Client:
    """Logs in for each call. The word NULL in a result is read as None."""

    arguments: list[str] = field(default_factory=list)
    password: str = ""
    seconds: float = 60

    @classmethod
    def on_socket(cls, socket: Path) -> Client:
        return cls([f"--socket={socket}", "--user=root", "--skip-ssl"])

    @classmethod
    def over_tcp(cls, port: int, user: str, password: str, *, ca: Path | None,
                 host: str = "127.0.0.1") -> Client:
        """ca: TLS with verification of the server's name; None: without TLS."""
        tls = ["--skip-ssl"] if ca is None else [f"--ssl-ca={ca}", "--ssl-verify-server-cert"]
        return cls([f"--host={host}", "--protocol=tcp", f"--port={port}", f"--user={user}", *tls],
                   password)

    def sql(self, text: str) -> list[list[Value]]:
        return [_fields(line) for line in self._run(text, "--skip-column-names")]

    def output(self, text: str) -> list[str]:
        """Returns the lines that the command prints: quicker than sql(), with escapes."""
        return self._run(text, "--skip-column-names")

    def rows(self, text: str) -> list[dict[str, Value]]:
        """Returns the rows of one result set by column name."""
        lines = self._run(text)
        if not lines:
            return []
        names = [name or "" for name in _fields(lines[0])]
        return [dict(zip(names, _fields(line))) for line in lines[1:]]

    def command(self, *more: str) -> list[str]:
        return ["mariadb", "--no-defaults", "--batch", "--default-character-set=utf8mb4",
                *self.arguments, *more]

    def _run(self, text: str, *more: str) -> list[str]:
        # The text goes to standard input: a key must not be in the list of processes.
        done = subprocess.run(
            self.command(*more), input=text, capture_output=True, encoding="utf-8", errors="replace",
            timeout=self.seconds, env={**os.environ, "MYSQL_PWD": self.password})
        if done.returncode != 0:
            raise SqlError(done.stderr)
        return done.stdout.split("\n")[:-1]


def quoted(text: str) -> str:
    """Returns text as an SQL literal for the default sql_mode."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _fields(line: str) -> list[Value]:
    return [None if part == "NULL" else ESCAPE.sub(lambda m: ESCAPED.get(m[1], m[0]), part)
            for part in line.split("\t")]
