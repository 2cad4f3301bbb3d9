"""certbot's deploy hook as it is meant: a renewal succeeds when the import does, and fails with it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from subprocess import CompletedProcess

from tests.integration.conftest import configuration
from tests.standin import write_material

HOOK = Path(__file__).resolve().parents[2] / "conf/hooks/certbot-deploy"


def renew(house, service, common_name: str) -> CompletedProcess[str]:
    lineage = service.directory / "live" / "replica"
    lineage.mkdir(parents=True, exist_ok=True)
    pair = house.client(common_name)
    shutil.copy(house.authority.certificate, lineage / "chain.pem")
    shutil.copy(pair.certificate, lineage / "cert.pem")
    shutil.copy(pair.key, lineage / "privkey.pem")
    settings = service.directory / "hook"
    settings.write_text(f"LINEAGE=replica\nMATERIAL={service.material}\nGROUP=root\nTIMEOUT=30s\n")
    environment = service.environment
    return subprocess.run(
        [str(HOOK)], capture_output=True, text=True, timeout=60,
        env={**environment, "PATH": f"{service.build}:{environment['PATH']}",
             "RENEWED_LINEAGE": str(lineage), "BINLOG_SSL_HOOK_SETTINGS": str(settings)})


def test_a_renewal_is_imported_when_the_hook_is_over_and_fails_with_the_import(house, service):
    service.configure(configuration(service, house.aurora))
    write_material(service.material, house.authority.certificate, house.client("before"))
    service.start()
    service.wait_cluster("orders", "current")
    before = len(house.aurora.imports())
    done = renew(house, service, "renewed")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(house.aurora.imports()) == before + 1
    assert service.cluster("orders")["state"] == "current"

    house.aurora.set_option("fail_at", "import")
    done = renew(house, service, "refused")
    assert done.returncode == 1
    assert "orders" in done.stdout + done.stderr
    assert "rejected" in done.stdout + done.stderr or "held" in done.stdout + done.stderr


def test_a_renewal_fails_without_the_service(house, service):
    done = renew(house, service, "nobody")
    assert done.returncode == 3
    assert done.stderr
