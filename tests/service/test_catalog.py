"""Explanations of journalctl -x, from the message catalogue of the package."""

from tests.service.installed import Installed


def catalog_text(service: Installed) -> str:
    service.machine.run("journalctl", "--sync")
    return service.machine.run("journalctl", "--catalog", "--no-pager",
                               f"_SYSTEMD_INVOCATION_ID={service.show('InvocationID')}").stdout


def test_a_failed_import_is_explained_with_its_next_step(service: Installed):
    service.configure(port=1)
    service.start()
    service.wait(lambda: "import unreachable" in catalog_text(service))
    text = catalog_text(service)
    _, _, text = text[text.index("cluster orders: import unreachable"):].partition("\n")
    assert "Subject: The import into cluster orders failed: unreachable" in text
    assert "Attempt 1 to import the set on disk ended with" in text
    assert "unreachable: no connection. Check host and port" in text
    assert "binlog-sslctl import orders" in text
    assert "@BINLOG_SSL" not in text


def test_success_is_explained_too(service: Installed):
    service.start()
    service.wait(lambda: "Subject: Cluster orders carries the new set" in catalog_text(service))
    assert "Subject: Material default can be imported" in catalog_text(service)
    assert "Subject: binlog-ssld has started" in catalog_text(service)
    assert "started: 1 cluster, 1 material\n" in catalog_text(service)
