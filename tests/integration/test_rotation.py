"""A set on its way from the directory into a replicating cluster."""

from tests.integration.conftest import configuration
from tests.standin import write_material


def test_a_rotation_keeps_encrypted_replication_alive(house, service):
    first, second = house.client("rotation-1"), house.client("rotation-2")
    before = len(house.aurora.imports())
    service.configure(configuration(service, house.aurora, cluster="replication = restart"))
    house.source.demand(first.subject)
    write_material(service.material, house.authority.certificate, first)
    service.start()
    assert service.wait_cluster("orders", "current")["in_use"] is True
    house.source.sql("INSERT INTO app.t VALUES (101, 'before')")
    assert house.aurora.wait_for_row(101) == "before"

    house.source.demand(second.subject)
    write_material(service.material, house.authority.certificate, second)
    service.wait(lambda: len(house.aurora.imports()) == before + 2)
    service.wait_cluster("orders", "current")
    house.source.sql("INSERT INTO app.t VALUES (102, 'after')")
    assert house.aurora.wait_for_row(102) == "after"
    assert all("TLS" in str(row["cipher"]) for row in house.aurora.imports())
    assert service.ctl("status").returncode == 0
    assert service.stop() == 0


def test_a_restart_with_the_same_material_imports_nothing(house, service):
    service.configure(configuration(service, house.aurora))
    write_material(service.material, house.authority.certificate, house.client("restart"))
    service.start()
    service.wait_cluster("orders", "current")
    before = len(house.aurora.imports())
    service.stop()
    service.start()
    service.wait_cluster("orders", "current")
    assert len(house.aurora.imports()) == before


def test_a_corrupt_record_is_nothing_known_and_says_so(house, service):
    service.configure(configuration(service, house.aurora))
    write_material(service.material, house.authority.certificate, house.client("corrupt"))
    (service.directory / "state" / "orders.json").write_text("{half")
    before = len(house.aurora.imports())
    service.start()
    service.wait_cluster("orders", "current")
    assert len(house.aurora.imports()) == before + 1
    assert "the record cannot be read" in service.log()


def test_once_says_by_its_exit_whether_all_are_current(house, service):
    service.configure(configuration(service, house.aurora))
    write_material(service.material, house.authority.certificate, house.client("once"))
    assert service.run("--once").returncode == 0
    service.configure(configuration(service, house.aurora, cluster="enabled = yes", port=1))
    write_material(service.material, house.authority.certificate, house.client("once-more"))
    assert service.run("--once").returncode == 1


def test_a_mismatching_pair_is_named_and_never_sent(house, service):
    service.configure(configuration(service, house.aurora))
    write_material(service.material, house.authority.certificate, house.client("good"))
    service.start()
    good = service.wait_cluster("orders", "current")["imported_fingerprint"]
    before = len(house.aurora.imports())
    (service.material / "client-cert.pem").write_bytes(
        house.client("other").certificate.read_bytes())
    material = service.wait_material("invalid")
    assert [p["rule"] for p in material["problems"]] == ["key-mismatch"]
    assert service.cluster("orders")["imported_fingerprint"] == good
    assert len(house.aurora.imports()) == before
    assert service.ctl("status").returncode == 2


def test_a_touch_and_an_identical_rewrite_import_nothing(house, service):
    pair = house.client("touch")
    service.configure(configuration(service, house.aurora))
    write_material(service.material, house.authority.certificate, pair)
    service.start()
    service.wait_cluster("orders", "current")
    before = len(house.aurora.imports())
    checked = service.status()["materials"][0]["last_change"]
    write_material(service.material, house.authority.certificate, pair)
    service.wait(lambda: service.status()["materials"][0]["last_change"] != checked)
    service.wait_material("valid")
    assert service.cluster("orders")["state"] == "current"
    assert len(house.aurora.imports()) == before


def test_both_payload_forms_are_found_by_themselves(house, service):
    house.aurora.set_option("newlines", "escaped")
    service.configure(configuration(service, house.aurora))
    write_material(service.material, house.authority.certificate, house.client("escaped"))
    service.start()
    service.wait_cluster("orders", "current")
    assert house.aurora.imports()[-1]["newlines"] == "escaped"
    assert service.record("orders")["payload_newlines"] == "escaped"
