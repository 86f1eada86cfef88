"""What people decide about cut-outs: with an event each, undone one by one, told to published pictures."""

from io import BytesIO

import pytest
from PIL import Image

from nb_catalog import cutouts, storage
from nb_catalog.core.states import ImageState
from nb_catalog.cutouts.decisions import undo_each
from nb_catalog.cutouts.records import CUTOUT_CHECK, PHOTO_CHANGED
from nb_catalog.exceptions import CutoutRefused, InvalidTransition, PictureError, RequestRefused
from nb_catalog.models import CatalogEvent, CutoutEvent, PhotoCutout, Placement, ProductImage
from nb_catalog.models.cutouts import CutoutState
from nb_catalog.publishing import placements
from nb_catalog.registry import source_for
from tests import factories
from tests.catalog.catalog_images import MugSource

pytestmark = [pytest.mark.story, pytest.mark.django_db]


@pytest.fixture
def mug(cutout_backend):
    """A product with a doubtful cut-out."""
    cutout_backend(reasons=["unsure"])
    made = factories.product()
    cutouts.request_cutouts([(made, source_for(made).photos(made)[0])])
    cutouts.make_cutouts()
    return made


@pytest.fixture
def cutout(mug):
    return PhotoCutout.objects.get()


def image_of(mug, *, cutout="", **fields):
    photo = source_for(mug).photos(mug)[0].name
    return factories.image(mug, asked=factories.spec(mug, photo=photo, cutout=cutout), **fields)


def publish(image):
    return placements.publish(image, slot="hero", locale="", position=0, actor=None)


def opened(cutout):
    return Image.open(BytesIO(storage.read(cutout.mask.name)))


def moves():
    return list(CutoutEvent.objects.values_list("move", flat=True))


def test_a_doubtful_cutout_is_confirmed_once(cutout):
    assert cutouts.confirm([cutout], actor=None) == 1
    assert cutouts.confirm([cutout], actor=None) == 0
    cutout.refresh_from_db()
    assert cutout.state == CutoutState.CONFIRMED
    assert moves() == ["confirm"]


def test_pictures_that_wait_need_no_look_once_their_cutout_is_confirmed(mug, cutout):
    doubts = {CUTOUT_CHECK: {"method": "network", "score": 0.5, "reasons": ["unsure"]}}
    image = image_of(mug, checks=doubts)
    other = factories.image(factories.product(), checks=doubts)
    cutouts.confirm([cutout], actor=None)
    image.refresh_from_db()
    other.refresh_from_db()
    assert image.checks[CUTOUT_CHECK]["reasons"] == []
    assert other.checks[CUTOUT_CHECK]["reasons"] == ["unsure"]


def test_the_kind_of_a_photo_is_decided_and_given_back(cutout):
    assert cutouts.set_kind([cutout], "full_frame", actor=None) == 1
    assert PhotoCutout.objects.get().kind == "full_frame"
    assert cutouts.set_kind([cutout], "", actor=None) == 1
    assert PhotoCutout.objects.get().kind == ""
    with pytest.raises(RequestRefused, match="full_frame"):
        cutouts.set_kind([cutout], "full_frme", actor=None)


def test_a_drawn_mask_holds_and_the_one_before_comes_back(cutout, drawn_mask):
    before = cutout.mask.name
    cutouts.replace_mask(cutout, drawn_mask(), actor=None)
    row = PhotoCutout.objects.get()
    assert row.by_person
    assert (row.state, row.method, row.reasons) == (CutoutState.CONFIRMED, "person", [])
    assert row.mask.name != before
    with opened(row) as written:
        assert (written.mode, written.size) == ("L", (120, 150))
        assert written.getpixel((60, 75)) == 255
        assert written.getpixel((5, 5)) == 0
    cutouts.undo(row, actor=None)
    row.refresh_from_db()
    assert row.mask.name == before
    assert not row.by_person
    assert (row.state, row.reasons) == (CutoutState.DOUBTFUL, ["unsure"])


def test_decisions_are_undone_in_their_order_and_no_further(cutout, drawn_mask):
    cutouts.confirm([cutout], actor=None)
    cutouts.replace_mask(cutout, drawn_mask(), actor=None)
    cutouts.set_kind([cutout], "full_frame", actor=None)
    for expected in ("", "", ""):
        cutouts.undo(cutout, actor=None)
        assert PhotoCutout.objects.get().kind == expected
    row = PhotoCutout.objects.get()
    assert (row.state, row.by_person) == (CutoutState.DOUBTFUL, False)
    with pytest.raises(InvalidTransition):
        cutouts.undo(cutout, actor=None)


