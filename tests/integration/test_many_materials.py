"""The largest number of materials: each has a watch process, and watches or a reason for none."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.integration.conftest import configuration
from tests.integration.test_memory import run_as_nobody
from tests.standin import write_material

MATERIALS = 256  # the limit
INSTANCES = Path("/proc/sys/fs/inotify/max_user_instances")


def test_256_materials_are_watched_or_polled_with_a_reason(testbed, service):
    write_material(service.material, testbed.authority.certificate, testbed.client("many"))
    sections = []
    for number in range(1, MATERIALS):
        directory = service.directory / f"m{number}"
        shutil.copytree(service.material, directory)
        sections.append(f"[material m{number}]\ndirectory = {directory}")
    service.configure(configuration(service, testbed.aurora, material="\n".join(sections)))
    # A user of its own has inotify instances of its own, and takes none of other tests.
    run_as_nobody(testbed, service)
    testbed.workspace.path.chmod(0o755)  # to be watched
    service.start()

    def materials() -> list[dict]:
        return service.status()["materials"]

    def subject(name: str) -> str:
        return next(one["certificate"]["subject"] for one in materials() if one["name"] == name)

    service.wait(lambda: {one["state"] for one in materials()} == {"valid"}, 120)
    service.wait_cluster("orders", "current")
    assert len(service.watchers()) == MATERIALS
    # Each process that watches has one instance, and the manager none.
    most = min(MATERIALS, int(INSTANCES.read_text()))
    service.wait(lambda: [one["watch"] for one in materials()].count("inotify") == most, 60)
    assert {one["watch"] for one in materials()} <= {
        "inotify", "poll (no inotify instance is left: fs.inotify.max_user_instances)"}

    last = service.directory / f"m{MATERIALS - 1}"
    write_material(last, testbed.authority.certificate, testbed.client("renewed"))
    for file in last.iterdir():
        os.chown(file, 65534, 65534)
    service.wait(lambda: "renewed" in subject(last.name), 90)
    watchers = service.watchers()
    assert service.stop() == 0
    # The daemon waits for those that it has killed, but not as long as a busy machine may take.
    service.wait(lambda: not any(Path(f"/proc/{pid}").exists() for pid in watchers))
