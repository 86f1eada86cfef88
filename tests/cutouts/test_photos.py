"""Masks that people make, for the photo as it is now; photos that cannot be used; pictures to judge by."""

from hashlib import sha256
from io import BytesIO

import pytest
from django.core.files.base import ContentFile
from PIL import Image

from nb_catalog import cutouts
from nb_catalog.core.permissions import Action
from nb_catalog.core.types import Permission
from nb_catalog.cutouts import previews
from nb_catalog.cutouts.access import doubtful, may_each, visible_to
from nb_catalog.cutouts.decisions import confirm, mark_unusable, replace_mask
from nb_catalog.cutouts.photos import photo_of, request_for_products
from nb_catalog.cutouts.records import PHOTO_CHANGED
from nb_catalog.exceptions import InvalidTransition, PictureMissing, RequestRefused
from nb_catalog.models import PhotoCutout
from nb_catalog.models.cutouts import CutoutState
from nb_catalog.registry import source_for
from tests import factories
from tests.catalog.models import Mug

pytestmark = pytest.mark.django_db

BOX = (10, 10, 60, 60)


def replace_photo(row, colour=(200, 30, 30)):
    """Write other bytes under the photo's own name, as a shop that overwrites its files does."""
    mug = Mug.objects.get(pk=row.object_id)
    storage, name = mug.packshot.storage, mug.packshot.name
    storage.delete(name)
    data = factories.photo_bytes(colour=colour)
    storage.save(name, ContentFile(data))
    return sha256(data).hexdigest()


def opened(preview):
    return Image.open(BytesIO(preview.read()))


def test_a_saved_mask_is_about_the_photo_as_it_is_now():
    row = factories.cutout()
    digest = replace_photo(row)
    replace_mask(row, factories.mask_bytes(box=BOX), actor=None, version=0)
    row.refresh_from_db()
    assert (row.photo_sha256, row.by_person, row.state) == (digest, True, "confirmed")


def test_a_photo_that_was_never_looked_at_can_be_masked():
    row = factories.cutout(masked=False, state="requested", photo_sha256="", width=0, height=0)
    replace_mask(row, factories.mask_bytes(), actor=None, version=0)
    row.refresh_from_db()
    assert (row.width, row.height, row.by_person) == (120, 150, True)


def test_a_mask_of_another_version_is_refused_and_nothing_is_lost():
    row = factories.cutout()
    replace_mask(row, factories.mask_bytes(box=BOX), actor=None, version=0)
    row.refresh_from_db()
    first = row.mask_sha256
    with pytest.raises(InvalidTransition):
        replace_mask(row, factories.mask_bytes(), actor=None, version=0)
    row.refresh_from_db()
    assert row.mask_sha256 == first


def test_confirming_a_mask_of_a_replaced_photo_takes_the_new_one():
    row = factories.cutout(by_person=True, reasons=[PHOTO_CHANGED])
    digest = replace_photo(row)
    assert confirm([row], actor=None) == 1
    row.refresh_from_db()
    assert (row.photo_sha256, row.state) == (digest, "confirmed")


def test_a_photo_that_the_product_no_longer_has_is_missing():
    row = factories.cutout()
    mug = Mug.objects.get(pk=row.object_id)
    mug.packshot.save("another.png", ContentFile(factories.photo_bytes()))
    with pytest.raises(PictureMissing):
        photo_of(row)
    mug.delete()
    with pytest.raises(PictureMissing):
        photo_of(row)


def test_a_photo_that_cannot_be_used_is_one_again_after_undo():
    row, other = factories.cutout(), factories.cutout(state="refused", masked=False)
    assert mark_unusable([row, other], actor=None) == 1
    row.refresh_from_db()
    assert row.state == CutoutState.REFUSED and row.problem
    cutouts.undo(row, actor=None)
    row.refresh_from_db()
    assert (row.state, row.problem) == ("doubtful", "")


def test_photos_are_requested_once():
    mugs = [factories.product(), factories.product(photo=False), factories.product()]
    assert request_for_products(mugs) == 2
    assert request_for_products(mugs) == 0
    assert set(PhotoCutout.objects.values_list("state", flat=True)) == {"requested"}


