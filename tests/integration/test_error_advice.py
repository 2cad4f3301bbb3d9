"""Errors that are about connections and accounts: the next step is that of the number, at each stage.

Those that no server can be made to return are in tests/mockserver/test_error_advice.py.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.integration.conftest import LEDGER_TABLE, configuration, ledger_created, only
from tests.integration.test_recovery import statements
from tests.standin import write_material
from tests.standin.client import Client, SqlError, quoted
from tests.standin.cluster import IMPORT_PASSWORD, IMPORT_USER
from tests.standin.proxy import Proxy
from tests.standin.server import Server
from tests.standin.session import Disconnected, Session

BOTH_MAKES = True

ACCOUNT = f"{IMPORT_USER}@'%'"
LIMIT = "the account has reached the limit that the message names: ALTER USER ... WITH raises it"
HELD = "retry-held = 1h"


@contextmanager
def variable(testbed, name: str, value: str) -> Iterator[None]:
    before = testbed.aurora.sql(f"SELECT @@GLOBAL.{name}")[0][0] or ""
    before = before if before.isdigit() else quoted(before)
    with statements(testbed, f"SET GLOBAL {name} = {value}", f"SET GLOBAL {name} = {before}"):
        yield


@contextmanager
def all_sessions(testbed) -> Iterator[None]:
    """As many as the server permits to this user."""
    with ExitStack() as stack:
        try:
            while True:
                session = stack.enter_context(Session(testbed.aurora.as_importer()))
                assert session.ask("SELECT 1") == "1"
        except Disconnected:
            yield


def write(testbed, service) -> None:
    write_material(service.material, testbed.authority.certificate, testbed.client("advice"))


def import_once(testbed, service, **more) -> dict:
    """The cluster after one attempt, which must fail."""
    service.configure(configuration(service, testbed.aurora, daemon=HELD, retry=("1h", "1h"), **more))
    write(testbed, service)
    service.start()
    service.wait(lambda: service.cluster("orders")["state"] in ("retrying", "held"))
    return service.cluster("orders")


def finding(service) -> dict:
    done = service.run("--check-clusters", "--json")
    (found,) = json.loads(done.stdout)["clusters"][0]["findings"]
    assert done.returncode == 1 and found["severity"] == "error"
    return found


def expect(testbed, service, errno: int, outcome: str, advice: str, **more) -> None:
    """An import and --check-clusters tell the same."""
    cluster = import_once(testbed, service, **more)
    assert (cluster["outcome"], cluster["sql_errno"]) == (outcome, errno), cluster["reason"]
    assert cluster["next_step"].startswith(advice)
    found = finding(service)
    assert (found["outcome"], found["sql_errno"]) == (outcome, errno)
    assert found["next"].startswith(advice)


def test_1040_too_many_connections_of_the_server(testbed, service):
    with variable(testbed, "max_connections", "10"), all_sessions(testbed):
        expect(testbed, service, 1040, "unreachable",
               "the server has as many connections as max_connections permits")


def test_1184_init_connect_fails_for_this_user(testbed, service):
    with variable(testbed, "init_connect", "'SELECT * FROM no.such_table'"):
        cluster = import_once(testbed, service)
        assert cluster["sql_errno"] == 1184, cluster["reason"]
        assert cluster["next_step"].startswith("the server has ended the connection: see its error")
        found = finding(service)
        assert found["sql_errno"] == 1184
        assert found["next"].startswith("the server has ended the connection: see its error log")


def test_1226_connections_of_the_account(testbed, service):
    # A session is counted if the account has a limit when it begins.
    with statements(testbed, f"ALTER USER {ACCOUNT} WITH MAX_USER_CONNECTIONS 1",
                 f"ALTER USER {ACCOUNT} WITH MAX_USER_CONNECTIONS 0"), all_sessions(testbed):
        expect(testbed, service, 1226, "unreachable", LIMIT)


@pytest.mark.parametrize("mode, stages", [
    ("observe", {"": 4}),
    ("restart", {"": 4, "ledger ": 4, "before the import: SHOW REPLICA STATUS": 1,
                 "before the import: rds_stop_replication": 1, "rds_start_replication": 1})])
def test_1226_at_each_statement(testbed, service, mode, stages):
    """One more statement in each attempt, until the import succeeds; stages: at least so many."""
    testbed.source.require_subject("/CN=advice")
    testbed.aurora.start_replication()
    reset = "FLUSH USER_RESOURCES; FLUSH PRIVILEGES"
    limit = f"ALTER USER {ACCOUNT} WITH MAX_QUERIES_PER_HOUR {{}}; {reset}"
    ledger = f"ledger = {LEDGER_TABLE}" if mode == "restart" else ""
    reasons = []
    with ledger_created(testbed), statements(testbed, limit.format(1), limit.format(0)):
        import_once(testbed, service, cluster=f"replication = {mode}\n{ledger}")
        for permitted in range(1, 40):
            testbed.aurora.sql(limit.format(permitted))
            if service.ctl("import", "--wait").returncode == 0:
                break
            cluster = service.cluster("orders")
            assert cluster["sql_errno"] == 1226, cluster["reason"]
            assert cluster["next_step"] == LIMIT, cluster["reason"]
            reasons.append(cluster["reason"])
        assert service.cluster("orders")["state"] == "current"
    for stage, least in stages.items():
        assert sum(stage in reason for reason in reasons) >= least, (stage, reasons)


@pytest.mark.parametrize("permitted", range(1, 8))
def test_1226_at_each_statement_of_check_clusters(testbed, service, permitted):
    reset = "FLUSH USER_RESOURCES; FLUSH PRIVILEGES"
    limit = f"ALTER USER {ACCOUNT} WITH MAX_QUERIES_PER_HOUR {{}}; {reset}"
    with ledger_created(testbed), statements(testbed, limit.format(permitted), limit.format(0)):
        service.configure(configuration(service, testbed.aurora,
                                        cluster=f"replication = restart\nledger = {LEDGER_TABLE}"))
        done = service.run("--check-clusters", "--json")
    found = [one for one in json.loads(done.stdout)["clusters"][0]["findings"] if one["sql_errno"]]
    assert done.returncode == 1 and found
    for one in found:
        assert (one["sql_errno"], one["next"]) == (1226, LIMIT)


class PlainServer(Server):
    """A server that has only the importing user, with options that the shared one cannot have."""

    def __init__(self, testbed, name: str, *options: str) -> None:
        super().__init__(testbed.workspace, f"plain-{name}", options,
                         identity=testbed.authority.issue_server("localhost", "127.0.0.1"))
        self.ca = testbed.authority.certificate

    def create_user(self, host: str = "%") -> None:
        self.sql(f"CREATE USER {IMPORT_USER}@{quoted(host)} {self.make.identified_by} "
                 f"{quoted(IMPORT_PASSWORD)} REQUIRE SSL")


def expect_at(testbed, service, server: Server, errno: int, outcome: str, advice: str,
              port: int = 0) -> None:
    """As expect(), of the plain server."""
    text = configuration(service, testbed.aurora, daemon=HELD, retry=("1h", "1h"),
                         port=port or server.port)
    service.configure(text.replace(str(testbed.aurora.ca), str(testbed.authority.certificate)))
    write(testbed, service)
    service.start()
    service.wait(lambda: service.cluster("orders")["state"] in ("retrying", "held"))
    cluster, found = service.cluster("orders"), finding(service)
    assert (cluster["outcome"], cluster["sql_errno"]) == (outcome, errno), cluster["reason"]
    assert cluster["next_step"].startswith(advice)
    assert (found["outcome"], found["sql_errno"]) == (outcome, errno), found["text"]
    assert found["next"].startswith(advice)


@pytest.mark.parametrize("option, errno, outcome, advice", [
    ("OFF", 1820, "rejected", "the password must be changed: ALTER USER"),
    ("ON", 1862, "auth", "the password has expired: ALTER USER")])
def test_1820_and_1862_an_expired_password(testbed, service, option, errno, outcome, advice):
    with PlainServer(testbed, f"expired-{option.lower()}",
                     f"--disconnect-on-expired-password={option}") as server:
        server.create_user()
        server.sql(f"ALTER USER {ACCOUNT} PASSWORD EXPIRE")
        expect_at(testbed, service, server, errno, outcome, advice)


def test_1203_connections_of_each_user(testbed, service):
    with PlainServer(testbed, "users", "--max-user-connections=1") as server:
        server.create_user()
        client = Client.over_tcp(server.port, IMPORT_USER, IMPORT_PASSWORD, ca=server.ca)
        with Session(client) as session:
            assert session.ask("SELECT 1") == "1"
            expect_at(testbed, service, server, 1203, "unreachable",
                      "the user has as many connections as max_user_connections permits")


def test_1130_no_account_accepts_this_host(testbed, service):
    with PlainServer(testbed, "host") as server:
        server.create_user("192.0.2.1")
        expect_at(testbed, service, server, 1130, "unreachable", "the account does not accept this host")


BLOCKED = "127.0.0.2"  # a server never blocks 127.0.0.1


def has_resolver() -> bool:
    try:
        socket.gethostbyaddr(BLOCKED)
    except socket.herror as error:
        return error.errno == 1  # the answer that there is no name; others are no answer
    return True


@only("mariadb", "the root with MySQL has no resolver, whose answer a server needs to block a host")
def test_1129_the_host_is_blocked(testbed, service):
    if not has_resolver():
        pytest.skip(f"no resolver answers for {BLOCKED}, so that no server blocks it")
    with PlainServer(testbed, "blocking", "--skip-name-resolve=0",
                     "--max-connect-errors=1") as server, \
            Proxy(server.port, source=BLOCKED) as proxy:
        server.create_user()
        for _ in range(3):  # the first is not counted before the host is in the cache
            with socket.create_connection(("127.0.0.1", proxy.port)) as connection:
                assert connection.recv(1)
        expect_at(testbed, service, server, 1129, "unreachable",
                  "the server has blocked this host after failed connections", proxy.port)


def test_3118_and_4151_a_locked_account(testbed, service):
    errno = {"mysql": 3118, "mariadb": 4151}[testbed.aurora.make.name]
    with statements(testbed, f"ALTER USER {ACCOUNT} ACCOUNT LOCK",
                 f"ALTER USER {ACCOUNT} ACCOUNT UNLOCK"):
        expect(testbed, service, errno, "auth", "the account is locked: ALTER USER ... ACCOUNT")


def test_1114_a_table_of_the_server_is_full(testbed, service):
    """A ledger in memory that has no room for one more row."""
    with ledger_created(testbed), variable(testbed, "max_heap_table_size", "16384"):
        testbed.aurora.sql(f"ALTER TABLE {LEDGER_TABLE} ENGINE = MEMORY")
        fill = (f"INSERT INTO {LEDGER_TABLE} (fingerprint, not_before, not_after, daemon, account, "
                "started_at, state) VALUES ('', NOW(), NOW(), '', '', NOW(), 'failed')")
        with pytest.raises(SqlError) as error:
            testbed.aurora.sql(f"SET max_heap_table_size = 16384; {'; '.join([fill] * 100)}")
        assert error.value.code == 1114
        cluster = import_once(testbed, service, cluster=f"ledger = {LEDGER_TABLE}")
    assert (cluster["outcome"], cluster["sql_errno"]) == ("rejected", 1114)
    assert cluster["next_step"].startswith("a table or the disk of the server is full")
