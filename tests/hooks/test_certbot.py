"""The deploy hook of certbot, with a lineage like certbot's and a fake binlog-sslctl."""

from __future__ import annotations

import grp
import os
import subprocess
from pathlib import Path
from subprocess import CompletedProcess

import pytest

HOOK = Path(__file__).resolve().parents[2] / "conf/hooks/certbot-deploy"
GROUP = "games"  # exists on every Debian and is nobody's primary group
NAMES = {"ca.pem": ("chain", 0o644), "client-cert.pem": ("cert", 0o644),
         "client-key.pem": ("privkey", 0o640)}

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the hook changes the group of files")


class Host:
    """Lineages, material, settings, and a binlog-sslctl that records its arguments."""

    def __init__(self, directory: Path) -> None:
        self.live = directory / "live"
        self.material = directory / "material"
        self.material.mkdir()
        for name in NAMES:
            (self.material / name).write_text(f"old {name}\n")
        self.settings = directory / "settings"
        self.called = directory / "called"
        self.bin = directory / "bin"
        self.bin.mkdir()
        self.configure()
        self.set_exit_status(0)
        self.renew("replica")

    def configure(self, lineage: str = "replica", more: str = "") -> None:
        self.settings.write_text(f"LINEAGE={lineage}\nMATERIAL='{self.material}'\nGROUP={GROUP}\n"
                                 f"{more}\n")

    def set_exit_status(self, status: int) -> None:
        """Sets the exit status. The command also records the files that exist when it runs."""
        command = self.bin / "binlog-sslctl"
        command.write_text(f"#!/bin/sh\n(echo \"$@\"; ls -A '{self.material}') >'{self.called}'\n"
                           f"echo 'orders: access denied' >&2\nexit {status}\n")
        command.chmod(0o755)

    def renew(self, name: str, generation: int = 1) -> Path:
        """Symbolic links to the archive, where only the owner can read the key."""
        lineage, archive = self.live / name, self.live.parent / "archive" / name
        lineage.mkdir(parents=True, exist_ok=True)
        archive.mkdir(parents=True, exist_ok=True)
        for kind in ("cert", "chain", "fullchain", "privkey"):
            path = archive / f"{kind}{generation}.pem"
            path.write_text(f"{kind} {generation} of {name}\n")
            path.chmod(0o600 if kind == "privkey" else 0o644)
            link = lineage / f"{kind}.pem"
            link.unlink(missing_ok=True)
            link.symlink_to(f"../../archive/{name}/{path.name}")
        return lineage

    def run(self, lineage: str | None = "replica", **more: str) -> CompletedProcess[str]:
        environment = {"PATH": f"{self.bin}:{os.environ['PATH']}",
                       "BINLOG_SSL_HOOK_SETTINGS": str(self.settings), **more}
        if lineage is not None:
            environment["RENEWED_LINEAGE"] = str(self.live / lineage)
        return subprocess.run([str(HOOK)], env=environment, capture_output=True, text=True,
                              timeout=60)

    def contents(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in self.material.iterdir()}

    def assert_untouched(self) -> None:
        assert self.contents() == {name: f"old {name}\n" for name in NAMES}
        assert not self.called.exists()


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_the_three_files_are_installed_with_group_and_mode_and_waited_for(host):
    done = host.run()
    assert (done.returncode, done.stdout) == (0, "")
    assert host.contents() == {name: f"{kind} 1 of replica\n" for name, (kind, _) in NAMES.items()}
    for name, (_, mode) in NAMES.items():
        stat = (host.material / name).lstat()
        assert (stat.st_mode & 0o7777, stat.st_gid) == (mode, grp.getgrnam(GROUP).gr_gid)
        assert not (host.material / name).is_symlink()
    called, *there = host.called.read_text().splitlines()
    assert called == f"wait --cert {host.material}/client-cert.pem --timeout 5min"
    assert sorted(there) == sorted(NAMES)


