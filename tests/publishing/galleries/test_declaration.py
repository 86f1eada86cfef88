"""Galleries that are declared wrongly, and the command for those that are not."""

from io import StringIO

import pytest
from django.core.management import call_command

import nb_catalog
from nb_catalog import checks, publishing, registry
from nb_catalog.exceptions import RegistryError
from nb_catalog.models import GalleryDelivery
from nb_catalog.publishing.galleries import ImageFieldGallery, RelatedRowsGallery
from tests.catalog.models import Lamp, LampPhoto
from tests.publishing.galleries.shop import GALLERIES, deliver, host_tables, publish, states

pytestmark = pytest.mark.django_db


def found(only, *galleries):
    only(*galleries)
    return [(each.id[-4:], each.msg, each.hint) for each in checks.check_galleries()]


def test_galleries_that_are_right_are_not_reported(only):
    assert found(only, *GALLERIES) == []


@pytest.mark.parametrize(
    ("gallery", "id_", "message", "hint"),
    [
        (ImageFieldGallery("imag", slot="hero"), "E060", "names 'imag', which", "mean 'image'"),
        (ImageFieldGallery("name", slot="hero"), "E060", "which is not an ImageField", "Known:"),
        (ImageFieldGallery("image", slot="hero", alt="alt"), "E060", "names 'alt'", "Known"),
        (ImageFieldGallery("packshot", slot="hero"), "E060", "which photo_field names", "another"),
        (ImageFieldGallery("image", slot="hreo"), "E061", "takes the slot 'hreo'", "mean 'hero'"),
        (ImageFieldGallery("image", slot="hero", locale="xx"), "E062", "takes 'xx'", "Known"),
        (
            RelatedRowsGallery("photo", file="file", slots=("hero",)),
            "E060", "names 'photo', which is not a relation", "mean 'photos'",
        ),
        (
            RelatedRowsGallery("photos", file="fiel", slots=("hero",)),
            "E060", "names 'fiel', which testcatalog.LampPhoto does not have", "mean 'file'",
        ),
        (
            RelatedRowsGallery("photos", file="file", order="positon", slots=("hero",)),
            "E060", "names 'positon'", "mean 'position'",
        ),
    ],
)  # fmt: skip
def test_a_gallery_that_is_wrong_is_reported_with_the_nearest_name(
    only, gallery, id_, message, hint
):
    [(id_found, message_found, hint_found)] = found(only, gallery)
    assert id_found == id_ and message in message_found and hint in hint_found


def test_two_galleries_that_write_to_one_field_are_reported(only):
    one, other = (ImageFieldGallery("image", slot=slot, key=slot) for slot in ("hero", "gallery"))
    [(id_, message, _hint)] = found(only, one, other)
    assert id_ == "E063" and "writes to testcatalog.lamp.image, as 'hero' does" in message


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("image", "must be a tuple of galleries"),
        (("image",), "has 'image', which is not a gallery"),
        ((ImageFieldGallery,), "which is not a gallery"),
        ((GALLERIES[0], GALLERIES[0]), "has 'image' twice"),
    ],
)
def test_what_is_no_gallery_is_refused_when_the_source_is_registered(wrong, message):
    registry.unregister(Lamp)
    with pytest.raises(RegistryError, match=message):
        nb_catalog.register(Lamp)(type("Source", (nb_catalog.CatalogSource,), {"galleries": wrong}))
    nb_catalog.register(Lamp)(type("Source", (nb_catalog.CatalogSource,), {}))


@pytest.mark.parametrize(
    "declare",
    [
        lambda: RelatedRowsGallery("photos", file="file", slots="hero"),
        lambda: RelatedRowsGallery("photos", file="file", slots=("hero",), place="top"),
        lambda: ImageFieldGallery("image", slot="hero", key="k" * 61),
    ],
)
def test_a_gallery_with_values_that_cannot_be_is_refused_at_once(declare):
    with pytest.raises(RegistryError):
        declare()


def run(*args):
    written = StringIO()
    call_command("nb_galleries", *args, stdout=written)
    return written.getvalue()


def test_the_command_delivers_what_was_published_before_the_gallery_was_declared(only, lamp):
    only()
    publish(lamp)
    publish(lamp, "gallery")
    assert "Nothing was delivered" in run()
    only(*GALLERIES)
    told = run("deliver")
    assert "3 deliveries requested." in told and "photos: 2 Delivered" in told
    assert "0 deliveries requested." in run("deliver")


def test_the_command_retries_what_has_failed(only, lamp, monkeypatch):
    only(GALLERIES[0])
    publish(lamp)
    with monkeypatch.context() as patch:
        patch.setattr(Lamp, "clean", lambda self: 1 / 0)
        deliver()
    told = run("status")
    assert "image: 1 Waiting" in told and "ZeroDivisionError" in told
    assert "image: 1 Delivered" in run("retry")


def test_the_command_takes_back_all_of_a_gallery(lamp):
    before = host_tables()
    publish(lamp)
    deliver()
    assert "photos" not in run("take-back", "--gallery", "photos")
    assert states() == {"image": "delivered"}
    assert LampPhoto.objects.count() == 2
    run("take-back")
    assert host_tables() == before and not GalleryDelivery.objects.exists()


def test_a_picture_that_is_withdrawn_before_it_was_delivered_leaves_no_trace(lamp):
    before = host_tables()
    publishing.withdraw(publish(lamp), actor=None)
    deliver()
    assert host_tables() == before and not GalleryDelivery.objects.exists()


def test_who_removes_the_app_is_told_what_stays_in_the_shop(only, lamp):
    only(GALLERIES[0])
    publish(lamp)
    deliver()
    written = StringIO()
    call_command("nb_uninstall", stdout=written)
    assert "Delivered to the shop's own models: 1." in written.getvalue()
