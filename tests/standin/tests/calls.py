"""Calls of the procedures of replication, and what is expected of them."""

from __future__ import annotations

import pytest

from tests.standin import Aurora, Authority, Source
from tests.standin.client import Client, SqlError, Value, quoted
from tests.standin.cluster import document, import_call
from tests.standin.pki import Pair
from tests.standin.source import REPLICATION_PASSWORD, REPLICATION_USER

START = "CALL mysql.rds_start_replication"
STOP = "CALL mysql.rds_stop_replication"
REMOVE = "CALL mysql.rds_remove_binlog_ssl_material"
ACCESS_DENIED = "1045"
TLS_ERROR = "2026"
RUNNING = "You can't modify replication because replication is running. " \
    "First call mysql.rds_stop_replication."


def runs(status: dict[str, Value]) -> bool:
    return status["Replica_IO_Running"] == status["Replica_SQL_Running"] == "Yes"


def fails(status: dict[str, Value]) -> bool:
    return status["Last_IO_Errno"] != "0"


def login(source: Source) -> str:
    return (f"'127.0.0.1', {source.port}, {quoted(REPLICATION_USER)}, "
            f"{quoted(REPLICATION_PASSWORD)}")


def set_source(source: Source, position: tuple[str, int], ssl: int) -> str:
    return (f"CALL mysql.rds_set_external_source({login(source)}, {quoted(position[0])}, "
            f"{position[1]}, {ssl})")


def set_auto_position(source: Source) -> str:
    return f"CALL mysql.rds_set_external_source_with_auto_position({login(source)}, 1)"


def import_pair(aurora: Aurora, authority: Authority, pair: Pair) -> None:
    aurora.as_importer().sql(import_call(document(authority.certificate, pair)))


def refused(client: Client, call: str) -> str:
    """Returns the message of a call that a procedure refuses."""
    with pytest.raises(SqlError) as caught:
        client.sql(call)
    assert (caught.value.code, caught.value.state) == (1644, "45000")
    return caught.value.message
