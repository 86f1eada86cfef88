"""The source of the lamps, and a lamp with pictures of its own."""

import pytest

import nb_catalog
from nb_catalog import registry
from tests.catalog.models import Lamp
from tests.publishing.galleries import shop
from tests.publishing.galleries.shop import jpeg


@pytest.fixture(autouse=True)
def one_small_jpeg(settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "RENDITION_WIDTHS": [32],
        "RENDITION_FORMATS": ["jpeg"],
    }


@pytest.fixture(autouse=True)
def no_files_of_other_tests():
    shop.delete_files()


@pytest.fixture(autouse=True)
def source():
    """The source of lamps, with both kinds of galleries."""

    @nb_catalog.register(Lamp)
    class LampSource(nb_catalog.CatalogSource):
        title_field = "name"
        photo_field = "packshot"
        slots = ("hero", "gallery")
        galleries = shop.GALLERIES

    yield registry.source_for(Lamp)
    registry.unregister(Lamp)


@pytest.fixture
def only(source, monkeypatch):
    """Declare these galleries and no others."""
    return lambda *galleries: monkeypatch.setattr(type(source), "galleries", galleries)


@pytest.fixture
def lamp():
    """A lamp with a picture of its own in each field, and two photos."""
    made = Lamp.objects.create(
        name="Reading lamp", packshot=jpeg("white"), image=jpeg("red"), image_alt="By hand",
    )  # fmt: skip
    for position, colour in enumerate(("green", "blue")):
        made.photos.create(file=jpeg(colour), position=position, alt=colour)
    return made
