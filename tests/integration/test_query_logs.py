"""Logs of the server that could contain the key: each is searched for each piece of the key.

Each log is enabled alone, on one server. First a CALL without binlog-ssld shows whether this log
stores a key at all; then binlog-ssld imports.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from tests.integration.conftest import Testbed, configuration, only
from tests.mockserver.secret import Secret
from tests.standin import Aurora, Authority
from tests.standin.client import quoted
from tests.standin.cluster import IMPORT_USER, document, import_call
from tests.standin.pki import write_material
from tests.standin.service import Service

BOTH_MAKES = True

# Tables outside of performance_schema in which a server can store the text of a statement.
TABLES = ["mysql.general_log", "mysql.slow_log", "information_schema.PROCESSLIST"]
ROWS_OF = "rows of "  # precedes the name of a table and its rows in an output
OBSERVE_ALL = """
    UPDATE performance_schema.setup_consumers SET ENABLED = 'YES';
    UPDATE performance_schema.setup_instruments SET ENABLED = 'YES', TIMED = 'YES'"""
ARGUMENTS = ("--log-bin=binlog", "--binlog-format=STATEMENT", "--log-bin-trust-function-creators",
             "--performance-schema=ON",
             *(f"--performance-schema-events-{kind}-history-long-size=500"
               for kind in ("statements", "stages", "waits")))
LONG = "--performance-schema-max-sql-text-length=65536"
MARIADB = ("--plugin-load-add=server_audit", "--server-audit-query-log-limit=1000000",
           "--log-slow-disabled-statements=", "--log-disabled-statements=")
OFF = {"general_log": 0, "slow_query_log": 0, "long_query_time": 10, "log_output": "'FILE'",
       "log_queries_not_using_indexes": 0}
NO_AUDIT = {"server_audit_logging": 0, "server_audit_events": "''", "server_audit_incl_users": "''",
            "server_audit_excl_users": "''"}


@dataclass(frozen=True)
class Channel:
    """kept: a CALL without binlog-ssld stores the key; refused: text of the reason, "" if the
    import is allowed; leaves: an import with query-log = warn stores the key."""

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


WITHOUT_INDEX = ("slow_query_log = ON, which this session cannot turn off while "
                 "log_queries_not_using_indexes is not OFF")
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
    "slow-index-time": slow(log_queries_not_using_indexes=1, long_query_time=0),
    "slow-nowhere": Channel(False, settings={"log_output": "'NONE'", "long_query_time": 0,
                                             "slow_query_log": 1}),
    # The Execute row contains no value, although the limit would allow it.
    "statement-text": Channel(True, "performance_schema_max_sql_text_length = 65536", False,
                              arguments=(LONG,)),
}
AUDITS = {
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
}


@pytest.fixture(scope="module")
def server(testbed: Testbed) -> Iterator[Aurora]:
    authority = Authority(testbed.workspace.path / "logging-ca", "logging CA")
    more = MARIADB if testbed.aurora.make.name == "mariadb" else ()
    aurora = Aurora(testbed.workspace, authority, "logging", ARGUMENTS + more)
    aurora.start()
    aurora.prepare()
    aurora.sql(OBSERVE_ALL)
    assert (aurora.datadir / "binlog.000001").exists()
    yield aurora
    aurora.stop()


def set_global(server: Aurora, settings: dict[str, object]) -> None:
    server.sql("".join(f"SET GLOBAL {name} = {value};" for name, value in settings.items()))


@pytest.fixture
def channel(server: Aurora, request: pytest.FixtureRequest) -> Iterator[Channel]:
    found: Channel = request.param
    if server.make.name == "mysql" and "log_queries_not_using_indexes" in found.settings:
        # MySQL's min_examined_row_limit needs a privilege, MariaDB's none.
        found = replace(found, refused=WITHOUT_INDEX, leaves=True)
    if found.arguments:
        server.restart(found.arguments)
        server.sql(OBSERVE_ALL)
    set_global(server, found.settings)
    yield found
    set_global(server, OFF)
    if server.make.name == "mariadb":
        set_global(server, NO_AUDIT)
    if found.arguments:
        server.restart()
        server.sql(OBSERVE_ALL)


def by_channel(channels: dict[str, Channel]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("channel", channels.values(), ids=channels, indirect=True)


def places_with(aurora: Aurora, secret: Secret) -> set[str]:
    """Returns the files and tables that contain the key, except the files of the import itself."""
    # Without the zeros, of which MySQL's files of 100 MB consist for the most part.
    places = {path.name: path.read_bytes().replace(bytes(1024), b"")
              for path in aurora.directory.rglob("*")
              if path.is_file() and path.parent.name not in ("sslreplication", "ssllocal")}
    assert len(places) > 50 and "error.log" in places
    observed = [f"performance_schema.{name}" for name, in aurora.sql(
        "SELECT TABLE_NAME FROM information_schema.TABLES "
        "WHERE TABLE_SCHEMA = 'performance_schema'")]
    lines = aurora.client().output("".join(f"SELECT '{ROWS_OF}{table}'; SELECT * FROM {table};"
                                           for table in [*TABLES, *observed]))
    marks = [number for number, line in enumerate(lines) if line.startswith(ROWS_OF)]
    for begin, end in zip(marks, [*marks[1:], len(lines)]):
        places[lines[begin].removeprefix(ROWS_OF)] = "\n".join(lines[begin + 1:end]).encode()
    assert len(places) > 150
    return {where for where, data in places.items() if secret.found_in(data)}


def attempt(service: Service, server: Aurora, policy: str) -> dict:
    service.configure(configuration(service, server, cluster=f"query-log = {policy}"))
    service.start()
    service.wait(lambda: service.cluster("orders")["state"] in ("held", "current"))
    cluster = service.cluster("orders")
    assert service.stop() == 0
    return cluster


def predicted(service: Service, server: Aurora) -> dict:
    service.configure(configuration(service, server))
    done = service.run("--check-clusters", "--json")
    cluster = json.loads(done.stdout)["clusters"][0]
    assert (cluster["import"] == "works") is (done.returncode == 0)
    return cluster


def verify(testbed: Testbed, service: Service, server: Aurora, channel: Channel) -> None:
    by_hand = testbed.client("by-hand")
    server.as_importer().sql(import_call(document(testbed.authority.certificate, by_hand)))
    found = places_with(server, Secret.of_key(by_hand.key))
    assert bool(found) is channel.kept, found

    result = predicted(service, server)
    texts = [finding["text"] for finding in result["findings"]]
    assert any(channel.refused in text for text in texts) if channel.refused else texts == []
    if not channel.arguments:  # without a set, the offset of the key is unknown
        assert (result["import"] == "works") is (channel.refused == "")
        assert (result["keeps_call"] or "").startswith(channel.refused)

    pair = testbed.client("guarded")
    secret = Secret.of_key(pair.key)
    before = len(server.imports())
    write_material(service.material, testbed.authority.certificate, pair)
    cluster = attempt(service, server, "refuse")
    assert places_with(server, secret) == set()
    if not channel.refused:
        assert cluster["outcome"] == "imported" and len(server.imports()) == before + 1
        assert secret.found_in(b"".join(path.read_bytes() for path in server.material()))
        return
    assert cluster["outcome"] == "refused_log" and cluster["state"] == "held"
    assert "would write the key to a log: " + channel.refused in cluster["reason"]
    assert len(server.imports()) == before

    assert attempt(service, server, "warn")["outcome"] == "imported"
    assert channel.refused in service.log()
    assert len(server.imports()) == before + 1
    found = places_with(server, secret)
    assert bool(found) is channel.leaves, found


@by_channel(CHANNELS)
def test_no_log_contains_the_key_unless_query_log_allows_it(testbed, service, server, channel):
    verify(testbed, service, server, channel)


@only("mariadb", "the plugin server_audit")
@by_channel(AUDITS)
def test_no_audit_contains_the_key_unless_query_log_allows_it(testbed, service, server, channel):
    verify(testbed, service, server, channel)


def test_the_search_finds_the_key_in_binary_log_and_table(testbed: Testbed, server: Aurora) -> None:
    pair = testbed.client("control")
    server.sql("CREATE DATABASE control; CREATE TABLE control.t (text TEXT);"
               f"INSERT INTO control.t VALUES ({quoted(pair.key.read_text())}); FLUSH TABLES")
    try:
        places = places_with(server, Secret.of_key(pair.key))
    finally:
        server.sql("DROP DATABASE control")
    assert any(place.startswith("binlog.") for place in places), places


# MySQL's sql_log_off needs the first to be set and the second to have an effect.
PRIVILEGES = {"mariadb": "SUPER", "mysql": "SESSION_VARIABLES_ADMIN, CONNECTION_ADMIN"}


def test_a_privileged_user_disables_the_logs_of_the_session(
        testbed: Testbed, service: Service, server: Aurora) -> None:
    pair = testbed.client("privileged")
    write_material(service.material, testbed.authority.certificate, pair)
    privileges = f"{PRIVILEGES[server.make.name]} ON *.*"
    server.sql(f"GRANT {privileges} TO {IMPORT_USER}@'%'")
    set_global(server, {"general_log": 1, **CHANNELS["slow-index-time"].settings})
    try:
        assert predicted(service, server)["keeps_call"] is None
        assert attempt(service, server, "refuse")["outcome"] == "imported"
    finally:
        set_global(server, OFF)
        server.sql(f"REVOKE {privileges} FROM {IMPORT_USER}@'%'")
    assert places_with(server, Secret.of_key(pair.key)) == set()


def test_a_privilege_that_has_no_effect_is_not_relied_on(
        testbed: Testbed, service: Service, server: Aurora) -> None:
    """MySQL accepts sql_log_off from a user whose statements it continues to log."""
    if server.make.name == "mariadb":
        pytest.skip("MariaDB has one privilege for both")
    pair = testbed.client("without-effect")
    write_material(service.material, testbed.authority.certificate, pair)
    server.sql(f"GRANT SESSION_VARIABLES_ADMIN ON *.* TO {IMPORT_USER}@'%'")
    set_global(server, {"general_log": 1})
    try:
        cluster = attempt(service, server, "refuse")
    finally:
        set_global(server, OFF)
        server.sql(f"REVOKE SESSION_VARIABLES_ADMIN ON *.* FROM {IMPORT_USER}@'%'")
    assert cluster["outcome"] == "refused_log"
    assert cluster["next_step"].startswith("GRANT SESSION_VARIABLES_ADMIN, CONNECTION_ADMIN ON *.* "
                                           f"TO '{IMPORT_USER}'@'%'; or ")
    assert places_with(server, Secret.of_key(pair.key)) == set()


@only("mariadb", "the plugin server_audit")
def test_several_logs_are_all_named(testbed: Testbed, service: Service,
                                    server: Aurora) -> None:
    settings = {**AUDITS["audit-query"].settings, "general_log": 1}
    write_material(service.material, testbed.authority.certificate, testbed.client("several"))
    set_global(server, settings)
    try:
        reason = attempt(service, server, "refuse")["reason"]
    finally:
        set_global(server, {**OFF, **NO_AUDIT})
    assert "general_log = ON; server_audit_logging = ON with" in reason
    assert "server_audit_excl_users can name this user" in reason


def test_a_restart_of_replication_alone_is_not_refused_for_a_log(
        testbed: Testbed, service: Service) -> None:
    """The set was imported and replication did not start: no key is sent again."""
    pair = testbed.client("restarted")
    testbed.source.require_subject("/CN=somebody else")
    testbed.aurora.start_replication()
    service.configure(configuration(service, testbed.aurora, cluster="replication = restart",
                                    daemon="import-timeout = 3s\nretry-held = 500ms"))
    write_material(service.material, testbed.authority.certificate, pair)
    before = len(testbed.aurora.imports())
    service.start()
    assert service.wait_cluster("orders", "held")["outcome"] == "replication_failed"
    testbed.aurora.sql("SET GLOBAL general_log = 1")
    try:
        testbed.source.require_subject(pair.subject)
        service.wait_cluster("orders", "current")
    finally:
        testbed.aurora.sql("SET GLOBAL general_log = 0")
    assert len(testbed.aurora.imports()) == before + 1
    assert places_with(testbed.aurora, Secret.of_key(pair.key)) == set()
