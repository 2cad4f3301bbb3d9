"""Authentication plugins of a real server: only those in auth-plugins are used."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.conftest import Testbed, configuration, only, user_identified
from tests.standin import write_material
from tests.standin.client import quoted
from tests.standin.cluster import IMPORT_PASSWORD
from tests.standin.service import Service

BOTH_MAKES = True


def set_up(testbed: Testbed, service: Service, cluster: str) -> None:
    service.configure(configuration(service, testbed.aurora, cluster=cluster))
    write_material(service.material, testbed.authority.certificate, testbed.client("plugin"))


@pytest.fixture(scope="module")
def other(testbed: Testbed) -> Iterator[str]:
    """Returns the IDENTIFIED clause of a user whose plugin is not in the list by default."""
    if testbed.aurora.make.name == "mysql":
        yield f"IDENTIFIED WITH sha256_password BY {quoted(IMPORT_PASSWORD)}"
        return
    testbed.aurora.sql("INSTALL SONAME 'auth_ed25519'")
    yield f"IDENTIFIED VIA ed25519 USING PASSWORD({quoted(IMPORT_PASSWORD)})"
    testbed.aurora.sql("UNINSTALL SONAME 'auth_ed25519'")


@only("mariadb", "MySQL has no other plugin that can be in the list")
@pytest.mark.parametrize("plugins", [
    "client_ed25519", "mysql_native_password,caching_sha2_password,client_ed25519",
    "caching_sha2_password, client_ed25519"])
def test_a_listed_plugin_logs_in(testbed, service, other, plugins) -> None:
    set_up(testbed, service, f"auth-plugins = {plugins}")
    before = len(testbed.aurora.imports())
    with user_identified(testbed, other):
        service.start()
        service.wait_cluster("orders", "current")
    assert len(testbed.aurora.imports()) == before + 1


@pytest.mark.parametrize("settings, allowed", [
    ("", "mysql_native_password,caching_sha2_password"),
    ("auth-plugins = caching_sha2_password", "caching_sha2_password"),
    ("allow-cleartext-password = yes",
     "mysql_native_password,caching_sha2_password,mysql_clear_password"),
])
def test_an_unlisted_plugin_is_refused_and_the_listed_ones_are_named(
        testbed, service, other, settings, allowed) -> None:
    set_up(testbed, service, settings)
    with user_identified(testbed, other):
        service.start()
        cluster = service.wait_cluster("orders", "held")
    assert cluster["outcome"] == "auth"
    assert cluster["reason"].startswith(
        f"the server asks for an authentication plugin other than {allowed}"), cluster["reason"]


def test_a_list_of_one_is_a_list(testbed, service) -> None:
    """First without the plugin of the user, then with only this plugin."""
    used = testbed.aurora.make.default_plugin
    unused = {"mysql_native_password", "caching_sha2_password"} - {used}
    set_up(testbed, service, f"auth-plugins = {unused.pop()}")
    service.start()
    assert service.wait_cluster("orders", "held")["outcome"] == "auth"
    service.stop()
    set_up(testbed, service, f"auth-plugins = {used}")
    service.start()
    service.wait_cluster("orders", "current")
