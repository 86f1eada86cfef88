"""Names of files that were delivered into the host's own pictures, by which they are recognized."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Final

_DELIVERED: Final = re.compile(r"nbc-[0-9a-f]{8}[-._]")


def is_delivered(name: str) -> bool:
    """Return whether the file ``name`` is one that nb_catalog has delivered, and not a photo of the host."""
    return bool(_DELIVERED.match(PurePosixPath(name).name))
