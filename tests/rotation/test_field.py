"""What failed elsewhere and concerns files, under the names of the catalogue of field faults."""

import os
import shutil
import threading
import time

import pytest

from . import links
from .field import BOTH, POLL, Field
from .pattern import CA, CERT, KEY, PATTERNS, contents, overwrite, replace
from .renaming import NOBODY
from .trial import EVENTS
from .watcher import SETTLE_LIMIT, Mode

PASSED = SETTLE_LIMIT + 0.3  # an inconsistent set is as old as it has to be, and was looked at


def start(field: Field, generation, mode=BOTH, **more) -> None:
    field.write(generation)
    field.start(mode, **more)
    field.land(generation)


def named(rotate) -> object:
    name = rotate.__name__.replace("_", "-")
    return next(pattern for pattern in PATTERNS if pattern.name == name)


def test_t01_deleted_files_are_missed_and_their_successors_found(field, series):
    first, second = series()
    start(field, first)
    for name in (CERT, KEY):
        (field.directory / name).unlink()
    field.wait_material("missing")
    field.holds(0.2, first)
    for name in (CERT, KEY):
        overwrite(field.directory / name, contents(second)[name])
    field.land(second)


@pytest.mark.parametrize("delay", range(0, 45, 3))
def test_t02_a_rotation_during_the_start_is_seen(field, series, delay):
    first, second = series()
    field.write(first)
    rotation = threading.Timer(delay / 1000, field.write, [second])
    rotation.start()
    field.start()
    rotation.join()
    field.land(second)


def test_t03_an_overflow_of_a_running_watcher_loses_nothing(field, series):
    first, second = series()
    start(field, first)
    for n in range(20_000):
        (field.directory / f"{n}").touch()
        if n == 10_000:
            field.write(second)
    field.land(second)
    assert EVENTS < 20_000


def test_t04_a_directory_that_vanishes_is_said_to_be_polled(field, series):
    (first,) = series(1)
    start(field, first)
    shutil.rmtree(field.directory)
    assert field.wait_material("missing")["watch"] != "inotify", field.story()
    assert "missing" in field.watcher.log()


def test_t04_a_directory_that_comes_back_is_watched_again(field, series):
    first, second, third = series(3)
    start(field, first)
    for generation in (second, third):
        shutil.rmtree(field.directory)
        field.wait_material("missing")
        field.write(generation)
        field.land(generation)
    assert field.material["watch"] == "inotify"
    assert field.material["missed_events"] == 0


@pytest.mark.parametrize("there", [True, False], ids=["empty", "missing"])
def test_t05_a_start_without_material_waits(field, series, there):
    if there:
        field.directory.mkdir()
    field.start()
    assert field.wait_material("missing")["fingerprint"] is None
    assert field.cluster["state"] == "waiting"
    (first,) = series(1)
    field.write(first)
    field.land(first)


def test_t06_an_intermediate_or_the_bundle_alone_is_a_new_set(field, ground):
    bundles = ground.pool.series("ca", 2)
    start(field, bundles[0])
    field.write(bundles[1], CA)
    field.land(bundles[1])
    for chained in ground.pool.chained(2):
        field.write(chained)
        field.land(chained)
    assert len(field.applied()) == 4


def test_t07_five_swaps_of_the_atomic_writer(trial):
    trial(named(links.kubelet), 5)


def test_t08_a_link_above_the_files_is_turned_and_the_old_release_deleted(trial):
    trial(named(links.ln_sfn), 3)


@pytest.mark.parametrize("watching", [BOTH, POLL], ids=["inotify", "polls"])
def test_t09_a_writer_that_never_rests_gets_nothing_torn_imported(field, series, watching):
    one, other, last = series(3)
    start(field, one, watching)
    end = time.monotonic() + 3
    while time.monotonic() < end:
        for generation in (other, one):
            for name in (CERT, KEY):
                overwrite(field.directory / name, contents(generation)[name])
                time.sleep(0.005)
    field.write(last)
    field.land(last)
    known = {generation.fingerprint for generation in (one, other, last)}
    assert set(field.applied()) <= known
    assert field.applied()[-1] == last.fingerprint


def test_t10_files_that_vanish_while_read_reach_all_clusters_as_one_set(field, series):
    field.watcher.accounts += [f"{field.watcher.account}{letter}" for letter in "abc"]
    for account in field.watcher.accounts[1:]:
        field.watcher.target.account(account)
    generations = series(5)
    start(field, generations[0])
    for generation in generations[1:]:
        for _ in range(10):
            for name in (CERT, KEY):
                (field.directory / name).unlink()
                time.sleep(0.003)
                overwrite(field.directory / name, contents(generation)[name])
        field.wait(lambda status: all(
            cluster["state"] == "current" and
            cluster["imported_fingerprint"] == generation.fingerprint
            for cluster in status["clusters"]), "all clusters current")
    for account in field.watcher.accounts:
        assert len(field.watcher.target.applied(account)) == 5


@pytest.mark.parametrize("limit, error", [
    ("max_inotify_watches", "No space left on device"),
    ("max_inotify_instances", "Too many open files")])
def test_t11_without_watches_polling_is_enough_and_said(field, series, limit, error):
    first, second = series()
    start(field, first, POLL, limit=limit)
    assert field.material["watch"].startswith("poll")
    assert error in field.material["watch"]
    field.write(second)
    field.land(second)


