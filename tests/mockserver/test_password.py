"""Passwords from files and commands, JSON, the second login, and messages about a failing command."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.standin import Workspace

from . import faults, packet
from .conversation import Conversation, Handler
from .secret import Secret
from .harness import Harness

SECONDS = 60.0
OLD, NEW = "0ld-Tr0ub4dor&3", "n3w-correct horse; \"$HOME\""
DENIED = packet.error(1045, "Access denied", "28000")
FILE = {"password-file": ""}  # not the file of the harness
numbers = itertools.count()


@pytest.fixture
def script(workspace: Workspace) -> Callable[[str], Path]:
    """Creates a program from lines of shell; $here is its directory."""
    def make(lines: str) -> Path:
        here = workspace.directory(f"command {next(numbers)}")
        path = here / "token"
        path.write_text(f"#!/bin/sh\nhere='{here}'\n{lines}\n")
        path.chmod(0o755)
        return path
    return make


def of_command(path: Path, *arguments: str) -> dict[str, str]:
    return {**FILE, "password-command": " ".join([f'"{path}"', *arguments])}


def run_count(path: Path) -> int:
    """Returns the number of runs of a program that begins with COUNT."""
    runs = path.with_name("runs")
    return len(runs.read_text()) if runs.exists() else 0


COUNT = 'printf x >>"$here/runs"'


def quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def leaks_of(harness: Harness, *passwords: str) -> list[str]:
    """Returns the places of the output that contain a part of a password."""
    return [f"{found} in {where}" for where, text in harness.readable_output().items()
            for password in passwords for found in Secret.of_password(password, 8).found_in(text)]


def test_a_command_is_run_for_each_attempt(harness: Harness, script: Callable[[str], Path]) -> None:
    path = script(f'{COUNT}; echo "looking for $1" >&2; printf "%s\\n" {quoted(NEW)}')
    harness.add("command", harness.script(password=NEW.encode()), of_command(path, '"a $(b); c"'))
    harness.start()
    cluster = harness.wait(SECONDS)["command"]
    assert cluster["outcome"] == "imported", cluster["reason"]
    assert run_count(path) == 1
    assert harness.service.ctl("import", "--force", "--wait").returncode == 0
    assert run_count(path) == 2
    assert harness.service.log().count("looking for a $(b); c\n") == 2
    assert leaks_of(harness, NEW) == []


def test_a_command_gets_host_port_and_user_of_each_cluster(
        harness: Harness, script: Callable[[str], Path]) -> None:
    """Whatever a user is called, it is one argument."""
    odd = """-x "b" ';$(>"$here/i") %h`w`|'"""
    path = script(f'printf "%s\\n" "$*" >>"$here/runs"; echo {quoted(NEW)}')
    for name, host, user in (("one", "localhost", odd), ("two", "127.0.0.1", "importer")):
        harness.add(name, harness.script(password=NEW.encode()), {
            **of_command(path, "--host=%h", "%p", '"for %u"', "100%%"),
            "host": host, "user": user})
    harness.start()
    clusters = harness.wait(SECONDS)
    assert [cluster["outcome"] for cluster in clusters.values()] == ["imported"] * 2
    assert sorted(path.with_name("runs").read_text().splitlines()) == sorted(
        f"--host={cluster['host']} {cluster['port']} for {user} 100%"
        for cluster, user in zip(clusters.values(), (odd, "importer")))
    assert sorted(file.name for file in path.parent.iterdir()) == ["runs", "token"]


def test_a_command_with_a_refused_password_is_run_exactly_twice(
        harness: Harness, script: Callable[[str], Path]) -> None:
    """The second token is sent even if it is the same: only the server can tell when it expires."""
    path = script(f"{COUNT}; echo {quoted(OLD)}")
    harness.add("refused", harness.script(password=b"another"), of_command(path))
    harness.start()
    cluster = harness.wait(SECONDS)["refused"]
    assert (cluster["outcome"], cluster["sql_errno"]) == ("auth", 1045)
    assert run_count(path) == 2
    assert len(harness.scripts["refused"].conversations) == 2
    assert leaks_of(harness, OLD) == []


def test_an_expired_token_is_replaced_within_the_attempt(
        harness: Harness, script: Callable[[str], Path]) -> None:
    path = script(f'{COUNT}; [ "$(cat "$here/runs")" = x ] && echo {quoted(OLD)} || '
                  f'printf "%s\\n" {quoted(NEW)}')
    harness.add("expired", harness.script(password=NEW.encode()), of_command(path))
    harness.start()
    cluster = harness.wait(SECONDS)["expired"]
    assert (cluster["outcome"], run_count(path)) == ("imported", 2), cluster["reason"]
    first, second = harness.scripts["expired"].conversations
    assert (first.steps[-1], second.steps[-1]) == ("login", "status")
    assert leaks_of(harness, OLD, NEW) == []


def test_when_the_second_run_fails_the_error_of_the_server_is_reported(
        harness: Harness, script: Callable[[str], Path]) -> None:
    path = script(f'{COUNT}; [ "$(cat "$here/runs")" = x ] || exit 1; echo {quoted(OLD)}')
    harness.add("once", harness.script(password=b"another"), of_command(path))
    harness.start()
    cluster = harness.wait(SECONDS)["once"]
    assert (cluster["outcome"], cluster["sql_errno"]) == ("auth", 1045)
    assert len(harness.scripts["once"].conversations) == 1


def denies_after(change: Callable[[], object]) -> Handler:
    """Refuses the first login; before the answer is sent, change() is called."""
    def login(conversation: Conversation, payloads: list[bytes]) -> None:
        if conversation.verify_native(conversation.auth_response()):
            conversation.send(payloads)
        else:
            change()
            conversation.send([DENIED])
    return login


@pytest.mark.parametrize("before, after, logins", [
    (f"{OLD}\n", f"{NEW}\n", 2),
    (f"{OLD}\n", f"{OLD}\n", 1),
    (f"{OLD}\n", OLD, 1),  # the line end is not part of the password
    (f"{OLD}\n", "", 1),
    (f"{OLD}\n", f"{OLD[:-1]}4\n", 2),
])
def test_a_changed_password_file_is_read_and_tried_again(
        harness: Harness, workspace: Workspace, before: str, after: str, logins: int) -> None:
    path = workspace.directory(f"rotated {next(numbers)}") / "password"
    path.write_text(before)
    harness.add("rotated", harness.script(
        password=NEW.encode(), handlers={"login": denies_after(lambda: path.write_text(after))}),
                {"password-file": str(path)})
    harness.start()
    cluster = harness.wait(SECONDS)["rotated"]
    assert len(harness.scripts["rotated"].conversations) == logins
    if after.strip() == NEW:
        assert cluster["outcome"] == "imported", cluster["reason"]
    else:
        assert (cluster["outcome"], cluster["sql_errno"]) == ("auth", 1045)


def test_no_other_error_causes_a_second_login(harness: Harness) -> None:
    codes = (1044, 1130, 1698, 1862, 3118, 4151)
    for code in codes:
        harness.add(str(code), harness.script(handlers={"login": faults.reply(packet.error(code))}),
                    of_command(Path("/bin/echo"), OLD))
    harness.start()
    clusters = harness.wait(SECONDS)
    for code in codes:
        assert clusters[str(code)]["outcome"] == "auth"
        assert len(harness.scripts[str(code)].conversations) == 1


def test_a_server_that_repeats_both_passwords_is_redacted(
        harness: Harness, script: Callable[[str], Path]) -> None:
    passwords: list[str] = []

    def login(conversation: Conversation, payloads: list[bytes]) -> None:
        conversation.send([packet.switch(faults.CLEAR, b"")])
        passwords.append(conversation.receive().rstrip(b"\0").decode())
        conversation.send([packet.error(1045, f"denied: {' '.join(passwords)}", "28000")])

    path = script(f'{COUNT}; [ "$(cat "$here/runs")" = x ] && echo {quoted(OLD)} || '
                  f'printf "%s\\n" {quoted(NEW)}')
    harness.add("echo", harness.script(handlers={"login": login}),
                {**of_command(path), "allow-cleartext-password": "yes"})
    harness.start()
    cluster = harness.wait(SECONDS)["echo"]
    assert passwords == [OLD, NEW]
    assert "denied: ***" in cluster["reason"]
    assert leaks_of(harness, OLD, NEW) == []


OTHER = "0ther-secret-of-the-object"  # no part of it may be seen either


def json_of(password: object, **more: object) -> str:
    return json.dumps({"username": OTHER, "password": password, **more}, indent=1)


@pytest.mark.parametrize("source", ["file", "credential", "command"])
def test_a_member_of_json_is_the_password(
        harness: Harness, script: Callable[[str], Path], source: str) -> None:
    password = NEW + "\n\\ \U0001f600\u00e9"
    path = script(f"cat <<'END'\n{json_of(password)}\nEND")
    content = path.with_name("secret")
    content.write_text(json_of(password))
    harness.service.variables["CREDENTIALS_DIRECTORY"] = str(content.parent)
    settings = {"file": {"password-file": str(content)}, "command": of_command(path),
                "credential": {**FILE, "password-credential": "secret"}}[source]
    harness.add("json", harness.script(password=password.encode()),
                {**settings, "password-field": "password"})
    harness.start()
    cluster = harness.wait(SECONDS)["json"]
    assert cluster["outcome"] == "imported", cluster["reason"]
    assert leaks_of(harness, NEW, OTHER) == []


def test_a_changed_object_with_the_same_password_is_not_sent_again(
        harness: Harness, workspace: Workspace) -> None:
    path = workspace.directory(f"rotated {next(numbers)}") / "secret"
    path.write_text(json_of(OLD))
    harness.add("same", harness.script(password=NEW.encode(), handlers={
        "login": denies_after(lambda: path.write_text(json_of(OLD, version=2)))}),
                {"password-file": str(path), "password-field": "password"})
    harness.start()
    assert harness.wait(SECONDS)["same"]["sql_errno"] == 1045
    assert len(harness.scripts["same"].conversations) == 1


def test_a_server_that_repeats_a_member_of_json_is_redacted(
        harness: Harness, workspace: Workspace) -> None:
    path = workspace.directory(f"echoed {next(numbers)}") / "secret"
    path.write_text(json_of(NEW))
    harness.add("echo", harness.script(
        handlers={"login": faults.reply(packet.error(1044, f"denied: {NEW}", "28000"))}),
                {"password-file": str(path), "password-field": "password"})
    harness.start()
    assert "denied: ***" in harness.wait(SECONDS)["echo"]["reason"]
    assert leaks_of(harness, NEW, OTHER) == []


NOT_JSON = "not JSON, or has a key twice or too many levels"
BAD_JSON = {
    "line": (NEW, NOT_JSON),
    "nothing": ("", NOT_JSON),
    "cut": (json_of(NEW)[:-2], NOT_JSON),
    "trailing": (json_of(NEW) + OTHER, NOT_JSON),
    "nul": (json_of(NEW) + "\0", NOT_JSON),
    "escaped-nul": (json_of(NEW + "\0"), NOT_JSON),
    "half-pair": (json_of(NEW + "\ud83d"), NOT_JSON),
    "array": (f"[{json_of(NEW)}]", "JSON, but not an object"),
    "absent": (json.dumps({"username": OTHER, "Password": NEW}),
               "a JSON object without password-field"),
    "twice": (json_of(NEW)[:-2] + f', "password": "{OTHER}"}}',
              NOT_JSON),
    "number": (json_of(12345678), "a JSON object in which password-field is not a string"),
    "null": (json_of(None), "a JSON object in which password-field is not a string"),
    "list": (json_of([NEW]), "a JSON object in which password-field is not a string"),
    "object": (json_of({"password": NEW}), "a JSON object in which password-field is not a string"),
    "empty": (json_of(""), "a JSON object in which password-field is empty"),
}


def test_json_without_a_password_has_a_reason_that_shows_none_of_it(
        harness: Harness, workspace: Workspace) -> None:
    folder = workspace.directory(f"json {next(numbers)}")
    for name, (content, _) in BAD_JSON.items():
        (folder / name).write_text(content)
        harness.add(name, harness.script(), {"password-file": str(folder / name),
                                             "password-field": "password"})
    harness.start()
    clusters = harness.wait(SECONDS)
    for name, (_, reason) in BAD_JSON.items():
        cluster = clusters[name]
        assert (cluster["outcome"], cluster["state"]) == ("auth", "retrying")
        assert cluster["reason"] == f"no password: {folder / name}: {reason}"
        assert "a JSON object with password-field as a string" in cluster["next_step"]
        assert harness.scripts[name].conversations == []
    assert leaks_of(harness, NEW, OTHER) == []


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
def failed(make_harness: Callable[[str], Harness], workspace: Workspace
           ) -> Iterator[tuple[Harness, dict[str, dict], dict[str, Path]]]:
    harness = make_harness("import-timeout = 10s")
    paths = {}
    for name, (lines, _) in FAILURES.items():
        here = workspace.directory(f"failing {name}")
        paths[name] = here / "token"
        paths[name].write_text(f"#!/bin/sh\nhere='{here}'\nprintf %s {quoted(OLD)}\n"
                               f"echo message of {name} >&2\n{lines}\n")
        paths[name].chmod(0o755)
        harness.add(name, harness.script(), of_command(paths[name], NEW.replace('"', "")))
    for name, path in (("missing", "/no/such/token"), ("silent", "/bin/true")):
        paths[name] = Path(path)
        harness.add(name, harness.script(), of_command(paths[name]))
    harness.start()
    yield harness, harness.wait(SECONDS), paths
    assert harness.service.stop() == 0


@pytest.mark.parametrize("name, reason", [
    *((name, reason) for name, (_, reason) in FAILURES.items()),
    ("missing", "{} cannot be started: No such file or directory"),
    ("silent", "the output of {} is empty"),
])
def test_a_failing_command_is_named_by_its_path(
        failed: tuple[Harness, dict[str, dict], dict[str, Path]], name: str, reason: str) -> None:
    harness, clusters, paths = failed
    assert (clusters[name]["outcome"], clusters[name]["state"]) == ("auth", "retrying")
    assert f"no password: {reason.format(paths[name])}" in clusters[name]["reason"]
    assert harness.scripts[name].conversations == []


def test_output_and_arguments_of_a_failing_command_are_not_shown(
        failed: tuple[Harness, dict[str, dict], dict[str, Path]]) -> None:
    harness, _, _ = failed
    assert leaks_of(harness, OLD, NEW.replace('"', "")) == []
    for name in FAILURES:
        assert f"message of {name}\n" in harness.service.log()


def test_children_of_a_killed_command_are_killed_with_it(
        failed: tuple[Harness, dict[str, dict], dict[str, Path]]) -> None:
    _, _, paths = failed
    pid = paths["lasts"].with_name("pid").read_text().strip()
    stat = Path(f"/proc/{pid}/stat")
    assert not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"
