"""Settings of the server and of init_connect, each turned against the session of an import."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.conftest import LEDGER_TABLE as TABLE
from tests.integration.conftest import Testbed, configuration, ledger_created
from tests.standin import write_material
from tests.standin.client import quoted
from tests.standin.service import Service

BOTH_MAKES = True


def variable(name: str, value: str, before: str) -> tuple[str, str]:
    return f"SET GLOBAL {name} = {value}", f"SET GLOBAL {name} = {before}"


def at_connect(statement: str) -> tuple[str, str]:
    return variable("init_connect", quoted(statement), "''")


# The statement, and the one that undoes it.
TURNED = {
    "autocommit": variable("autocommit", "0", "1"),
    "autocommit-at-connect": at_connect("SET autocommit = 0"),
    "open-transaction": at_connect("START TRANSACTION"),
    "open-transaction-read-only": at_connect("START TRANSACTION READ ONLY"),
    "read-only-transactions": ("SET GLOBAL TRANSACTION READ ONLY",
                               "SET GLOBAL TRANSACTION READ WRITE"),
    "serializable": ("SET GLOBAL TRANSACTION ISOLATION LEVEL SERIALIZABLE",
                     "SET GLOBAL TRANSACTION ISOLATION LEVEL REPEATABLE READ"),
    "completion": variable("completion_type", "'RELEASE'", "'NO_CHAIN'"),
    "sql-mode": variable("sql_mode", "'ANSI,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES'", "DEFAULT"),
    "time-zone": variable("time_zone", "'+13:00'", "'SYSTEM'"),
    "time-zone-at-connect": at_connect("SET time_zone = '-12:00'"),
    "safe-updates": variable("sql_safe_updates", "1", "0"),
    "character-set-at-connect": at_connect("SET NAMES latin1"),
}


@pytest.fixture
def turned(testbed: Testbed, service: Service,
           request: pytest.FixtureRequest) -> Iterator[None]:
    statement, undo = TURNED[request.param]
    with ledger_created(testbed):
        testbed.aurora.sql(statement)
        yield
        testbed.aurora.sql(undo)


@pytest.mark.parametrize("turned", TURNED, indirect=True)
@pytest.mark.usefixtures("turned")
def test_what_is_called_imported_is_committed(testbed: Testbed, service: Service) -> None:
    before = len(testbed.aurora.imports())
    service.configure(configuration(service, testbed.aurora, cluster=f"ledger = {TABLE}"))
    assert service.run("--check-clusters").returncode == 0
    write_material(service.material, testbed.authority.certificate, testbed.client("state"))
    service.start()
    cluster = service.wait_cluster("orders", "current")
    assert service.stop() == 0
    assert cluster["outcome"] == "imported"
    assert len(testbed.aurora.imports()) == before + 1
    (row,) = testbed.aurora.rows(f"SELECT *, imported_at BETWEEN UTC_TIMESTAMP() - INTERVAL 1 HOUR "
                                 f"AND UTC_TIMESTAMP() + INTERVAL 1 HOUR AS recent FROM {TABLE}")
    assert (row["state"], row["fingerprint"]) == ("imported", cluster["imported_fingerprint"])
    assert row["recent"] == "1"


def test_a_transaction_that_the_procedure_leaves_open_is_committed(testbed: Testbed,
                                                                   service: Service) -> None:
    before = len(testbed.aurora.imports())
    testbed.aurora.set_option("transaction", "open")
    service.configure(configuration(service, testbed.aurora))
    write_material(service.material, testbed.authority.certificate, testbed.client("open"))
    service.start()
    assert service.wait_cluster("orders", "current")["outcome"] == "imported"
    assert service.stop() == 0
    assert len(testbed.aurora.imports()) == before + 1
