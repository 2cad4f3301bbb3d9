"""Before an import the source is asked whether it accepts the new set (source-probe)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.conftest import LEDGER_TABLE, Testbed, configuration, ledger_created
from tests.integration.process import Process
from tests.mockserver.secret import Secret
from tests.standin import Authority, Source, write_material
from tests.standin.client import quoted
from tests.standin.cluster import REPLICATION_PASSWORD, REPLICATION_USER
from tests.standin.server import free_port
from tests.standin.service import Service

BOTH_MAKES = True

HOUR = 3600.0
WRONG = "a password that is not the replica's"


class Probe:
    """A service whose cluster probes its source; by default the source of the testbed."""

    def __init__(self, testbed: Testbed, service: Service) -> None:
        self.testbed, self.service = testbed, service
        self.secrets = [Secret.of_password(REPLICATION_PASSWORD)]
        self.password = service.directory / "etc" / "source-password"
        self.set_password(REPLICATION_PASSWORD)
        self.imports = len(testbed.aurora.imports())

    def set_password(self, text: str) -> None:
        self.secrets.append(Secret.of_password(text))
        self.password.write_text(text + "\n")
        self.password.chmod(0o600)

    def configure(self, mode: str = "require", *, password: bool = True,
                  replication: str = "observe", ledger: bool = False,
                  **keys: str | int) -> None:
        lines = [f"source-probe = {mode}", f"replication = {replication}",
                 *([f"source-password-file = {self.password}"] if password else []),
                 *([f"ledger = {LEDGER_TABLE}"] if ledger else []),
                 *(f"source-{key} = {value}" for key, value in keys.items())]
        self.service.configure(configuration(self.service, self.testbed.aurora,
                                             cluster="\n".join(lines)))

    def write(self, pair, ca: Path | None = None) -> None:
        self.secrets.append(Secret.of_key(pair.key))
        write_material(self.service.material, ca or self.testbed.authority.certificate, pair)

    def imported(self) -> bool:
        """Waits for the import of the set."""
        self.service.wait_cluster("orders", "current")
        return len(self.testbed.aurora.imports()) == self.imports + 1

    def refused(self, part: str, outcome: str = "source_refused") -> dict:
        """Waits for the outcome. Nothing was imported, and no row of a CALL is there."""
        state = "held" if outcome == "source_refused" else "retrying"
        self.service.wait(lambda: self.service.cluster("orders")["outcome"] == outcome)
        cluster = self.service.wait_cluster("orders", state)
        assert part in cluster["reason"], cluster["reason"]
        assert cluster["imported_fingerprint"] is None
        assert cluster["next_step"]
        assert len(self.testbed.aurora.imports()) == self.imports
        return cluster

    def warning(self) -> str:
        lines = [line for line in self.service.log().splitlines() if "; warning: " in line]
        return lines[-1].split("; warning: ")[1] if lines else ""


@pytest.fixture
def probe(testbed: Testbed, service: Service) -> Probe:
    return Probe(testbed, service)


def require(source: Source, what: str) -> None:
    """The account's requirement, without an effect on the replica that is connected."""
    source.sql(f"SET sql_log_bin = 0; ALTER USER {REPLICATION_USER}@'%' REQUIRE {what}")


@contextmanager
def connections(source: Source) -> Iterator[Callable[[], list[tuple[str, str]]]]:
    """The commands of the clients that connect by TCP, as the general log has them."""
    source.sql("SET GLOBAL log_output = 'TABLE'; TRUNCATE mysql.general_log;"
               "SET GLOBAL general_log = 1")
    try:
        yield lambda: [(str(row["kind"]), str(row["argument"])) for row in source.rows(
            "SELECT command_type AS kind, CONVERT(argument USING utf8mb4) AS argument "
            "FROM mysql.general_log WHERE user_host LIKE '%127.0.0.1%' ORDER BY event_time")]
    finally:
        source.sql("SET GLOBAL general_log = 0; SET GLOBAL log_output = 'FILE'")


