"""The real network, where ``.ci/weights`` has stored it."""

import os
from pathlib import Path

import pytest

from nb_catalog.imaging.cutout.backends import NetworkCutout
from nb_catalog.imaging.cutout.weights import HALF_PRECISION_ISNET


@pytest.fixture(scope="session")
def isnet():
    """A backend that runs ISNet."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    file = cache / "nb_catalog" / f"isnet-{HALF_PRECISION_ISNET}.onnx"
    if not file.exists():
        pytest.skip("no weights of the network: .ci/weights fetches them with npm")
    return NetworkCutout(path=str(file), sha256=HALF_PRECISION_ISNET)
