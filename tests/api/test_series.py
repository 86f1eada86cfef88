"""``series/``: everything that the services do, with permissions, versions and problem documents."""

import pytest

from nb_catalog import generation
from nb_catalog import series as catalog_series
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Permission, Variant
from nb_catalog.models import Placement, ProductImage, Run, Series
from tests import factories
from tests.api.conftest import BASE
from tests.catalog.catalog_images import MugSource

CHANGER = ("nb_catalog.add_series", "nb_catalog.change_series", "nb_catalog.delete_series")

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(api_as, settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG, "RENDITION_WIDTHS": [32], "RENDITION_FORMATS": ["jpeg"]
    }  # fmt: skip
    return api_as(*CHANGER, *Permission)


def send(api, method, path, body, **headers):
    call = getattr(api.client, method)
    return call(BASE + path, body, content_type="application/json", headers=headers)


def ready(number=2):
    mugs = [factories.product() for _ in range(number)]
    series = factories.series(*mugs)
    for mug, item in zip(mugs, generation.plan_series(series).items(), strict=True):
        factories.image(mug, asked=item.spec, state=ImageState.APPROVED, size=(50, 50))
    return series, mugs


def test_a_series_is_created_read_changed_and_deleted(api):
    factories.scene()
    body = {
        "key": "autumn",
        "name": "Autumn",
        "model": "testcatalog.mug",
        "scene": "marble",
        "slot": "hero",
    }
    created = api.post("series/", body)
    assert created.status_code == 201, created.data
    assert (created.data["version"], created.data["made_by"]) == (1, "local-studio")
    assert [each["key"] for each in api.get("series/").data["results"]] == ["autumn"]
    seen = {"If-Match": api.get("series/autumn/")["ETag"]}
    changed = send(api, "patch", "series/autumn/", {"seed_number": 2}, **seen)
    assert (changed.data["seed_number"], changed.data["version"]) == (2, 2)
    framing = {"fill": 0.7, "by": "area", "place": "centre"}
    body = {"framing": framing, "bundles": True, "version": 2}
    assert send(api, "patch", "series/autumn/", {**body, "dry_run": True}).data["stale"] == 0
    assert send(api, "patch", "series/autumn/", body).data["framing"] == framing
    late = send(api, "patch", "series/autumn/", {"seed_number": 3, "version": 1})
    assert (late.status_code, late.data["code"]) == (409, "illegal_move")
    assert send(api, "patch", "series/autumn/", {"seed_number": 3}).status_code == 400
    wrong = send(api, "patch", "series/autumn/", {"framing": {"by": "size"}, "version": 3})
    assert (wrong.status_code, "framing.by" in str(wrong.data)) == (422, True)
    assert api.get("series/autumn/").data["seed_number"] == 2
    assert send(api, "delete", "series/autumn/", None).status_code == 204
    assert not Series.objects.exists()


def test_what_is_wrong_with_a_series_is_said_at_once(api):
    factories.scene()
    body = {
        "key": "a",
        "name": "A",
        "model": "testcatalog.mug",
        "scene": "marble",
        "slot": "x",
        "tier": "y",
    }
    refused = api.post("series/", body)
    assert refused.status_code == 422
    assert len(refused.data["objections"]) == 2


def test_members_are_added_listed_sorted_and_removed(api):
    mugs = [factories.product() for _ in range(3)]
    factories.series()
    keys = [str(mug.pk) for mug in mugs]
    added = api.post("series/autumn/members/add/", {"objects": keys})
    assert added.data == {"added": 3, "present": 0, "warnings": []}
    order = {"order": [keys[2], keys[0], keys[1]], "version": 1}
    assert send(api, "put", "series/autumn/order/", order).data == {"order_version": 2}
    conflict = send(api, "put", "series/autumn/order/", order)
    assert (conflict.status_code, "Someone else has sorted" in conflict.data["detail"]) == (
        409,
        True,
    )
    page = api.get("series/autumn/members/", {"page_size": 2}).data
    assert (page["count"], page["order_version"]) == (3, 2)
    assert [(each["object"], each["status"]) for each in page["results"]] == [
        (keys[2], "missing"), (keys[0], "missing"),
    ]  # fmt: skip
    removed = api.post("series/autumn/members/remove/", {"objects": [keys[0]]})
    assert removed.data == {"removed": 1}
    assert api.post("series/autumn/members/add/", {"objects": ["999"]}).status_code == 400


