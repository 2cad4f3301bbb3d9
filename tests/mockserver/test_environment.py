"""libmariadb takes no setting from its environment or from a server."""

from __future__ import annotations

import ctypes.util
import os
import queue
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.standin import Workspace

from . import faults
from .harness import Harness

SECONDS = 60.0
PLUGINS = ("poison", "caching_sha2_password", "mysql_native_password", "client_ed25519", "dialog",
           "mysql_clear_password", "sha256_password", "native", "password", "sha2", "mysql")


@dataclass
class Poison:
    """Plugins that create a file as soon as they are loaded."""

    directory: Path
    mark: Path

    @property
    def variables(self) -> dict[str, str]:
        return {"MARIADB_PLUGIN_DIR": str(self.directory), "LIBMYSQL_PLUGINS": "poison;dialog",
                "LIBMYSQL_PLUGIN_DIR": str(self.directory), "MYSQL_PWD": "poison",
                "MYSQL_TCP_PORT": "1", "MYSQL_HOST": "poison.invalid",
                "MYSQL_UNIX_PORT": str(self.directory / "socket"),
                "MARIADB_HOME": str(self.directory), "MYSQL_HOME": str(self.directory),
                "MARIADB_TLS_DISABLE_PEER_VERIFICATION": "1"}


@pytest.fixture(scope="module")
def poison(workspace: Workspace) -> Poison:
    poison = Poison(workspace.directory("poison"), workspace.path / "poisoned")
    source = poison.directory / "poison.c"
    source.write_text(f"""#include <fcntl.h>
#include <unistd.h>
__attribute__((constructor)) static void create_mark(void)
{{
        close(creat("{poison.mark}", 0666));
}}
""")
    library = poison.directory / "poison.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    for name in PLUGINS[1:]:
        os.link(library, poison.directory / f"{name}.so")
    (poison.directory / "my.cnf").write_text("[client]\nplugin-dir = /poison\n")
    return poison


def test_a_program_that_keeps_its_environment_loads_the_plugin(poison: Poison) -> None:
    library = ctypes.util.find_library("mariadb")
    subprocess.run([sys.executable, "-c", "import ctypes, sys\n"
                    "ctypes.CDLL(sys.argv[1]).mysql_init(None)", str(library)],
                   env={**os.environ, **poison.variables}, check=True)
    assert poison.mark.exists()
    poison.mark.unlink()


def test_the_environment_changes_nothing(harness: Harness, poison: Poison) -> None:
    harness.service.variables = poison.variables
    harness.add("native", harness.script())
    harness.add("plugin-of-the-system", harness.script(handlers={"login": faults.sha2_full}))
    harness.add("unverified", harness.script("unknown-authority"))
    harness.start()
    outcomes = {name: cluster["outcome"] for name, cluster in harness.wait(SECONDS).items()}
    assert outcomes == {"native": "imported", "plugin-of-the-system": "imported",
                        "unverified": "tls"}
    assert not poison.mark.exists()


def test_a_server_cannot_name_a_directory_of_plugins(harness: Harness, poison: Poison) -> None:
    up = "../" * 16 + str(poison.directory).lstrip("/")
    harness.service.variables = poison.variables
    for name in PLUGINS:
        for i, plugin in enumerate((name, f"{poison.directory}/{name}", f"{up}/{name}",
                                    f"{poison.directory}/{name}.so")):
            for step, how in (("login", faults.switch_to(plugin)),
                              ("greeting", faults.greet_with_plugin(plugin))):
                harness.add(f"{name}-{i}-{step}", harness.script(handlers={step: how}),
                            {"auth-plugins": "mysql_native_password, caching_sha2_password, "
                             "client_ed25519",
                             "allow-cleartext-password": "yes"})
    harness.start()
    harness.wait(SECONDS)
    assert all(script.conversations for script in harness.scripts.values())
    assert not poison.mark.exists()


def test_localhost_is_not_the_unix_socket(harness: Harness, workspace: Workspace) -> None:
    """A decoy listens on libmariadb's default socket and gets no connection from the daemon."""
    directory = workspace.directory("decoy")
    connections: queue.Queue[bool] = queue.Queue()
    with socket.socket(socket.AF_UNIX) as decoy:
        decoy.bind(str(directory / "mysqld.sock"))
        decoy.listen()
        (directory / "mysqld.sock").chmod(0o777)

        def count_connections() -> None:
            try:
                while True:
                    decoy.accept()[0].close()
                    connections.put(True)
            except OSError:
                pass  # closed

        thread = threading.Thread(target=count_connections, daemon=True)
        thread.start()
        enter = ["unshare", "--mount", "sh", "-ec",
                 "mount -t tmpfs none /run; mkdir /run/mysqld; mount --bind \"$0\" /run/mysqld; "
                 "exec \"$@\"", str(directory)]
        # Without the daemon's settings libmariadb connects to the decoy.
        subprocess.run([*enter, "mariadb", "--no-defaults", "--host=localhost"],
                       capture_output=True)
        assert connections.get(timeout=SECONDS)
        harness.service.wrapper = enter
        harness.add("localhost", harness.script())
        harness.start()
        assert harness.wait(SECONDS)["localhost"]["outcome"] == "imported"
        decoy.shutdown(socket.SHUT_RDWR)
    thread.join()
    assert connections.empty()
