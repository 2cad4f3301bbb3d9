"""The mariadb command as a client of a server of the stand-in."""

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
    """Logs in anew for every text; a word NULL in the answer reads as None."""

    arguments: list[str] = field(default_factory=list)
    password: str = ""
    seconds: float = 60

    @classmethod
    def on_socket(cls, socket: Path) -> Client:
        return cls([f"--socket={socket}", "--user=root"])

    @classmethod
    def over_tcp(cls, port: int, user: str, password: str, *, ca: Path | None,
                 host: str = "127.0.0.1") -> Client:
        """With a CA: TLS, with the server's name verified. Without: plain text."""
        tls = ["--skip-ssl"] if ca is None else [f"--ssl-ca={ca}", "--ssl-verify-server-cert"]
        return cls([f"--host={host}", "--protocol=tcp", f"--port={port}", f"--user={user}", *tls],
                   password)

    def sql(self, text: str) -> list[list[Value]]:
        return [_fields(line) for line in self._run(text, "--skip-column-names")]

    def rows(self, text: str) -> list[dict[str, Value]]:
        """The rows of one result set under their column names."""
        lines = self._run(text)
        if not lines:
            return []
        names = [name or "" for name in _fields(lines[0])]
        return [dict(zip(names, _fields(line))) for line in lines[1:]]

    def _run(self, text: str, *more: str) -> list[str]:
        # The text goes in by standard input: keys have no place in a list of processes.
        done = subprocess.run(
            ["mariadb", "--no-defaults", "--batch", "--default-character-set=utf8mb4",
             *self.arguments, *more],
            input=text, capture_output=True, encoding="utf-8", errors="replace",
            timeout=self.seconds, env={**os.environ, "MYSQL_PWD": self.password})
        if done.returncode != 0:
            raise SqlError(done.stderr)
        return done.stdout.split("\n")[:-1]


def quoted(text: str) -> str:
    """As a literal of SQL, under the default sql_mode."""
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _fields(line: str) -> list[Value]:
    return [None if part == "NULL" else ESCAPE.sub(lambda m: ESCAPED.get(m[1], m[0]), part)
            for part in line.split("\t")]