def test_all_photos_of_a_product_are_requested():
    assert request_for_products([factories.poster(photos=3)]) == 3


def test_who_may_not_view_the_products_does_not_see_their_cutouts():
    row = factories.cutout()
    viewer = factories.staff("nb_catalog.view_photocutout", Permission.REVIEW, views=False)
    assert not visible_to(viewer).exists()
    assert not may_each(viewer, Action.DECIDE_CUTOUTS, [row])
    keeper = factories.staff(
        "nb_catalog.view_photocutout", "testcatalog.view_mug", Permission.REVIEW, views=False
    )
    assert visible_to(keeper).get() == row
    assert may_each(keeper, Action.DECIDE_CUTOUTS, [row])
    assert not may_each(keeper, Action.CUT_AGAIN, [row])


def test_photos_that_are_not_cut_out_are_not_to_be_looked_at():
    rows = {
        kind: factories.cutout(kind=kind) for kind in ("", "packshot", "full_frame", "lifestyle")
    }
    factories.cutout(state="accepted")
    assert set(PhotoCutout.objects.filter(doubtful())) == {rows[""], rows["packshot"]}


def test_the_product_alone_is_transparent_around_it():
    alone = opened(previews.cut_preview(factories.cutout(), side=320))
    assert (alone.mode, alone.size) == ("RGBA", (120, 150))
    assert alone.getpixel((2, 2))[3] == 0 and alone.getpixel((60, 75))[3] == 255


def test_photo_and_mask_are_edited_at_the_same_bounded_size():
    row = factories.cutout(factories.product(photo=factories.photo_bytes((2400, 3000))))
    sizes = {opened(previews.photo_preview(row)).size, opened(previews.mask_preview(row)).size}
    assert sizes == {(1638, 2048)}


def test_the_mask_of_a_transparent_photo_is_its_own():
    picture = Image.new("RGBA", (160, 160), (0, 0, 0, 0))
    picture.paste((10, 90, 200, 255), (40, 40, 120, 120))
    file = BytesIO()
    picture.save(file, "PNG")
    row = factories.cutout(
        factories.product(photo=file.getvalue()), masked=False, state="accepted", method="alpha"
    )
    mask = opened(previews.mask_preview(row))
    assert (mask.getpixel((0, 0)), mask.getpixel((80, 80))) == (0, 255)
    scene = previews.scene_preview(row, factories.scene("paper"), side=320)
    assert opened(scene).width == 320


def test_a_preview_in_a_scene_changes_with_mask_and_scene():
    row = factories.cutout()
    paper, marble = factories.scene("paper"), factories.scene("marble", renderer={})
    before = previews.scene_preview(row, paper).digest
    replace_mask(row, factories.mask_bytes(box=BOX), actor=None, version=0)
    row.refresh_from_db()
    assert previews.scene_preview(row, paper).digest != before
    with pytest.raises(RequestRefused, match="Marble"):
        previews.scene_preview(row, marble).read()


def test_without_a_mask_there_is_no_preview_in_a_scene():
    row = factories.cutout(masked=False, state="refused")
    with pytest.raises(PictureMissing):
        previews.scene_preview(row, factories.scene("paper")).read()


def test_a_photo_that_is_all_product_is_shown_whole_in_a_scene():
    row = factories.cutout(kind="full_frame", masked=False, state="refused")
    paper = factories.scene("paper")
    whole = previews.scene_preview(row, paper, side=320)
    assert opened(whole).width == 320
    row.kind = ""
    assert previews.scene_preview(row, paper, side=320).digest != whole.digest


def test_strokes_change_the_mask_that_is_sent_with_them():
    row = factories.cutout(factories.product(photo=factories.photo_bytes()))
    data = [{"keep": True, "size": 0.05, "points": [[0.4, 0.4], [0.6, 0.6]]}]
    solved = Image.open(BytesIO(previews.solve(row, data, mask=None)))
    assert (solved.size, solved.mode) == ((120, 150), "L")
    assert (solved.getpixel((60, 75)), solved.getpixel((3, 3))) == (255, 0)
    assert source_for(Mug).photos(Mug.objects.get(pk=row.object_id))[0] == photo_of(row)
