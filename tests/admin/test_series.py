"""Series in the admin: the list, the form, the contact sheet with its order, products and the anchor."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from nb_catalog import generation, publishing
from nb_catalog import series as catalog_series
from nb_catalog.conf import LOCAL_TIERS
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Permission
from nb_catalog.imaging.fidelity import Fidelity
from nb_catalog.models import Placement, PlacementEvent, ProductImage, Run, Series
from nb_catalog.publishing import work_on_publications
from tests import factories
from tests.catalog.catalog_images import MugSource
from tests.catalog.models import Vase

pytestmark = pytest.mark.django_db

MUGS = "testcatalog.view_mug"
VIEW, CHANGE = "nb_catalog.view_series", "nb_catalog.change_series"
JSON = {"accept": "application/json"}


def url(name, *args, model="series"):
    return reverse(f"admin:nb_catalog_{model}_{name}", args=args)


def text_of(answer):
    """What a person reads."""
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


def mugs(*names):
    return [factories.product(name=name) for name in names]


def order_of(series):
    members = series.members.filter(removed_at=None).order_by("position", "pk")
    return list(members.values_list("object_id", flat=True))


def made(series, *, state=ImageState.APPROVED, only=None):
    """Pictures of the members as a plan asks for them, by key of the product."""
    images = {}
    for item in generation.plan_series(series).items():
        if only is None or item.object_id in only:
            about = series.content_type.get_object_for_this_type(pk=item.object_id)
            # The size of the ratio: 4:5.
            images[item.object_id] = factories.image(
                about, asked=item.spec, state=state, size=(80, 100)
            )
    return images


def cards(answer):
    """The state and the notes of each card, by title, in the order of the sheet."""
    found = {}
    for card in answer.context["cards"]:
        found[card.info.title] = (card.state, [str(note) for note in card.notes])
    return found


def decide(client, series, decision, *, html=True, **fields):
    data = {"decision": decision, "version": series.order_version, **fields}
    headers = {} if html else JSON
    return client.post(url("decide", series.pk), data, headers=headers, follow=html)


# The list


def test_the_list_counts_members_pictures_and_places_with_constant_queries(root):
    first = factories.series(*mugs("Blue", "Red", "Old"), ratio="4:5")
    images = list(made(first).values())
    catalog_series.remove(first, [images[2].catalog_object])
    factories.published(images[0].catalog_object, slot="gallery", size=(50, 50))
    publishing.publish(images[0], slot="hero", actor=None)
    with CaptureQueriesContext(connection) as few:
        page = text_of(root.get(url("changelist")))
    assert "Autumn" in page
    assert "Marble, version 1" in page
    assert "2 of 2" in page
    assert re.findall(r"2 of 2 (.*?) Look", page) == ["1"]
    for number in range(3):
        factories.series(*mugs("More"), key=f"winter-{number}")
    with CaptureQueriesContext(connection) as many:
        assert "0 of 1" in text_of(root.get(url("changelist")))
    assert len(many) <= len(few)


def test_a_picture_with_text_is_not_counted_as_the_picture_of_a_member(root):
    series = factories.series(*mugs("Blue", "Red"), ratio="4:5")
    keys = order_of(series)
    images = made(series)
    ProductImage.objects.filter(pk=images[keys[0]].pk).update(locale="de")
    assert "1 of 2" in text_of(root.get(url("changelist")))


def test_series_of_products_that_a_user_may_not_view_are_hidden(sign_in):
    series = factories.series(*mugs("Blue"))
    client = sign_in(VIEW)
    assert "Autumn" not in text_of(client.get(url("changelist")))
    assert client.get(url("sheet", series.pk)).status_code == 403
    client = sign_in(VIEW, MUGS)
    assert "Autumn" in text_of(client.get(url("changelist")))
    assert client.get(url("sheet", series.pk)).status_code == 200


# The form

FIELDS = {
    "name": "Spring", "key": "spring", "model": "testcatalog.mug", "slot": "hero", "ratio": "4:5",
    "view": "front", "treatment": "locked", "tier": "draft", "seed_number": "1", "position": "0",
    "is_active": "on", "fill": "0.5", "place": "left", "baseline": "0.2", "room": "none",
    "overrides": '{"light": {"side": "left"}}',
}  # fmt: skip


def test_a_series_is_created_with_its_look(root):
    scene = factories.scene()
    answer = root.post(url("add"), {**FIELDS, "scene": scene.pk})
    series = Series.objects.get()
    assert answer.url == url("sheet", series.pk)
    assert (series.key, series.ratio, series.slot) == ("spring", "4:5", "hero")
    assert series.framing == {"fill": 0.5, "place": "left", "baseline": 0.2, "room": "none"}
    assert series.overrides == {"light": {"side": "left"}}
    assert series.label == "testcatalog.mug"


def test_objections_to_a_new_look_are_shown_and_nothing_is_created(root):
    scene = factories.scene()
    wrong = {**FIELDS, "scene": scene.pk, "overrides": '{"lamp": {}}'}
    page = text_of(root.post(url("add"), wrong))
    assert "A series cannot replace" in page
    assert not Series.objects.exists()


def changes(series, **fields):
    data = {
        **FIELDS, "name": series.name, "seen_version": series.version, "overrides": "{}",
        "ratio": series.ratio, "fill": series.framing["fill"], "place": "centre",
        "baseline": series.framing["baseline"],
    }  # fmt: skip
    return data | fields


def test_a_change_of_the_look_lists_what_becomes_stale_before_it_is_saved(root):
    series = factories.series(*mugs("Blue", "Red"), ratio="4:5")
    blue, _red = order_of(series)
    made(series, only={blue})
    data = changes(series, seed_number="2")
    page = text_of(root.post(url("change", series.pk), data))
    assert "1 picture becomes out of date: Blue." in page
    assert Series.objects.get().seed_number == 1
    answer = root.post(url("change", series.pk), {**data, "accept_stale": "on"})
    assert answer.status_code == 302
    assert (Series.objects.get().seed_number, Series.objects.get().version) == (2, 2)


def test_a_picture_that_the_new_look_has_already_does_not_become_stale(root):
    series = factories.series(*mugs("Blue", "Red"), ratio="4:5")
    blue, _red = order_of(series)
    made(series)
    made(catalog_series.with_changes(series, seed_number=2), only={blue})
    page = text_of(root.post(url("change", series.pk), changes(series, seed_number="2")))
    assert "1 picture becomes out of date: Red." in page


def test_a_name_is_changed_without_consequences(root):
    series = factories.series(*mugs("Blue"), ratio="4:5")
    made(series)
    answer = root.post(url("change", series.pk), changes(series, name="Late autumn"))
    assert answer.status_code == 302
    assert (Series.objects.get().name, Series.objects.get().version) == ("Late autumn", 1)
    assert Series.objects.get().framing == series.framing


def test_a_look_that_someone_else_has_changed_is_not_overwritten(root):
    series = factories.series(*mugs("Blue"), ratio="4:5")
    data = changes(series, seed_number="3")
    catalog_series.save_look(catalog_series.with_changes(series, seed_number=2))
    page = text_of(root.post(url("change", series.pk), data))
    assert "Someone else has changed the series" in page
    assert Series.objects.get().seed_number == 2


def test_the_scene_of_today_is_adopted_on_request(root):
    series = factories.series(*mugs("Blue"), ratio="4:5")
    series.scene.prompt = "Another place."
    series.scene.save()
    page = text_of(root.get(url("sheet", series.pk)))
    assert "The scene was changed since the series adopted it." in page
    root.post(url("change", series.pk), changes(series))
    assert Series.objects.get().scene_version == 1
    root.post(url("change", series.pk), changes(series, adopt_scene="on"))
    assert Series.objects.get().scene_version == 2


def test_members_are_shown_in_proportion_on_request(root, monkeypatch):
    heights = {"Blue": 9.5, "Red": 12.0}
    monkeypatch.setattr(MugSource, "height_cm", lambda self, mug: heights[mug.name])
    series = factories.series(*mugs(*heights), ratio="4:5")
    made(series)
    data = changes(series, take_sizes="on")
    assert "2 pictures become out of date: Blue, Red." in text_of(
        root.post(url("change", series.pk), data)
    )
    assert Series.objects.get().heights_cm == {}
    root.post(url("change", series.pk), {**data, "accept_stale": "on"})
    assert Series.objects.get().heights_cm == {"all": 12.0}


def test_bundles_are_shown_together_on_request(root):
    series = factories.series(*mugs("Blue"), ratio="4:5")
    root.post(url("change", series.pk), changes(series, bundles="on"))
    assert (Series.objects.get().bundles, Series.objects.get().version) == (True, 2)


def test_sizes_are_taken_again_and_given_up_on_request(root, monkeypatch):
    heights = {"Blue": 9.5, "Red": 12.0}
    monkeypatch.setattr(MugSource, "height_cm", lambda self, mug: heights[mug.name])
    series = factories.series(*mugs(*heights), ratio="4:5")
    page = text_of(root.get(url("change", series.pk)))
    assert "Show the members in proportion" in page and "equally large again" not in page
    root.post(url("change", series.pk), changes(series, take_sizes="on"))
    heights["Blue"] = 20.0
    series.refresh_from_db()
    page = text_of(root.get(url("change", series.pk)))
    assert "Take the real sizes of the members again" in page
    assert "A product of 12 cm fills the frame now." in page
    root.post(url("change", series.pk), changes(series, take_sizes="on"))
    series.refresh_from_db()
    assert series.heights_cm == {"all": 20.0}
    root.post(url("change", series.pk), changes(series, equal_sizes="on"))
    assert Series.objects.get().heights_cm == {}


def test_products_take_one_area_on_request(root):
    series = factories.series(*mugs("Blue"), ratio="4:5")
    root.post(url("change", series.pk), changes(series, fill="0.7", by="area", place="centre"))
    stored = Series.objects.get()
    assert stored.framing["by"] == "area"
    page = root.get(url("change", series.pk))
    assert page.context["adminform"].form.initial["by"] == "area"


def test_another_name_leaves_the_model_that_the_tier_stood_for(root, settings):
    series = factories.series(*mugs("Blue"), ratio="4:5")
    tiers = {**LOCAL_TIERS, "draft": {**LOCAL_TIERS["draft"], "SIZE": "512"}}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": tiers}
    root.post(url("change", series.pk), changes(series, name="Late autumn"))
    stored = Series.objects.get()
    assert (stored.name, stored.size, stored.version) == ("Late autumn", series.size, 1)


def test_a_tier_that_the_settings_do_not_name_any_more_stays_until_another_is_chosen(
    root, settings
):
    series = factories.series(*mugs("Blue"), ratio="4:5", tier="standard")
    tiers = {"draft": LOCAL_TIERS["draft"]}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": tiers}
    page = root.get(url("change", series.pk))
    choices = dict(page.context["adminform"].form.fields["tier"].choices)
    assert list(choices) == ["standard", "draft"]
    data = changes(series, name="Late autumn", tier="standard")
    assert root.post(url("change", series.pk), data).status_code == 302
    assert (Series.objects.get().name, Series.objects.get().tier) == ("Late autumn", "standard")


def test_pictures_of_another_ratio_are_among_those_that_become_stale(root):
    series = factories.series(*mugs("Blue", "Red"), ratio="4:5")
    made(series)
    page = text_of(root.post(url("change", series.pk), changes(series, ratio="1:1")))
    assert "2 pictures become out of date: Blue, Red." in page


def test_a_picture_that_the_new_look_makes_impossible_is_among_those_that_become_stale(
    root, monkeypatch
):
    series = factories.series(*mugs("Blue"), ratio="4:5")
    made(series)
    bare = [factories.product(photo=False) for _ in range(2)]
    names = {"Blue": bare}
    monkeypatch.setattr(MugSource, "bundle", lambda self, mug: names.get(mug.name, ()))
    page = text_of(root.post(url("change", series.pk), changes(series, bundles="on")))
    assert "1 picture becomes out of date: Blue." in page


def test_another_tier_is_another_look(root):
    series = factories.series(*mugs("Blue"), ratio="4:5")
    root.post(url("change", series.pk), changes(series, tier="standard"))
    assert Series.objects.get().tier == "standard"


def test_who_may_only_look_sees_the_look_and_cannot_change_it(sign_in):
    series = factories.series(*mugs("Blue"), ratio="4:5")
    client = sign_in(VIEW, MUGS)
    page = client.get(url("change", series.pk))
    assert page.status_code == 200
    assert "_save" not in page.content.decode()
    assert client.post(url("change", series.pk), changes(series)).status_code == 403
    assert client.get(url("add")).status_code == 403


def test_deleting_needs_its_own_permission(sign_in):
    series = factories.series(*mugs("Blue"))
    client = sign_in(VIEW, MUGS, CHANGE)
    assert client.post(url("delete", series.pk), {"post": "yes"}).status_code == 403
    sign_in(VIEW, MUGS, "nb_catalog.delete_series")
    client.post(url("delete", series.pk), {"post": "yes"})
    assert not Series.objects.exists()


# The sheet


def test_the_sheet_shows_the_state_of_each_member_in_order(root):
    names = ["No photo", "Missing", "Waits", "Approved", "Published", "Old", "Old in shop"]
    members = [factories.product(name=name, photo=name != "No photo") for name in names]
    series = factories.series(*members, ratio="4:5")
    keys = dict(zip(names, order_of(series), strict=True))
    older = made(series, only={keys["Old"], keys["Old in shop"]})
    publishing.publish(older[keys["Old in shop"]], slot="hero", actor=None)
    catalog_series.save_look(catalog_series.with_changes(series, seed_number=2))
    series = Series.objects.get()
    made(series, state=ImageState.PENDING, only={keys["Waits"]})
    new = made(series, only={keys["Approved"], keys["Published"]})
    publishing.publish(new[keys["Published"]], slot="hero", actor=None)
    found = cards(root.get(url("sheet", series.pk)))
    assert list(found) == names
    assert {name: state for name, (state, _notes) in found.items()} == {
        "No photo": "impossible", "Missing": "missing", "Waits": "review", "Approved": "approved",
        "Published": "published", "Old": "stale", "Old in shop": "stale",
    }  # fmt: skip
    assert found["Old in shop"][1] == ["The shop shows an older look."]
    assert found["Old"][1] == []
    assert "photo" in found["No photo"][1][0]


def test_only_approved_pictures_can_become_the_anchor(root):
    series = factories.series(*mugs("Waits", "Approved", "Anchor"), ratio="4:5")
    waits, approved, anchor = order_of(series)
    made(series, state=ImageState.PENDING, only={waits})
    images = made(series, only={approved, anchor})
    catalog_series.save_look(catalog_series.with_anchor(series, images[anchor]))
    shown = {c.info.title: c for c in root.get(url("sheet", series.pk)).context["cards"]}
    assert [name for name, card in shown.items() if card.can_be_anchor] == ["Approved"]
    assert [name for name, card in shown.items() if card.is_anchor] == ["Anchor"]


def test_a_place_with_a_picture_of_another_series_is_not_this_ones(root):
    series = factories.series(*mugs("Blue"), ratio="4:5")
    made(series)
    other = factories.series(
        *(m.catalog_object for m in series.members.all()), key="winter", ratio="4:5"
    )
    made(other)
    publishing.publish_series(other, actor=None)
    assert cards(root.get(url("sheet", series.pk)))["Blue"] == ("approved", [])
    assert cards(root.get(url("sheet", other.pk)))["Blue"] == ("published", [])


def test_a_picture_that_only_another_slot_shows_is_not_published_in_the_series(root):
    series = factories.series(*mugs("Blue"), ratio="4:5")
    [image] = made(series).values()
    publishing.publish(image, slot="gallery", actor=None)
    assert cards(root.get(url("sheet", series.pk))) == {"Blue": ("approved", [])}


@pytest.mark.parametrize(("score", "is_outlier"), [(1.0, False), (1.04, True)])
def test_beyond_its_tolerance_a_picture_is_an_outlier(root, score, is_outlier):
    series = factories.series(*mugs("Blue"), ratio="4:5")
    made(series)
    drift = {"score": score, "worst": "light", "parts": {"light": score}}
    ProductImage.objects.update(checks={"drift": drift})
    [card] = root.get(url("sheet", series.pk)).context["cards"]
    assert card.drift.is_outlier is is_outlier
    assert bool(card.notes) is is_outlier


def test_drift_is_shown_where_it_was_measured(root):
    series = factories.series(*mugs("Near", "Far", "Unknown", "New"), ratio="4:5")
    images = made(series)
    near, far, unknown, new = (images[key] for key in order_of(series))
    for image, drift in (
        (near, {"score": 0.4, "worst": "light", "parts": {"light": 0.4}}),
        (far, {"score": 2.25, "worst": "cast", "parts": {"cast": 2.25}}),
        (unknown, {"missing": "product"}),
    ):
        ProductImage.objects.filter(pk=image.pk).update(checks={"drift": drift})
    answer = root.get(url("sheet", series.pk))
    found = cards(answer)
    assert found["Near"][1] == []
    assert found["Far"][1] == ["The colours are warmer, cooler or tinted."]
    assert found["Unknown"][1] == ["It is not certain where the product is in the picture."]
    bars = [card.drift for card in answer.context["cards"]]
    assert [bar and bar.height for bar in bars] == [13, 75, 0, None]
    assert [bar and bar.is_outlier for bar in bars] == [False, True, False, None]
    page = text_of(answer)
    assert "drift 2.3" in page or "drift 2.2" in page
    assert "not measured" in page
    ProductImage.objects.update(checks={})
    assert "Drift from the anchor" not in text_of(root.get(url("sheet", series.pk)))
    assert new.pk


def test_a_sheet_takes_the_same_queries_for_two_members_and_for_sixty(root):
    series = factories.series(*mugs("Blue", "Red"), ratio="4:5")
    made(series, only=set(order_of(series)[:1]))
    root.get(url("sheet", series.pk))
    with CaptureQueriesContext(connection) as few:
        root.get(url("sheet", series.pk))
    catalog_series.add(series, mugs(*(f"Mug {number}" for number in range(58))))
    made(series, only=set(order_of(series)[2:40]))
    with CaptureQueriesContext(connection) as many:
        assert len(cards(root.get(url("sheet", series.pk)))) == 60
    assert len(many) == len(few)


def test_long_series_are_shown_in_pages(root, monkeypatch):
    monkeypatch.setattr("nb_catalog.admin.series.sheet.PER_PAGE", 2)
    series = factories.series(*mugs("A", "B", "C"), ratio="4:5")
    assert list(cards(root.get(url("sheet", series.pk)))) == ["A", "B"]
    second = root.get(url("sheet", series.pk) + "?p=2")
    assert [(card.info.title, card.place) for card in second.context["cards"]] == [("C", 3)]
    assert list(cards(root.get(url("sheet", series.pk) + "?p=99"))) == ["C"]
    assert list(cards(root.get(url("sheet", series.pk) + "?p=0"))) == ["A", "B"]


def test_a_series_whose_provider_is_gone_can_still_be_sorted(root):
    series = factories.series(*mugs("A", "B"), ratio="4:5")
    Series.objects.update(provider="gone")
    answer = root.get(url("sheet", series.pk))
    assert list(cards(answer)) == ["A", "B"]
    assert "is not configured any more" in text_of(answer)


def test_a_deleted_product_stays_on_the_sheet_until_it_is_removed(root):
    blue, red = mugs("Blue", "Red")
    series = factories.series(blue, red, ratio="4:5")
    key = str(red.pk)
    red.delete()
    assert cards(root.get(url("sheet", series.pk)))[key][0] == "impossible"
    decide(root, series, "remove", chosen=[key])
    assert list(cards(root.get(url("sheet", series.pk)))) == ["Blue"]


# Order


@pytest.mark.parametrize(
    ("decision", "fields", "expected"),
    [
        ("earlier:B", {}, "BACD"),
        ("later:B", {}, "ACBD"),
        ("earlier:A", {}, "ABCD"),
        ("later:D", {}, "ABCD"),
        ("later", {"chosen": "AC"}, "BACD"),
        ("move", {"chosen": "AB", "place": 3}, "CDAB"),
        ("move", {"chosen": "DB", "place": 1}, "BDAC"),
        ("move", {"chosen": "A", "place": 99}, "BCDA"),
        ("move", {"chosen": "A", "place": "x"}, "ABCD"),
    ],
)
def test_members_are_moved_without_a_script(root, decision, fields, expected):
    series = factories.series(*mugs(*"ABCD"))
    keys = dict(zip("ABCD", order_of(series), strict=True))
    verb, _colon, name = decision.partition(":")
    if name:
        verb = f"{verb}:{keys[name]}"
    if "chosen" in fields:
        fields = fields | {"chosen": [keys[each] for each in fields["chosen"]]}
    decide(root, series, verb, **fields)
    assert order_of(series) == [keys[each] for each in expected]


def test_a_dragged_order_is_saved_for_a_page_of_the_series(root):
    series = factories.series(*mugs(*"ABCD"))
    a, b, c, d = order_of(series)
    answer = decide(root, series, "sort", html=False, order=[d, b]).json()
    assert (answer["ok"], answer["version"], answer["order"]) == (True, 2, [a, d, c, b])
    assert order_of(series) == [a, d, c, b]


def test_of_two_people_who_sort_at_once_one_wins_and_the_other_is_told(root):
    series = factories.series(*mugs(*"AB"))
    a, b = order_of(series)
    assert decide(root, series, "sort", html=False, order=[b, a]).json()["ok"]
    answer = decide(root, series, "sort", html=False, order=[a, b]).json()
    assert not answer["ok"]
    assert "Someone else has sorted the series “Autumn” meanwhile." in answer["message"]
    assert (answer["version"], answer["order"]) == (2, [b, a])
    assert order_of(series) == [b, a]
    page = text_of(decide(root, series, f"earlier:{a}"))
    assert "Someone else has sorted" in page
    assert order_of(series) == [b, a]


def test_an_unknown_decision_is_not_found(root):
    series = factories.series(*mugs("A"))
    assert root.post(url("decide", series.pk), {"decision": "explode"}).status_code == 404


def test_the_chosen_members_lie_or_stand(root):
    series = factories.series(*mugs("Blue", "Red"), view="groups", ratio="4:5")
    blue, red = order_of(series)
    page = root.get(url("sheet", series.pk)).content.decode()
    assert 'value="lay"' in page and 'value="stand"' in page
    assert "1 product is seen by another camera" in text_of(
        decide(root, series, "lay", chosen=[blue])
    )
    groups = series.members.values_list("object_id", "group")
    assert dict(groups.all()) == {blue: "lying", red: "standing"}
    decide(root, series, "stand", chosen=[blue])
    assert dict(groups.all()) == {blue: "standing", red: "standing"}
    assert "Nothing was changed." in text_of(decide(root, series, "stand", chosen=[blue]))


# All of them at once


def test_a_series_is_approved_published_and_rolled_back_as_one(root):
    series = factories.series(*mugs("Blue", "Red"), ratio="4:5")
    made(series, state=ImageState.PENDING)
    page = text_of(decide(root, series, "publish"))
    assert "is not approved" in page
    assert not Placement.objects.exists()
    assert "2 pictures approved." in text_of(decide(root, series, "approve"))
    assert "published when all are ready" in text_of(decide(root, series, "publish"))
    assert not Placement.objects.exists()
    work_on_publications()
    assert Placement.objects.filter(slot="hero").count() == 2
    assert "was undone" in text_of(decide(root, series, "roll_back"))
    assert not Placement.objects.exists()


def test_what_is_ready_is_published_only_if_somebody_says_so(root):
    series = factories.series(*mugs("Blue", "Red"), ratio="4:5")
    made(series, only={order_of(series)[0]})
    decide(root, series, "publish")
    assert not Placement.objects.exists()
    decide(root, series, "publish", anyway="1")
    assert Placement.objects.count() == 1


def test_another_series_is_replaced_only_if_somebody_says_so(root):
    series = factories.series(*mugs("Blue"), ratio="4:5")
    made(series)
    other = factories.series(
        *(m.catalog_object for m in series.members.all()), key="winter", ratio="4:5"
    )
    made(other)
    decide(root, other, "publish")
    assert "shows the series" in text_of(decide(root, series, "publish"))
    assert Placement.objects.get().image.series == "winter"
    decide(root, series, "publish", anyway="1")
    assert Placement.objects.get().image.series == "autumn"


def test_what_somebody_changed_since_is_rolled_back_only_without_it(root):
    series = factories.series(*mugs("Blue", "Red"), ratio="4:5")
    blue, red = order_of(series)
    made(series)
    decide(root, series, "publish")
    work_on_publications()
    about = series.content_type.get_object_for_this_type(pk=blue)
    factories.published(about, slot="hero", size=(80, 100))
    assert "Somebody has changed 1 of these places" in text_of(decide(root, series, "roll_back"))
    assert Placement.objects.count() == 2
    decide(root, series, "roll_back", anyway="1")
    assert [row.object_id for row in Placement.objects.all()] == [blue]


def test_a_reason_is_asked_for_and_recorded_where_a_product_differs(root, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "FIDELITY": {"REQUIRE": "block"}}
    series = factories.series(*mugs("Blue"), ratio="4:5")
    assert 'name="reason"' not in root.get(url("sheet", series.pk)).content.decode()
    made(series)
    differs = Fidelity(
        score=0.2, reasons=("detail",), left_out=(), measures={"lost_detail": 3.2}, regions=()
    )
    ProductImage.objects.update(checks={"fidelity": differs.as_dict()})
    assert 'name="reason"' in root.get(url("sheet", series.pk)).content.decode()
    assert "Give the reason" in text_of(decide(root, series, "publish"))
    decide(root, series, "publish", reason="Agreed with the supplier.")
    assert PlacementEvent.objects.get().note == "Agreed with the supplier."


@pytest.mark.parametrize(
    ("verb", "permissions"),
    [
        ("remove", [CHANGE]),
        ("sort", [CHANGE]),
        ("approve", [Permission.REVIEW]),
        ("publish", [Permission.PUBLISH]),
        ("roll_back", [Permission.PUBLISH]),
        ("earlier:1", [CHANGE]),
    ],
)
def test_each_button_needs_its_permission(sign_in, verb, permissions):
    series = factories.series(*mugs("Blue"))
    client = sign_in(VIEW, MUGS)
    assert decide(client, series, verb).status_code == 403
    assert f'value="{verb}' not in client.get(url("sheet", series.pk)).content.decode()
    client = sign_in(VIEW, MUGS, *permissions)
    assert decide(client, series, verb).status_code == 200


# Products


def test_products_are_found_by_the_source_and_added(root):
    blue, *_others = mugs("Blue mug", "Red mug", "Blue vase")
    series = factories.series(blue)
    page = text_of(root.get(url("products", series.pk) + "?q=blue"))
    assert ("Blue vase" in page, "Red mug" in page) == (True, False)
    assert "Blue mug (in the series)" in page
    vase = type(blue).objects.get(name="Blue vase")
    answer = root.post(url("products", series.pk), {"chosen": [vase.pk]}, follow=True)
    assert "1 product added." in text_of(answer)
    assert order_of(series) == [str(blue.pk), str(vase.pk)]


@pytest.mark.parametrize(("number", "is_cut"), [(2, False), (3, True)])
def test_a_search_that_finds_more_than_it_shows_says_so(root, monkeypatch, number, is_cut):
    monkeypatch.setattr("nb_catalog.admin.series.products.MOST_FOUND", 2)
    series = factories.series(*mugs(*"ABC"[:number]))
    page = root.get(url("products", series.pk))
    assert (len(page.context["found"]), page.context["is_cut"]) == (2, is_cut)


def test_products_are_added_from_their_own_list(root):
    blue, red = mugs("Blue", "Red")
    series = factories.series(blue)
    fields = {"action": "add_to_catalog_series", "_selected_action": [blue.pk, red.pk]}
    page = root.post(reverse("admin:testcatalog_mug_changelist"), fields, follow=True)
    assert "Autumn" in text_of(page)
    token = page.context["chosen"].token
    answer = root.post(url("choose"), {"selection": token, "series": series.pk}, follow=True)
    assert "1 product added. 1 was in the series already." in text_of(answer)
    assert order_of(series) == [str(blue.pk), str(red.pk)]


def test_products_are_added_to_active_series_of_their_own_model_that_are_there(root):
    blue, red = mugs("Blue", "Red")
    factories.series(blue)
    catalog_series.save_look(
        catalog_series.with_changes(factories.series(blue, key="winter"), is_active=False)
    )
    vases = factories.series(key="vases", model=Vase, slot="hero")
    fields = {"action": "add_to_catalog_series", "_selected_action": [red.pk]}
    page = root.post(reverse("admin:testcatalog_mug_changelist"), fields, follow=True)
    assert [each.key for each in page.context["offered"]] == ["autumn"]
    data = {"selection": page.context["chosen"].token, "series": vases.pk}
    assert root.post(url("choose"), data).status_code == 404


def test_adding_needs_the_permission_to_change_series(sign_in):
    series = factories.series(*mugs("Blue"))
    client = sign_in(VIEW, MUGS)
    assert client.get(url("products", series.pk)).status_code == 403
    assert client.get(url("choose")).status_code == 403
    page = client.get(reverse("admin:testcatalog_mug_changelist")).content.decode()
    assert "add_to_catalog_series" not in page
    page = sign_in(VIEW, MUGS, CHANGE).get(reverse("admin:testcatalog_mug_changelist"))
    assert "add_to_catalog_series" in page.content.decode()


# Anchor


def test_swapping_the_anchor_shows_what_becomes_stale_first(root, settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "TIERS": {
            "standard": {"PROVIDER": "gemini", "MODEL": "gemini-nano-banana-2.1", "SIZE": "1K"}
        },
    }
    series = factories.series(*mugs("Blue", "Red", "New"), ratio="1:1", tier="standard")
    blue, red, _new = order_of(series)
    old = factories.image(state=ImageState.APPROVED, size=(1024, 1024))
    catalog_series.save_look(catalog_series.with_anchor(series, old))
    series = Series.objects.get()
    images = made(series, only={blue, red})
    ProductImage.objects.filter(pk=images[red].pk).update(width=100, height=100)
    page = text_of(root.get(url("anchor", series.pk) + f"?image={images[red].pk}"))
    assert "2 pictures become out of date" in page
    assert "Blue Red What is published stays" in page
    assert Series.objects.get().anchor == old
    data = {"image": images[red].pk, "version": series.version}
    root.post(url("anchor", series.pk), data)
    assert Series.objects.get().anchor == images[red]
    again = root.post(url("anchor", series.pk), {**data, "image": old.pk}, follow=True)
    assert "Someone else has changed the series" in text_of(again)
    assert Series.objects.get().anchor == images[red]


def test_a_picture_that_cannot_be_an_anchor_is_refused_with_the_reason(root):
    series = factories.series(*mugs("Blue"), ratio="4:5")
    [image] = made(series, state=ImageState.PENDING).values()
    answer = root.get(url("anchor", series.pk) + f"?image={image.pk}", follow=True)
    assert "is not approved. Approve it before it becomes the anchor." in text_of(answer)


def test_approved_pictures_are_offered_as_anchors(root):
    series = factories.series(*mugs("Blue", "Red"), ratio="4:5")
    blue, red = order_of(series)
    images = made(series, only={blue})
    made(series, only={red}, state=ImageState.PENDING)
    answer = root.get(url("anchor", series.pk))
    assert [each.pk for each in answer.context["images"]] == [each.pk for each in images.values()]
    ProductImage.objects.update(pruned_at=timezone.now())
    assert not root.get(url("anchor", series.pk)).context["images"]


def test_choosing_the_anchor_needs_the_permission_to_change_the_series(sign_in):
    series = factories.series(*mugs("Blue"), ratio="4:5")
    [image] = made(series).values()
    client = sign_in(VIEW, MUGS)
    assert client.get(url("anchor", series.pk)).status_code == 403
    data = {"image": image.pk, "version": series.version}
    assert client.post(url("anchor", series.pk), data).status_code == 403
    assert Series.objects.get().anchor is None
    sign_in(VIEW, MUGS, CHANGE)
    client.post(url("anchor", series.pk), data)
    assert Series.objects.get().anchor == image


def test_a_picture_of_another_model_is_not_shown_as_the_anchor(root):
    series = factories.series(*mugs("Blue"), ratio="4:5")
    other = factories.image(
        Vase.objects.create(name="Vase", slug="vase"), state=ImageState.APPROVED, size=(80, 100)
    )
    page = root.get(url("anchor", series.pk) + f"?image={other.pk}")
    assert "image" not in page.context
    assert list(page.context["images"]) == []


# Make what is missing


def test_what_is_missing_is_planned_priced_and_started(root):
    series = factories.series(*mugs("Blue", "Red"), ratio="4:5")
    made(series, only={order_of(series)[0]})
    address = url("series", model="run")
    page = root.get(f"{address}?key={series.pk}")
    assert "1 picture to generate" in text_of(page)
    fields = {"key": series.pk, "nonce": page.context["nonce"], "members": "all", "start": "1"}
    answer = root.post(address, fields)
    run = Run.objects.get()
    assert answer.url == url("change", run.pk, model="run")
    assert [job.object_id for job in run.jobs.all()] == [order_of(series)[1]]


def test_what_costs_money_is_confirmed_first(root, settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "TIERS": {
            "standard": {"PROVIDER": "gemini", "MODEL": "gemini-nano-banana-2.1", "SIZE": "1K"}
        },
    }
    series = factories.series(*mugs("Blue", "Red"), ratio="1:1", tier="standard")
    address = url("series", model="run")
    assert "has no anchor" in text_of(root.get(f"{address}?key={series.pk}"))
    fields = {"key": series.pk, "nonce": "n", "members": "first", "mode": "direct", "start": "1"}
    page = root.post(address, fields)
    assert "Yes, spend up to" in text_of(page)
    assert not Run.objects.exists()
    agreed = page.context["agreed"]
    root.post(address, {**fields, "agreed_usd": agreed})
    assert Run.objects.get().jobs.count() == 1


def test_planning_needs_the_permissions_to_generate_and_to_see_the_products(sign_in):
    series = factories.series(*mugs("Blue"))
    address = f"{url('series', model='run')}?key={series.pk}"
    assert sign_in(VIEW, MUGS).get(address).status_code == 403
    assert sign_in(VIEW, Permission.GENERATE).get(address).status_code == 403
    assert sign_in(VIEW, MUGS, Permission.GENERATE).get(address).status_code == 200
    assert sign_in(VIEW, MUGS, Permission.GENERATE).get(address + "0").status_code == 404
