"""Cut-outs through the API: listed, looked at, decided, drawn and requested."""

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from PIL import Image

from nb_catalog import storage
from nb_catalog.core.types import Permission
from nb_catalog.models import CutoutEvent, PhotoCutout
from tests import factories
from tests.api.conftest import BASE
from tests.catalog.models import Mug

STROKES = [{"keep": True, "size": 0.05, "points": [[0.4, 0.4], [0.6, 0.6]]}]
BOX = (5, 5, 40, 40)


@pytest.fixture
def api(api_as):
    return api_as(*Permission)


def put(api, row, data, *, kind="image/png", **headers):
    return api.client.put(f"{BASE}cutouts/{row.pk}/mask/", data, content_type=kind, headers=headers)


def seen_by(api, row):
    """The header of a client that has just fetched ``row``."""
    return {"If-Match": api.get(f"cutouts/{row.pk}/")["ETag"]}


def opened(answer):
    return Image.open(BytesIO(answer.content))


def keys(answer):
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


def test_a_cutout_is_described(api):
    row = factories.cutout()
    described = api.get(f"cutouts/{row.pk}/").json()
    expected = {
        "id": row.pk, "model": "testcatalog.mug", "object": row.object_id, "state": "doubtful",
        "kind": "", "suggested_kind": "packshot", "method": "network", "score": 0.62,
        "reasons": ["unsure"], "by_person": False, "version": 0, "width": 120, "height": 150,
        "mask": row.mask.url, "history": [], "requested_at": None, "photo": row.name,
    }  # fmt: skip
    assert {name: described[name] for name in expected} == expected


def test_the_list_is_filtered(api):
    mug = factories.product()
    blue = factories.cutout(mug, kind="full_frame")
    red = factories.cutout(state="accepted")
    cat = factories.cutout(factories.poster(), suggested_kind="lifestyle")
    for query, found in (
        ({}, [cat, red, blue]),
        ({"model": "testcatalog.mug"}, [red, blue]),
        ({"model": "testcatalog.mug", "object": mug.pk}, [blue]),
        ({"state": ["doubtful", "refused"]}, [cat, blue]),
        ({"kind": "full_frame"}, [blue]),
        ({"kind": ""}, [cat, red]),
        ({"suggested_kind": "lifestyle"}, [cat]),
    ):
        assert keys(api.get("cutouts/", query)) == [row.pk for row in found], query
    assert api.get("cutouts/", {"state": "odd"}).status_code == 400
    assert api.get("cutouts/", {"colour": "red"}).status_code == 400


def test_nobody_reads_about_products_that_they_may_not_view(api_as):
    row = factories.cutout()
    api = api_as(*Permission, "testcatalog.view_poster", views=False)
    viewer = factories.staff("nb_catalog.view_photocutout", "testcatalog.view_poster", views=False)
    api.client.force_login(viewer)
    assert keys(api.get("cutouts/")) == []
    for path in ("", "mask.png", "preview.webp"):
        assert api.get(f"cutouts/{row.pk}/{path}").status_code == 403


def test_drawing_needs_the_permission_to_review(api_as):
    row = factories.cutout()
    data = factories.mask_bytes(box=BOX)
    seen = seen_by(api_as(), row)
    others = [each for each in Permission if each != Permission.REVIEW]
    assert put(api_as(*others), row, data, **seen).status_code == 403
    assert put(api_as(Permission.REVIEW), row, data, **seen).status_code == 200


@pytest.mark.parametrize(
    ("path", "more"),
    [("confirm/", {}), ("kind/", {"kind": ""}), ("refuse/", {}), ("cut-again/", {})],
)
def test_decisions_about_products_of_others_are_forbidden(api_as, path, more):
    row = factories.cutout(factories.poster(), kind="packshot")
    user = factories.staff(
        *Permission, "nb_catalog.view_photocutout", "testcatalog.view_mug", views=False
    )
    api = api_as(*Permission)
    api.client.force_login(user)
    mine = factories.cutout(kind="packshot")
    body = {"cutouts": [mine.pk, row.pk], **more}
    assert api.post(f"cutouts/{path}", body).status_code == 403
    assert not CutoutEvent.objects.exists()
    assert api.post(f"cutouts/{path}", {**body, "cutouts": [mine.pk]}).status_code in (200, 202)


