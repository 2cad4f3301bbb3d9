"""Completion in bash and zsh: commands, all options, and names from the daemon."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import CTL
from .mock_manager import cluster, material

ROOT = Path(__file__).resolve().parents[2]
BASH = ROOT / "conf" / "completion" / "binlog-sslctl.bash"
ZSH = ROOT / "conf" / "completion" / "_binlog-sslctl"
COMMANDS = ["status", "history", "explain", "check", "check-clusters", "import", "remove", "wait",
            "monitor", "metrics", "nagios", "reload"]


def complete(ctl, *words: str) -> list[str]:
    """Returns the completions that bash offers for the last word."""
    script = (f'source {BASH}; COMP_WORDS=(binlog-sslctl "$@"); COMP_CWORD=$#; _binlog_sslctl; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True,
                          env={**ctl.environment, "PATH": f"{CTL.parent}:/usr/bin:/bin"},
                          cwd=ctl.directory, timeout=20)
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_completes_commands_options_and_names(ctl, manage):
    manage(cluster("billing"), cluster("orders"), materials=[material(), material("second")])
    assert complete(ctl, "") == COMMANDS
    assert complete(ctl, "sta") == ["status"]
    assert complete(ctl, "status", "") == ["billing", "orders"]
    assert complete(ctl, "history", "b") == ["billing"]
    assert complete(ctl, "import", "--force", "o") == ["orders"]
    assert complete(ctl, "check-clusters", "o") == ["orders"]
    assert complete(ctl, "explain", "") == ["default", "second"]
    assert complete(ctl, "--socket", str(ctl.socket), "status", "b") == ["billing"]
    assert complete(ctl, "--socket", "/nowhere", "status", "") == []
    assert complete(ctl, "import", "--w") == ["--wait"]
    assert complete(ctl, "wait", "--c") == ["--cert"]
    assert complete(ctl, "wait", "--timeout", "") == ["30s", "1min", "5min", "15min"]
    (ctl.directory / "cert.pem").write_text("")
    assert complete(ctl, "wait", "--cert", "cer") == ["cert.pem"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_the_help_is_completed(ctl, command):
    text = ctl(command, "--help").stdout
    zsh = ZSH.read_text()
    assert f"'{command}:" in zsh
    for option in set(re.findall(r"^  (--[a-z-]+)", text, re.M)):
        assert option in complete(ctl, command, "--")
        assert f"'{option}[" in zsh


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_loads_the_file_and_completes_names(ctl, manage):
    manage(cluster("billing"), cluster("orders"))
    script = (f"fpath=({ZSH.parent} $fpath); autoload -Uz compinit; compinit -u -D; "
              "whence -w _binlog-sslctl")
    environment = {**ctl.environment, "PATH": f"{CTL.parent}:/usr/bin:/bin"}
    done = subprocess.run(["zsh", "-f", "-c", script], capture_output=True, text=True,
                          env=environment, timeout=20)
    assert done.stdout == "_binlog-sslctl: function\n", done.stderr
    names = (f"words=(binlog-sslctl status ''); compadd() {{ print -l ${{(P)2}} }}; "
             f"source {ZSH} 2>/dev/null; _binlog_sslctl_names host")
    done = subprocess.run(["zsh", "-f", "-c", names], capture_output=True, text=True,
                          env=environment, timeout=20)
    assert done.stdout.split() == ["billing", "orders"], done.stderr
