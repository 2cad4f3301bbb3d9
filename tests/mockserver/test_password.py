"""How a password is had, and had again: what reaches the server, and what is told of a command."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.standin import Workspace

from . import deed, packet
from .conversation import Conversation, Deed
from .secret import Secret
from .stage import Stage

SECONDS = 60.0
OLD, NEW = "0ld-Tr0ub4dor&3", "n3w-correct horse; \"$HOME\""
DENIED = packet.error(1045, "Access denied", "28000")
FILE = {"password-file": ""}  # none of the stage's own making
numbers = itertools.count()


@pytest.fixture
def script(workspace: Workspace) -> Callable[[str], Path]:
    """Makes a program out of lines of shell; $here is a directory of its own."""
    def make(lines: str) -> Path:
        here = workspace.directory(f"command {next(numbers)}")
        path = here / "token"
        path.write_text(f"#!/bin/sh\nhere='{here}'\n{lines}\n")
        path.chmod(0o755)
        return path
    return make


def of_command(path: Path, *arguments: str) -> dict[str, str]:
    return {**FILE, "password-command": " ".join([f'"{path}"', *arguments])}


def times(path: Path) -> int:
    """How often a program was run that has begun with COUNT."""
    runs = path.with_name("runs")
    return len(runs.read_text()) if runs.exists() else 0


COUNT = 'printf x >>"$here/runs"'


def quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def told_in(stage: Stage, *passwords: str) -> list[str]:
    """Where a part of them is told afterwards."""
    return [f"{found} in {where}" for where, text in stage.told().items()
            for password in passwords for found in Secret.of_password(password, 8).found_in(text)]


def test_a_command_is_run_for_each_attempt(stage: Stage, script: Callable[[str], Path]) -> None:
    path = script(f'{COUNT}; echo "looking for $1" >&2; printf "%s\\n" {quoted(NEW)}')
    stage.add("command", stage.script(password=NEW.encode()), of_command(path, '"a $(b); c"'))
    stage.start()
    cluster = stage.wait(SECONDS)["command"]
    assert cluster["outcome"] == "imported", cluster["reason"]
    assert times(path) == 1
    assert stage.service.ctl("import", "--force", "--wait").returncode == 0
    assert times(path) == 2
    assert stage.service.log().count("looking for a $(b); c\n") == 2
    assert told_in(stage, NEW) == []


def test_a_refused_command_is_run_once_more_and_no_more(
        stage: Stage, script: Callable[[str], Path]) -> None:
    """The second token is tried even if it is the same: only the server knows its end."""
    path = script(f"{COUNT}; echo {quoted(OLD)}")
    stage.add("refused", stage.script(password=b"another"), of_command(path))
    stage.start()
    cluster = stage.wait(SECONDS)["refused"]
    assert (cluster["outcome"], cluster["sql_errno"]) == ("auth", 1045)
    assert times(path) == 2
    assert len(stage.scripts["refused"].conversations) == 2
    assert told_in(stage, OLD) == []


def test_a_token_that_has_ended_is_replaced_within_the_attempt(
        stage: Stage, script: Callable[[str], Path]) -> None:
    path = script(f'{COUNT}; [ "$(cat "$here/runs")" = x ] && echo {quoted(OLD)} || '
                  f'printf "%s\\n" {quoted(NEW)}')
    stage.add("ended", stage.script(password=NEW.encode()), of_command(path))
    stage.start()
    cluster = stage.wait(SECONDS)["ended"]
    assert (cluster["outcome"], times(path)) == ("imported", 2), cluster["reason"]
    first, second = stage.scripts["ended"].conversations
    assert (first.steps[-1], second.steps[-1]) == ("login", "status")
    assert told_in(stage, OLD, NEW) == []


def test_a_command_that_fails_the_second_time_leaves_the_servers_word(
        stage: Stage, script: Callable[[str], Path]) -> None:
    path = script(f'{COUNT}; [ "$(cat "$here/runs")" = x ] || exit 1; echo {quoted(OLD)}')
    stage.add("once", stage.script(password=b"another"), of_command(path))
    stage.start()
    cluster = stage.wait(SECONDS)["once"]
    assert (cluster["outcome"], cluster["sql_errno"]) == ("auth", 1045)
    assert len(stage.scripts["once"].conversations) == 1


def denies_after(change: Callable[[], object]) -> Deed:
    """The first login is refused, and something has changed before the client knows of it."""
    def login(conversation: Conversation, payloads: list[bytes]) -> None:
        if conversation.proves(conversation.proof()):
            conversation.send(payloads)
        else:
            change()
            conversation.send([DENIED])
    return login


@pytest.mark.parametrize("before, after, logins", [
    (f"{OLD}\n", f"{NEW}\n", 2),
    (f"{OLD}\n", f"{OLD}\n", 1),
    (f"{OLD}\n", OLD, 1),  # its line end is no part of it
    (f"{OLD}\n", "", 1),
    (f"{OLD}\n", f"{OLD[:-1]}4\n", 2),
])
def test_a_password_file_is_read_again_and_tried_if_it_has_changed(
        stage: Stage, workspace: Workspace, before: str, after: str, logins: int) -> None:
    path = workspace.directory(f"rotated {next(numbers)}") / "password"
    path.write_text(before)
    stage.add("rotated", stage.script(
        password=NEW.encode(), deeds={"login": denies_after(lambda: path.write_text(after))}),
        {"password-file": str(path)})
    stage.start()
    cluster = stage.wait(SECONDS)["rotated"]
    assert len(stage.scripts["rotated"].conversations) == logins
    if after.strip() == NEW:
        assert cluster["outcome"] == "imported", cluster["reason"]
    else:
        assert (cluster["outcome"], cluster["sql_errno"]) == ("auth", 1045)


def test_no_other_refusal_is_answered_with_a_second_login(stage: Stage) -> None:
    codes = (1044, 1130, 1698, 1862, 3118, 4151)
    for code in codes:
        stage.add(str(code), stage.script(deeds={"login": deed.says(packet.error(code))}),
                  of_command(Path("/bin/echo"), OLD))
    stage.start()
    clusters = stage.wait(SECONDS)
    for code in codes:
        assert clusters[str(code)]["outcome"] == "auth"
        assert len(stage.scripts[str(code)].conversations) == 1


def test_a_server_that_remembers_both_passwords_cannot_tell_them(
        stage: Stage, script: Callable[[str], Path]) -> None:
    heard: list[str] = []

    def login(conversation: Conversation, payloads: list[bytes]) -> None:
        conversation.send([packet.switch(deed.CLEAR, b"")])
        heard.append(conversation.receive().rstrip(b"\0").decode())
        conversation.send([packet.error(1045, f"denied: {' '.join(heard)}", "28000")])

    path = script(f'{COUNT}; [ "$(cat "$here/runs")" = x ] && echo {quoted(OLD)} || '
                  f'printf "%s\\n" {quoted(NEW)}')
    stage.add("echo", stage.script(deeds={"login": login}),
              {**of_command(path), "allow-cleartext-password": "yes"})
    stage.start()
    cluster = stage.wait(SECONDS)["echo"]
    assert heard == [OLD, NEW]
    assert "denied: ***" in cluster["reason"]
    assert told_in(stage, OLD, NEW) == []


FAILURES = {
    "exits": ("exit 3", "{} exited with status 3; its stderr is in the journal"),
    "dies": ("kill -SEGV $$", "{} was killed by signal 11 (Segmentation fault); "
             "its stderr is in the journal"),
    "lasts": ("sleep 1000 & echo $! >\"$here/pid\"; wait", "{} did not end within 4."),
    "two-lines": ("echo; echo more", "the output of {} is more than one line"),
    "nul": ("printf '\\000'", "the output of {} is not text: it has a NUL byte"),
    "flood": ("yes", "{} printed more than 65536 bytes and was killed"),
}


@pytest.fixture(scope="module")
def failed(make_stage: Callable[[str], Stage], workspace: Workspace
           ) -> Iterator[tuple[Stage, dict[str, dict], dict[str, Path]]]:
    stage = make_stage("import-timeout = 10s")
    paths = {}
    for name, (lines, _) in FAILURES.items():
        here = workspace.directory(f"failing {name}")
        paths[name] = here / "token"
        paths[name].write_text(f"#!/bin/sh\nhere='{here}'\nprintf %s {quoted(OLD)}\n"
                               f"echo complaint of {name} >&2\n{lines}\n")
        paths[name].chmod(0o755)
        stage.add(name, stage.script(), of_command(paths[name], NEW.replace('"', "")))
    for name, path in (("missing", "/no/such/token"), ("silent", "/bin/true")):
        paths[name] = Path(path)
        stage.add(name, stage.script(), of_command(paths[name]))
    stage.start()
    yield stage, stage.wait(SECONDS), paths
    assert stage.service.stop() == 0


@pytest.mark.parametrize("name, reason", [
    *((name, reason) for name, (_, reason) in FAILURES.items()),
    ("missing", "{} cannot be started: No such file or directory"),
    ("silent", "the output of {} is empty"),
])
def test_a_command_that_fails_is_told_by_its_first_word(
        failed: tuple[Stage, dict[str, dict], dict[str, Path]], name: str, reason: str) -> None:
    stage, clusters, paths = failed
    assert (clusters[name]["outcome"], clusters[name]["state"]) == ("auth", "held")
    assert f"no password: {reason.format(paths[name])}" in clusters[name]["reason"]
    assert stage.scripts[name].conversations == []


def test_nothing_of_what_a_failing_command_printed_or_was_given_is_told(
        failed: tuple[Stage, dict[str, dict], dict[str, Path]]) -> None:
    stage, _, _ = failed
    assert told_in(stage, OLD, NEW.replace('"', "")) == []
    for name in FAILURES:
        assert f"complaint of {name}\n" in stage.service.log()


def test_what_a_command_has_started_is_gone_with_it(
        failed: tuple[Stage, dict[str, dict], dict[str, Path]]) -> None:
    _, _, paths = failed
    pid = paths["lasts"].with_name("pid").read_text().strip()
    stat = Path(f"/proc/{pid}/stat")
    assert not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"