def test_variants_are_offered_added_listed_planned_and_removed(api, monkeypatch):
    red, mug = factories.product(), factories.product()
    variants = [Variant(key="red", name="Red", product=red), Variant(key="green", colour="Green")]
    monkeypatch.setattr(MugSource, "variants", lambda self, mug: variants, raising=False)
    factories.series()
    offered = api.get("series/autumn/variants/", {"object": str(mug.pk)}).data["results"]
    assert offered == [
        {"key": "red", "name": "Red", "colour": "", "has_photo": True},
        {"key": "green", "name": "", "colour": "#008000", "has_photo": False},
    ]
    body = {"objects": [str(mug.pk)], "variants": ["red"]}
    assert api.post("series/autumn/members/add-variants/", body).data["added"] == 2
    assert (
        api.post("series/autumn/members/add-variants/", {"objects": [str(mug.pk)]}).data["added"]
        == 1
    )
    unknown = api.post("series/autumn/members/add-variants/", {**body, "variants": ["rod"]})
    assert (unknown.status_code, "no variant 'rod'" in str(unknown.data)) == (422, True)
    page = api.get("series/autumn/members/").data["results"]
    keys = [str(mug.pk), f"{mug.pk}:red", f"{mug.pk}:green"]
    assert [each["key"] for each in page] == keys
    assert [(each["variant"], each["variant_name"], each["status"]) for each in page] == [
        ("", "", "missing"), ("red", "Red", "missing"), ("green", "", "impossible"),
    ]  # fmt: skip
    plan = api.post("series/autumn/plan/", {"members": [keys[1]]}).data
    assert (plan["summary"]["wanted"], plan["items"][0]["product_variant"]) == (1, "red")
    order = {"order": keys[::-1], "version": 1}
    assert send(api, "put", "series/autumn/order/", order).status_code == 200
    remove = "series/autumn/members/remove/"
    assert api.post(remove, {"members": [keys[2]]}).data == {"removed": 1}
    assert api.post(remove, {}).status_code == 400
    assert api.post(remove, {"objects": [str(mug.pk)]}).data == {"removed": 2}


def test_a_layout_is_chosen_and_its_text_planned_after_the_pictures(api, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "LOCALES": ["en", "de"]}
    series, _mugs = ready(1)
    factories.layout(), factories.deck("words", en={"headline": "Mug"}, de={"headline": "Tasse"})
    body = {"layout": "banner", "deck": "words", "version": 1}
    changed = send(api, "patch", "series/autumn/", body).data
    assert (changed["layout"], changed["deck"], changed["version"]) == ("banner", "words", 2)
    wrong = send(api, "patch", "series/autumn/", {"layout": "baner", "version": 2})
    assert (wrong.status_code, "Did you mean 'banner'" in str(wrong.data)) == (422, True)
    ProductImage.objects.update(width=400, height=500)
    plan = api.post("series/autumn/plan/", {"step": "texts"}).data
    assert (plan["summary"]["wanted"], plan["is_free"]) == (2, True)
    [member] = api.get("series/autumn/members/").data["results"]
    assert [(each["locale"], each["status"]) for each in member["texts"]] == [
        ("en", "missing"), ("de", "missing"),
    ]  # fmt: skip
    run = api.post("series/autumn/run/", {"step": "texts"}).data["run"]
    assert Run.objects.get(pk=run).jobs.count() == 2
    assert send(api, "patch", "series/autumn/", {"layout": None, "deck": None, "version": 2}).data[
        "layout"
    ] is None  # fmt: skip
    assert api.post("series/autumn/plan/", {"step": "texts"}).status_code == 422


def test_an_anchor_is_set_after_what_becomes_stale_was_shown(api):
    series, _mugs = ready()
    image = factories.image(state=ImageState.APPROVED, size=(50, 50))
    shown = send(
        api, "put", "series/autumn/anchor/", {"image": image.pk, "version": 1, "dry_run": True}
    )
    assert shown.data == {"stale": 0, "objects": []}
    series.refresh_from_db()
    assert series.anchor is None
    done = send(api, "put", "series/autumn/anchor/", {"image": image.pk, "version": 1})
    assert done.data["anchor"] == image.pk
    unknown = send(api, "put", "series/autumn/anchor/", {"image": 999, "version": 2})
    assert unknown.status_code == 400
    factories.image(pk=image.pk + 1)
    pending = send(api, "put", "series/autumn/anchor/", {"image": image.pk + 1, "version": 2})
    assert (pending.status_code, "is not approved" in pending.data["detail"]) == (422, True)


