"""What differs between the makes of servers, MariaDB and MySQL."""

from __future__ import annotations

import os
import subprocess
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from .process import die_with

ACCOUNT = "mysql"

# Small files and buffers: a test session copies and starts many servers. The template and its
# copies must have the same settings.
STORAGE = [
    "--innodb-buffer-pool-size=8M",
    "--innodb-log-buffer-size=2M",
    "--innodb-autoextend-increment=1",
    "--innodb-use-native-aio=0",
    "--key-buffer-size=64K",
]


class Unavailable(Exception):
    """The reason why this machine has no server of a make."""


class Make(ABC):
    name: str
    program: str
    options: list[str]  # of the template and of each server
    stays_stopped: str  # the option with which replication does not start with the server
    procedures: Path  # the SQL that precedes procedures.sql
    status_privilege: str  # for SHOW REPLICA STATUS
    default_plugin: str  # of a user IDENTIFIED BY a password
    login_flights: int  # of a client that begins with mysql_native_password, as libmariadb does
    identified_by: str  # the same clause for a user that may have another plugin
    connect_retry: str  # the statement that sets it, to seconds
    position: str  # the statement that shows the position of the binary log
    reload_tls: str  # the statement that reads the files of the server's own TLS again
    crash_safe: bool  # a position by file is written with the transaction, and survives SIGKILL
    executed: str  # the variable with the GTIDs of a source
    purged: str  # Last_IO_Errno of a replica whose next event is gone from the source
    auto_position: tuple[str, str]  # a column of the status, and its value with auto position

    @abstractmethod
    def initialisation(self, datadir: Path) -> list[str]:
        """The command that fills a data directory, in which only root can log in, by the socket."""

    @abstractmethod
    def assume(self, executed: str) -> str:
        """The SQL with which a stopped replica counts as having executed these GTIDs only."""

    @abstractmethod
    def add_channel(self, name: str, port: int) -> str:
        """The SQL that configures one more channel of replication, over TLS."""

    @abstractmethod
    def remove_channel(self, name: str) -> str: ...

    def command(self, datadir: Path) -> list[str]:
        return [self.program, "--no-defaults", *STORAGE, *self.options, f"--datadir={datadir}"]

    def child(self, shared: Path) -> dict[str, Any]:
        """Arguments of Popen for a process of a server that needs the files below this directory.

        Not the server's option --user: a change of user clears the parent-death signal, so the user
        is changed before the signal is set.
        """
        return {"user": ACCOUNT, "group": ACCOUNT, "extra_groups": [], "cwd": "/",
                "stdin": subprocess.DEVNULL, "preexec_fn": die_with(os.getpid())}
