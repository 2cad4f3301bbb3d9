"""MySQL of another suite of Debian, in a root of its own that tests/make-root makes."""

from __future__ import annotations

import grp
import os
import pwd
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from .client import quoted
from .make import ACCOUNT, Make, Unavailable
from .process import die_with, enter_root

MAKE_ROOT = Path(__file__).parents[1] / "make-root"
SUITE = "sid"
PACKAGE = "mysql-server-core"

ROOT_BY_SOCKET = """INSTALL PLUGIN auth_socket SONAME 'auth_socket.so';
ALTER USER root@localhost IDENTIFIED WITH auth_socket;
"""


class MySQL(Make):
    name = "mysql"
    program = "/usr/sbin/mysqld"
    options = [
        "--innodb-redo-log-capacity=8M",
        "--innodb-doublewrite=OFF",
        "--auto-generate-certs=OFF",
        "--caching-sha2-password-auto-generate-rsa-keys=OFF",
        "--mysqlx=OFF",
        "--collation-server=utf8mb4_general_ci",  # that of the mariadb command
        "--secure-file-priv=",  # INTO DUMPFILE may write everywhere
        "--skip-log-bin",
    ]
    stays_stopped = "--skip-replica-start"
    procedures = Path(__file__).with_name("mysql.sql")
    status_privilege = "REPLICATION CLIENT"
    default_plugin = "caching_sha2_password"
    login_flights = 2
    identified_by = "IDENTIFIED WITH caching_sha2_password BY"
    connect_retry = "CHANGE REPLICATION SOURCE TO SOURCE_CONNECT_RETRY = {}"
    position = "SHOW BINARY LOG STATUS"
    reload_tls = "ALTER INSTANCE RELOAD TLS"
    crash_safe = True
    executed = "@@gtid_executed"
    purged = "13114"  # error 1236 of the source is in the text only
    auto_position = ("Auto_Position", "1")

    def __init__(self) -> None:
        if "TEST_ROOTS" not in os.environ:
            raise Unavailable("TEST_ROOTS names no directory for a root with MySQL")
        self._root = Path(os.environ["TEST_ROOTS"]).resolve() / SUITE
        made = subprocess.run([str(MAKE_ROOT), SUITE, str(self._root), PACKAGE],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if made.returncode != 0:
            raise Unavailable(made.stderr.strip())
        try:
            subprocess.run([self.program, "--version"], **self.child(Path(tempfile.gettempdir())),
                           stdout=subprocess.DEVNULL, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            raise Unavailable(f"mysqld does not run in a mount namespace: {error}") from error

    def initialisation(self, datadir: Path) -> list[str]:
        script = datadir.with_suffix(".sql")
        script.write_text(ROOT_BY_SOCKET)
        return [*self.command(datadir), "--initialize-insecure", f"--init-file={script}"]

    def assume(self, executed: str) -> str:
        return f"RESET BINARY LOGS AND GTIDS; SET GLOBAL gtid_purged = {quoted(executed)}"

    def add_channel(self, name: str, port: int) -> str:
        return (f"CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {port}, "
                f"SOURCE_USER = 'nobody', SOURCE_SSL = 1 FOR CHANNEL {quoted(name)};")

    def remove_channel(self, name: str) -> str:
        return f"RESET REPLICA ALL FOR CHANNEL {quoted(name)};"

    def child(self, shared: Path) -> dict[str, Any]:
        """As for every make, but in the root, where the directory has the same path."""
        user, group = pwd.getpwnam(ACCOUNT).pw_uid, grp.getgrnam(ACCOUNT).gr_gid
        ends_with_parent = die_with(os.getpid())
        (self._root / shared.relative_to("/")).mkdir(parents=True, exist_ok=True)

        def prepare() -> None:
            enter_root(self._root, shared)
            os.setgroups([])
            os.setgid(group)
            os.setuid(user)
            ends_with_parent()

        return {"stdin": subprocess.DEVNULL, "preexec_fn": prepare}
