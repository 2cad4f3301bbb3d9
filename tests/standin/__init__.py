from .cluster import Aurora, Source
from .make import Make, Unavailable
from .mariadb import MariaDB
from .mysql import MySQL
from .pki import Authority, write_material
from .workspace import Workspace

MAKES: dict[str, type[Make]] = {"mariadb": MariaDB, "mysql": MySQL}

__all__ = ["MAKES", "Aurora", "Authority", "MySQL", "Source", "Unavailable", "Workspace",
           "write_material"]