@pytest.fixture(scope="module")
def make_source(testbed: Testbed) -> Iterator[Callable[..., Source]]:
    """Further sources, of which nothing replicates."""
    made: list[Source] = []

    def make(*, ca: Path | None = None, identity=None, extra: tuple[str, ...] = ()) -> Source:
        source = Source(testbed.workspace, identity or testbed.authority.issue_server(),
                        ca or testbed.authority.certificate,
                        f"probed-{id(made)}-{len(made)}")
        made.append(source)
        source.start(extra)
        source.prepare("/CN=nobody")
        require(source, "X509")
        return source

    yield make
    for source in made:
        source.kill()


def address(source: Source) -> dict[str, str | int]:
    return {"host": "127.0.0.1", "port": source.port, "user": REPLICATION_USER}


def bundle(directory: Path, *authorities: Authority) -> Path:
    path = directory / "bundle.pem"
    path.write_bytes(b"".join(authority.certificate.read_bytes() for authority in authorities))
    return path


@pytest.mark.parametrize("requirement", ["SUBJECT", "ISSUER", "X509"])
def test_a_set_that_the_source_accepts_is_imported(testbed, probe, requirement):
    pair = testbed.client("accepted")
    values = {"SUBJECT": quoted(pair.subject), "ISSUER": quoted(testbed.authority.subject)}
    require(testbed.source, f"{requirement} {values.get(requirement, '')}")
    probe.configure()
    probe.write(pair)
    with connections(testbed.source) as log:
        probe.service.start()
        assert probe.imported()
        # Nothing is asked: a login and a quit.
        assert [kind for kind, argument in log() if kind != "Quit"] == ["Connect"]
        assert log()[0][1].startswith(f"{REPLICATION_USER}@")
    assert probe.warning() == ""
    assert probe.service.cluster("orders")["import_warning"] is None


@pytest.mark.parametrize("requirement", ["SUBJECT '/CN=another'", "ISSUER '/CN=another'"])
@pytest.mark.parametrize("replication", ["observe", "restart"])
def test_a_set_that_the_account_does_not_allow_is_not_imported(
        testbed, probe, requirement, replication):
    require(testbed.source, requirement)
    before = testbed.aurora.replication()
    probe.configure(replication=replication)
    probe.write(testbed.client("disallowed"))
    probe.service.start()
    cluster = probe.refused(f"refuses {REPLICATION_USER} with the new set: ")
    assert (cluster["sql_errno"], cluster["next_attempt"]) == (1045, None)
    assert cluster["replication"] is None or not cluster["replication"]["stopped_by_us"]
    after = testbed.aurora.replication()
    for column in ("Replica_IO_Running", "Replica_SQL_Running"):
        assert after[column] == before[column]


def test_a_refused_set_leaves_no_row_in_the_ledger(testbed, probe):
    require(testbed.source, "SUBJECT '/CN=another'")
    probe.configure(ledger=True)
    probe.write(testbed.client("no-row"))
    with ledger_created(testbed):
        probe.service.start()
        probe.refused("with the new set")
        assert testbed.aurora.rows(f"SELECT * FROM {LEDGER_TABLE}") == []
        require(testbed.source, "X509")
        assert probe.service.ctl("import", "--wait", "orders").returncode == 0
        (row,) = testbed.aurora.rows(f"SELECT state FROM {LEDGER_TABLE}")
        assert row["state"] == "imported"


def test_a_refusal_ends_with_a_command_or_a_new_set(testbed, probe):
    first, second = testbed.client("refused-first"), testbed.client("refused-second")
    require(testbed.source, "SUBJECT '/CN=another'")
    probe.configure()
    probe.write(first)
    probe.service.start()
    probe.refused("with the new set")
    require(testbed.source, f"SUBJECT {quoted(first.subject)}")
    assert probe.service.ctl("import", "--wait", "orders").returncode == 0
    assert probe.imported()
    probe.write(second)
    probe.service.wait(lambda: probe.service.cluster("orders")["outcome"] == "source_refused")
    require(testbed.source, f"SUBJECT {quoted(second.subject)}")
    probe.write(testbed.client("", subject=second.subject))
    probe.service.wait_cluster("orders", "current")


