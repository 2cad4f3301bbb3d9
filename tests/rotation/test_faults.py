"""Faults in the field that concern files; T-NN is the number in a catalogue of such faults."""

import os
import shutil
import threading
import time

import pytest

from . import links
from .harness import BOTH, POLL, Harness
from .pattern import CA, CERT, KEY, PATTERNS, contents, overwrite, replace
from .renaming import NOBODY
from .pattern_run import EVENTS
from .watcher import SETTLE_LIMIT, Mode

PASSED = SETTLE_LIMIT + 0.3  # an inconsistent set has reached the settle limit and was read


def start(harness: Harness, generation, mode=BOTH, **more) -> None:
    harness.write(generation)
    harness.start(mode, **more)
    harness.wait_imported(generation)


def named(rotate) -> object:
    name = rotate.__name__.replace("_", "-")
    return next(pattern for pattern in PATTERNS if pattern.name == name)


def test_t01_deleted_files_are_missing_and_new_files_are_imported(harness, series):
    first, second = series()
    start(harness, first)
    for name in (CERT, KEY):
        (harness.directory / name).unlink()
    harness.wait_material("missing")
    harness.assert_imported(0.2, first)
    for name in (CERT, KEY):
        overwrite(harness.directory / name, contents(second)[name])
    harness.wait_imported(second)


@pytest.mark.parametrize("delay", range(0, 45, 3))
def test_t02_a_rotation_during_the_start_is_seen(harness, series, delay):
    first, second = series()
    harness.write(first)
    rotation = threading.Timer(delay / 1000, harness.write, [second])
    rotation.start()
    harness.start()
    rotation.join()
    harness.wait_imported(second)


def test_t03_an_overflow_of_a_running_watcher_loses_nothing(harness, series):
    first, second = series()
    start(harness, first)
    for n in range(20_000):
        (harness.directory / f"{n}").touch()
        if n == 10_000:
            harness.write(second)
    harness.wait_imported(second)
    assert EVENTS < 20_000


def test_t04_a_deleted_directory_is_polled_and_reported(harness, series):
    (first,) = series(1)
    start(harness, first)
    shutil.rmtree(harness.directory)
    assert harness.wait_material("missing")["watch"] != "inotify", harness.describe()
    assert "missing" in harness.watcher.log()


def test_t04_a_directory_that_comes_back_is_watched_again(harness, series):
    first, second, third = series(3)
    start(harness, first)
    for generation in (second, third):
        shutil.rmtree(harness.directory)
        harness.wait_material("missing")
        harness.write(generation)
        harness.wait_imported(generation)
    assert harness.material["watch"] == "inotify"
    assert harness.material["missed_events"] == 0


@pytest.mark.parametrize("there", [True, False], ids=["empty", "missing"])
def test_t05_a_start_without_material_waits(harness, series, there):
    if there:
        harness.directory.mkdir()
    harness.start()
    assert harness.wait_material("missing")["fingerprint"] is None
    assert harness.cluster["state"] == "waiting"
    (first,) = series(1)
    harness.write(first)
    harness.wait_imported(first)


def test_t06_an_intermediate_or_the_bundle_alone_is_a_new_set(harness, environment):
    bundles = environment.pool.series("ca", 2)
    start(harness, bundles[0])
    harness.write(bundles[1], CA)
    harness.wait_imported(bundles[1])
    for chained in environment.pool.chained(2):
        harness.write(chained)
        harness.wait_imported(chained)
    assert len(harness.applied()) == 4


def test_t07_five_swaps_of_the_atomic_writer(run_pattern):
    run_pattern(named(links.kubelet), 5)


def test_t08_a_link_above_the_files_is_replaced_and_the_old_release_deleted(run_pattern):
    run_pattern(named(links.ln_sfn), 3)


@pytest.mark.parametrize("watching", [BOTH, POLL], ids=["inotify", "polls"])
def test_t09_continuous_writes_never_import_a_mixed_set(harness, series, watching):
    one, other, last = series(3)
    start(harness, one, watching)
    end = time.monotonic() + 3
    while time.monotonic() < end:
        for generation in (other, one):
            for name in (CERT, KEY):
                overwrite(harness.directory / name, contents(generation)[name])
                time.sleep(0.005)
    harness.write(last)
    harness.wait_imported(last)
    known = {generation.fingerprint for generation in (one, other, last)}
    assert set(harness.applied()) <= known
    assert harness.applied()[-1] == last.fingerprint


def test_t10_files_deleted_while_read_reach_all_clusters_as_one_set(harness, series):
    harness.watcher.accounts += [f"{harness.watcher.account}{letter}" for letter in "abc"]
    for account in harness.watcher.accounts[1:]:
        harness.watcher.target.account(account)
    generations = series(5)
    start(harness, generations[0])
    for generation in generations[1:]:
        for _ in range(10):
            for name in (CERT, KEY):
                (harness.directory / name).unlink()
                time.sleep(0.003)
                overwrite(harness.directory / name, contents(generation)[name])
        harness.wait(lambda status: all(
            cluster["state"] == "current" and
            cluster["imported_fingerprint"] == generation.fingerprint
            for cluster in status["clusters"]), "all clusters current")
    for account in harness.watcher.accounts:
        assert len(harness.watcher.target.applied(account)) == 5


@pytest.mark.parametrize("limit, error", [
    ("max_inotify_watches", "No space left on device"),
    ("max_inotify_instances", "no inotify instance is left")])
def test_t11_without_watches_polling_is_sufficient_and_reported(harness, series, limit, error):
    first, second = series()
    start(harness, first, POLL, limit=limit)
    assert harness.material["watch"].startswith("poll")
    assert error in harness.material["watch"]
    harness.write(second)
    harness.wait_imported(second)


