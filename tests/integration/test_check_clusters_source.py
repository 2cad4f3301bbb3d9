"""binlog-ssld --check-clusters asks the replication source about the set on disk (source-probe)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from tests.integration.conftest import Testbed, configuration
from tests.mockserver.secret import Secret
from tests.standin import Authority, write_material
from tests.standin.cluster import REPLICATION_PASSWORD, REPLICATION_USER
from tests.standin.client import quoted
from tests.standin.server import free_port
from tests.standin.service import Service

BOTH_MAKES = True

Check = Callable[..., tuple[int, dict]]


@pytest.fixture
def pair(testbed: Testbed, service: Service):
    """The set on disk, which the source accepts."""
    pair = testbed.client("on disk")
    write_material(service.material, testbed.authority.certificate, pair)
    testbed.source.sql("SET sql_log_bin = 0; "
                       f"ALTER USER {REPLICATION_USER}@'%' REQUIRE SUBJECT {quoted(pair.subject)}")
    return pair


@pytest.fixture
def check(testbed: Testbed, service: Service, pair) -> Iterator[Check]:
    """Runs the check; returns exit status and the cluster. Nothing is imported, nothing leaks."""
    password = service.directory / "etc" / "source-password"
    password.write_text(REPLICATION_PASSWORD + "\n")
    before = len(testbed.aurora.imports())
    secrets = [Secret.of_password(REPLICATION_PASSWORD), Secret.of_key(pair.key)]

    def run(mode: str = "require", more: str = "") -> tuple[int, dict]:
        service.configure(configuration(service, testbed.aurora, cluster=(
            f"replication = observe\nsource-probe = {mode}\nsource-password-file = {password}\n"
            f"{more}")))
        done = service.run("--check-clusters", "--json")
        for secret in secrets:
            assert not secret.found_in(done.stdout + done.stderr)
        return done.returncode, json.loads(done.stdout)["clusters"][0]

    yield run
    assert len(testbed.aurora.imports()) == before
    assert list((service.directory / "state").iterdir()) == []


def result(cluster: dict) -> tuple[str, list[tuple[str, str]]]:
    return cluster["source_probe"]["result"], [
        (finding["outcome"], finding["severity"]) for finding in cluster["findings"]]


def test_a_source_that_accepts_the_set_on_disk_is_told(service, check):
    status, cluster = check()
    assert (status, result(cluster)) == (0, ("accepts", []))
    fingerprint = cluster["source_probe"]["fingerprint"]
    assert len(fingerprint) == 64
    text = " ".join(service.run("--check-clusters").stdout.split())
    assert f"source: accepts the set on disk, {fingerprint[:12]}" in text


def test_a_source_that_demands_another_subject_fails_the_check(testbed, check):
    testbed.source.sql("SET sql_log_bin = 0; "
                       f"ALTER USER {REPLICATION_USER}@'%' REQUIRE SUBJECT '/CN=another'")
    status, cluster = check()
    assert (status, result(cluster)) == (1, ("fails", [("source_refused", "error")]))
    assert "REQUIRE SUBJECT" in cluster["findings"][0]["next"]


def test_a_set_of_a_ca_that_the_source_does_not_know_fails_the_check(testbed, service, check):
    stranger = Authority(testbed.workspace.directory("stranger"), "Stranger CA")
    write_material(service.material, stranger.certificate, stranger.issue_client("on disk"))
    status, cluster = check()
    assert (status, result(cluster)) == (1, ("fails", [("source_refused", "error")]))
    assert "unknown CA" in cluster["findings"][0]["text"]


@pytest.mark.parametrize("mode, expected", [
    ("require", (1, ("fails", [("source_unreachable", "error")]))),
    ("try", (0, ("incomplete", [("source_unreachable", "warning")])))])
def test_a_source_that_is_down_counts_as_in_an_import(check, mode, expected):
    status, cluster = check(mode, f"source-host = 127.0.0.1\nsource-port = {free_port()}")
    assert (status, result(cluster)) == expected


def test_an_invalid_set_is_not_shown_to_the_source(testbed, service, check):
    (service.material / "client-key.pem").write_bytes(testbed.client("other").key.read_bytes())
    status, cluster = check()
    assert (status, result(cluster)) == (0, ("no_set", [("source_unreachable", "warning")]))
    assert "key-mismatch: " in cluster["findings"][0]["text"]
    assert cluster["source_probe"]["fingerprint"] is None


def test_a_key_that_this_user_may_not_read_is_named(service, check):
    for path in (service.directory / "etc").iterdir():
        path.chmod(0o644)
    (service.material / "client-key.pem").chmod(0o600)
    service.wrapper = ["setpriv", "--reuid=nobody", "--clear-groups"]
    status, cluster = check()
    assert (status, result(cluster)) == (0, ("no_set", [("source_unreachable", "warning")]))
    assert "client-key.pem" in cluster["findings"][0]["text"]
    assert "Permission denied" in cluster["findings"][0]["text"]


def test_the_source_is_not_asked_unless_configured(testbed, service, check):
    (service.material / "client-key.pem").unlink()
    service.configure(configuration(service, testbed.aurora, cluster="replication = observe"))
    done = service.run("--check-clusters", "--json")
    cluster = json.loads(done.stdout)["clusters"][0]
    assert (done.returncode, cluster["source_probe"], cluster["findings"]) == (0, None, [])
