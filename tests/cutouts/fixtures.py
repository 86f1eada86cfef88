"""Settings and pictures that all tests of cut-outs begin with."""

from io import BytesIO

import pytest
from PIL import Image, ImageDraw

from nb_catalog.cutouts import finding
from tests.cutouts.backends import CountingCutout, counting


@pytest.fixture
def cutout_backend(settings):
    """Set the backend to one that counts; call it with options to set it again."""

    def use(**options):
        settings.NB_CATALOG = {**settings.NB_CATALOG, "CUTOUT": counting(**options)}
        CountingCutout.seen.clear()
        finding._found.clear()

    use()
    yield use
    finding._found.clear()


@pytest.fixture
def drawn_mask():
    """Return a PNG file of a mask, a white ellipse on black."""

    def make(size=(120, 150), *, box=(30, 30, 90, 120), mode="L", fill=255, ground=0):
        picture = Image.new(mode, size, ground)
        ImageDraw.Draw(picture).ellipse(box, fill=fill)
        file = BytesIO()
        picture.save(file, "PNG")
        return file.getvalue()

    return make
