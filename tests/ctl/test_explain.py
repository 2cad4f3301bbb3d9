"""explain: with the real daemon, which runs as nobody in a mount namespace of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.standin import Authority, write_material
from tests.standin.process import die_with

from .conftest import BUILD, Ctl
from .mock_manager import cluster, material, problem
from .test_check import RULES

ACCOUNT, GROUP = "nobody", "nogroup"

# As in the unit's sandbox: /home exists, is empty and inaccessible.
SANDBOX = """
mount -t tmpfs -o mode=0 none /home
exec setpriv --reuid nobody --regid nogroup --clear-groups --bounding-set=-all "$@"
"""


class Daemon:
    """binlog-ssld with a material and one unreachable cluster."""

    def __init__(self, ctl: Ctl, directory: Path, material: Path) -> None:
        self.ctl, self.directory, self.material = ctl, directory, material
        for name in ("state", "run"):
            (directory / name).mkdir()
            shutil.chown(directory / name, ACCOUNT, GROUP)
        self.program = directory / "binlog-ssld"  # where another user can run it
        shutil.copy(BUILD / "binlog-ssld", self.program)
        (directory / "password").write_text("secret\n")
        self.configure()
        ctl.environment |= {"CONFIGURATION_DIRECTORY": str(directory),
                            "RUNTIME_DIRECTORY": str(directory / "run")}

    def configure(self, more: str = "") -> None:
        (self.directory / "binlog-ssld.conf").write_text(
            f"[material default]\ndirectory = {self.material}\nsettle-limit = 0s\n{more}\n"
            "[cluster orders]\nhost = localhost\nport = 1\nuser = u\n"
            f"password-file = {self.directory}/password\n")

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", SANDBOX, "sh",
             str(self.program)], env={**self.ctl.environment,
                                      "STATE_DIRECTORY": str(self.directory / "state")},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=die_with(os.getpid()))
        self.wait(lambda: self.ctl("status").returncode != 3)

    def wait(self, condition, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end and self.process.poll() is None
            time.sleep(0.02)

    def wait_state(self, state: str) -> None:
        self.wait(lambda: json.loads(self.ctl("--json", "status").stdout)["materials"][0]["state"]
                  == state)


@pytest.fixture
def directory(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("e")
    for place in (path, *path.parents[:-1]):
        if str(place).startswith("/tmp/"):
            place.chmod(0o755)
    return path


@pytest.fixture(scope="session")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


def fill(path: Path, authority: Authority) -> None:
    path.mkdir(parents=True)
    shutil.chown(path, ACCOUNT, GROUP)
    write_material(path, authority.certificate, authority.issue_client("explain"))


@pytest.fixture
def real(ctl, directory, authority):
    fill(directory / "pki" / "r1", authority)
    (directory / "material").symlink_to("pki/r1")
    real = Daemon(ctl, directory, directory / "material")
    yield real
    real.process.kill()
    real.process.wait()


def hops(ctl: Ctl) -> dict[str, tuple[str, str]]:
    answer = json.loads(ctl("--json", "explain").stdout)
    return {hop["path"]: (hop["kind"], hop["verdict"]) for hop in answer[0]["hops"]}


def test_a_good_set_shows_every_path_component_and_every_rule(real):
    real.start()
    real.wait_state("valid")
    done = real.ctl("explain", "default")
    assert (done.returncode, done.stderr) == (0, "")
    assert "as the service (nobody) has it" in done.stdout
    assert "none: this set is good" in done.stdout and "inotify; checked " in done.stdout
    seen = hops(real.ctl)
    assert seen[str(real.material)] == ("link", "followed")
    assert seen[f"{real.directory}/pki/r1"] == ("dir", "passed")
    assert seen[f"{real.directory}/pki/r1/client-key.pem"] == ("file", "readable")
    answer = json.loads(real.ctl("--json", "explain").stdout)[0]
    assert answer["as_service"] and answer["configured"] and len(answer["rules"]) == RULES


@pytest.mark.parametrize("what, mode, verdict, words", [
    ("pki", 0o700, ("dir", "closed"), "cannot be entered: Permission denied"),
    ("pki", 0o711, ("dir", "not watched"), "cannot be watched, only polled"),
    ("pki/r1/client-key.pem", 0o600, ("file", "unreadable"), "cannot be read: Permission denied"),
])
def test_the_first_inaccessible_component_has_a_command_that_fixes_it(real, what, mode, verdict,
                                                                      words):
    place = real.directory / what
    shutil.chown(place, "root", "root")
    place.chmod(mode)
    real.start()
    real.wait_state("valid" if mode == 0o711 else "invalid")
    text = real.ctl("explain").stdout
    assert words in text
    assert hops(real.ctl)[str(place)] == verdict
    rules = {rule["rule"]: rule["verdict"]
             for rule in json.loads(real.ctl("--json", "explain").stdout)[0]["rules"]}
    # A file that cannot be reached may exist or not.
    assert rules["file-missing"] == ("passed" if mode == 0o711 else "not_judged")
    bits = "r" if place.is_file() else "rx"
    command = f"chgrp {GROUP} {place} && chmod g+{bits} {place}"
    assert f"\n      {command}\n  or  setfacl -m g:{GROUP}:{bits} {place}\n" in text
    subprocess.run(["sh", "-c", command], check=True)
    real.wait(lambda: "none: this set is good" in real.ctl("explain").stdout, 40)


def test_a_directory_hidden_by_the_sandbox_is_named(ctl, directory, authority):
    home = Path("/home") / f"explain-{os.getpid()}"
    try:
        fill(home, authority)
        real = Daemon(ctl, directory, home)
        real.start()
        try:
            text = " ".join(ctl("explain").stdout.split())
            assert "sandbox hides /home from the service" in text and "BindReadOnlyPaths=" in text
            assert "chgrp" not in text
        finally:
            real.process.kill()
            real.process.wait()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def test_a_missing_file_is_the_last_component(real):
    (real.directory / "pki/r1/client-cert.pem").unlink()
    real.start()
    real.wait_state("missing")
    done = real.ctl("explain")
    assert done.returncode == 1
    assert hops(real.ctl)[f"{real.directory}/pki/r1/client-cert.pem"] == ("-", "missing")
    assert f"there is no {real.directory}/pki/r1/client-cert.pem" in " ".join(done.stdout.split())


def test_the_settings_of_the_configuration_are_used(real):
    real.configure("chain = off\ncert = other.pem")
    (real.directory / "pki/r1/client-cert.pem").rename(real.directory / "pki/r1/other.pem")
    real.start()
    real.wait_state("valid")
    text = real.ctl("explain").stdout
    assert "off         chain-broken" in text and "other.pem" in text


@pytest.mark.parametrize("spoil", ["removed", "broken", "another"])
def test_without_the_configuration_the_default_names_are_used_and_reported(real, spoil):
    real.start()
    real.wait_state("valid")
    path = real.directory / "binlog-ssld.conf"
    if spoil == "removed":
        path.unlink()
    else:
        path.write_text("nonsense" if spoil == "broken"
                        else path.read_text().replace(str(real.material), "/elsewhere"))
    text = real.ctl("explain").stdout
    assert "names are the default ones: " in text and "client-cert.pem" in text


def test_another_user_gets_the_result_for_that_user(real):
    real.start()
    real.wait_state("valid")
    program = real.directory / "ctl"
    shutil.copy(BUILD / "binlog-sslctl", program)
    done = subprocess.run([str(program), "explain"], user="daemon", group="daemon",
                          extra_groups=[], capture_output=True, text=True, cwd="/",
                          env=real.ctl.environment)
    assert done.returncode == 0
    assert "as daemon has it; run this as root to see it as the service does" in \
        " ".join(done.stdout.split())
    assert "unreadable" in done.stdout and "chgrp" not in done.stdout


def test_the_identity_of_another_process_is_not_taken(ctl, manage):
    manage(pid=1)
    text = " ".join(ctl("explain").stdout.split())
    assert "binlog-ssld must run here" in text


def test_all_materials_or_the_named_one(ctl, manage):
    bad = material("second", state="invalid", reason="key-mismatch: no",
                   problems=[problem("key-mismatch", "no pair"), problem("new-rule", "odd")])
    manage(cluster("orders"), materials=[material(), bad])
    both = ctl("explain")
    assert both.returncode == 1 and both.stdout.count("rules\n") == 2
    assert ctl("explain", "default").stdout.count("rules\n") == 1
    assert "no pair" in both.stdout and "new-rule: odd" in both.stdout
    done = ctl("explain", "third")
    assert (done.returncode, done.stderr) == (64, "binlog-sslctl: there is no material third\n")


def test_a_file_system_that_does_not_respond_is_not_walked(ctl, manage):
    manage(materials=[material(not_responding_since=1,
                               next_step="look at the mount and its server")])
    done = ctl("explain")
    assert "could not be checked: Connection timed out" in done.stdout
    assert "look at the mount and its server" in " ".join(done.stdout.split())


def test_without_a_daemon_check_is_suggested(ctl):
    done = ctl("explain")
    assert done.returncode == 3 and "binlog-sslctl check DIR" in done.stderr
