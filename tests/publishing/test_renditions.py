"""Delivery files: widths, formats, marks; made once."""

from hashlib import sha256
from io import BytesIO

import pytest
from PIL import Image

from nb_catalog import storage
from nb_catalog.exceptions import PictureError, PictureMissing
from nb_catalog.imaging.provenance import DigitalSourceType, read_mark
from nb_catalog.models import Rendition
from nb_catalog.publishing import renditions
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sizes(settings):
    def sizes(widths, formats=("avif", "webp", "jpeg")):
        settings.NB_CATALOG = {
            **settings.NB_CATALOG,
            "RENDITION_WIDTHS": widths,
            "RENDITION_FORMATS": formats,
        }

    sizes([32, 64])
    return sizes


def made(image):
    return {(each.format, each.width): each for each in renditions.make_renditions(image)}


def test_there_is_a_file_for_each_format_and_width():
    image = factories.image(size=(80, 100))
    assert set(made(image)) == {
        (kind, width) for kind in ("avif", "webp", "jpeg") for width in (32, 64)
    }


def test_a_file_is_what_its_row_says():
    for (kind, width), rendition in made(factories.image(size=(80, 100))).items():
        data = storage.read(rendition.file.name)
        opened = Image.open(BytesIO(data))
        assert (opened.format.lower(), opened.width) == (kind, width)
        assert (opened.width, opened.height) == (rendition.width, rendition.height)
        assert rendition.height == round(100 * width / 80)
        assert rendition.byte_size == len(data)
        assert sha256(data).hexdigest() in rendition.file.name
        assert rendition.url == f"/media/{rendition.file.name}"


@pytest.mark.parametrize("origin", list(DigitalSourceType))
def test_every_file_carries_the_mark_of_its_original(origin):
    image = factories.image(size=(40, 50), digital_source_type=origin)
    found = {read_mark(storage.read(each.file.name)) for each in renditions.make_renditions(image)}
    assert found == {origin}


@pytest.mark.parametrize(
    ("own", "expected"), [(20, {20}), (32, {32}), (40, {32, 40}), (64, {32, 64}), (65, {32, 64})]
)
def test_a_picture_is_never_enlarged_and_a_narrow_one_is_delivered_at_its_own_width(own, expected):
    image = factories.image(size=(own, own))
    assert {width for _, width in made(image)} == expected


def test_making_again_makes_nothing(django_assert_num_queries):
    image = factories.image(size=(40, 50))
    before = renditions.make_renditions(image)
    with django_assert_num_queries(1):
        assert renditions.make_renditions(image) == before


def test_a_format_that_is_added_later_is_made_and_what_is_there_stays(sizes):
    image = factories.image(size=(40, 50))
    sizes([32], ["jpeg"])
    (jpeg,) = renditions.make_renditions(image)
    sizes([32], ["jpeg", "webp"])
    assert {each.format for each in renditions.make_renditions(image)} == {"jpeg", "webp"}
    assert Rendition.objects.get(format="jpeg") == jpeg


def test_a_see_through_picture_is_laid_on_white(sizes):
    sizes([32], ["jpeg"])
    picture = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    file = BytesIO()
    picture.save(file, "PNG")
    (rendition,) = renditions.make_renditions(factories.image(size=(40, 40), data=file.getvalue()))
    opened = Image.open(BytesIO(storage.read(rendition.file.name)))
    assert min(opened.getpixel((16, 16))) > 250


def test_an_original_that_is_gone_is_told_and_leaves_no_rows():
    image = factories.image()
    image.file.storage.delete(image.file.name)
    with pytest.raises(PictureMissing, match="Restore it from a backup"):
        renditions.make_renditions(image)
    assert not Rendition.objects.exists()


def test_no_file_is_stored_if_one_of_them_cannot_be_derived(monkeypatch):
    data = storage.read(factories.image().file.name)

    def breaking(*args, derive=renditions.derive, **options):
        yield next(derive(*args, **options))
        raise PictureError("broken")

    stored = []
    monkeypatch.setattr(renditions, "derive", breaking)
    monkeypatch.setattr(storage, "store", lambda *args, **options: stored.append(args))
    with pytest.raises(PictureError, match="broken"):
        renditions.store_files(data, xmp=b"")
    assert stored == []
