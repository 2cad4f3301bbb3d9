from .cluster import Aurora
from .load import Load
from .make import Make, Unavailable
from .mariadb import MariaDB
from .mysql import MySQL
from .pki import Authority, write_material
from .source import Source
from .workspace import Workspace

MAKES: dict[str, type[Make]] = {"mariadb": MariaDB, "mysql": MySQL}

__all__ = ["MAKES", "Aurora", "Authority", "Load", "MySQL", "Source", "Unavailable", "Workspace",
           "write_material"]
