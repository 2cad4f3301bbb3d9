"""A held cluster shows the next step. After the cause is removed, it is imported: immediately by
binlog-sslctl import, or after retry-held."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass

import pytest

from tests.integration.conftest import Testbed, configuration
from tests.standin import write_material
from tests.standin.cluster import IMPORT_PASSWORD
from tests.standin.service import Service

BOTH_MAKES = True

PROCEDURE = "EXECUTE ON PROCEDURE mysql.rds_import_binlog_ssl_material"
ACCOUNT = "ssl_importer@'%'"


@dataclass(frozen=True)
class Problem:
    outcome: str
    errno: int | None
    cause: Callable[[Testbed, Service], AbstractContextManager[None]]  # its end is the cure
    reason: str  # patterns of the reason
    advice: str  # and of the next step


@contextmanager
def statements(testbed: Testbed, do: str, undo: str) -> Iterator[None]:
    testbed.aurora.sql(do)
    try:
        yield
    finally:
        testbed.aurora.sql(undo)


@contextmanager
def password(service: Service, text: str | None) -> Iterator[None]:
    path = service.password_file(text or "")
    if text is None:
        path.unlink()
    try:
        yield
    finally:
        service.password_file(IMPORT_PASSWORD)


PROBLEMS = [
    Problem("no_privilege", 1370,
            lambda testbed, service: statements(testbed, f"REVOKE {PROCEDURE} FROM {ACCOUNT}",
                                                f"GRANT {PROCEDURE} TO {ACCOUNT}"),
            "execute command denied to user", f"GRANT {re.escape(PROCEDURE)} "),
    Problem("refused_log", None,
            lambda testbed, service: statements(testbed, "SET GLOBAL general_log = 1",
                                                "SET GLOBAL general_log = 0"),
            "write the key to a log: general_log = ON", r"\boff\b|general_log = 0"),
    Problem("auth", 1045, lambda testbed, service: password(service, "wrong"),
            "Access denied for user 'ssl_importer'", "password"),
    Problem("auth", 1045,
            lambda testbed, service: statements(
                testbed, f"ALTER USER {ACCOUNT} REQUIRE SUBJECT '/CN=nobody'",
                f"ALTER USER {ACCOUNT} REQUIRE SSL"),
            "Access denied for user 'ssl_importer'", "account"),
    Problem("rejected", 1644,
            lambda testbed, service: statements(
                testbed, "UPDATE standin.options SET value = 'import' WHERE name = 'fail_at'",
                "UPDATE standin.options SET value = initial"),
            r"The SSL material could not be imported\.", "payload-newlines"),
    Problem("no_procedure", 1305, lambda testbed, service: testbed.aurora.without_procedure(),
            "rds_import_binlog_ssl_material does not exist", "Aurora MySQL version"),
]


@pytest.fixture(params=PROBLEMS, ids=[f"{problem.outcome}-{number}"
                                      for number, problem in enumerate(PROBLEMS)])
def problem(request, testbed, service) -> Iterator[tuple[Problem, Callable[[], None]]]:
    """Causes the problem; returns it, and the function that removes its cause."""
    with ExitStack() as stack:
        stack.enter_context(request.param.cause(testbed, service))
        yield request.param, stack.close


def start(testbed, service, retry_held: str) -> int:
    """Starts the service; returns the number of imports before."""
    service.configure(configuration(service, testbed.aurora, daemon=f"retry-held = {retry_held}",
                                    cluster="replication = ignore"))
    write_material(service.material, testbed.authority.certificate, testbed.client("recovery"))
    before = len(testbed.aurora.imports())
    service.start()
    return before


def test_a_held_cluster_shows_the_next_step_and_import_retries_it(testbed, service, problem):
    problem, cure = problem
    before = start(testbed, service, "1h")
    cluster = service.wait_cluster("orders", "held")
    assert (cluster["outcome"], cluster["sql_errno"]) == (problem.outcome, problem.errno)
    assert re.search(problem.reason, cluster["reason"])
    for text in (json.dumps(cluster), " ".join(service.ctl("status").stdout.split()),
                 service.log()):
        assert re.search(problem.advice, text)
    assert cluster["next_attempt"] - cluster["last_attempt"] > 3000 * 1000000
    assert cluster["imported_fingerprint"] is None and service.ctl("status").returncode == 2

    # Before the cause is removed, an import fails again and reports the reason.
    done = service.ctl("import", "--wait")
    assert done.returncode == 1 and re.search(problem.reason, done.stdout + done.stderr)
    assert len(testbed.aurora.imports()) == before

    cure()
    assert service.ctl("import", "--wait").returncode == 0
    cluster = service.cluster("orders")
    assert (cluster["state"], cluster["reason"]) == ("current", None)
    assert cluster["sql_errno"] is None
    assert len(testbed.aurora.imports()) == before + 1
    assert service.ctl("status").returncode == 0


def test_a_held_cluster_is_retried_after_retry_held(testbed, service, problem):
    problem, cure = problem
    before = start(testbed, service, "300ms")
    service.wait(lambda: service.cluster("orders")["outcome"] == problem.outcome)
    service.wait(lambda: service.cluster("orders")["attempts"] > 1)
    assert len(testbed.aurora.imports()) == before
    cure()
    service.wait_cluster("orders", "current")
    assert len(testbed.aurora.imports()) == before + 1


def test_a_held_cluster_is_out_of_sync_since_before_a_restart(testbed, service):
    hour = 3600 * 1000000
    path = service.directory / "state" / "orders.json"
    with PROBLEMS[0].cause(testbed, service):
        start(testbed, service, "1h")
        service.wait_cluster("orders", "held")
        assert service.stop() == 0
        record = json.loads(path.read_text())
        record["out_of_sync_since"] -= hour
        path.write_text(json.dumps(record))
        service.start()
        held = service.wait_cluster("orders", "held")
    # The boot time and the wall clock are read one after the other.
    assert abs(held["out_of_sync_since"] - record["out_of_sync_since"]) < hour // 10
    service.ctl("import", "--wait")
    assert service.cluster("orders")["out_of_sync_since"] is None
    assert "out_of_sync_since" not in service.record("orders")


def test_a_password_file_that_comes_later_is_read_with_the_back_off(testbed, service):
    with password(service, None):
        before = start(testbed, service, "1h")
        service.wait(lambda: service.cluster("orders")["attempts"] > 2)
        cluster = service.wait_cluster("orders", "retrying")
        assert (cluster["outcome"], cluster["sql_errno"]) == ("auth", None)
        assert re.search("no password: .*/etc/password: No such file", cluster["reason"])
        assert service.ctl("status").returncode == 1
    service.wait_cluster("orders", "current")
    assert len(testbed.aurora.imports()) == before + 1


def test_a_reload_and_a_new_set_do_not_wait_for_retry_held(testbed, service):
    """Each of them resets every back-off."""
    problem = PROBLEMS[0]
    with problem.cause(testbed, service):
        before = start(testbed, service, "1h")
        service.wait_cluster("orders", "held")
    assert service.ctl("reload").returncode == 0
    service.wait_cluster("orders", "current")
    assert len(testbed.aurora.imports()) == before + 1

    with problem.cause(testbed, service):
        write_material(service.material, testbed.authority.certificate, testbed.client("held"))
        service.wait_cluster("orders", "held")
    write_material(service.material, testbed.authority.certificate, testbed.client("recovered"))
    service.wait_cluster("orders", "current")
    assert len(testbed.aurora.imports()) == before + 2