def test_several_are_decided_at_once_and_undone_one_by_one(api):
    rows = [factories.cutout(), factories.cutout(), factories.cutout(state="accepted")]
    named = {"cutouts": [row.pk for row in rows]}
    assert api.post("cutouts/confirm/", named).json() == {"changed": 2}
    assert api.post("cutouts/kind/", {**named, "kind": "lifestyle"}).json() == {"changed": 3}
    assert api.post("cutouts/refuse/", named).json() == {"changed": 3}
    states = [row["state"] for row in api.get("cutouts/").json()["results"]]
    assert states == ["refused"] * 3
    path = f"cutouts/{rows[0].pk}/undo/"
    steps = [api.post(path).json() for _ in range(3)]
    assert [(each["state"], each["kind"]) for each in steps] == [
        ("confirmed", "lifestyle"), ("confirmed", ""), ("doubtful", ""),
    ]  # fmt: skip
    nothing = api.post(path)
    assert (nothing.status_code, nothing.json()["code"]) == (409, "illegal_move")
    history = api.get(f"cutouts/{rows[0].pk}/").json()["history"]
    assert [each["move"] for each in history] == [
        "confirm", "set_kind", "mark_unusable", "undo", "undo", "undo",
    ]  # fmt: skip
    assert history[0]["actor"] == api.user.get_username()