def test_each_renewal_replaces_the_previous_one(host):
    assert host.run().returncode == 0
    inode = (host.material / "client-key.pem").stat().st_ino
    host.renew("replica", 2)
    assert host.run().returncode == 0
    assert host.contents()["client-key.pem"] == "privkey 2 of replica\n"
    assert (host.material / "client-key.pem").stat().st_ino != inode  # renamed, not overwritten


def test_other_lineages_are_ignored(host):
    for name in ("www", "replica2", "my-replica"):
        host.renew(name)
        done = host.run(name)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    host.assert_untouched()


def test_a_slash_at_the_end_is_the_same_lineage(host):
    assert host.run("replica/").returncode == 0
    assert host.called.exists()


@pytest.mark.parametrize("status", [1, 3, 64])
def test_the_hook_exits_as_wait_does_and_shows_its_message(host, status):
    host.set_exit_status(status)
    done = host.run()
    assert done.returncode == status
    assert "orders: access denied" in done.stderr


def test_without_the_command_the_hook_fails(host):
    (host.bin / "binlog-sslctl").unlink()
    done = host.run()
    assert done.returncode == 127 and "binlog-sslctl" in done.stderr


@pytest.mark.parametrize("kind", ["cert", "chain", "privkey"])
def test_a_missing_file_fails_before_anything_is_replaced(host, kind):
    (host.live / "replica" / f"{kind}.pem").resolve().unlink()
    done = host.run()
    assert done.returncode == 1
    assert f"{kind}.pem is missing or empty; nothing was replaced" in done.stderr
    host.assert_untouched()


def test_an_empty_file_counts_as_missing(host):
    (host.live / "replica" / "privkey.pem").resolve().write_text("")
    assert host.run().returncode == 1
    host.assert_untouched()


def test_a_missing_group_fails_before_anything_is_replaced(host):
    host.configure(more="GROUP=nobodys-group")
    done = host.run()
    assert done.returncode == 1 and "nobodys-group; nothing was replaced" in done.stderr
    host.assert_untouched()


def test_a_missing_directory_is_reported(host, tmp_path):
    host.configure(more=f"MATERIAL={tmp_path}/nowhere")
    done = host.run()
    assert done.returncode == 1 and "nowhere cannot be written" in done.stderr
    host.assert_untouched()


def test_the_key_is_never_readable_by_others(host):
    tracer = host.bin / "chgrp"
    tracer.write_text(f"#!/bin/sh\nstat -c '%a %n' \"$2\" >>'{host.called}.modes'\n"
                      "exec /usr/bin/chgrp \"$@\"\n")
    tracer.chmod(0o755)
    assert host.run().returncode == 0
    modes = Path(f"{host.called}.modes").read_text().splitlines()
    assert len(modes) == 3 and all(line.startswith("600 ") for line in modes)


def test_ca_and_timeout_can_be_set(host, tmp_path):
    ca = tmp_path / "source ca.pem"
    ca.write_text("the source's\n")
    host.configure(more=f"CA='{ca}'\nTIMEOUT='1min 30s'")
    (host.live / "replica" / "chain.pem").unlink()  # not needed then
    assert host.run().returncode == 0
    assert host.contents()["ca.pem"] == "the source's\n"
    assert host.called.read_text().startswith(
        f"wait --cert {host.material}/client-cert.pem --timeout 1min 30s\n")


@pytest.mark.parametrize("lineage, expected", [("", "does not set LINEAGE"),
                                               (None, "cannot be read")])
def test_missing_settings_are_reported(host, lineage, expected):
    if lineage is None:
        host.settings.unlink()
    else:
        host.configure(lineage)
    done = host.run()
    assert done.returncode == 1 and expected in done.stderr
    host.assert_untouched()


def test_without_renewed_lineage_the_hook_fails(host):
    done = host.run(None)
    assert done.returncode == 1 and "RENEWED_LINEAGE" in done.stderr
    host.assert_untouched()
