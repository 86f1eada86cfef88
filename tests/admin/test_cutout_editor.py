"""What the editor of a cut-out asks of the server: its pictures, masks to save, and strokes to solve."""

import json
import re
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from nb_catalog import storage
from tests import factories
from tests.admin.test_cutouts import JSON, MUGS, text_of, url
from tests.catalog.models import Mug

pytestmark = pytest.mark.django_db

STROKES = json.dumps([{"keep": True, "size": 0.05, "points": [[0.4, 0.4], [0.6, 0.6]]}])


def file(data, name="mask.png"):
    return SimpleUploadedFile(name, data)


def save(client, row, data, *, version=0, **headers):
    fields = {"version": version, "mask": file(data)}
    return client.post(url("save", row.pk), fields, headers=headers)


def test_the_editor_has_what_it_needs(root):
    factories.scene("paper")
    row = factories.cutout()
    page = root.get(url("change", row.pk)).content.decode()
    for name, kind in (("photo", "image/jpeg"), ("mask", "image/png")):
        answer = root.get(re.search(rf'data-{name}="([^"]+)"', page)[1])
        assert (answer.status_code, answer["Content-Type"]) == (200, kind)
        assert "immutable" in answer["Cache-Control"]
    assert 'data-version="0"' in page and "data-writable" in page


def test_who_may_only_view_cannot_write(sign_in):
    row = factories.cutout()
    client = sign_in(MUGS)
    page = client.get(url("change", row.pk)).content.decode()
    assert "data-writable" not in page and "Save the mask" not in page
    assert client.post(url("solve", row.pk), {"strokes": STROKES}).status_code == 403
    assert save(client, row, factories.mask_bytes()).status_code == 403


def test_a_mask_is_saved_and_undone(root):
    row = factories.cutout()
    data = factories.mask_bytes(box=(5, 5, 40, 40))
    before = row.mask_sha256
    assert save(root, row, data, **JSON).json() == {"ok": True}
    row.refresh_from_db()
    assert Image.open(BytesIO(storage.read(row.mask.name))).getpixel((20, 20)) == 255
    assert (row.version, row.by_person, row.state) == (1, True, "confirmed")
    page = text_of(root.get(url("change", row.pk)))
    assert f"Mask replaced · {root.user}" in page
    root.post(url("decide"), {"decision": f"undo:{row.pk}", "editor": row.pk})
    row.refresh_from_db()
    assert (row.mask_sha256, row.by_person, row.state) == (before, False, "doubtful")
    assert "undone" in text_of(root.get(url("change", row.pk)))


def test_the_second_of_two_people_is_told_and_gets_the_current_mask(root):
    row = factories.cutout()
    save(root, row, factories.mask_bytes(box=(5, 5, 40, 40)))
    answer = save(root, row, factories.mask_bytes(), **JSON)
    assert answer.status_code == 409
    assert "Someone else has changed" in answer.json()["message"]
    assert answer.json()["version"] == 1
    assert root.get(answer.json()["mask"]).status_code == 200
    row.refresh_from_db()
    assert row.version == 1


def test_a_cut_photo_is_a_mask_too(root):
    row = factories.cutout()
    picture = Image.new("RGBA", (240, 300), (0, 0, 0, 0))
    picture.paste((10, 90, 200, 255), (20, 20, 100, 100))
    written = BytesIO()
    picture.save(written, "PNG")
    answer = root.post(
        url("save", row.pk), {"version": 0, "mask": file(written.getvalue())}, follow=True
    )
    assert "The mask was saved." in text_of(answer)
    row.refresh_from_db()
    mask = Image.open(BytesIO(storage.read(row.mask.name)))
    assert (mask.size, mask.getpixel((50, 50)), mask.getpixel((200, 200))) == ((240, 300), 255, 0)


def blank(value, size=(120, 150)):
    written = BytesIO()
    Image.new("L", size, value).save(written, "PNG")
    return written.getvalue()


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", ""),
        (b"no picture", "not a picture"),
        (blank(0), "empty"),
        (blank(255), "full"),
        (factories.mask_bytes((300, 100)), "300 × 100"),
        (factories.mask_bytes()[:90], ""),
    ],
    ids=["nothing", "no picture", "empty", "full", "another shape", "cut off"],
)
def test_a_wrong_file_is_refused_with_a_sentence(root, data, expected):
    row = factories.cutout()
    answer = save(root, row, data, **JSON)
    assert answer.status_code == 422
    assert expected in answer.json()["message"] and len(answer.json()["message"]) > 20
    page = root.post(url("save", row.pk), {"version": 0, "mask": file(data)}, follow=True)
    assert page.status_code == 200 and "messagelist" in page.content.decode()
    row.refresh_from_db()
    assert row.version == 0


