"""The same catalogue, where nothing rotates but time passes."""

import subprocess
import time
from pathlib import Path

from .field import Field
from .watcher import Mode

SECONDS = Mode("seconds", 0.3)
DAY = 24 * 3600


def ending(seconds: float) -> str:
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + seconds))


def test_t20_nothing_rotates_until_the_certificate_expires(field, ground):
    last = ground.pool.until(ending(6))
    field.write(last)
    field.start()  # no poll within the test: the end of validity is a time of its own
    field.land(last)
    assert field.material["state"] == "expiring"
    assert field.watcher.status()["health"] == "warning"
    assert "expires-soon" in [problem["rule"] for problem in field.material["problems"]]
    field.wait_material("expired", "cert-expired")
    assert field.watcher.status()["health"] == "critical"
    assert field.watcher.log().count("is expiring") == 1, field.story()
    assert field.watcher.log().count("is expired") == 1, field.story()
    field.watcher.stop()
    field.watcher.restart()
    field.wait_material("expired", "cert-expired")
    assert field.watcher.log().count("is expired") == 2, field.story()
    field.holds(0.2, last)


def stepped(field: Field, tmp_path: Path) -> Path:
    """The wall clock of the watcher is what this file adds to the machine's."""
    library, offset = tmp_path / "clock.so", tmp_path / "offset"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library,
                    Path(__file__).with_name("clock.c")], check=True)
    offset.write_text("0")
    field.watcher.preload = [f"LD_PRELOAD={library}", f"CLOCK_OFFSET={offset}"]
    return offset


def test_t28_a_clock_that_is_set_judges_anew_and_imports_nothing(field, ground, tmp_path):
    offset = stepped(field, tmp_path)
    only = ground.pool.until(ending(DAY / 2))
    field.write(only)
    field.start(SECONDS)
    field.land(only)
    for step, state in ((DAY, "expired"), (0, "expiring"), (-DAY, "not_yet_valid"),
                        (0, "expiring"), (DAY, "expired"), (0, "expiring")):
        offset.write_text(str(step))
        field.wait_material(state)
    field.land(only)
    field.holds(0.5, only)


def test_t28_a_suspended_machine_sees_on_waking_what_has_ended(field, ground):
    last = ground.pool.until(ending(4))
    field.write(last)
    field.start()
    field.land(last)
    field.watcher.pause()
    time.sleep(5)
    field.watcher.resume()
    field.wait_material("expired", "cert-expired")
    field.holds(0.2, last)