def test_a_cut_photo_is_as_good_as_a_mask(cutout, drawn_mask):
    cut = drawn_mask(mode="RGBA", fill=(255, 255, 255, 255), ground=(200, 0, 0, 0))
    cutouts.replace_mask(cutout, cut, actor=None)
    with opened(PhotoCutout.objects.get()) as written:
        assert written.getpixel((60, 75)) == 255
        assert written.getpixel((5, 5)) == 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"size": (150, 120)}, "not of the same shape"),
        ({"fill": 0}, "The mask is empty"),
        ({"ground": 255}, "The mask is full"),
    ],
)
def test_a_mask_that_cannot_be_meant_is_refused_and_nothing_changes(
    cutout, drawn_mask, options, sentence
):
    with pytest.raises(CutoutRefused, match=sentence):
        cutouts.replace_mask(cutout, drawn_mask(**options), actor=None)
    assert PhotoCutout.objects.get().mask.name == cutout.mask.name
    assert moves() == []


def test_what_is_not_a_picture_is_refused(cutout):
    with pytest.raises(PictureError):
        cutouts.replace_mask(cutout, b"not a picture", actor=None)


def test_a_mask_of_half_the_size_fits(cutout, drawn_mask):
    cutouts.replace_mask(cutout, drawn_mask(size=(60, 75), box=(15, 15, 45, 60)), actor=None)
    assert PhotoCutout.objects.get().by_person


def test_the_second_of_two_people_is_told(cutout, drawn_mask):
    seen = cutout.version
    cutouts.replace_mask(cutout, drawn_mask(), actor=None, version=seen)
    with pytest.raises(InvalidTransition, match="Someone else"):
        cutouts.replace_mask(cutout, drawn_mask(box=(20, 20, 80, 80)), actor=None, version=seen)
    assert moves() == ["replace_mask"]


def test_published_pictures_are_stale_while_their_mask_is_not_today_s(mug, cutout, drawn_mask):
    placement = publish(image_of(mug, state=ImageState.APPROVED))
    other = publish(factories.image(factories.product(), state=ImageState.APPROVED))
    cutouts.replace_mask(cutout, drawn_mask(), actor=None)
    placement.refresh_from_db()
    other.refresh_from_db()
    assert placement.stale_since is not None
    assert other.stale_since is None
    assert CatalogEvent.objects.get().data["image"] == placement.image_id
    cutouts.undo(cutout, actor=None)
    placement.refresh_from_db()
    assert placement.stale_since is None


def test_a_picture_made_with_the_person_s_mask_is_fresh(mug, cutout, drawn_mask):
    cutouts.replace_mask(cutout, drawn_mask(), actor=None)
    row = PhotoCutout.objects.get()
    image = image_of(mug, cutout=row.mask_sha256, state=ImageState.APPROVED)
    placement = publish(image)
    cutouts.confirm([row], actor=None)
    cutouts.set_kind([row], "packshot", actor=None)
    cutouts.set_kind([row], "", actor=None)
    placement.refresh_from_db()
    assert placement.stale_since is None
    cutouts.cut_again([row], actor=None)
    placement.refresh_from_db()
    assert placement.stale_since is not None


def test_cutting_again_gives_the_machine_s_mask_and_the_person_s_comes_back(cutout, drawn_mask):
    machine = cutout.mask.name
    cutouts.replace_mask(cutout, drawn_mask(), actor=None)
    drawn = PhotoCutout.objects.get().mask.name
    assert cutouts.cut_again([cutout], actor=None) == 1
    assert cutouts.make_cutouts() == 1
    assert PhotoCutout.objects.get().mask.name == machine
    cutouts.undo(cutout, actor=None)
    row = PhotoCutout.objects.get()
    assert (row.mask.name, row.by_person) == (drawn, True)


