"""The stand-in leaves no process and no file, however the session ends."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.standin import Aurora, Authority, Workspace

ROOT = Path(__file__).parents[3]
STANDIN = """
import sys
from tests.standin import MAKES, Aurora, Authority, Workspace
workspace = Workspace(make=MAKES[sys.argv[1]]())
aurora = Aurora(workspace, Authority(workspace.path / "rds"))
aurora.start()
print(workspace.path, aurora.pid, flush=True)
input()
"""


def is_removed(path: Path, pid: int) -> bool:
    return not path.exists() and not Path(f"/proc/{pid}").exists()


def test_a_failing_test_leaves_neither_servers_nor_files(shared_aurora):
    with pytest.raises(ZeroDivisionError), Workspace(make=shared_aurora.make) as workspace:
        # Saves time: the template of the other workspace has the same contents.
        workspace._template = shared_aurora.workspace.template()
        aurora = Aurora(workspace, Authority(workspace.path / "rds"))
        aurora.start()
        pid = aurora.pid
        assert pid and not is_removed(workspace.path, pid)
        raise ZeroDivisionError
    assert is_removed(workspace.path, pid)


def test_a_killed_test_leaves_neither_servers_nor_files(workspace):
    with subprocess.Popen([sys.executable, "-c", STANDIN, workspace.make.name], cwd=ROOT,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as standin:
        try:
            path, pid = standin.stdout.readline().split()
            assert not is_removed(Path(path), int(pid))
        finally:
            standin.send_signal(signal.SIGKILL)
    end = time.monotonic() + 15
    while not is_removed(Path(path), int(pid)):
        assert time.monotonic() < end
        time.sleep(0.02)