def test_a_change_of_the_look_is_shown_before_it_is_made(api):
    _series, mugs = ready()
    body = {"overrides": {"light": {"side": "left"}}, "version": 1, "dry_run": True}
    shown = send(api, "patch", "series/autumn/", body)
    assert shown.data == {"stale": 2, "objects": [str(mug.pk) for mug in mugs]}
    assert Series.objects.get().version == 1


def test_a_series_is_planned_started_published_and_rolled_back(api):
    mug = factories.product()
    series = factories.series(mug)
    plan = api.post("series/autumn/plan/", {})
    assert (plan.data["summary"]["missing"], plan.data["is_free"]) == (1, True)
    started = api.post("series/autumn/run/", {"key": "once"})
    again = api.post("series/autumn/run/", {"key": "once"})
    assert started.status_code == 201, started.data
    assert (started.data, Run.objects.count()) == (again.data, 1)
    assert Run.objects.get().jobs.get().spec["series"] == "autumn"
    refused = api.post("series/autumn/publish/")
    assert (refused.status_code, len(refused.data["objections"])) == (422, 1)
    [item] = generation.plan_series(series).items()
    image = factories.image(mug, asked=item.spec, size=(50, 50))
    assert api.post("series/autumn/approve/").data == {"approved": [image.pk], "refused": []}
    published = api.post("series/autumn/publish/")
    assert (published.status_code, published.data["changed"]) == (201, 1)
    assert Placement.objects.get().image == image
    assert api.post("series/autumn/roll-back/").status_code == 200
    assert not Placement.objects.exists()
    assert api.post("series/autumn/roll-back/").status_code == 422


def test_a_rule_is_applied_before_a_plan(api, monkeypatch):
    factories.series(key="winter")
    factories.series()
    factories.product(colour="red")
    factories.product(colour="blue")
    monkeypatch.setattr(
        MugSource, "series", lambda self, mug: ["autumn", "winter"] if mug.colour == "red" else []
    )
    assert api.post("series/autumn/plan/", {}).data["summary"]["total"] == 1
    assert api.post("series/winter/plan/", {"objects": []}).status_code == 400
    assert not Series.objects.get(key="winter").members.exists()


def test_the_newer_scene_and_the_sizes_are_taken(api, monkeypatch):
    _series, mugs = ready()
    series = Series.objects.get()
    series.scene.prompt = "Dusk."
    series.scene.save()
    assert api.post("series/autumn/adopt-scene/", {"version": 1}).data["scene_version"] == 2
    assert api.post("series/autumn/take-sizes/", {"version": 2}).status_code == 422
    monkeypatch.setattr(MugSource, "height_cm", lambda self, mug: 12.0 + mug.pk - mugs[0].pk)
    assert api.post("series/autumn/take-sizes/", {"version": 2}).data["heights_cm"] == {"all": 13.0}
    assert api.post("series/autumn/accept-successor/", {"version": 3}).status_code == 422
    assert api.post("series/autumn/trial/", {}).status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "series/", {}),
        ("patch", "series/autumn/", {"version": 1}),
        ("delete", "series/autumn/", None),
        ("put", "series/autumn/anchor/", {"image": None, "version": 1}),
        ("put", "series/autumn/order/", {"order": [], "version": 1}),
        ("post", "series/autumn/members/add/", {"objects": ["1"]}),
        ("post", "series/autumn/members/remove/", {"objects": ["1"]}),
        ("post", "series/autumn/members/add-variants/", {"objects": ["1"]}),
        ("post", "series/autumn/adopt-scene/", {"version": 1}),
        ("post", "series/autumn/take-sizes/", {"version": 1}),
        ("post", "series/autumn/accept-successor/", {"version": 1}),
        ("post", "series/autumn/plan/", {}),
        ("post", "series/autumn/trial/", {}),
        ("post", "series/autumn/run/", {}),
        ("post", "series/autumn/approve/", {}),
        ("post", "series/autumn/publish/", {}),
        ("post", "series/autumn/roll-back/", {}),
    ],
)
def test_who_may_only_view_changes_nothing(api_as, method, path, body):
    factories.series(factories.product())
    viewer = api_as()
    assert viewer.get("series/autumn/").status_code == 200
    assert send(viewer, method, path, body).status_code == 403


