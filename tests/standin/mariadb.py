"""MariaDB of this machine."""

from __future__ import annotations

from pathlib import Path

from .client import quoted
from .make import STORAGE, Make


class MariaDB(Make):
    name = "mariadb"
    program = "mariadbd"
    options = [
        "--innodb-log-file-size=4M",
        "--innodb-data-file-path=ibdata1:10M:autoextend",
        "--innodb-temp-data-file-path=ibtmp1:5M:autoextend",
        "--aria-pagecache-buffer-size=1M",
        "--performance-schema=OFF",
    ]
    stays_stopped = "--skip-slave-start"
    procedures = Path(__file__).with_name("mariadb.sql")
    status_privilege = "REPLICA MONITOR"
    default_plugin = "mysql_native_password"
    login_flights = 1
    identified_by = "IDENTIFIED BY"
    connect_retry = "CHANGE MASTER TO MASTER_CONNECT_RETRY = {}"
    position = "SHOW MASTER STATUS"
    reload_tls = "FLUSH SSL"
    crash_safe = False
    executed = "@@gtid_binlog_pos"
    purged = "1236"
    auto_position = ("Using_Gtid", "Slave_Pos")

    def initialisation(self, datadir: Path) -> list[str]:
        # --force: also on a host whose own name cannot be looked up.
        return ["mariadb-install-db", "--no-defaults", "--force", *STORAGE, *self.options,
                f"--datadir={datadir}", "--auth-root-authentication-method=socket",
                "--auth-root-socket-user=root", "--skip-test-db", "--skip-name-resolve"]

    def assume(self, executed: str) -> str:
        return f"SET GLOBAL gtid_slave_pos = {quoted(executed)}"

    def add_channel(self, name: str, port: int) -> str:
        return (f"CHANGE MASTER {quoted(name)} TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {port}, "
                "MASTER_USER = 'nobody', MASTER_SSL = 1;")

    def remove_channel(self, name: str) -> str:
        return f"RESET REPLICA {quoted(name)} ALL;"
