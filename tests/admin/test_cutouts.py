"""Cut-outs in the admin: the list, the contact sheet, and what the editor asks of the server."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from nb_catalog.admin.cutouts.sheet import PER_PAGE
from nb_catalog.core.types import Permission
from nb_catalog.models import CutoutEvent, PhotoCutout
from tests import factories

pytestmark = pytest.mark.django_db

MUGS = "testcatalog.view_mug"
JSON = {"accept": "application/json"}


def url(name, *args):
    return reverse(f"admin:nb_catalog_photocutout_{name}", args=args)


def file(data, name="mask.png"):
    return SimpleUploadedFile(name, data)


def save(client, row, data, *, version=0, **headers):
    fields = {"version": version, "mask": file(data)}
    return client.post(url("save", row.pk), fields, headers=headers)


def decide(client, decision, **fields):
    return client.post(url("decide"), {"decision": decision, **fields}, headers=JSON)


def text_of(answer):
    """What a person reads."""
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


# The list


def test_the_list_says_what_is_doubtful_and_why(root):
    factories.cutout(factories.product(name="Blue mug"))
    factories.cutout(state="refused", masked=False, problem="Nothing stands out.")
    page = text_of(root.get(url("changelist")))
    for expected in (
        "Look at cut-outs (1 cut-out)", "Blue mug", "It is uncertain what belongs to the product.",
        "As the shop says; looks like: Packshot", "network · 62 %", "Nothing stands out.",
    ):  # fmt: skip
        assert expected in page


def test_it_is_filtered_and_searched(root):
    factories.cutout(factories.product(name="Blue mug"), kind="full_frame")
    factories.cutout(factories.product(name="Red mug"), state="accepted")
    other = factories.cutout(factories.poster(title="Poster of a cat"))
    for query, found in {
        "q=blue": {"Blue mug"},
        "state__exact=accepted": {"Red mug"},
        "kind__exact=full_frame": {"Blue mug"},
        "kind__exact=": {"Red mug", "Poster of a cat"},
        "suggested_kind__exact=packshot": {"Blue mug", "Red mug", "Poster of a cat"},
        f"content_type__exact={other.content_type_id}": {"Poster of a cat"},
    }.items():
        page = text_of(root.get(f"{url('changelist')}?{query}"))
        shown = {name for name in ("Blue mug", "Red mug", "Poster of a cat") if name in page}
        assert shown == found, query


def test_actions_are_for_those_who_may(sign_in, root):
    factories.cutout()

    def offered(client):
        page = client.get(url("changelist")).content.decode()
        return set(re.findall(r'<option value="(\w+)_cutouts"', page))

    everything = {"confirm", "packshot", "full_frame", "lifestyle", "as_shop", "unusable", "undo"}
    assert offered(root) == everything | {"again"}
    assert offered(sign_in(MUGS)) == set()
    assert offered(sign_in(MUGS, Permission.REVIEW)) == everything
    assert offered(sign_in(MUGS, Permission.GENERATE)) == {"again"}


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("confirm", {"state": "confirmed"}),
        ("packshot", {"kind": "packshot"}),
        ("full_frame", {"kind": "full_frame"}),
        ("lifestyle", {"kind": "lifestyle"}),
        ("unusable", {"state": "refused"}),
    ],
)
def test_an_action_decides_the_selected_rows_and_undo_takes_it_back(root, action, expected):
    rows = [factories.cutout(), factories.cutout()]
    left = factories.cutout()
    before = [(row.state, row.kind) for row in rows]
    selected = {"_selected_action": [row.pk for row in rows]}
    root.post(url("changelist"), {"action": f"{action}_cutouts", **selected})
    for row in rows:
        row.refresh_from_db()
        assert {name: getattr(row, name) for name in expected} == expected
    root.post(url("changelist"), {"action": "undo_cutouts", **selected})
    for row, (state, kind) in zip(rows, before, strict=True):
        row.refresh_from_db()
        assert (row.state, row.kind) == (state, kind)
    left.refresh_from_db()
    assert (left.state, left.version) == ("doubtful", 0)


def test_cutting_again_is_requested(root):
    row = factories.cutout()
    selected = {"_selected_action": [row.pk]}
    answer = root.post(url("changelist"), {"action": "again_cutouts", **selected}, follow=True)
    assert "1 photo will be cut out again" in text_of(answer)
    assert "waiting to be cut out" in text_of(answer)
    row.refresh_from_db()
    assert row.requested_at is not None


def test_nobody_sees_cutouts_of_products_that_they_may_not_view(sign_in):
    row = factories.cutout(factories.product(name="Secret mug"))
    client = sign_in("testcatalog.view_poster", Permission.REVIEW, Permission.GENERATE)
    for page in ("changelist", "sheet"):
        answer = client.get(url(page))
        assert answer.status_code == 200 and "Secret mug" not in text_of(answer)
    addresses = [url("change", row.pk), url("photo", row.pk, "a"), url("mask", row.pk, "a"),
                 url("cut", row.pk, "a", 320)]  # fmt: skip
    assert {client.get(each).status_code for each in addresses} == {403}
    assert save(client, row, factories.mask_bytes()).status_code == 403
    for verb in ("confirm", "lifestyle", "unusable", "again", "undo"):
        assert decide(client, f"{verb}:{row.pk}").status_code == 403
    row.refresh_from_db()
    assert row.version == 0


# The contact sheet


def test_the_sheet_shows_what_is_doubtful(root):
    doubtful = factories.cutout(factories.product(name="Blue mug"))
    factories.cutout(factories.product(name="Red mug"), state="accepted")
    factories.cutout(factories.product(name="Cover"), kind="full_frame")
    answer = root.get(url("sheet"))
    assert "Blue mug" in text_of(answer)
    assert "Red mug" not in text_of(answer) and "Cover" not in text_of(answer)
    assert "Red mug" in text_of(root.get(url("sheet"), {"state": "accepted"}))
    assert "Cover" in text_of(root.get(url("sheet"), {"state": "all"}))
    assert "Blue mug" in text_of(root.get(url("sheet"), {"q": "blue"}))
    assert f"picture-{doubtful.pk}" in answer.content.decode()


def test_a_scene_is_a_ground_too(root):
    factories.scene("paper")
    row = factories.cutout()
    page = root.get(url("sheet"), {"ground": "scene:paper"}).content.decode()
    shown = url("scene", row.pk) + "?scene=paper"
    assert f'src="{shown}"' in page
    answer = root.get(shown)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    again = root.get(shown, headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_longer_sheet_and_list_cost_no_more_queries(root):
    def queries(page):
        with CaptureQueriesContext(connection) as captured:
            assert root.get(url(page)).status_code == 200
        return len(captured)

    factories.cutout()
    counts = {page: [queries(page), queries(page)][1] for page in ("sheet", "changelist")}
    for _ in range(4):
        factories.cutout()
    assert {page: queries(page) for page in counts} == counts


def test_the_sheet_is_walked_by_key_while_it_gets_shorter(root):
    rows = [factories.cutout() for _ in range(PER_PAGE + 2)][::-1]
    page = root.get(url("sheet")).content.decode()
    later = re.search(r'data-later="(\?[^"]+)"', page)[1].replace("&amp;", "&")
    keys = ",".join(str(row.pk) for row in rows[:5]).split(",")
    root.post(url("decide"), {"decision": "confirm_chosen", "chosen": keys})
    rest = root.get(url("sheet") + later).content.decode()
    assert re.findall(r'id="picture-(\d+)"', rest) == [str(row.pk) for row in rows[PER_PAGE:]]


def test_a_decision_on_a_card_returns_the_card_and_how_it_is_undone(root):
    row = factories.cutout()
    answer = decide(root, f"confirm:{row.pk}").json()
    assert (answer["ok"], answer["undo"], answer["found"]) == (True, "undo", "0 cut-outs")
    assert "confirmed by a person" in answer["card"]
    again = decide(root, f"confirm:{row.pk}").json()
    assert not again["ok"] and "only doubtful" in again["message"]
    undone = decide(root, f"undo:{row.pk}").json()
    assert undone["ok"] and "look at the cut-out" in undone["card"]
    assert decide(root, f"undo:{row.pk}").json()["message"].startswith("There is no decision")


@pytest.mark.parametrize("decision", ["", "confirm", "confirm:x", "paint:1", "paint_chosen"])
def test_a_decision_that_is_none_is_not_found(root, decision):
    assert decide(root, decision).status_code == 404


def test_a_decision_about_a_row_that_is_gone_is_not_found(root):
    assert decide(root, "confirm:4711").status_code == 404


@pytest.mark.parametrize(
    ("verb", "needed"),
    [
        *((verb, Permission.REVIEW) for verb in
          ("confirm", "packshot", "full_frame", "lifestyle", "as_shop", "unusable", "undo")),
        ("again", Permission.GENERATE),
    ],
)  # fmt: skip
def test_each_decision_needs_its_permission(sign_in, verb, needed):
    row = factories.cutout()
    others = [each for each in Permission if each != needed]
    assert decide(sign_in(MUGS, *others), f"{verb}:{row.pk}").status_code == 403
    assert decide(sign_in(MUGS, *others), f"{verb}_chosen", chosen=[row.pk]).status_code == 403
    assert decide(sign_in(MUGS, needed), f"{verb}:{row.pk}").status_code == 200


# The product's own page


def product_page(client, mug):
    return client.get(reverse("admin:testcatalog_mug_change", args=[mug.pk]))


def test_a_products_page_counts_its_cutouts(root):
    mug = factories.product()
    assert "Cut-outs:" not in text_of(product_page(root, mug))
    row = factories.cutout(mug)
    for key, state in (("b", "accepted"), ("c", "confirmed"), ("d", "refused"), ("e", "requested")):
        PhotoCutout.objects.create(
            content_type=row.content_type, object_id=row.object_id, key=key, name=key, state=state
        )
    factories.cutout()
    page = product_page(root, mug)
    assert "Cut-outs: 2 good, 1 to look at, 1 not possible, 1 waiting" in text_of(page)
    link = re.search(r'href="([^"]+)">Cut-outs:', page.content.decode())[1].replace("&amp;", "&")
    assert "0 of 5 selected" in text_of(root.get(link))


def test_only_those_who_may_see_the_cutouts_read_about_them(sign_in):
    mug = factories.product()
    factories.cutout(mug)
    assert "Cut-outs:" in text_of(product_page(sign_in(MUGS), mug))
    assert "Cut-outs:" not in text_of(product_page(sign_in(MUGS, views=False), mug))


def test_photos_of_selected_products_are_requested(root):
    mugs = [factories.product(), factories.product()]
    address = reverse("admin:testcatalog_mug_changelist")
    fields = {"action": "cut_out_photos", "_selected_action": [mug.pk for mug in mugs]}
    assert "2 photos will be cut out" in text_of(root.post(address, fields, follow=True))
    assert "have been cut out already" in text_of(root.post(address, fields, follow=True))
    assert PhotoCutout.objects.filter(state="requested").count() == 2
    assert not CutoutEvent.objects.exists()