@pytest.mark.parametrize("problem", ["password", "locked"])
def test_an_account_that_cannot_log_in_is_a_refusal(testbed, probe, problem):
    account = f"{REPLICATION_USER}@'%'"
    require(testbed.source, "X509")
    if problem == "password":
        probe.set_password(WRONG)
    else:
        testbed.source.sql(f"SET sql_log_bin = 0; ALTER USER {account} ACCOUNT LOCK")
    try:
        probe.configure()
        probe.write(testbed.client("account"))
        probe.service.start()
        assert probe.refused("with the new set")["sql_errno"] in (1045, 3118, 4151)
    finally:
        testbed.source.sql(f"SET sql_log_bin = 0; ALTER USER {account} ACCOUNT UNLOCK")


@pytest.mark.parametrize("tls", ["TLSv1.2", "TLSv1.3"])
@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("password", [True, False])
def test_a_certificate_of_another_ca_is_refused_in_each_version_of_tls(
        testbed, probe, make_source, tls, trusted, password):
    """trusted: the new CA file has the CA of the source, so the password could be sent."""
    source = make_source(extra=(f"--tls-version={tls}",))
    other = Authority(probe.service.directory / "other", "Another CA")
    known = (testbed.authority, other) if trusted else (other,)
    probe.configure(password=password, **address(source))
    probe.write(other.issue_client("other-ca"), bundle(probe.service.directory, *known))
    probe.service.start()
    cluster = probe.refused("refuses the new client certificate (TLS alert 48, unknown CA)")
    assert "ssl-ca" in cluster["next_step"]
    assert cluster["next_attempt"] is None


@pytest.mark.parametrize("tls", ["TLSv1.2", "TLSv1.3"])
def test_a_certificate_that_is_expired_for_the_source_is_refused(
        testbed, probe, make_source, tls):
    """The source has an older certificate of the same CA, which has expired."""
    old = Authority(probe.service.directory / "old", "Stand-in CA", key=testbed.authority.key,
                    valid=(-2 * HOUR, -HOUR))
    source = make_source(ca=old.certificate, extra=(f"--tls-version={tls}",))
    probe.configure(**address(source))
    probe.write(testbed.client("expired"))
    probe.service.start()
    probe.refused("refuses the new client certificate (TLS alert 45, certificate expired)")


def test_without_a_password_only_the_handshake_is_tested(testbed, probe):
    require(testbed.source, "SUBJECT '/CN=another'")
    probe.configure(password=False)
    probe.write(testbed.client("no-password"))
    with connections(testbed.source) as log:
        probe.service.start()
        assert probe.imported()
        # A failed login of the replica's account could lock it.
        assert not any(REPLICATION_USER in argument for _, argument in log())
    assert probe.warning().startswith("only the TLS handshake with the source 127.0.0.1 port ")
    assert probe.service.cluster("orders")["import_warning"] == probe.warning()
    assert probe.warning()[:40] in probe.service.ctl("status").stdout
    assert "source-password-" in probe.warning()


def test_a_password_that_cannot_be_read_is_told(testbed, probe):
    require(testbed.source, "X509")
    probe.password.unlink()
    probe.configure()
    probe.write(testbed.client("unreadable"))
    probe.service.start()
    probe.refused(f"{probe.password}: No such file", "source_unreachable")
    probe.configure("try")
    assert probe.service.ctl("reload").returncode == 0
    assert probe.imported()
    assert "no password: " in probe.warning()


def test_no_password_is_sent_to_a_source_that_does_not_verify(testbed, probe, make_source):
    """As Aurora does not verify it, the import goes on."""
    stranger = Authority(probe.service.directory / "stranger", "Stranger CA")
    source = make_source(identity=stranger.issue_server())
    source.sql(f"ALTER USER {REPLICATION_USER}@'%' REQUIRE SUBJECT '/CN=another'")
    probe.configure(**address(source))
    probe.write(testbed.client("unverified"))
    with connections(source) as log:
        probe.service.start()
        assert probe.imported()
        assert not any(REPLICATION_USER in argument for _, argument in log())
    assert "its certificate does not verify" in probe.warning()
    assert "is not in the CA file of the new set" in probe.warning()


