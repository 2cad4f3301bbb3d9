"""The include rules of doc/architecture.md, "Include rules": what a folder may include besides itself,
which modules may see a library, and the order of the modules in meson.build."""

import re
from pathlib import Path

# Folders, or single modules of a folder; the prefix daemon/ is left out.
ALLOWED = {
    "common": "",
    "daemon/config": "common",
    "daemon/model": "common config",
    "daemon/record": "common config model",
    "daemon/tls": "common model",
    "daemon/watch": "common config model",
    "daemon/inspect": "common config model watch tls",
    "daemon/mysql": "common config model tls",
    "daemon/source": "common config model mysql",
    "daemon/import": "common config model mysql source tls",
    "daemon/probe": "common config model record mysql tls inspect/inspect-job import/import",
    "daemon/status": "common config model",
    "daemon/varlink": "common config model status",
    "daemon/cluster": "common config model record import/import-job",
    "daemon/manager": "common config model record status varlink cluster watch/watch-job inspect/inspect-job "
                      "probe/probe-run",
    "daemon": "common config model manager status probe/check-clusters inspect/inspector varlink/server mysql/session",
    "ctl/client": "common config model",
    "ctl/output": "common config model ctl/client",
    "ctl/explain": "common config model ctl/client ctl/output watch/path-walk",
    "ctl/commands": "common config model ctl/client ctl/output ctl/explain inspect/inspector inspect/pem "
                    "probe/probe-table",
    "ctl": "common config ctl/client ctl/commands",
}
# A verb of binlog-sslctl includes no other verb.
VERBS = ("status history explain check check-clusters import remove wait monitor metrics nagios "
         "reload").split()
LIBRARIES = {
    "mysql": r"daemon/mysql/session\.c",
    "errmsg": r"daemon/mysql/session\.c",  # of libmariadb
    "openssl": r"daemon/(tls|inspect)/.*|daemon/mysql/session\.c",
    "jansson": r"common/json-reader\.c",
}
# The long-lived process holds no key and no password.
KEYLESS = ("daemon/watch", "daemon/cluster", "daemon/manager", "daemon/status", "daemon/varlink")
SECRETS = ("common/secret", "common/redact")
MODULES_MAX = 12


def modules(root: Path) -> dict[str, list[str]]:
    """The folders of meson.build with their modules, in order."""
    listing = re.search(r"^modules = \[(.*?)^\]", (root / "meson.build").read_text(), re.M | re.S)
    return {folder: re.findall(r"'([\w-]+)'", names)
            for folder, names in re.findall(r"\['([\w/]+)', \[(.*?)\]\]", listing[1], re.S)}


def is_allowed(folder: str, included: str) -> bool:
    where = included.rpartition("/")[0]
    names = {name if name.startswith(("common", "ctl")) else f"daemon/{name}"
             for name in ALLOWED[folder].split()}
    return where == folder or where in names or included in names


def faults(root: Path) -> list[str]:
    """A sentence for each breach of a rule."""
    folders = modules(root)
    order = [f"{folder}/{name}" for folder, names in folders.items() for name in names]
    rank = {name: number for number, name in enumerate(order)}
    found = [f"meson.build: {folder} has more than {MODULES_MAX} modules"
             for folder, names in folders.items() if len(names) > MODULES_MAX]
    found += [f"meson.build: there is no {name}.c" for name in order
              if not (root / f"{name}.c").exists()]
    for path in sorted(path for top in ("common", "daemon", "ctl")
                       for path in (root / top).rglob("*.[ch]")):
        name, text = str(path.relative_to(root)), path.read_text()
        module, folder = name[:-2], name.rpartition("/")[0]
        if folder not in ALLOWED:
            found.append(f"{name}: no rule for the folder {folder}")
            continue
        if path.suffix == ".c" and path.stem != "main" and module not in rank:
            found.append(f"{name}: is not a module of meson.build")
        for included in re.findall(r'^#include "([\w/-]+)\.h"', text, re.M):
            where, _, stem = included.rpartition("/")
            if included == "build":
                if path.stem != "main" and module != "daemon/mysql/session":
                    found.append(f"{name}: must not include build.h")
            elif not is_allowed(folder, included):
                found.append(f"{name}: {folder} must not include {included}.h")
            elif module in rank and rank.get(included, -1) > rank[module]:
                found.append(f"{name}: includes {included}.h, which stands below it in meson.build")
            elif where == "ctl/commands" and path.stem in VERBS and stem in VERBS:
                found.append(f"{name}: a verb must not include the verb {stem}")
            if folder in KEYLESS and included in SECRETS:
                found.append(f"{name}: {folder} holds no secret and must not include {included}.h")
        for library in re.findall(r"^#include <(mysql|errmsg|openssl|jansson)\b", text, re.M):
            if not re.fullmatch(LIBRARIES[library], name):
                found.append(f"{name}: must not include the headers of {library}")
    return found
