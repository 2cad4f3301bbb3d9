"""check: evaluates a directory with every rule, without a daemon."""

import json
import os
import shutil
import subprocess

import pytest

from tests.standin import Authority, write_material
from tests.standin.pki import damage_key

RULES = 24


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def directory(authority, tmp_path):
    write_material(tmp_path / "m", authority.certificate, authority.issue_client("check"))
    return tmp_path / "m"


def verdicts(done) -> dict[str, str]:
    rules = {rule["rule"]: rule["verdict"] for rule in json.loads(done.stdout)["rules"]}
    assert len(rules) == RULES
    return rules


def test_a_good_set_exits_with_0_and_lists_every_rule(ctl, directory):
    done = ctl("check", str(directory))
    assert (done.returncode, done.stderr) == (0, "")
    assert "good: it would be imported" in done.stdout and "CN = check" in done.stdout
    passed = done.stdout.split("passed ")[1].replace("\n", " ").split(", ")
    assert len(passed) == RULES
    done = ctl("--json", "check", str(directory))
    assert set(verdicts(done).values()) == {"passed"}
    assert json.loads(done.stdout)["good"] is True


def test_a_bad_pair_exits_with_1_and_shows_the_next_step(ctl, authority, directory):
    shutil.copy(authority.issue_client("other").certificate, directory / "client-cert.pem")
    done = ctl("check", str(directory))
    assert done.returncode == 1
    assert "broken      key-mismatch" in done.stdout
    assert "next: write the key that belongs to this certificate" in done.stdout
    assert verdicts(ctl("--json", "check", str(directory)))["key-mismatch"] == "broken"


def test_a_damaged_key_exits_with_1_and_names_its_number(ctl, directory):
    key = directory / "client-key.pem"
    key.write_bytes(damage_key(key, "dmp1"))
    done = ctl("check", str(directory))
    assert done.returncode == 1
    assert "broken      key-damaged" in done.stdout
    assert "dmp1" in done.stdout and "next: write this key again" in done.stdout


def test_rules_that_need_a_missing_file_are_not_judged(ctl, directory):
    (directory / "client-key.pem").unlink()
    rules = verdicts(ctl("--json", "check", str(directory)))
    assert rules["file-missing"] == "broken"
    for rule in ("file-kind", "pem-empty", "key-mismatch", "key-bits", "key-permissions"):
        assert rules[rule] == "not_judged"
    for rule in ("cert-expired", "chain-broken", "ca-not-a-ca"):
        assert rules[rule] == "passed"


def test_a_warning_does_not_make_it_unusable(ctl, directory):
    (directory / "client-key.pem").chmod(0o644)
    done = ctl("--json", "check", str(directory))
    assert done.returncode == 0 and verdicts(done)["key-permissions"] == "warning"


def test_file_options_and_a_relative_directory(ctl, directory):
    (directory / "ca.pem").rename(directory / "root.pem")
    (directory / "client-cert.pem").rename(directory.parent / "c.pem")
    (directory / "client-key.pem").rename(directory / "k.pem")
    assert ctl("check", str(directory)).returncode == 1
    done = ctl("check", "m", "--ca", "root.pem", "--cert", str(directory.parent / "c.pem"),
               "--key", "k.pem", cwd=directory.parent)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("arguments, words", [
    ([], "usage: binlog-sslctl check DIR"), (["a", "b"], "usage: binlog-sslctl check DIR")])
def test_exactly_one_directory_is_required(ctl, arguments, words):
    done = ctl("check", *arguments)
    assert done.returncode == 64 and words in done.stderr


def test_unusual_directories_are_reported(ctl, tmp_path):
    assert "file-missing" in ctl("check", str(tmp_path / "none")).stdout
    done = ctl("check", "/" + "x" * 5000)
    assert done.returncode == 1 and "File name too long" in done.stderr
    os.mkfifo(tmp_path / "ca.pem")
    assert "broken      file-kind" in ctl("check", str(tmp_path)).stdout
    assert "\x1b" not in ctl("check", str(tmp_path / "a\x1b[2Jb")).stdout


@pytest.mark.parametrize(("kind", "rule", "command"), [
    ("der", "pem-malformed", "openssl pkey -inform DER"),
    ("utf-16", "pem-malformed", "iconv -f UTF-16"),
    ("one line", "pem-empty", "one line with"),
    ("openssh", "pem-malformed", "ssh-keygen -p -m PKCS8"),
    ("exchanged", "pem-empty", "exchanged"),
])
def test_what_is_nearly_pem_is_named_with_its_command(ctl, directory, kind, rule, command):
    key = directory / "client-key.pem"
    text = key.read_text()
    key.write_bytes({
        "der": subprocess.run(["openssl", "pkey", "-in", key, "-outform", "DER"], check=True,
                              capture_output=True).stdout,
        "utf-16": text.encode("utf-16"),
        "one line": text.replace("\n", "\\n").encode(),
        "openssh": text.replace("PRIVATE KEY", "OPENSSH PRIVATE KEY").encode(),
        "exchanged": (directory / "client-cert.pem").read_bytes(),
    }[kind])
    broken = [name for name, verdict in
              verdicts(ctl("--json", "check", str(directory))).items() if verdict == "broken"]
    assert broken == [rule]
    assert command in " ".join(ctl("check", str(directory)).stdout.split())