@pytest.mark.parametrize("host", ["127.0.0.1", "source.invalid"])
def test_a_source_that_this_host_does_not_reach(testbed, probe, host):
    keys = {"host": host, "port": free_port(), "user": REPLICATION_USER}
    probe.configure(**keys)
    probe.write(testbed.client("unreached"))
    probe.service.start()
    cluster = probe.refused("cannot be reached from this host", "source_unreachable")
    assert "source-host can name an address that this host reaches" in cluster["next_step"]
    assert cluster["next_attempt"] is not None
    probe.configure("try", **keys)
    assert probe.service.ctl("reload").returncode == 0
    assert probe.imported()
    assert "cannot be reached from this host" in probe.warning()
    assert "reaches, or source-probe = off" in probe.warning()


def test_a_source_that_does_not_answer_leaves_time_for_the_import(testbed, probe, make_source):
    source = make_source()
    probe.configure("try", **address(source))
    probe.write(testbed.client("silent"))
    source.pause()
    try:
        probe.service.start()
        assert probe.imported()
    finally:
        source.resume()
    assert "the source was not tested" in probe.warning()


def test_a_cluster_without_a_source_is_told(testbed, probe):
    aurora = testbed.aurora
    aurora.sql("STOP REPLICA; RESET REPLICA ALL")
    try:
        probe.configure()
        probe.write(testbed.client("no-source"))
        probe.service.start()
        cluster = probe.refused("no replica is configured", "source_unreachable")
        assert cluster["next_step"].startswith("set source-host")
        probe.configure("try")
        assert probe.service.ctl("reload").returncode == 0
        assert probe.imported()
        assert "no replica is configured" in probe.warning()
    finally:
        aurora.follow(testbed.source)


def test_without_the_probe_the_source_is_not_asked(testbed, probe):
    require(testbed.source, "SUBJECT '/CN=another'")
    probe.configure("off")
    probe.write(testbed.client("off"))
    with connections(testbed.source) as log:
        probe.service.start()
        assert probe.imported()
        assert log() == []


def has_ended(probe: Probe, subject: str, outcome: str) -> bool:
    """If the set on disk has this subject, and this outcome."""
    status = probe.service.status()
    material, = status["materials"]
    cluster, = status["clusters"]
    return (material["certificate"]["subject"] == subject and cluster["outcome"] == outcome and
            (outcome != "imported" or cluster["imported_fingerprint"] == material["fingerprint"]))


def test_no_probe_leaves_a_secret_behind(testbed, probe, make_source):
    source = make_source()
    silent = free_port()
    for number, (mode, keys) in enumerate((
            ("require", address(source)), ("require", {**address(source), "port": silent}),
            ("try", address(source)))):
        probe.configure(mode, **keys)
        if number > 0:
            assert probe.service.ctl("reload").returncode == 0
        probe.write(testbed.client(f"secret-{number}"))
        if number == 0:
            probe.service.start()
        probe.service.wait(lambda: has_ended(
            probe, f"CN = secret-{number}", "source_unreachable" if number == 1 else "imported"))
    require(source, "SUBJECT '/CN=another'")
    probe.set_password(WRONG)
    probe.write(testbed.client("secret-refused"))
    probe.service.wait(lambda: probe.service.cluster("orders")["outcome"] == "source_refused")
    probe.service.record("orders")
    texts = {"log": probe.service.log(), "status": probe.service.ctl("--json", "status").stdout,
             "metrics": probe.service.ctl("metrics").stdout, "source": source.error_log(),
             **{str(path): path.read_text(errors="replace")
                for path in probe.service.directory.rglob("*")
                if path.is_file() and path.parent.name not in ("material", "etc")}}
    manager = Process(probe.service.pid)
    texts["arguments"] = manager.start_data().decode(errors="replace")
    assert probe.secrets[-1].found_in((probe.service.material / "client-key.pem").read_text())
    for secret in probe.secrets:
        assert manager.holds(secret) == set()
        for where, text in texts.items():
            assert secret.found_in(text) == [], where
    assert probe.service.importers() == []
