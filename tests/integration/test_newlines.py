"""Raw or escaped line ends: found out by asking, remembered, said once; no CALL more than that."""

from __future__ import annotations

import re

import pytest

from tests.integration.conftest import configuration
from tests.standin import write_material

NEWS = re.compile(r"the server took (\w+) line ends")


class Teller:
    """One service with one cluster: what each rotation cost the server, and what was said of it."""

    def __init__(self, house, service) -> None:
        self.house, self.service = house, service
        self._counted = self.calls()

    def calls(self) -> dict[str, int]:
        """Statements prepared and executed; the procedure's own are immediate ones in both."""
        counters = {str(name): int(value or 0) for name, value in self.house.aurora.sql(
            "SHOW GLOBAL STATUS WHERE Variable_name IN "
            "('Com_stmt_prepare', 'Com_stmt_execute', 'Com_execute_immediate')")}
        immediate = counters.pop("Com_execute_immediate")
        return {name: number - immediate for name, number in counters.items()}

    def cost(self) -> tuple[int, int]:
        """How many were prepared and executed since the last time."""
        before, self._counted = self._counted, self.calls()
        return (self._counted["Com_stmt_prepare"] - before["Com_stmt_prepare"],
                self._counted["Com_stmt_execute"] - before["Com_stmt_execute"])

    def write(self) -> None:
        write_material(self.service.material, self.house.authority.certificate,
                       self.house.client("newlines"))

    def rotate(self) -> tuple[int, int]:
        """The cost of a set that was imported."""
        before = len(self.house.aurora.imports())
        self.write()
        self.service.wait(lambda: len(self.house.aurora.imports()) == before + 1)
        self.service.wait_cluster("orders", "current")
        return self.cost()

    def news(self) -> list[str]:
        return NEWS.findall(self.service.log())

    def form(self) -> str:
        return str(self.house.aurora.imports()[-1]["newlines"])

    def remembered(self) -> str:
        return self.service.record("orders")["payload_newlines"]


@pytest.fixture
def teller(house, service) -> Teller:
    return Teller(house, service)


def test_escaped_is_found_in_one_attempt_remembered_and_said_once(house, service, teller):
    house.aurora.set_option("newlines", "escaped")
    service.configure(configuration(service, house.aurora))
    service.start()
    assert teller.rotate() == (2, 2)
    assert (teller.form(), teller.remembered(), teller.news()) == ("escaped",) * 2 + (["escaped"],)
    assert "payload-newlines = escaped" in service.log()
    metrics = service.ctl("metrics").stdout
    assert re.findall(r"imports_total{.*", metrics) == \
        ['imports_total{cluster="orders",outcome="imported"} 1']

    assert teller.rotate() == (1, 1)
    service.stop()
    service.start()
    assert teller.rotate() == (1, 1)
    assert (teller.form(), teller.news()) == ("escaped", ["escaped"])

    house.aurora.set_option("newlines", "raw")
    assert teller.rotate() == (2, 2)
    assert (teller.form(), teller.remembered(), teller.news()) == \
        ("raw", "raw", ["escaped", "raw"])
    assert teller.rotate() == (1, 1)
    assert teller.news() == ["escaped", "raw"]


def test_what_is_taken_at_once_is_said_once_too(house, service, teller):
    service.configure(configuration(service, house.aurora))
    service.start()
    assert teller.rotate() == (1, 1)
    assert teller.rotate() == (1, 1)
    assert (teller.form(), teller.remembered(), teller.news()) == ("raw", "raw", ["raw"])


def test_a_form_that_is_configured_is_sent_and_is_no_news(house, service, teller):
    service.configure(configuration(service, house.aurora, cluster="payload-newlines = escaped"))
    service.start()
    assert teller.rotate() == (1, 1)
    assert (teller.form(), teller.news()) == ("escaped", [])
    house.aurora.set_option("newlines", "raw")
    teller.write()
    cluster = service.wait_cluster("orders", "held")
    assert teller.cost() == (1, 1)
    assert "The SSL material is not in the right format." in cluster["reason"]


def test_the_form_is_said_also_where_replication_did_not_come_back(house, service, teller):
    house.aurora.set_option("newlines", "escaped")
    house.aurora.set_option("fail_at", "start")
    service.configure(configuration(service, house.aurora, cluster="replication = restart",
                                    daemon="retry-held = 1h"))
    service.start()
    teller.write()
    assert service.wait_cluster("orders", "held")["outcome"] == "replication_failed"
    assert (teller.remembered(), teller.news()) == ("escaped", ["escaped"])


@pytest.mark.parametrize("setting, cost", [("auto", (2, 2)), ("raw", (1, 1))])
def test_a_refusal_for_another_reason_costs_one_call_more(house, service, teller, setting, cost):
    house.aurora.set_option("fail_at", "import")
    service.configure(configuration(service, house.aurora, daemon="retry-held = 1h",
                                    cluster=f"payload-newlines = {setting}"))
    service.start()
    teller.write()
    cluster = service.wait_cluster("orders", "held")
    assert (cluster["outcome"], cluster["sql_errno"]) == ("rejected", 1644)
    assert cluster["reason"].count("The SSL material could not be imported.") == 1
    assert teller.cost() == cost
    assert teller.news() == []


def test_two_refusals_that_differ_are_both_told(house, service, teller):
    """Raw is refused for its form, and escaped for the key: to tell the first alone would mislead."""
    house.aurora.set_option("newlines", "escaped")
    house.aurora.set_option("key_like", "-----BEGIN NO KEY-----")
    service.configure(configuration(service, house.aurora, daemon="retry-held = 1h"))
    service.start()
    teller.write()
    reason = service.wait_cluster("orders", "held")["reason"]
    first, second = reason.split("; and with escaped line ends: ")
    assert first.endswith("The SSL material is not in the right format.")
    assert second.startswith("ssl_key must be an RSA PRIVATE KEY.")


def test_a_missing_grant_costs_no_call(house, service, teller):
    grant = "EXECUTE ON PROCEDURE mysql.rds_import_binlog_ssl_material"
    house.aurora.sql(f"REVOKE {grant} FROM ssl_importer@'%'")
    try:
        service.configure(configuration(service, house.aurora, daemon="retry-held = 1h"))
        service.start()
        teller.write()
        assert service.wait_cluster("orders", "held")["outcome"] == "no_privilege"
    finally:
        house.aurora.sql(f"GRANT {grant} TO ssl_importer@'%'")
    assert teller.cost()[0] == 1


def test_a_missing_procedure_costs_no_call(house, service, teller):
    with house.aurora.without_procedure():
        service.configure(configuration(service, house.aurora, daemon="retry-held = 1h"))
        service.start()
        teller.write()
        assert service.wait_cluster("orders", "held")["outcome"] == "no_procedure"
    assert teller.cost()[0] == 1