def test_painted_pictures_do_not_care_about_the_outline(mug, cutout, drawn_mask):
    photo = source_for(mug).photos(mug)[0].name
    spec = factories.spec(mug, photo=photo, treatment="painted")
    placement = publish(factories.image(mug, asked=spec, state=ImageState.APPROVED))
    cutouts.replace_mask(cutout, drawn_mask(), actor=None)
    assert Placement.objects.get(pk=placement.pk).stale_since is None
    assert ProductImage.objects.count() == 1


def test_pictures_of_whole_photos_do_not_care_about_the_outline(
    mug, cutout, drawn_mask, monkeypatch
):
    monkeypatch.setattr(MugSource, "photo_kind", "full_frame")
    photo = source_for(mug).photos(mug)[0].name
    spec = factories.spec(mug, photo=photo, photo_kind="full_frame")
    placement = publish(factories.image(mug, asked=spec, state=ImageState.APPROVED))
    cutouts.replace_mask(cutout, drawn_mask(), actor=None)
    assert Placement.objects.get(pk=placement.pk).stale_since is None
    cutouts.set_kind([cutout], "packshot", actor=None)
    assert Placement.objects.get(pk=placement.pk).stale_since is not None
    cutouts.set_kind([cutout], "", actor=None)
    assert Placement.objects.get(pk=placement.pk).stale_since is None


def replace_photo(mug, colour):
    with mug.packshot.storage.open(mug.packshot.name, "wb") as file:
        file.write(factories.photo_bytes(colour=colour))


def doubt(cutout):
    """What the worker records when the photo is not the one that the mask was made for."""
    PhotoCutout.objects.filter(pk=cutout.pk).update(
        state=CutoutState.DOUBTFUL, reasons=[PHOTO_CHANGED]
    )
    return PhotoCutout.objects.get(pk=cutout.pk)


def test_confirming_a_mask_for_a_replaced_photo_settles_that_doubt_only(mug, cutout, drawn_mask):
    cutouts.replace_mask(cutout, drawn_mask(), actor=None)
    before = PhotoCutout.objects.get().photo_sha256
    replace_photo(mug, "red")
    cutouts.confirm([doubt(cutout)], actor=None)
    row = PhotoCutout.objects.get()
    assert row.photo_sha256 != before
    assert (row.state, row.reasons) == (CutoutState.CONFIRMED, [])
    cutouts.undo(row, actor=None)
    row.refresh_from_db()
    assert row.photo_sha256 == before
    assert row.reasons == [PHOTO_CHANGED]


def test_what_a_person_ruled_out_stays_so_until_a_person_says_otherwise(mug, cutout, drawn_mask):
    photos = [(mug, source_for(mug).photos(mug)[0])]
    assert cutouts.mark_unusable([cutout], actor=None) == 1
    assert cutouts.mark_unusable([cutout], actor=None) == 0
    assert cutouts.request_cutouts(photos, again=True) == cutouts.make_cutouts() == 0
    assert PhotoCutout.objects.get().state == CutoutState.REFUSED
    assert cutouts.cut_again([cutout], actor=None) == cutouts.make_cutouts() == 1
    row = PhotoCutout.objects.get()
    assert (row.state, row.problem, row.by_person) == (CutoutState.DOUBTFUL, "", False)


def test_a_decision_about_many_takes_as_many_queries_as_one_about_few(
    cutout_backend, django_assert_max_num_queries
):
    cutout_backend(reasons=["unsure"])
    photos = [(each, source_for(each).photos(each)[0]) for each in map(product, range(12))]
    cutouts.request_cutouts(photos)
    cutouts.make_cutouts()
    rows = list(PhotoCutout.objects.all())
    with django_assert_max_num_queries(10):
        assert cutouts.confirm(rows, actor=None) == 12
    with django_assert_max_num_queries(14):
        assert cutouts.set_kind(rows, "full_frame", actor=None) == 12
    assert CutoutEvent.objects.count() == 24
    assert set(PhotoCutout.objects.values_list("kind", "state")) == {("full_frame", "confirmed")}
    with django_assert_max_num_queries(14):
        assert undo_each(rows, actor=None) == 12
    assert set(PhotoCutout.objects.values_list("kind", "state")) == {("", "confirmed")}
    assert undo_each(rows, actor=None) == 12 and undo_each(rows, actor=None) == 0
    assert set(PhotoCutout.objects.values_list("kind", "state")) == {("", "doubtful")}


def product(number):
    return factories.product(name=f"Mug {number}")
