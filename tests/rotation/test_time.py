"""Faults in the field that depend on time: no file changes."""

import os
import time
from pathlib import Path

from tests.standin.clock import Clock

from .watcher import Mode

SECONDS = Mode("seconds", 0.3)
DAY = 24 * 3600


def end_date(seconds: float) -> str:
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + seconds))


def test_t20_a_certificate_that_is_not_rotated_expires(harness, environment):
    last = environment.pool.until(end_date(15), begin=end_date(-60))
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


def test_t28_a_clock_step_causes_a_new_evaluation_and_no_import(harness, environment, tmp_path):
    clock = Clock(tmp_path / "clock")
    variables = clock.variables(Path(os.environ.get("BUILD", "build")).resolve())
    harness.watcher.preload = [f"{name}={value}" for name, value in variables.items()]
    only = environment.pool.until(end_date(DAY / 5), begin=end_date(-DAY / 2))
    harness.write(only)
    harness.start(SECONDS)
    harness.wait_imported(only)
    for step, state in ((DAY, "expired"), (0, "expiring"), (-DAY, "not_yet_valid"),
                        (0, "expiring"), (DAY, "expired"), (0, "expiring")):
        clock.set(step)
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