def test_t12_links_over_several_directories(run_pattern):
    run_pattern(named(links.istio_hops), 3)


def test_t15_a_late_key_is_found_by_a_poll(harness, series):
    first, second = series()
    start(harness, first, POLL)
    harness.write(second, CERT)
    time.sleep(2)
    harness.write(second, KEY)
    harness.wait_imported(second)


def test_t16_a_mismatch_is_reported_and_not_imported_until_the_key_arrives(harness, series):
    first, second = series()
    start(harness, first)
    harness.write(second, CERT)
    harness.wait_material("invalid", "key-mismatch")
    harness.assert_imported(PASSED, first)
    assert harness.cluster["imported_fingerprint"] == first.fingerprint
    harness.write(second, KEY)
    harness.wait_imported(second)


def test_t17_a_late_chown_is_a_transient_error(harness, series):
    first, second = series()
    start(harness, first, account=NOBODY)
    for name in (CERT, KEY):
        replace(harness.directory / name, contents(second)[name], 0o600)
    time.sleep(0.2)
    harness.assert_imported(0, first)
    for name in (CERT, KEY):
        os.chown(harness.directory / name, NOBODY, NOBODY)
    harness.wait_imported(second)
    assert harness.material["missed_events"] == 0


def test_t21_a_change_without_new_content_imports_nothing(harness, series):
    first, _ = series()
    start(harness, first)
    for path in harness.directory.iterdir():
        path.touch()
        path.chmod(0o640)
        overwrite(path, contents(first)[path.name])
        replace(path, contents(first)[path.name], 0o600)
    harness.wait(lambda status: status["materials"][0]["state"] == "valid", "valid again")
    harness.assert_imported(0.3, first)
    harness.watcher.stop()
    harness.watcher.restart()
    harness.wait_imported(first)
    harness.assert_imported(0.3, first)


def test_t22_a_set_written_while_the_daemon_is_down_is_imported(harness, series):
    first, second = series()
    start(harness, first)
    harness.watcher.stop()
    harness.write(second)
    harness.watcher.restart()
    harness.wait_imported(second)


def test_t24_a_certificate_that_is_empty_beyond_the_settle_limit(harness, series):
    first, second = series()
    start(harness, first)
    certificate = os.open(harness.directory / CERT, os.O_WRONLY | os.O_TRUNC)
    overwrite(harness.directory / KEY, second.key)
    harness.wait_material("invalid", "pem-empty")
    harness.assert_imported(0.2, first)
    os.write(certificate, second.cert)
    os.close(certificate)
    harness.wait_imported(second)
    harness.assert_imported(0.2, first, second)


def test_t25_an_unreadable_directory_is_polled(harness, series):
    first, second = series()
    harness.write(first)
    harness.directory.chmod(0o711)
    harness.root.chmod(0o755)
    harness.start(Mode("poll", POLL.poll), account=NOBODY)
    harness.wait_imported(first)
    assert harness.material["watch"].startswith("poll")
    assert "Permission denied" in harness.material["watch"]
    harness.write(second)
    harness.wait_imported(second)


def test_t26_last_check_and_last_success_differ_after_an_invalid_set(harness, series):
    first, _ = series()
    start(harness, first)
    before = harness.cluster["last_success"]
    overwrite(harness.directory / CERT, b"-----BEGIN CERTIFICATE-----\nbroken\n")
    material = harness.wait_material("invalid", "pem-malformed")
    assert material["last_check"] > before
    assert harness.cluster["last_success"] == before
    assert harness.cluster["state"] != "current"
    status = harness.watcher.service.ctl("status")
    assert status.returncode == 2 and CERT in status.stdout, status.stdout


@pytest.mark.parametrize("gap", [0, 0.05, 0.5])
def test_t27_three_truncating_writes_are_one_import(harness, environment, gap):
    first, second = environment.pool.series("all", 2)
    start(harness, first)
    for name in (CERT, KEY, CA):
        overwrite(harness.directory / name, contents(second)[name])
        time.sleep(gap)
    harness.wait_imported(second)
    harness.assert_imported(0.2, first, second)


def test_t29_certbot(run_pattern):
    run_pattern(named(links.certbot), 3)


def test_t31_the_bundle_then_the_pair_then_all(harness, environment):
    """A change of authority in three steps: trust both, change the pair, drop the old one."""
    steps = environment.pool.change_of_authority()
    start(harness, steps[0])
    for generation in steps[1:]:
        harness.write(generation)
        harness.wait_imported(generation)
    harness.assert_imported(0.2, *steps)


@pytest.mark.parametrize("chain", ["require", "warn"])
def test_t32_a_leaf_of_the_old_authority(harness, environment, chain):
    first, second = environment.pool.series("all", 2)
    harness.watcher.more_material = f"chain = {chain}"
    start(harness, first)
    harness.write(second, CA)
    if chain == "warn":
        harness.wait(lambda status: len(harness.watcher.applied()) == 2, "imported with a warning")
        assert "chain-broken" in [problem["rule"] for problem in harness.material["problems"]]
        return
    harness.wait_material("invalid", "chain-broken")
    harness.assert_imported(0.2, first)
    harness.write(second, CERT, KEY)
    harness.wait_imported(second)


def test_a_set_written_during_an_import_is_imported_after_it(harness, series):
    generations = series(7)
    start(harness, generations[0])
    for before, last in zip(generations[1::2], generations[2::2]):
        harness.write(before)
        harness.wait(lambda status: status["clusters"][0]["state"] == "importing", "importing")
        harness.write(last)
        harness.wait_imported(last)
    harness.assert_imported(0.2, *generations)
