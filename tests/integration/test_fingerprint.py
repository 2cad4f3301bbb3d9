"""A set is the same whatever the order of its CAs, and to an older record and ledger."""

import hashlib
import json
import ssl

import pytest

from tests.integration.conftest import LEDGER_TABLE as TABLE
from tests.integration.conftest import configuration, ledger_created
from tests.standin import write_material

MARK = "-----BEGIN CERTIFICATE-----"


def blocks(path) -> list[str]:
    return [MARK + block for block in path.read_text().split(MARK)[1:]]


def legacy_fingerprint(directory) -> str:
    """What earlier versions wrote: both files, in their order."""
    digest = hashlib.sha256()
    for label, name in ((b"ca\0", "ca.pem"), (b"cert\0", "client-cert.pem")):
        digest.update(label)
        for block in blocks(directory / name):
            digest.update(ssl.PEM_cert_to_DER_cert(block[:block.index("-----END") + 26]))
    return digest.hexdigest()


@pytest.fixture
def authorities(testbed, service):
    """The CA file of a set with two CAs."""
    write_material(service.material, testbed.authority.certificate, testbed.client("order"))
    path = service.material / "ca.pem"
    path.write_text(path.read_text() + testbed.aurora.ca.read_text())
    return path


def test_authorities_in_another_order_or_doubled_cause_no_import(testbed, service, authorities):
    service.configure(configuration(service, testbed.aurora))
    service.start()
    service.wait_cluster("orders", "current")
    before, first, second = len(testbed.aurora.imports()), *blocks(authorities)
    fingerprint = service.wait_material("valid")["fingerprint"]
    for content in (second + first, first + second + first):
        seen = service.wait_material("valid")["last_change"]
        authorities.write_text(content)
        service.wait(lambda: service.wait_material("valid")["last_change"] != seen)
        assert service.wait_material("valid")["fingerprint"] == fingerprint
    assert len(testbed.aurora.imports()) == before
    authorities.write_text(first)
    service.wait(lambda: len(testbed.aurora.imports()) == before + 1)


@pytest.mark.parametrize("ledger", (False, True))
def test_a_record_and_a_row_of_an_earlier_version_cause_no_import(
        testbed, service, authorities, ledger):
    cluster = f"ledger = {TABLE}\n" if ledger else ""
    service.configure(configuration(service, testbed.aurora, cluster=cluster))
    with ledger_created(testbed):
        upgrade(testbed, service, authorities, ledger)


def upgrade(testbed, service, authorities, ledger):
    first, second = blocks(authorities)
    record = service.directory / "state" / "orders.json"
    service.start()
    fingerprint = service.wait_cluster("orders", "current")["imported_fingerprint"]
    service.stop()
    for content in (first + second, second + first):  # in one of them the CAs are in order
        authorities.write_text(content)
        old, before = legacy_fingerprint(service.material), len(testbed.aurora.imports())
        record.write_text(record.read_text().replace(fingerprint, old))
        if ledger:
            testbed.aurora.sql(f"UPDATE {TABLE} SET fingerprint = '{old}'")
        service.start()
        cluster = service.wait_cluster("orders", "current")
        assert cluster["imported_fingerprint"] == fingerprint
        service.wait(lambda: service.cluster("orders")["replication"] is not None)
        assert service.cluster("orders")["imported_fingerprint"] == fingerprint
        service.stop()
        assert json.loads(record.read_text())["imported_fingerprint"] == fingerprint
        assert len(testbed.aurora.imports()) == before
    assert "the ledger names set" not in service.log()