def test_t12_links_over_several_directories(trial):
    trial(named(links.istio_hops), 3)


def test_t15_a_key_that_comes_late_is_taken_by_a_poll(field, series):
    first, second = series()
    start(field, first, POLL)
    field.write(second, CERT)
    time.sleep(2)
    field.write(second, KEY)
    field.land(second)


def test_t16_a_mismatch_is_named_and_held_until_the_key_comes(field, series):
    first, second = series()
    start(field, first)
    field.write(second, CERT)
    field.wait_material("invalid", "key-mismatch")
    field.holds(PASSED, first)
    assert field.cluster["imported_fingerprint"] == first.fingerprint
    field.write(second, KEY)
    field.land(second)


def test_t17_a_late_chown_is_a_passing_fault(field, series):
    first, second = series()
    start(field, first, account=NOBODY)
    for name in (CERT, KEY):
        replace(field.directory / name, contents(second)[name], 0o600)
    time.sleep(0.2)
    field.holds(0, first)
    for name in (CERT, KEY):
        os.chown(field.directory / name, NOBODY, NOBODY)
    field.land(second)
    assert field.material["missed_events"] == 0


def test_t21_what_changes_no_content_imports_nothing(field, series):
    first, _ = series()
    start(field, first)
    for path in field.directory.iterdir():
        path.touch()
        path.chmod(0o640)
        overwrite(path, contents(first)[path.name])
        replace(path, contents(first)[path.name], 0o600)
    field.wait(lambda status: status["materials"][0]["state"] == "valid", "valid again")
    field.holds(0.3, first)
    field.watcher.stop()
    field.watcher.restart()
    field.land(first)
    field.holds(0.3, first)


def test_t22_the_disk_is_believed_not_the_record(field, series):
    first, second = series()
    start(field, first)
    field.watcher.stop()
    field.write(second)
    field.watcher.restart()
    field.land(second)


def test_t24_a_certificate_that_is_empty_for_long(field, series):
    first, second = series()
    start(field, first)
    certificate = os.open(field.directory / CERT, os.O_WRONLY | os.O_TRUNC)
    overwrite(field.directory / KEY, second.key)
    field.wait_material("invalid", "pem-empty")
    field.holds(0.2, first)
    os.write(certificate, second.cert)
    os.close(certificate)
    field.land(second)
    field.holds(0.2, first, second)


def test_t25_a_directory_that_may_not_be_read_is_polled(field, series):
    first, second = series()
    field.write(first)
    field.directory.chmod(0o711)
    field.place.chmod(0o755)
    field.start(Mode("poll", POLL.poll), account=NOBODY)
    field.land(first)
    assert field.material["watch"].startswith("poll")
    assert "Permission denied" in field.material["watch"]
    field.write(second)
    field.land(second)


def test_t26_after_a_broken_set_the_last_check_is_not_the_last_success(field, series):
    first, _ = series()
    start(field, first)
    before = field.cluster["last_success"]
    overwrite(field.directory / CERT, b"-----BEGIN CERTIFICATE-----\nbroken\n")
    material = field.wait_material("invalid", "pem-malformed")
    assert material["last_check"] > before
    assert field.cluster["last_success"] == before
    assert field.cluster["state"] != "current"
    status = field.watcher.service.ctl("status")
    assert status.returncode == 2 and CERT in status.stdout, status.stdout


@pytest.mark.parametrize("gap", [0, 0.05, 0.5])
def test_t27_three_truncating_writes_are_one_import(field, ground, gap):
    first, second = ground.pool.series("all", 2)
    start(field, first)
    for name in (CERT, KEY, CA):
        overwrite(field.directory / name, contents(second)[name])
        time.sleep(gap)
    field.land(second)
    field.holds(0.2, first, second)


def test_t29_certbot(trial):
    trial(named(links.certbot), 3)


def test_t31_the_bundle_then_the_pair_then_all(field, ground):
    """A change of authority in three steps: trust both, change the pair, drop the old one."""
    steps = ground.pool.change_of_authority()
    start(field, steps[0])
    for generation in steps[1:]:
        field.write(generation)
        field.land(generation)
    field.holds(0.2, *steps)


@pytest.mark.parametrize("chain", ["require", "warn"])
def test_t32_a_leaf_of_the_old_authority(field, ground, chain):
    first, second = ground.pool.series("all", 2)
    field.watcher.more_material = f"chain = {chain}"
    start(field, first)
    field.write(second, CA)
    if chain == "warn":
        field.wait(lambda status: len(field.watcher.applied()) == 2, "the warning lets it pass")
        assert "chain-broken" in [problem["rule"] for problem in field.material["problems"]]
        return
    field.wait_material("invalid", "chain-broken")
    field.holds(0.2, first)
    field.write(second, CERT, KEY)
    field.land(second)


def test_a_set_that_comes_while_another_is_imported_follows_it(field, series):
    generations = series(7)
    start(field, generations[0])
    for before, last in zip(generations[1::2], generations[2::2]):
        field.write(before)
        field.wait(lambda status: status["clusters"][0]["state"] == "importing", "importing")
        field.write(last)
        field.land(last)
    field.holds(0.2, *generations)
