"""What is held says what to do; once that is done, it is imported: at once when asked for, and by
itself when retry-held has passed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.integration.conftest import configuration
from tests.standin import write_material
from tests.standin.cluster import IMPORT_PASSWORD

PROCEDURE = "EXECUTE ON PROCEDURE mysql.rds_import_binlog_ssl_material"
Step = Callable[..., object]


@dataclass(frozen=True)
class Trouble:
    outcome: str
    errno: int | None
    cause: Step  # with testbed and service
    cure: Step
    reason: str  # patterns: what has happened,
    advice: str  # and what to do about it


def hide(house, service) -> None:
    house.aurora.sql("UPDATE mysql.proc SET name = 'hidden' WHERE db = 'mysql' "
                     "AND name = 'rds_import_binlog_ssl_material'")


def show(house, service) -> None:
    house.aurora.sql("UPDATE mysql.proc SET name = 'rds_import_binlog_ssl_material' "
                     "WHERE db = 'mysql' AND name = 'hidden'")


def sql(text: str) -> Step:
    return lambda house, service: house.aurora.sql(text)


TROUBLES = [
    Trouble("no_privilege", 1370, sql(f"REVOKE {PROCEDURE} FROM ssl_importer@'%'"),
            sql(f"GRANT {PROCEDURE} TO ssl_importer@'%'"),
            "execute command denied to user", f"GRANT {re.escape(PROCEDURE)} "),
    Trouble("refused_log", None, sql("SET GLOBAL general_log = 1"),
            sql("SET GLOBAL general_log = 0"),
            "write the key to a log: general_log = ON", r"\boff\b|general_log = 0"),
    Trouble("auth", 1045, lambda house, service: service.password_file("wrong"),
            lambda house, service: service.password_file(IMPORT_PASSWORD),
            "Access denied for user 'ssl_importer'", "password"),
    Trouble("auth", None,
            lambda house, service: (service.directory / "etc" / "password").unlink(),
            lambda house, service: service.password_file(IMPORT_PASSWORD),
            "no password: .*/etc/password: No such file", "password"),
    Trouble("auth", 1045, sql("ALTER USER ssl_importer@'%' REQUIRE SUBJECT '/CN=nobody'"),
            sql("ALTER USER ssl_importer@'%' REQUIRE SSL"),
            "Access denied for user 'ssl_importer'", "account"),
    Trouble("rejected", 1644,
            lambda house, service: house.aurora.set_option("fail_at", "import"),
            lambda house, service: house.aurora.set_option("fail_at", ""),
            r"The SSL material could not be imported\.", "payload-newlines"),
    Trouble("no_procedure", 1305, hide, show,
            "rds_import_binlog_ssl_material does not exist", "Aurora MySQL version"),
]


@pytest.fixture(params=TROUBLES, ids=[f"{trouble.outcome}-{number}"
                                      for number, trouble in enumerate(TROUBLES)])
def trouble(request, house, service):
    """Caused, and cured whatever happens."""
    trouble: Trouble = request.param
    trouble.cause(house, service)
    yield trouble
    trouble.cure(house, service)


def start(house, service, retry_held: str) -> int:
    """How many imports there were."""
    service.configure(configuration(service, house.aurora, daemon=f"retry-held = {retry_held}"))
    write_material(service.material, house.authority.certificate, house.client("healing"))
    before = len(house.aurora.imports())
    service.start()
    return before


def test_what_is_held_says_what_to_do_and_heals_when_told(house, service, trouble):
    before = start(house, service, "1h")
    cluster = service.wait_cluster("orders", "held")
    assert (cluster["outcome"], cluster["sql_errno"]) == (trouble.outcome, trouble.errno)
    assert re.search(trouble.reason, cluster["reason"])
    for told in (json.dumps(cluster), " ".join(service.ctl("status").stdout.split()),
                 service.log()):
        assert re.search(trouble.advice, told)
    assert cluster["next_attempt"] - cluster["last_attempt"] > 3000 * 1000000
    assert cluster["imported_fingerprint"] is None and service.ctl("status").returncode == 2

    # Asked for too early it fails again, and says so.
    done = service.ctl("import", "--wait")
    assert done.returncode == 1 and re.search(trouble.reason, done.stdout + done.stderr)
    assert len(house.aurora.imports()) == before

    trouble.cure(house, service)
    assert service.ctl("import", "--wait").returncode == 0
    cluster = service.cluster("orders")
    assert (cluster["state"], cluster["reason"]) == ("current", None)
    assert cluster["sql_errno"] is None
    assert len(house.aurora.imports()) == before + 1
    assert service.ctl("status").returncode == 0


def test_what_is_held_heals_by_itself(house, service, trouble):
    before = start(house, service, "300ms")
    service.wait(lambda: service.cluster("orders")["outcome"] == trouble.outcome)
    service.wait(lambda: service.cluster("orders")["attempts"] > 1)
    assert len(house.aurora.imports()) == before
    trouble.cure(house, service)
    service.wait_cluster("orders", "current")
    assert len(house.aurora.imports()) == before + 1


def test_a_reload_and_a_new_set_do_not_wait_for_retry_held_either(house, service):
    """Promise 3: each of them resets every back-off."""
    trouble = TROUBLES[0]
    trouble.cause(house, service)
    try:
        before = start(house, service, "1h")
        service.wait_cluster("orders", "held")
    finally:
        trouble.cure(house, service)
    assert service.ctl("reload").returncode == 0
    service.wait_cluster("orders", "current")
    assert len(house.aurora.imports()) == before + 1

    trouble.cause(house, service)
    try:
        write_material(service.material, house.authority.certificate, house.client("held"))
        service.wait_cluster("orders", "held")
    finally:
        trouble.cure(house, service)
    write_material(service.material, house.authority.certificate, house.client("healed"))
    service.wait_cluster("orders", "current")
    assert len(house.aurora.imports()) == before + 2
