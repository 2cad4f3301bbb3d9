"""What a server keeps of an import: every log that it has is searched for every piece of the key.

Each channel is switched on alone, on a server that has them all. A CALL by hand shows first whether
the channel keeps a key at all; then it is the daemon's turn.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.integration.conftest import House, configuration
from tests.mockserver.secret import Secret
from tests.standin import Aurora, Authority
from tests.standin.cluster import IMPORT_USER, document, import_call
from tests.standin.pki import write_material
from tests.standin.service import Service

# Everything that a session or a row could see of a statement, besides the files.
TABLES = ("mysql.general_log", "mysql.slow_log", "information_schema.processlist",
          *(f"performance_schema.{name}" for name in (
              "threads", "events_statements_current", "events_statements_history",
              "events_statements_history_long", "events_statements_summary_by_digest",
              "prepared_statements_instances")))
ARGUMENTS = ("--plugin-load-add=server_audit", "--server-audit-query-log-limit=1000000",
             "--log-bin=binlog", "--binlog-format=STATEMENT", "--log-bin-trust-function-creators",
             "--log-slow-disabled-statements=", "--log-disabled-statements=",
             "--performance-schema=ON",
             "--performance-schema-consumer-events-statements-current=ON",
             "--performance-schema-consumer-events-statements-history=ON",
             "--performance-schema-consumer-events-statements-history-long=ON")
LONG = "--performance-schema-max-sql-text-length=65536"
OFF = {"general_log": 0, "slow_query_log": 0, "long_query_time": 10, "log_output": "'FILE'",
       "log_queries_not_using_indexes": 0, "server_audit_logging": 0, "server_audit_events": "''",
       "server_audit_incl_users": "''", "server_audit_excl_users": "''"}


@dataclass(frozen=True)
class Channel:
    """`kept`: by a CALL that nobody guards; `refused`: what the sentence says, "" when the import
    goes through; `leaves`: by the import that query-log allows."""

    kept: bool
    refused: str = ""
    leaves: bool = False
    settings: dict[str, object] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()


def audit(events: str, kept: bool, refused: str = "", **users: str) -> Channel:
    lists = {f"server_audit_{name}_users": f"'{names}'" for name, names in users.items()}
    return Channel(kept, refused, kept, {"server_audit_events": f"'{events}'", **lists,
                                         "server_audit_logging": 1})


def slow(**settings: object) -> Channel:
    return Channel(True, settings={**settings, "slow_query_log": 1})


AUDITED = "server_audit_logging = ON with server_audit_events = '{}'"
CHANNELS = {
    "none": Channel(False),
    "general-file": Channel(True, "general_log = ON", True, {"general_log": 1}),
    "general-table": Channel(True, "general_log = ON", True,
                             {"log_output": "'TABLE'", "general_log": 1}),
    "general-nowhere": Channel(False, settings={"log_output": "'NONE'", "general_log": 1}),
    "slow-time": slow(long_query_time=0),
    "slow-time-table": slow(long_query_time=0, log_output="'TABLE'"),
    "slow-index": slow(log_queries_not_using_indexes=1),
    "slow-nowhere": Channel(False, settings={"log_output": "'NONE'", "long_query_time": 0,
                                             "slow_query_log": 1}),
    "audit-all": audit("", True, AUDITED.format("")),
    "audit-query": audit("CONNECT,QUERY", True, AUDITED.format("CONNECT,QUERY")),
    "audit-dml": audit("QUERY_DML", True, AUDITED.format("QUERY_DML")),
    "audit-dml-no-select": audit("QUERY_DML_NO_SELECT", True,
                                 AUDITED.format("QUERY_DML_NO_SELECT")),
    "audit-ddl": audit("QUERY_DDL", False),
    "audit-dcl": audit("QUERY_DCL", False),
    "audit-connect-table": audit("CONNECT,TABLE", False),
    "audit-excluded": audit("QUERY", False, excl=f"root,{IMPORT_USER}"),
    "audit-others-excluded": audit("QUERY", True, AUDITED.format("QUERY"),
                                   excl=f"root,{IMPORT_USER}2"),
    "audit-included": audit("QUERY", True, AUDITED.format("QUERY"), incl=f"root,{IMPORT_USER}"),
    "audit-others-included": audit("QUERY", False, incl=f"root,{IMPORT_USER}2"),
    # MariaDB's Execute row holds no text; by the limit alone it could.
    "statement-text": Channel(True, "performance_schema_max_sql_text_length = 65536", False,
                              arguments=(LONG,)),
}


@pytest.fixture(scope="module")
def keeper(house: House) -> Iterator[Aurora]:
    aurora = Aurora(house.workspace, Authority(house.workspace.path / "keeper-ca", "keeper CA"),
                    "keeper", ARGUMENTS)
    aurora.start()
    aurora.prepare()
    assert (aurora.datadir / "binlog.000001").exists()
    yield aurora
    aurora.stop()


@pytest.fixture
def channel(keeper: Aurora, request: pytest.FixtureRequest) -> Iterator[Channel]:
    found = CHANNELS[request.param]
    if found.arguments:
        keeper.restart(found.arguments)
    keeper.sql("".join(f"SET GLOBAL {name} = {value};" for name, value in found.settings.items()))
    yield found
    keeper.sql("".join(f"SET GLOBAL {name} = {value};" for name, value in OFF.items()))
    if found.arguments:
        keeper.restart()


def kept(aurora: Aurora, secret: Secret) -> set[str]:
    """Where the key is: each place but the files that the import is there to write."""
    places = {path.name: path.read_bytes() for path in aurora.directory.rglob("*")
              if path.is_file() and path.parent.name != "sslreplication"}
    places |= {table: repr(aurora.sql(f"SELECT * FROM {table}")).encode() for table in TABLES}
    assert len(places) > 50 and "error.log" in places
    return {where for where, data in places.items() if secret.found_in(data)}


def attempt(service: Service, keeper: Aurora, policy: str) -> dict:
    service.configure(configuration(service, keeper, cluster=f"query-log = {policy}"))
    service.start()
    service.wait(lambda: service.cluster("orders")["state"] in ("held", "current"))
    cluster = service.cluster("orders")
    assert service.stop() == 0
    return cluster


def foretold(service: Service, keeper: Aurora) -> dict:
    service.configure(configuration(service, keeper))
    done = service.run("--check-clusters", "--json")
    cluster = json.loads(done.stdout)["clusters"][0]
    assert (cluster["import"] == "works") is (done.returncode == 0)
    return cluster


@pytest.mark.parametrize("channel", CHANNELS, indirect=True)
def test_no_byte_of_a_key_is_kept_that_was_not_allowed_to(
        house: House, service: Service, keeper: Aurora, channel: Channel) -> None:
    by_hand = house.client("by-hand")
    keeper.as_importer().sql(import_call(document(house.authority.certificate, by_hand)))
    found = kept(keeper, Secret.of_key(by_hand.key))
    assert bool(found) is channel.kept, found

    prospect = foretold(service, keeper)
    texts = [finding["text"] for finding in prospect["findings"]]
    assert any(channel.refused in text for text in texts) if channel.refused else texts == []
    if not channel.arguments:  # where the key begins is not known without a set
        assert (prospect["import"] == "works") is (channel.refused == "")
        assert (prospect["keeps_call"] or "").startswith(channel.refused)

    pair = house.client("guarded")
    secret = Secret.of_key(pair.key)
    before = len(keeper.imports())
    write_material(service.material, house.authority.certificate, pair)
    cluster = attempt(service, keeper, "refuse")
    assert kept(keeper, secret) == set()
    if not channel.refused:
        assert cluster["outcome"] == "imported" and len(keeper.imports()) == before + 1
        assert secret.found_in(b"".join(path.read_bytes() for path in keeper.material()))
        return
    assert cluster["outcome"] == "refused_log" and cluster["state"] == "held"
    assert "would write the key to a log: " + channel.refused in cluster["reason"]
    assert len(keeper.imports()) == before

    assert attempt(service, keeper, "warn")["outcome"] == "imported"
    assert channel.refused in service.log()
    assert len(keeper.imports()) == before + 1
    found = kept(keeper, secret)
    assert bool(found) is channel.leaves, found


def test_a_user_who_may_leave_the_general_log_leaves_it(
        house: House, service: Service, keeper: Aurora) -> None:
    pair = house.client("privileged")
    write_material(service.material, house.authority.certificate, pair)
    keeper.sql(f"GRANT SUPER ON *.* TO {IMPORT_USER}@'%'; SET GLOBAL general_log = 1")
    try:
        assert foretold(service, keeper)["keeps_call"] is None
        assert attempt(service, keeper, "refuse")["outcome"] == "imported"
    finally:
        keeper.sql(f"SET GLOBAL general_log = 0; REVOKE SUPER ON *.* FROM {IMPORT_USER}@'%'")
    assert kept(keeper, Secret.of_key(pair.key)) == set()


def test_several_logs_are_all_named(house: House, service: Service, keeper: Aurora) -> None:
    settings = {**CHANNELS["audit-query"].settings, "general_log": 1}
    write_material(service.material, house.authority.certificate, house.client("several"))
    keeper.sql("".join(f"SET GLOBAL {name} = {value};" for name, value in settings.items()))
    try:
        reason = attempt(service, keeper, "refuse")["reason"]
    finally:
        keeper.sql("".join(f"SET GLOBAL {name} = {value};" for name, value in OFF.items()))
    assert "general_log = ON; server_audit_logging = ON with" in reason
    assert "server_audit_excl_users can name this user" in reason


def test_a_restart_that_imports_nothing_is_not_refused_for_a_log(
        house: House, service: Service) -> None:
    """The set was imported and replication did not come back: no key is sent any more."""
    pair = house.client("restarted")
    house.source.demand("/CN=somebody else")
    service.configure(configuration(service, house.aurora, cluster="replication = restart",
                                    daemon="import-timeout = 3s\nretry-held = 500ms"))
    write_material(service.material, house.authority.certificate, pair)
    before = len(house.aurora.imports())
    service.start()
    assert service.wait_cluster("orders", "held")["outcome"] == "replication_failed"
    house.aurora.sql("SET GLOBAL general_log = 1")
    try:
        house.source.demand(pair.subject)
        service.wait_cluster("orders", "current")
    finally:
        house.aurora.sql("SET GLOBAL general_log = 0")
    assert len(house.aurora.imports()) == before + 1
    assert kept(house.aurora, Secret.of_key(pair.key)) == set()
