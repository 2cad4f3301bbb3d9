"""From a rotated set in the directory to encrypted replication with it."""

from tests.integration.conftest import configuration
from tests.standin import write_material

BOTH_MAKES = True


def test_a_rotation_keeps_encrypted_replication_alive(testbed, service):
    first, second = testbed.client("rotation-1"), testbed.client("rotation-2")
    before = len(testbed.aurora.imports())
    service.configure(configuration(service, testbed.aurora, cluster="replication = restart"))
    testbed.source.require_subject(first.subject)
    write_material(service.material, testbed.authority.certificate, first)
    testbed.aurora.start_replication()
    service.start()
    assert service.wait_cluster("orders", "current")["in_use"] is True
    testbed.source.sql("INSERT INTO app.t VALUES (101, 'before')")
    assert testbed.aurora.wait_for_row(101) == "before"

    testbed.source.require_subject(second.subject)
    write_material(service.material, testbed.authority.certificate, second)
    service.wait(lambda: len(testbed.aurora.imports()) == before + 2)
    service.wait_cluster("orders", "current")
    testbed.source.sql("INSERT INTO app.t VALUES (102, 'after')")
    assert testbed.aurora.wait_for_row(102) == "after"
    assert all("TLS" in str(row["cipher"]) for row in testbed.aurora.imports())
    assert service.ctl("status").returncode == 0
    assert service.stop() == 0


def test_a_restart_with_the_same_material_imports_nothing(testbed, service):
    service.configure(configuration(service, testbed.aurora))
    write_material(service.material, testbed.authority.certificate, testbed.client("restart"))
    service.start()
    service.wait_cluster("orders", "current")
    before = len(testbed.aurora.imports())
    service.stop()
    service.start()
    service.wait_cluster("orders", "current")
    assert len(testbed.aurora.imports()) == before


def test_a_corrupt_record_is_ignored_and_logged(testbed, service):
    service.configure(configuration(service, testbed.aurora))
    write_material(service.material, testbed.authority.certificate, testbed.client("corrupt"))
    (service.directory / "state" / "orders.json").write_text("{half")
    before = len(testbed.aurora.imports())
    service.start()
    service.wait_cluster("orders", "current")
    assert len(testbed.aurora.imports()) == before + 1
    assert "the record cannot be read" in service.log()


def test_the_exit_status_of_once_is_0_if_all_clusters_are_current(testbed, service):
    service.configure(configuration(service, testbed.aurora))
    write_material(service.material, testbed.authority.certificate, testbed.client("once"))
    assert service.run("--once").returncode == 0
    service.configure(configuration(service, testbed.aurora, cluster="enabled = yes", port=1))
    write_material(service.material, testbed.authority.certificate, testbed.client("once-more"))
    assert service.run("--once").returncode == 1


def test_a_mismatching_pair_is_named_and_never_sent(testbed, service):
    service.configure(configuration(service, testbed.aurora))
    write_material(service.material, testbed.authority.certificate, testbed.client("good"))
    service.start()
    good = service.wait_cluster("orders", "current")["imported_fingerprint"]
    before = len(testbed.aurora.imports())
    (service.material / "client-cert.pem").write_bytes(
        testbed.client("other").certificate.read_bytes())
    material = service.wait_material("invalid")
    assert [p["rule"] for p in material["problems"]] == ["key-mismatch"]
    assert service.cluster("orders")["imported_fingerprint"] == good
    assert len(testbed.aurora.imports()) == before
    assert service.ctl("status").returncode == 2


def test_a_touch_and_an_identical_rewrite_import_nothing(testbed, service):
    pair = testbed.client("touch")
    service.configure(configuration(service, testbed.aurora))
    write_material(service.material, testbed.authority.certificate, pair)
    service.start()
    service.wait_cluster("orders", "current")
    before = len(testbed.aurora.imports())
    checked = service.status()["materials"][0]["last_change"]
    write_material(service.material, testbed.authority.certificate, pair)
    service.wait(lambda: service.status()["materials"][0]["last_change"] != checked)
    service.wait_material("valid")
    assert service.cluster("orders")["state"] == "current"
    assert len(testbed.aurora.imports()) == before


def test_the_escaped_payload_form_is_detected(testbed, service):
    testbed.aurora.set_option("newlines", "escaped")
    service.configure(configuration(service, testbed.aurora))
    write_material(service.material, testbed.authority.certificate, testbed.client("escaped"))
    service.start()
    service.wait_cluster("orders", "current")
    assert testbed.aurora.imports()[-1]["newlines"] == "escaped"
    assert service.record("orders")["payload_newlines"] == "escaped"
