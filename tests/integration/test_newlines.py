"""Raw or escaped line ends: detected, stored in the record, logged once, without further CALLs."""

from __future__ import annotations

import re

import pytest

from tests.integration.conftest import configuration
from tests.standin import write_material

BOTH_MAKES = True

FORM_LOGGED = re.compile(r"the server accepted (\w+) line ends")


class ImportCounter:
    """Counts the statements of each rotation on the server, and the log messages about the form."""

    def __init__(self, testbed, service) -> None:
        self.testbed, self.service = testbed, service
        self._counted = self.calls()

    def calls(self) -> dict[str, int]:
        """Prepared and executed statements, without those in the procedure.

        There MariaDB has EXECUTE IMMEDIATE, and MySQL PREPARE and EXECUTE.
        """
        counters = {str(name): int(value or 0) for name, value in self.testbed.aurora.sql(
            "SHOW GLOBAL STATUS WHERE Variable_name IN "
            "('Com_stmt_prepare', 'Com_stmt_execute', 'Com_execute_immediate', 'Com_prepare_sql')")}
        inner = counters.pop("Com_execute_immediate", 0) + counters.pop("Com_prepare_sql")
        return {name: number - inner for name, number in counters.items()}

    def cost(self) -> tuple[int, int]:
        """Returns how many statements were prepared and executed since the last call."""
        before, self._counted = self._counted, self.calls()
        return (self._counted["Com_stmt_prepare"] - before["Com_stmt_prepare"],
                self._counted["Com_stmt_execute"] - before["Com_stmt_execute"])

    def write(self) -> None:
        write_material(self.service.material, self.testbed.authority.certificate,
                       self.testbed.client("newlines"))

    def rotate(self) -> tuple[int, int]:
        """Writes a new set and waits for its import; returns the cost."""
        before = len(self.testbed.aurora.imports())
        self.write()
        self.service.wait(lambda: len(self.testbed.aurora.imports()) == before + 1)
        self.service.wait_cluster("orders", "current")
        return self.cost()

    def logged_forms(self) -> list[str]:
        return FORM_LOGGED.findall(self.service.log())

    def form(self) -> str:
        return str(self.testbed.aurora.imports()[-1]["newlines"])

    def recorded_form(self) -> str:
        return self.service.record("orders")["payload_newlines"]


@pytest.fixture
def counter(testbed, service) -> ImportCounter:
    return ImportCounter(testbed, service)


def test_escaped_is_detected_in_one_attempt_recorded_and_logged_once(testbed, service, counter):
    testbed.aurora.set_option("newlines", "escaped")
    service.configure(configuration(service, testbed.aurora))
    service.start()
    assert counter.rotate() == (2, 2)
    assert (counter.form(), counter.recorded_form(), counter.logged_forms()) == \
        ("escaped", "escaped", ["escaped"])
    assert "payload-newlines = escaped" in service.log()
    metrics = service.ctl("metrics").stdout
    assert re.findall(r"imports_total{.*", metrics) == \
        ['imports_total{cluster="orders",outcome="imported"} 1']

    assert counter.rotate() == (1, 1)
    service.stop()
    service.start()
    assert counter.rotate() == (1, 1)
    assert (counter.form(), counter.logged_forms()) == ("escaped", ["escaped"])

    testbed.aurora.set_option("newlines", "raw")
    assert counter.rotate() == (2, 2)
    assert (counter.form(), counter.recorded_form(), counter.logged_forms()) == \
        ("raw", "raw", ["escaped", "raw"])
    assert counter.rotate() == (1, 1)
    assert counter.logged_forms() == ["escaped", "raw"]


def test_raw_accepted_at_the_first_call_is_logged_once(testbed, service, counter):
    service.configure(configuration(service, testbed.aurora))
    service.start()
    assert counter.rotate() == (1, 1)
    assert counter.rotate() == (1, 1)
    assert (counter.form(), counter.recorded_form(), counter.logged_forms()) == ("raw", "raw",
                                                                                 ["raw"])


def test_a_configured_form_is_sent_and_not_logged(testbed, service, counter):
    service.configure(configuration(service, testbed.aurora, cluster="payload-newlines = escaped"))
    service.start()
    assert counter.rotate() == (1, 1)
    assert (counter.form(), counter.logged_forms()) == ("escaped", [])
    testbed.aurora.set_option("newlines", "raw")
    counter.write()
    cluster = service.wait_cluster("orders", "held")
    assert counter.cost() == (1, 1)
    assert "The SSL material is not in the right format." in cluster["reason"]


def test_the_form_is_logged_even_if_replication_does_not_start(testbed, service, counter):
    testbed.aurora.start_replication()
    testbed.aurora.set_option("newlines", "escaped")
    testbed.aurora.set_option("fail_at", "start")
    service.configure(configuration(service, testbed.aurora, cluster="replication = restart",
                                    daemon="retry-held = 1h"))
    service.start()
    counter.write()
    assert service.wait_cluster("orders", "held")["outcome"] == "replication_failed"
    assert (counter.recorded_form(), counter.logged_forms()) == ("escaped", ["escaped"])


@pytest.mark.parametrize("setting, cost", [("auto", (2, 2)), ("raw", (1, 1))])
def test_a_refusal_for_another_reason_costs_one_more_call(testbed, service, counter, setting, cost):
    testbed.aurora.set_option("fail_at", "import")
    service.configure(configuration(service, testbed.aurora, daemon="retry-held = 1h",
                                    cluster=f"payload-newlines = {setting}"))
    service.start()
    counter.write()
    cluster = service.wait_cluster("orders", "held")
    assert (cluster["outcome"], cluster["sql_errno"]) == ("rejected", 1644)
    assert cluster["reason"].count("The SSL material could not be imported.") == 1
    assert counter.cost() == cost
    assert counter.logged_forms() == []


def test_two_different_refusals_are_both_reported(testbed, service, counter):
    """Raw is refused for its form, escaped for the key: the first message alone would mislead."""
    testbed.aurora.set_option("newlines", "escaped")
    testbed.aurora.set_option("key_like", "-----BEGIN NO KEY-----")
    service.configure(configuration(service, testbed.aurora, daemon="retry-held = 1h"))
    service.start()
    counter.write()
    reason = service.wait_cluster("orders", "held")["reason"]
    first, second = reason.split("; and with escaped line ends: ")
    assert first.endswith("The SSL material is not in the right format.")
    assert second.startswith("ssl_key must be an RSA PRIVATE KEY.")


def test_a_missing_grant_costs_no_call(testbed, service, counter):
    grant = "EXECUTE ON PROCEDURE mysql.rds_import_binlog_ssl_material"
    testbed.aurora.sql(f"REVOKE {grant} FROM ssl_importer@'%'")
    try:
        service.configure(configuration(service, testbed.aurora, daemon="retry-held = 1h"))
        service.start()
        counter.write()
        assert service.wait_cluster("orders", "held")["outcome"] == "no_privilege"
    finally:
        testbed.aurora.sql(f"GRANT {grant} TO ssl_importer@'%'")
    assert counter.cost()[0] == 1


def test_a_missing_procedure_costs_no_call(testbed, service, counter):
    with testbed.aurora.without_procedure():
        service.configure(configuration(service, testbed.aurora, daemon="retry-held = 1h"))
        service.start()
        counter.write()
        assert service.wait_cluster("orders", "held")["outcome"] == "no_procedure"
    assert counter.cost()[0] == 1
