from .cluster import Aurora, Source
from .pki import Authority, write_material
from .workspace import Workspace

__all__ = ["Aurora", "Authority", "Source", "Workspace", "write_material"]
