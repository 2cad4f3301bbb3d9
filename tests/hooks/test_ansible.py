"""The example playbook, run on this machine with a fake binlog-sslctl."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from subprocess import CompletedProcess

import pytest

PLAYBOOK = Path(__file__).resolve().parents[2] / "conf/hooks/ansible.yml"
MODES = {"ca.pem": 0o644, "client-cert.pem": 0o644, "client-key.pem": 0o640}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for folder in ("source", "material", "bin", "home"):
        (tmp_path / folder).mkdir()
    for name in MODES:
        (tmp_path / "source" / name).write_text(f"new {name}\n")
    return tmp_path


def run_playbook(directory: Path, status: int) -> CompletedProcess[str]:
    command = directory / "bin/binlog-sslctl"
    command.write_text(f"#!/bin/sh\necho \"$@\" >>'{directory}/called'\nexit {status}\n")
    command.chmod(0o755)
    variables = {"target": "localhost", "privileged": "false", "group": "games",
                 "source": directory / "source", "material": directory / "material"}
    return subprocess.run(
        ["ansible-playbook", "--inventory=localhost,", "--connection=local",
         "--extra-vars=ansible_python_interpreter=/usr/bin/python3",
         *(f"--extra-vars={name}={value}" for name, value in variables.items()), str(PLAYBOOK)],
        env={"PATH": f"{directory / 'bin'}:{os.environ['PATH']}", "HOME": str(directory / "home"),
             "ANSIBLE_REMOTE_TEMP": str(directory / "home"), "LC_ALL": "C.UTF-8",
             "ANSIBLE_NOCOLOR": "1"},
        capture_output=True, text=True, timeout=120, cwd=directory)


def test_the_files_are_installed_and_waited_for_even_without_changes(directory):
    for runs in (1, 2):
        done = run_playbook(directory, 0)
        assert done.returncode == 0, done.stdout + done.stderr
        for name, mode in MODES.items():
            path = directory / "material" / name
            assert path.read_text() == f"new {name}\n"
            assert path.stat().st_mode & 0o7777 == mode
        assert (directory / "called").read_text() == runs * (
            f"wait --cert {directory}/material/client-cert.pem --timeout 5min\n")


def test_the_play_fails_if_the_import_fails(directory):
    done = run_playbook(directory, 1)
    assert done.returncode == 2
    assert "Wait until every cluster carries it" in done.stdout and "failed=1" in done.stdout
