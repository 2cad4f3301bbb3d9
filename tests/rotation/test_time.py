"""Faults in the field that depend on time: no file changes."""

import subprocess
import time
from pathlib import Path

from .harness import Harness
from .watcher import Mode

SECONDS = Mode("seconds", 0.3)
DAY = 24 * 3600


def end_date(seconds: float) -> str:
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + seconds))


def test_t20_a_certificate_that_is_not_rotated_expires(harness, environment):
    last = environment.pool.until(end_date(6), begin=end_date(-60))
    harness.write(last)
    harness.start()  # no poll within the test: a timer is set for the end of validity
    harness.wait_imported(last)
    assert harness.material["state"] == "expiring"
    assert harness.watcher.status()["health"] == "warning"
    assert "expires-soon" in [problem["rule"] for problem in harness.material["problems"]]
    harness.wait_material("expired", "cert-expired")
    assert harness.watcher.status()["health"] == "critical"
    assert harness.watcher.log().count("is expiring") == 1, harness.describe()
    assert harness.watcher.log().count("is expired") == 1, harness.describe()
    harness.watcher.stop()
    harness.watcher.restart()
    harness.wait_material("expired", "cert-expired")
    assert harness.watcher.log().count("is expired") == 2, harness.describe()
    harness.assert_imported(0.2, last)


def preload_clock(harness: Harness, tmp_path: Path) -> Path:
    """Returns a file with an offset in seconds that is added to the watcher's wall clock."""
    library, offset = tmp_path / "clock.so", tmp_path / "offset"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library,
                    Path(__file__).with_name("clock.c")], check=True)
    offset.write_text("0")
    harness.watcher.preload = [f"LD_PRELOAD={library}", f"CLOCK_OFFSET={offset}"]
    return offset


def test_t28_a_clock_step_causes_a_new_evaluation_and_no_import(harness, environment, tmp_path):
    offset = preload_clock(harness, tmp_path)
    only = environment.pool.until(end_date(DAY / 5), begin=end_date(-DAY / 2))
    harness.write(only)
    harness.start(SECONDS)
    harness.wait_imported(only)
    for step, state in ((DAY, "expired"), (0, "expiring"), (-DAY, "not_yet_valid"),
                        (0, "expiring"), (DAY, "expired"), (0, "expiring")):
        offset.write_text(str(step))
        harness.wait_material(state)
    harness.wait_imported(only)
    harness.assert_imported(0.5, only)


def test_t28_a_certificate_that_expires_during_suspend_is_expired_on_resume(harness, environment):
    last = environment.pool.until(end_date(4), begin=end_date(-60))
    harness.write(last)
    harness.start()
    harness.wait_imported(last)
    harness.watcher.pause()
    time.sleep(5)
    harness.watcher.resume()
    harness.wait_material("expired", "cert-expired")
    harness.assert_imported(0.2, last)