def test_a_file_that_is_too_large_is_refused(root, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "MAX_PICTURE_BYTES": 200}
    row = factories.cutout()
    answer = save(root, row, b"\x89PNG\r\n\x1a\n" + bytes(400), **JSON)
    assert answer.status_code == 422 and "larger than" in answer.json()["message"]


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 30])
def test_a_form_without_a_version_is_refused(root, version):
    row = factories.cutout()
    answer = save(root, row, factories.mask_bytes(), version=version, **JSON)
    assert answer.status_code == 422


def test_a_photo_that_is_gone_from_its_storage_is_reported(root):
    factories.scene("paper")
    row = factories.cutout()
    mug = Mug.objects.get(pk=row.object_id)
    mug.packshot.storage.delete(mug.packshot.name)
    assert root.get(url("change", row.pk)).status_code == 200
    for answer in (
        root.get(url("photo", row.pk, "a")),
        root.get(url("scene", row.pk), {"scene": "paper"}),
    ):
        assert answer.status_code == 404 and len(answer.content) > 20
    for answer in (
        save(root, row, factories.mask_bytes(), **JSON),
        root.post(url("solve", row.pk), {"strokes": STROKES}),
        root.post(url("preview", row.pk), {"scene": "paper", "mask": file(blank(255))}),
    ):
        assert answer.status_code == 422 and answer.json()["message"]


def test_a_product_that_is_gone_leaves_a_page_that_says_so(root):
    row = factories.cutout()
    Mug.objects.all().delete()
    page = root.get(url("change", row.pk))
    assert page.status_code == 200 and "no longer has this photo" in text_of(page)
    assert root.get(url("sheet")).status_code == 200


def test_strokes_become_a_mask(root):
    row = factories.cutout()
    answer = root.post(url("solve", row.pk), {"strokes": STROKES, "mask": file(blank(0))})
    assert answer["Content-Type"] == "image/png"
    mask = Image.open(BytesIO(answer.content))
    assert (mask.getpixel((60, 75)), mask.getpixel((3, 3))) == (255, 0)


@pytest.mark.parametrize("strokes", ["", "[", "{}", "[]", '[{"keep": 1}]', "[" * 100_000])
def test_strokes_that_are_none_are_refused(root, strokes):
    row = factories.cutout()
    answer = root.post(url("solve", row.pk), {"strokes": strokes})
    assert answer.status_code == 422 and "stroke" in answer.json()["message"]


def test_a_mask_that_is_not_saved_is_shown_in_a_scene(root):
    factories.scene("paper")
    row = factories.cutout()
    fields = {"scene": "paper", "mask": file(factories.mask_bytes(box=(5, 5, 110, 140)))}
    answer = root.post(url("preview", row.pk), fields)
    assert answer["Content-Type"] == "image/webp"
    stored = root.get(url("scene", row.pk), {"scene": "paper"})
    assert answer.content != stored.content
    assert root.get(url("scene", row.pk), {"scene": "nowhere"}).status_code == 404


def test_a_scene_that_cannot_be_rendered_is_reported(root):
    factories.scene("words", renderer={}, name="Words")
    factories.scene("broken", renderer={"surface": {"kind": "lava"}})
    row = factories.cutout()
    for key in ("words", "broken"):
        shown = root.get(url("scene", row.pk), {"scene": key})
        assert shown.status_code == 404 and len(shown.content) > 20
        drawn = root.post(url("preview", row.pk), {"scene": key, "mask": file(blank(255))})
        assert drawn.status_code in (409, 422) and drawn.json()["message"]


def test_the_pages_work_where_the_weights_are_missing(root, settings):
    backend = "nb_catalog.imaging.cutout.backends.NetworkCutout"
    options = {"path": "/nowhere/isnet.onnx", "sha256": "0" * 64}
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "CUTOUT": {"BACKEND": backend, "OPTIONS": options},
    }
    factories.scene("paper")
    picture = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    picture.paste((10, 90, 200, 255), (50, 50, 150, 150))
    written = BytesIO()
    picture.save(written, "PNG")
    mug = factories.product(photo=written.getvalue())
    for row in (
        factories.cutout(),
        factories.cutout(mug, masked=False, state="accepted", method="alpha"),
    ):
        assert root.get(url("change", row.pk)).status_code == 200
        assert root.get(url("scene", row.pk), {"scene": "paper"}).status_code == 200
        assert save(root, row, factories.mask_bytes((row.width, row.height)), **JSON).json()["ok"]


def test_a_photo_without_a_cutout_is_edited_from_nothing(root):
    row = factories.cutout(masked=False, state="refused", problem="Nothing stands out.")
    page = root.get(url("change", row.pk))
    assert "Nothing stands out." in text_of(page)
    mask = root.get(re.search(r'data-mask="([^"]+)"', page.content.decode())[1])
    assert Image.open(BytesIO(mask.content)).getextrema() == (0, 0)


def test_a_row_that_does_not_exist_leads_to_the_list(root):
    answer = root.get(url("change", 4711), follow=True)
    assert answer.status_code == 200 and "messagelist" in answer.content.decode()
    assert root.get(url("change", "x")).status_code == 302
    assert root.get(url("cut", factories.cutout().pk, "a", 17)).status_code == 404