def test_nobody_sees_series_without_permission(api_as):
    factories.series()
    assert api_as(views=False).get("series/").status_code == 403


def test_planning_needs_permission_to_see_the_products(api_as):
    factories.series(factories.product())
    generator = api_as(Permission.GENERATE, views=False)
    assert generator.post("series/autumn/plan/", {}).status_code == 403


NEEDS = [
    ("get", "series/autumn/", None, "nb_catalog.view_series"),
    ("get", "series/autumn/members/", None, "nb_catalog.view_series"),
    ("post", "series/", {"model": "testcatalog.mug"}, "nb_catalog.add_series"),
    ("patch", "series/autumn/", {"name": "A", "version": 1}, "nb_catalog.change_series"),
    ("delete", "series/autumn/", None, "nb_catalog.delete_series"),
    ("put", "series/autumn/anchor/", {"image": None, "version": 1}, "nb_catalog.change_series"),
    ("put", "series/autumn/order/", {"order": ["1"], "version": 1}, "nb_catalog.change_series"),
    ("post", "series/autumn/members/add/", {"objects": ["1"]}, "nb_catalog.change_series"),
    ("post", "series/autumn/members/remove/", {"objects": ["1"]}, "nb_catalog.change_series"),
    ("post", "series/autumn/members/add-variants/", {"objects": ["1"]}, "nb_catalog.change_series"),
    ("get", "series/autumn/variants/?object=1", None, "nb_catalog.view_series"),
    ("post", "series/autumn/adopt-scene/", {"version": 1}, "nb_catalog.change_series"),
    ("post", "series/autumn/take-sizes/", {"version": 1}, "nb_catalog.change_series"),
    ("post", "series/autumn/accept-successor/", {"version": 1}, "nb_catalog.change_series"),
    ("post", "series/autumn/plan/", {}, Permission.GENERATE),
    ("post", "series/autumn/trial/", {}, Permission.GENERATE),
    ("post", "series/autumn/run/", {}, Permission.GENERATE),
    ("post", "series/autumn/approve/", {}, Permission.REVIEW),
    ("post", "series/autumn/publish/", {}, Permission.PUBLISH),
    ("post", "series/autumn/roll-back/", {}, Permission.PUBLISH),
]


@pytest.mark.parametrize(("method", "path", "body", "needed"), NEEDS)
def test_whoever_may_not_see_the_products_reads_and_does_nothing(
    api_as, method, path, body, needed
):
    """As on the page of a series in the admin."""
    factories.scene()
    factories.series(factories.product())
    ours = (needed, *factories.VIEWS)
    new = {"key": "b", "name": "B", "scene": "marble", "slot": "hero"}
    body = {**new, **body} if path == "series/" else body
    stranger = api_as(*ours, "testcatalog.view_vase", views=False)
    assert send(stranger, method, path, body).status_code == 403
    seer = api_as(*ours, "testcatalog.view_mug", views=False)
    assert send(seer, method, path, body).status_code not in (401, 403, 404, 405)


def test_one_key_of_two_people_or_for_two_series_starts_a_run_each(api, api_as):
    mug = factories.product()
    factories.series(mug)
    factories.series(mug, key="winter")
    other = api_as(*CHANGER, *Permission)
    answers = [
        api.post("series/autumn/run/", {"key": "nightly"}),
        api.post("series/winter/run/", {"key": "nightly"}),
        other.post("series/autumn/run/", {"key": "nightly"}),
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert len({answer.data["run"] for answer in answers}) == 3


@pytest.mark.parametrize("path", ["plan", "run"])
def test_only_members_are_planned(api, path):
    mug, stranger, removed = (factories.product() for _ in range(3))
    series = factories.series(mug, removed)
    catalog_series.remove(series, [removed])
    for each in (stranger, removed):
        refused = api.post(f"series/autumn/{path}/", {"objects": [mug.pk, each.pk]})
        assert refused.status_code == 400
        assert refused.data["errors"]["objects"] == [
            f"These are not members of the series: {each.pk}."
        ]
    assert not Run.objects.exists()
    assert api.post(f"series/autumn/{path}/", {"objects": [mug.pk]}).status_code in (200, 201)


def test_the_page_of_members_takes_a_constant_number_of_queries(api, django_assert_max_num_queries):
    series = factories.series(*[factories.product() for _ in range(12)])
    with django_assert_max_num_queries(17):
        assert len(api.get("series/autumn/members/").data["results"]) == 12
    assert catalog_series.remove(series, []) == 0