@pytest.mark.parametrize(
    "body", [{}, {"cutouts": []}, {"cutouts": [4711]}, {"cutouts": ["x"]}, {"cutouts": [1], "a": 1}]
)
def test_wrong_keys_are_refused(api, body):
    answer = api.post("cutouts/confirm/", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_there_is_no_other_kind(api):
    body = {"cutouts": [factories.cutout().pk], "kind": "portrait"}
    assert api.post("cutouts/kind/", body).status_code == 400


# Masks


def test_a_mask_is_put_as_a_body(api):
    row = factories.cutout()
    answer = put(api, row, factories.mask_bytes(box=BOX), **seen_by(api, row))
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert (told["version"], told["by_person"], told["state"]) == (1, True, "confirmed")
    row.refresh_from_db()
    assert Image.open(BytesIO(storage.read(row.mask.name))).getpixel((20, 20)) == 255
    mask = api.get(f"cutouts/{row.pk}/mask.png")
    assert mask["Content-Type"] == "image/png"
    assert (opened(mask).getpixel((20, 20)), opened(mask).getpixel((100, 100))) == (255, 0)


def test_a_mask_is_put_as_a_form(api):
    row = factories.cutout()
    fields = {"version": 0, "mask": SimpleUploadedFile("m.png", factories.mask_bytes(box=BOX))}
    answer = put(api, row, encode_multipart(BOUNDARY, fields), kind=MULTIPART_CONTENT)
    assert answer.status_code == 200 and answer.json()["version"] == 1


def test_the_second_of_two_is_refused(api):
    row = factories.cutout()
    seen = seen_by(api, row)
    assert put(api, row, factories.mask_bytes(box=BOX), **seen).status_code == 200
    late = put(api, row, factories.mask_bytes(), **seen)
    assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    current = api.get(f"cutouts/{row.pk}/")
    assert current.json()["version"] == 1 and late["ETag"] == current["ETag"]


def test_a_mask_without_the_version_that_was_seen_is_refused(api):
    answer = put(api, factories.cutout(), factories.mask_bytes())
    assert answer.status_code == 400 and "version" in answer.json()["errors"]


@pytest.mark.parametrize(
    ("data", "status"),
    [(b"", 400), (b"no picture", 422), (factories.mask_bytes((300, 100)), 422)],
    ids=["nothing", "no picture", "another shape"],
)
def test_a_wrong_file_is_a_problem_document(api, data, status):
    row = factories.cutout()
    answer = put(api, row, data, **seen_by(api, row))
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"


def test_a_picture_may_be_larger_than_a_form_but_not_than_the_setting(api, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 50
    row = factories.cutout()
    data = factories.mask_bytes(box=BOX)
    assert put(api, row, data, **seen_by(api, row)).status_code == 200
    settings.NB_CATALOG = {**settings.NB_CATALOG, "MAX_PICTURE_BYTES": 60}
    late = put(api, row, data, **seen_by(api, row))
    assert (late.status_code, late.json()["code"]) == (413, "payload_too_large")
    assert "60" in late.json()["detail"]


def test_strokes_become_a_mask_that_is_not_stored(api):
    row = factories.cutout()
    answer = api.post(
        f"cutouts/{row.pk}/solve/", {"strokes": STROKES, "from_mask": False}, accept="image/png"
    )
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert (opened(answer).getpixel((60, 75)), opened(answer).getpixel((3, 3))) == (255, 0)
    row.refresh_from_db()
    assert row.version == 0
    wrong = api.post(f"cutouts/{row.pk}/solve/", {"strokes": [{"keep": 1}]})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "request_refused")


# Pictures


def test_the_product_is_shown_alone_or_in_a_scene(api):
    factories.scene("paper")
    row = factories.cutout()
    alone = api.get(f"cutouts/{row.pk}/preview.webp", accept="image/webp")
    assert (alone["Content-Type"], opened(alone).mode) == ("image/webp", "RGBA")
    scene = api.get(f"cutouts/{row.pk}/preview.webp", {"scene": "paper", "side": 320})
    assert opened(scene).width == 320
    same = {"If-None-Match": scene["ETag"]}
    again = api.get(f"cutouts/{row.pk}/preview.webp", {"scene": "paper", "side": 320}, **same)
    assert again.status_code == 304
    put(api, row, factories.mask_bytes(box=(5, 5, 110, 140)), **seen_by(api, row))
    fresh = api.get(f"cutouts/{row.pk}/preview.webp", {"scene": "paper", "side": 320}, **same)
    assert fresh.status_code == 200


def test_pictures_that_cannot_be_made_are_problems(api):
    row = factories.cutout(masked=False, state="refused")
    factories.scene("paper")
    paths = {
        "preview.webp?scene=nowhere": 404, "preview.webp?scene=paper": 422,
        "preview.webp?side=17": 400, "preview.webp?colour=red": 400,
    }  # fmt: skip
    for path, status in paths.items():
        answer = api.get(f"cutouts/{row.pk}/{path}")
        assert answer.status_code == status, path
        assert answer["Content-Type"] == "application/problem+json"
    mug = Mug.objects.get(pk=row.object_id)
    mug.packshot.storage.delete(mug.packshot.name)
    gone = api.get(f"cutouts/{row.pk}/mask.png")
    assert (gone.status_code, gone.json()["code"]) == (422, "picture_missing")
    assert api.get("cutouts/4711/mask.png").status_code == 404


# Requests


def test_photos_are_requested_once(api):
    mugs = [factories.product(), factories.product()]
    body = {"model": "testcatalog.mug", "objects": [mug.pk for mug in mugs]}
    first = api.post("cutouts/request/", body)
    assert (first.status_code, first.json()) == (202, {"requested": 2})
    assert api.post("cutouts/request/", body).json() == {"requested": 0}
    assert PhotoCutout.objects.filter(requested_at__isnull=False).count() == 2


def test_a_request_with_a_key_is_carried_out_once(api):
    body = {"model": "testcatalog.mug", "objects": [factories.product().pk], "key": "spring"}
    assert api.post("cutouts/request/", body).json() == {"requested": 1}
    assert api.post("cutouts/request/", body).json() == {"requested": 1}
    row = PhotoCutout.objects.get()
    again = {"cutouts": [row.pk], "key": "once"}
    for _ in range(2):
        assert api.post("cutouts/cut-again/", again).json() == {"changed": 1}
    assert CutoutEvent.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"model": "testcatalog.mug", "objects": [4711]}, 400),
        ({"model": "testcatalog.mug", "objects": "all"}, 400),
        ({"model": "testcatalog.cup", "objects": [1]}, 404),
        ({"model": "testcatalog.vase", "objects": [1]}, 403),
    ],
)
def test_wrong_requests_are_refused(api_as, body, status):
    api = api_as(Permission.GENERATE, "testcatalog.view_mug", views=False)
    assert api.post("cutouts/request/", body).status_code == status
