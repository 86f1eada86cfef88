"""Published pictures in the host's own models: delivered, replaced, taken back, never in the host's way."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import models
from django.db.models.fields.files import FieldFile

import nb_catalog
from nb_catalog import publishing, registry
from nb_catalog.imaging.provenance import DigitalSourceType, read_mark
from nb_catalog.models import GalleryDelivery
from nb_catalog.operations import pruning
from nb_catalog.publishing import galleries, upkeep
from nb_catalog.publishing.galleries import (
    ImageFieldGallery,
    RelatedRowsGallery,
    decisions,
    delivery,
    host_files,
)
from tests import factories
from tests.catalog.catalog_images import PosterSource
from tests.catalog.models import Book, Lamp, LampPhoto, LampVariant
from tests.publishing.galleries.shop import (
    GALLERIES,
    data_of,
    deliver,
    host_tables,
    jpeg,
    problem,
    publish,
    states,
)

pytestmark = pytest.mark.django_db


def test_a_published_picture_is_delivered_to_a_field_of_the_product(lamp):
    publish(lamp)
    upkeep.run_due()
    shown = Lamp.objects.get()
    assert galleries.is_delivered(shown.image.name)
    assert (shown.image_width, shown.image_height) == (32, 40)
    assert shown.image_alt == "Reading lamp"
    assert states() == {"image": "delivered", "photos": "delivered"}


def test_the_mark_of_its_origin_is_in_the_delivered_file(lamp):
    publish(lamp)
    deliver()
    for file in (Lamp.objects.get().image, LampPhoto.objects.get(kind="generated").file):
        assert read_mark(data_of(file)) == DigitalSourceType.COMPOSITE_WITH_MODEL


@pytest.mark.story
def test_delivered_twice_killed_in_between_and_rolled_back_leaves_the_host_as_it_was(
    lamp, monkeypatch
):
    before = host_tables()
    publish(lamp)
    publish(lamp, "gallery", position=1)
    for saving in (Lamp, LampPhoto):
        with monkeypatch.context() as patch:

            def killed(self, **options):
                raise SystemExit

            patch.setattr(saving, "save", killed)
            with pytest.raises(SystemExit):
                deliver()
    assert deliver() == 3
    assert LampPhoto.objects.filter(lamp=lamp).count() == 4
    delivered = host_tables()
    assert len(delivered[1]) == len(before[1]) + 3
    GalleryDelivery.objects.update(due_at=models.F("delivered_at"))
    assert deliver() == 3
    assert host_tables() == delivered
    publish(lamp)
    assert deliver() == 2
    assert len(host_tables()[1]) == len(delivered[1])
    publishing.roll_back(lamp, slot="hero", actor=None)
    publishing.roll_back(lamp, slot="hero", actor=None)
    publishing.roll_back(lamp, slot="gallery", position=1, actor=None)
    assert deliver() == 3
    assert host_tables() == before
    assert not GalleryDelivery.objects.exists()


def test_delivered_rows_come_first_in_the_order_of_slots_and_positions(lamp):
    for position in (2, 0, 1):
        publish(lamp, "gallery", position=position)
        deliver()
    publish(lamp, "hero")
    deliver()
    rows = LampPhoto.objects.order_by("position")
    placed = {
        row.written["row"]: (row.slot, row.position)
        for row in GalleryDelivery.objects.filter(gallery="photos")
    }
    assert [placed.get(str(row.pk), row.alt) for row in rows] == [
        ("gallery", 0), ("gallery", 1), ("gallery", 2), ("hero", 0), "green", "blue",
    ]  # fmt: skip
    assert [row.position for row in rows] == [0, 1, 2, 3, 4, 5]


def test_delivered_rows_come_last_without_moving_any(only, lamp):
    only(RelatedRowsGallery("photos", file="file", order="position", slots=("hero",)))
    publish(lamp)
    deliver()
    assert [row.alt for row in LampPhoto.objects.all()] == ["green", "blue", ""]


@pytest.mark.parametrize("changes", [{"image_alt": "Better"}, {"image": "lamps/other.jpg"}])
def test_what_the_host_has_changed_is_not_overwritten_but_reported(only, lamp, changes):
    only(GALLERIES[0])
    publish(lamp)
    deliver()
    Lamp.objects.update(**changes)
    changed = host_tables()
    publish(lamp)
    deliver()
    assert states() == {"image": "changed"}
    assert "The shop has changed image" in problem()
    assert host_tables() == changed


def test_a_file_that_the_host_has_replaced_under_its_name_is_not_overwritten(only, lamp):
    only(GALLERIES[0])
    publish(lamp)
    deliver()
    name = Lamp.objects.get().image.name
    default_storage.delete(name)
    default_storage.save(name, jpeg("yellow"))
    publish(lamp)
    deliver()
    assert states() == {"image": "changed"} and Lamp.objects.get().image.name == name


def test_a_person_overwrites_what_the_host_has_changed_and_it_is_restored_later(only, lamp):
    only(GALLERIES[0])
    publish(lamp)
    deliver()
    Lamp.objects.update(image_alt="Better")
    changed = Lamp.objects.get().image.name
    placement = publish(lamp)
    deliver()
    galleries.decide(GalleryDelivery.objects.get(), "overwrite")
    deliver()
    assert states() == {"image": "delivered"}
    assert Lamp.objects.get().image_alt == "Reading lamp"
    publishing.withdraw(placement, actor=None)
    deliver()
    assert Lamp.objects.get().image_alt == "Better"
    assert Lamp.objects.get().image.name == changed


def test_a_person_leaves_what_the_host_has_changed(only, lamp):
    only(GALLERIES[0])
    publish(lamp)
    deliver()
    Lamp.objects.update(image_alt="Better")
    publish(lamp)
    deliver()
    galleries.decide(GalleryDelivery.objects.get(), "leave")
    deliver()
    assert states() == {"image": "kept"} and Lamp.objects.get().image_alt == "Better"


def test_a_picture_that_the_host_has_put_in_its_place_stays_when_ours_is_withdrawn(only, lamp):
    only(GALLERIES[0])
    placement = publish(lamp)
    deliver()
    edited = Lamp.objects.get()
    edited.image = jpeg("yellow")
    edited.save()
    publishing.withdraw(placement, actor=None)
    deliver()
    assert Lamp.objects.get().image.name == edited.image.name
    assert states() == {"image": "kept"}
    assert not any(map(galleries.is_delivered, host_tables()[1]))


def test_a_delivered_row_that_the_host_has_deleted_is_reported_and_not_added_again(only, lamp):
    only(GALLERIES[1])
    publish(lamp)
    deliver()
    LampPhoto.objects.filter(kind="generated").delete()
    placement = publish(lamp)
    deliver()
    assert states() == {"photos": "changed"}
    assert not LampPhoto.objects.filter(kind="generated").exists()
    publishing.withdraw(placement, actor=None)
    deliver()
    assert not GalleryDelivery.objects.exists()
    assert not any(map(galleries.is_delivered, host_tables()[1]))


def test_a_delivered_row_to_which_the_host_refers_is_not_deleted(only, lamp):
    only(GALLERIES[1])
    placement = publish(lamp)
    deliver()
    variant = LampVariant.objects.create(lamp=lamp, photo=LampPhoto.objects.get(kind="generated"))
    publishing.withdraw(placement, actor=None)
    deliver()
    assert states() == {"photos": "changed"}
    assert "used by lamp variants" in problem("photos")
    variant.refresh_from_db()
    assert variant.photo is not None


def test_the_order_in_which_the_host_sorts_delivered_rows_is_its_own(only, lamp):
    only(GALLERIES[1])
    placement = publish(lamp)
    deliver()
    LampPhoto.objects.filter(kind="generated").update(position=7)
    publish(lamp)
    deliver()
    assert states() == {"photos": "delivered"}
    assert LampPhoto.objects.get(kind="generated").position == 7
    publishing.withdraw(placement.__class__.objects.get(), actor=None)
    deliver()
    assert [row.alt for row in LampPhoto.objects.all()] == ["green", "blue"]


def test_each_language_has_its_field(only, lamp):
    only(GALLERIES[0])
    empty = host_tables()
    placement = publish(lamp, locale="de")
    deliver()
    shown = Lamp.objects.get()
    assert galleries.is_delivered(shown.image_de.name) and shown.image == lamp.image
    publishing.withdraw(placement, actor=None)
    deliver()
    # Null, as it was, and not an empty name.
    assert host_tables() == empty
    before = shown.changed_at
    publish(lamp, locale="fr")
    assert deliver() == 0
    assert Lamp.objects.get().changed_at == before


def test_an_alternative_text_that_a_person_writes_follows_without_another_file(only, lamp):
    only(GALLERIES[0], GALLERIES[1])
    image = publish(lamp).image
    deliver()
    files = host_tables()[1]
    publishing.set_alt_texts(image, {"en": "A lamp that\nlights a book"}, actor=None)
    assert deliver() == 2
    assert Lamp.objects.get().image_alt == "A lamp that lights a book"
    assert LampPhoto.objects.get(kind="generated").alt == "A lamp that lights a book"
    assert host_tables()[1] == files


def test_a_text_that_is_too_long_for_the_host_is_cut(only, lamp):
    only(GALLERIES[0])
    publishing.set_alt_texts(publish(lamp).image, {"en": "A lamp " * 10}, actor=None)
    deliver()
    assert Lamp.objects.get().image_alt == "A lamp A lamp A lamp A lamp A…"


def test_the_validators_of_the_host_refuse_a_file_with_their_own_words(lamp, monkeypatch):
    before = host_tables()

    def small(file):
        with file.open() as opened:
            raise ValidationError(f"{len(opened.read()) > 0}: at most 1 KB.")

    for model, name in ((Lamp, "image"), (LampPhoto, "file")):
        monkeypatch.setattr(model._meta.get_field(name), "validators", [small])
    publish(lamp)
    deliver()
    assert states() == {"image": "failed", "photos": "failed"}
    assert problem("image") == "The shop refuses the picture. image: True: at most 1 KB."
    assert problem("photos") == "The shop refuses the picture. file: True: at most 1 KB."
    assert host_tables() == before


def test_a_clean_of_the_host_refuses_a_picture_and_lets_the_others_pass(lamp, monkeypatch):
    def refuse(self):
        if galleries.is_delivered(self.image.name or ""):
            raise ValidationError("At least 2000 pixels, please.")

    monkeypatch.setattr(Lamp, "clean", refuse)
    publish(lamp)
    deliver()
    assert states() == {"image": "failed", "photos": "delivered"}
    assert problem() == "The shop refuses the picture. At least 2000 pixels, please."


def test_what_was_not_valid_before_does_not_keep_a_picture_out(only, lamp, monkeypatch):
    only(GALLERIES[0])

    def complain(self):
        raise ValidationError("A lamp needs a price.")

    monkeypatch.setattr(Lamp, "clean", complain)
    # A validator of another field that cannot read its file raises what it likes.
    monkeypatch.setattr(Lamp._meta.get_field("packshot"), "clean", lambda *args: 1 / 0)
    Lamp.objects.update(name="")
    publish(lamp)
    deliver()
    assert states() == {"image": "delivered"}


def test_a_save_that_raises_keeps_nothing_else_waiting_and_is_tried_again(lamp, monkeypatch):
    before = host_tables()
    publish(lamp)
    with monkeypatch.context() as patch:
        patch.setattr(Lamp, "save", lambda self, **options: 1 / 0)
        deliver()
    assert states() == {"image": "waiting", "photos": "delivered"}
    assert "save() of testcatalog.Lamp raised ZeroDivisionError" in problem()
    assert host_tables()[0][0] == before[0][0]
    row = GalleryDelivery.objects.get(gallery="image")
    assert row.due_at > row.image.created_at + timedelta(seconds=50)
    deliver()
    assert states()["image"] == "delivered" and problem() == ""


def test_it_is_tried_less_and_less_often_and_given_up_at_last(only, lamp, monkeypatch):
    only(GALLERIES[0])
    publish(lamp)
    monkeypatch.setattr(Lamp, "save", lambda self, **options: 1 / 0)
    pauses = []
    for _n in range(delivery.MAX_ATTEMPTS):
        now = delivery.database_now()
        deliver()
        due = GalleryDelivery.objects.get().due_at
        pauses.append(due and round((due - now) / timedelta(minutes=1)))
    assert pauses == [1, 4, 16, 64, 256, 360, 360, 360, None]
    assert states() == {"image": "failed"} and deliver() == 0
    monkeypatch.undo()


def test_a_gallery_of_the_hosts_own_that_raises_keeps_nothing_else_waiting(only, lamp):
    class Broken(ImageFieldGallery):
        def problems(self, source):
            raise KeyError("photographer")

    only(Broken("image", slot="hero"), GALLERIES[1])
    publish(lamp)
    deliver()
    assert states() == {"image": "waiting", "photos": "delivered"}
    assert "KeyError" in problem() and "photographer" in problem()


@pytest.mark.parametrize("size", [10, 3000])
def test_a_large_file_of_the_host_is_copied_whole(only, settings, lamp, size):
    only(GALLERIES[0])
    settings.NB_CATALOG = {**settings.NB_CATALOG, "MAX_PICTURE_BYTES": 2000}
    name = default_storage.save("lamps/large.bin", ContentFile(b"x" * size))
    Lamp.objects.update(image=name)
    before = host_tables()
    placement = publish(lamp)
    settings.NB_CATALOG = {**settings.NB_CATALOG, "MAX_PICTURE_BYTES": 1_000_000}
    deliver()
    default_storage.delete(name)
    publishing.withdraw(placement, actor=None)
    deliver()
    assert host_tables() == before


@pytest.mark.parametrize("child", [False, True])
def test_products_with_other_keys_and_parents_are_delivered_to(monkeypatch, child):
    if child:
        made = Book.objects.create(name="Atlas", pages=300)
        gallery = ImageFieldGallery("packshot", slot="hero")
        nb_catalog.register(Book)(
            type(
                "BookSource",
                (nb_catalog.CatalogSource,),
                {"title_field": "name", "slots": ("hero",), "galleries": (gallery,)},
            )
        )
    else:
        made = factories.poster(photos=1)
        gallery = RelatedRowsGallery("photos", file="image", order="position", slots=("hero",))
        monkeypatch.setattr(PosterSource, "galleries", (gallery,))
    try:
        placement = publish(made)
        deliver()
        file = Book.objects.get().packshot if child else made.photos.last().image
        assert galleries.is_delivered(file.name)
        publishing.withdraw(placement, actor=None)
        deliver()
        assert (not Book.objects.get().packshot) if child else made.photos.count() == 1
    finally:
        if child:
            registry.unregister(Book)


def test_a_storage_that_fails_is_tried_again(lamp, monkeypatch):
    before = host_tables()
    publish(lamp)
    with monkeypatch.context() as patch:
        patch.setattr(type(default_storage._wrapped), "_save", lambda *_args: 1 / 0)
        deliver()
    assert set(states().values()) == {"waiting"}
    assert "failed to save a file (ZeroDivisionError)" in problem()
    assert host_tables() == before
    deliver()
    assert set(states().values()) == {"delivered"}


def test_a_unique_constraint_of_the_host_that_nothing_can_meet_is_reported(only, lamp):
    only(RelatedRowsGallery("photos", file="file", slots=("hero",)))
    before = host_tables()
    publish(lamp)
    deliver()
    assert states() == {"photos": "failed"}
    assert "Lamp photo with this Lamp and Position already exists." in problem("photos")
    assert host_tables() == before


def test_a_replaced_file_that_the_host_has_cleaned_up_comes_back(only, lamp):
    only(GALLERIES[0])
    before = host_tables()
    placement = publish(lamp)
    deliver()
    # As django-cleanup does with files that no row refers to.
    default_storage.delete(lamp.image.name)
    publishing.withdraw(placement, actor=None)
    deliver()
    assert host_tables() == before


def test_copies_of_replaced_files_are_kept_as_long_as_they_are_needed(only, lamp, monkeypatch):
    only(GALLERIES[0])
    placement = publish(lamp)
    deliver()
    name = GalleryDelivery.objects.get().backup.name
    monkeypatch.setattr(pruning, "YOUNG", timedelta(0))
    assert name not in list(pruning.orphaned_files())
    publishing.withdraw(placement, actor=None)
    deliver()
    assert name in list(pruning.orphaned_files())


def test_a_product_that_is_gone_is_forgotten_with_its_files(lamp):
    publish(lamp)
    deliver()
    lamp.delete()
    GalleryDelivery.objects.update(due_at=models.F("delivered_at"))
    deliver()
    assert not GalleryDelivery.objects.exists()
    assert not any(map(galleries.is_delivered, host_tables()[1]))


def test_a_gallery_that_is_not_declared_any_more_is_reported(only, lamp):
    publish(lamp)
    only()
    deliver()
    assert set(states().values()) == {"failed"}
    assert "No gallery “image” is declared any more" in problem()


def test_a_gallery_whose_model_has_lost_its_field_is_reported(only, lamp):
    publish(lamp)
    only(ImageFieldGallery("imag", slot="hero", key="image"), GALLERIES[1])
    deliver()
    assert states() == {"image": "failed", "photos": "delivered"}
    assert "names 'imag', which testcatalog.Lamp does not have. Did you mean 'image'?" in problem()


def test_a_picture_is_not_made_from_itself(only, source, lamp, monkeypatch):
    monkeypatch.setattr(type(source), "photo_field", "photos__file")
    only(GALLERIES[1])
    photos = [photo.name for photo in source.photos(lamp)]
    publish(lamp)
    deliver()
    assert LampPhoto.objects.count() == 3
    assert [photo.name for photo in source.photos(Lamp.objects.get())] == photos


def test_no_picture_is_delivered_for_a_source_without_galleries(
    only, lamp, django_assert_max_num_queries
):
    only()
    publish(lamp)
    assert not GalleryDelivery.objects.exists()


def test_what_the_hosts_save_makes_of_a_picture_is_what_was_delivered(only, lamp, monkeypatch):
    only(GALLERIES[0])
    before = host_tables()
    save = Lamp.save

    def loudly(self, **options):
        self.image_alt = self.image_alt.upper()
        save(self, **options)

    monkeypatch.setattr(Lamp, "save", loudly)
    placement = publish(lamp)
    deliver()
    assert Lamp.objects.get().image_alt == "READING LAMP"
    publishing.withdraw(placement, actor=None)
    deliver()
    assert host_tables() == before


@pytest.mark.parametrize("ends", ["replaced", "withdrawn", "deleted"])
def test_a_file_that_a_copy_of_the_product_uses_stays(only, lamp, ends):
    only(GALLERIES[0])
    placement = publish(lamp)
    deliver()
    copy = Lamp.objects.get()
    copy.pk = None
    copy.save()
    expected = data_of(copy.image)
    if ends == "replaced":
        publish(lamp)
    elif ends == "withdrawn":
        publishing.withdraw(placement, actor=None)
    else:
        lamp.delete()
        GalleryDelivery.objects.update(due_at=models.F("delivered_at"))
    deliver()
    assert data_of(Lamp.objects.get(pk=copy.pk).image) == expected


@pytest.mark.parametrize("ends", ["replaced", "withdrawn", "deleted"])
def test_a_copy_that_is_made_while_the_file_is_deleted_keeps_it(only, lamp, monkeypatch, ends):
    only(GALLERIES[0])
    placement = publish(lamp)
    deliver()
    name = Lamp.objects.get().image.name
    expected = host_tables()[1][name]
    delete = FieldFile.delete

    def copied_meanwhile(file, save=True):
        if file.name == name:
            # After the look at the table, and before the file is gone.
            Lamp.objects.create(name="Copy", image=name)
        delete(file, save=save)

    monkeypatch.setattr(FieldFile, "delete", copied_meanwhile)
    if ends == "replaced":
        publish(lamp)
    elif ends == "withdrawn":
        publishing.withdraw(placement, actor=None)
    else:
        lamp.delete()
        GalleryDelivery.objects.update(due_at=models.F("delivered_at"))
    deliver()
    copy = Lamp.objects.get(name="Copy")
    assert (copy.image.name, data_of(copy.image)) == (name, expected)


def test_a_file_that_cannot_be_stored_again_is_reported(only, lamp, monkeypatch, caplog):
    only(GALLERIES[0])
    publish(lamp)
    deliver()
    name = Lamp.objects.get().image.name
    delete = FieldFile.delete

    def copied_meanwhile(file, save=True):
        Lamp.objects.create(name="Copy", image=name)
        delete(file, save=save)

    def full(*args, **options):
        raise OSError

    monkeypatch.setattr(FieldFile, "delete", copied_meanwhile)
    monkeypatch.setattr(default_storage, "save", full)
    Lamp.objects.update(image="")
    host_files.discard(Lamp._meta.get_field("image"), name)
    assert f"A row has begun to use the file {name} while it was deleted" in caplog.text


def test_each_picture_has_the_whole_lease_however_long_those_before_it_took(lamp, monkeypatch):
    publish(lamp)
    carry_out, clock, left = delivery.carry_out, [timedelta(0)], []
    now = delivery.database_now
    monkeypatch.setattr(delivery, "database_now", lambda: now() + clock[0])

    def slowly(target):
        left.append(target.lease - delivery.database_now())
        carry_out(target)
        clock[0] += delivery.LEASE * 0.9

    monkeypatch.setattr(delivery, "carry_out", slowly)
    deliver()
    assert len(left) == 2 and min(left) > delivery.LEASE * 0.99


def test_a_picture_that_kills_its_worker_is_given_up_at_last(only, lamp, monkeypatch):
    only(GALLERIES[0])
    publish(lamp)

    def killed(target):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(delivery, "carry_out", killed)
        for _n in range(delivery.MAX_ATTEMPTS):
            with pytest.raises(SystemExit):
                deliver()
        deliver()
        assert states() == {"image": "failed"} and deliver() == 0
    assert "The worker ended at each attempt" in problem()
    decisions.retry_failed(GalleryDelivery.objects.all())
    deliver()
    assert states() == {"image": "delivered"} and problem() == ""
