"""The list of published pictures: names of places, what can be rolled back, filters, replacements."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from nb_catalog.admin.formatting import place_name
from nb_catalog.core.states import ImageState, JobState
from nb_catalog.imaging.fidelity import Fidelity
from nb_catalog.models import Placement
from nb_catalog.publishing import placements
from tests import factories

pytestmark = pytest.mark.django_db

LIST = reverse("admin:nb_catalog_placement_changelist")
REVIEW = reverse("admin:nb_catalog_productimage_review")
SIZE = (20, 20)


def url(name, placement):
    return reverse(f"admin:nb_catalog_placement_{name}", args=[placement.pk])


def page_of(client, **query):
    return client.get(LIST, query).content.decode()


def approved(mug, **fields):
    return factories.image(mug, state=ImageState.APPROVED, size=SIZE, **fields)


def offered(client):
    page = page_of(client)
    return {each.pk for each in Placement.objects.all() if url("roll_back", each) in page}


def outdated(mug, **fields):
    asked = factories.spec(mug, base="b" * 64, layout="banner", locale="de", **fields)
    placement = factories.published(mug, asked=asked, locale="de", size=SIZE)
    Placement.objects.filter(pk=placement.pk).update(stale_since=timezone.now())
    return placement, asked


def test_rolling_back_is_offered_where_something_was_before(root):
    mug = factories.product()
    first = factories.published(mug, size=SIZE)
    fresh = factories.published(mug, slot="social", size=SIZE)
    assert offered(root) == set()
    replaced = placements.publish(approved(mug), slot="hero", actor=None)
    assert offered(root) == {replaced.pk}
    assert url("withdraw", fresh) in page_of(root)
    placements.roll_back(mug, slot="hero", actor=None)
    assert Placement.objects.get(slot="hero").image == first.image
    assert offered(root) == set(), "what was undone twice would empty the place"


def test_the_page_of_a_place_shows_its_history_with_reasons(root, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "FIDELITY": {"REQUIRE": "block"}}
    mug, actor = factories.product(), factories.superuser("mo")
    first = factories.published(mug, size=SIZE)
    differs = {"fidelity": Fidelity(score=0.2, reasons=("colour",)).as_dict()}
    second = approved(mug, checks=differs)
    reason = "The label is new: <b>agreed</b>."
    placement = placements.publish(second, slot="hero", actor=actor, reason=reason)
    placements.publish(approved(mug), slot="social", actor=None)
    placements.roll_back(mug, slot="hero", actor=None)
    page = root.get(url("change", placement)).content.decode()
    events = page[page.index('<ol class="nbc-events">') :]
    lines = [" ".join(line.split()) for line in events[: events.index("</ol>")].split("<li>")[1:]]
    assert [line.split(" · ")[:2] for line in lines] == [
        ["Rolled back", f"Picture {first.image_id}"],
        ["Published", f"Picture {second.pk}"],
        ["Published", f"Picture {first.image_id}"],
    ]
    assert (
        " · mo · " in lines[1] and "<p>The label is new: &lt;b&gt;agreed&lt;/b&gt;.</p>" in lines[1]
    )
    assert "<p>" not in lines[0] + lines[2]


def test_a_place_is_not_emptied_by_rolling_it_back(root):
    placement = factories.published(factories.product(), size=SIZE)
    answer = root.post(url("roll_back", placement), follow=True)
    assert "No approved picture was there before." in answer.content.decode()
    assert Placement.objects.exists()


@pytest.mark.parametrize("state", [ImageState.REJECTED, ImageState.RETIRED])
def test_a_picture_that_is_no_longer_approved_does_not_come_back(root, state):
    mug = factories.product()
    before = factories.published(mug, size=SIZE).image
    placements.publish(approved(mug), slot="hero", actor=None)
    type(before).objects.filter(pk=before.pk).update(state=state)
    assert offered(root) == set()


def test_a_deleted_product_is_not_rolled_back(root):
    mug = factories.product()
    factories.published(mug, size=SIZE)
    placements.publish(approved(mug), slot="hero", actor=None)
    mug.delete()
    assert offered(root) == set()


def test_more_outdated_and_changed_places_cost_no_more_queries(root):
    def add():
        mug = factories.product(photo=False)
        factories.published(mug, slot="social", size=SIZE)
        placements.publish(approved(mug), slot="social", actor=None)
        _placement, asked = outdated(mug)
        factories.image(mug, asked=asked, locale="de")

    def queries():
        page_of(root)
        with CaptureQueriesContext(connection) as captured:
            page_of(root)
        return len(captured)

    add()
    few = queries()
    for _ in range(3):
        add()
    assert queries() == few


@pytest.mark.parametrize("action", ["withdraw", "roll_back"])
def test_the_list_keeps_its_filters_after_an_action(root, action):
    mug = factories.product()
    factories.published(mug, size=SIZE)
    placement = placements.publish(approved(mug), slot="hero", actor=None)
    query = {"slot__exact": "hero", "q": mug.name, "p": "1"}
    page = page_of(root, **query)
    address = page.split(f'formaction="{url(action, placement)}')[1].split('"')[0]
    answer = root.post(url(action, placement) + address.replace("&amp;", "&"))
    assert answer.url.startswith(f"{LIST}?")
    assert "slot__exact=hero" in answer.url and "q=Mug" in answer.url
    assert root.get(answer.url).status_code == 200


@pytest.mark.parametrize("given", ["https://evil.example/", "//evil.example", "\r\nX: y", "p=99"])
def test_an_action_leads_nowhere_but_to_the_list(root, given):
    placement = factories.published(size=SIZE)
    answer = root.post(f"{url('withdraw', placement)}?_changelist_filters={given}")
    assert answer.url.split("?")[0] == LIST


def test_a_page_that_is_empty_now_is_the_last_one(root):
    factories.published(size=SIZE)
    answer = root.get(LIST, {"p": "7", "slot__exact": "hero"})
    assert answer.status_code == 200 and "1 placement" in answer.content.decode()


def test_a_place_has_one_name_everywhere(root):
    mug = factories.product()
    placement = factories.published(mug, slot="gallery", position=1, size=SIZE)
    local = factories.published(mug, slot="gallery", position=1, locale="de", size=SIZE)
    name = place_name("gallery", position=1)
    assert name == "gallery 2" and place_name("hero") == "hero"
    page = page_of(root)
    assert f">{name}<" in page and f">{name} · de<" in page
    card = root.get(REVIEW, {"picture": local.image_id}).content.decode()
    assert f"Published: {name} · de" in card
    detail = root.get(url("change", placement)).content.decode()
    assert '<div class="readonly">2</div>' in detail
    answer = root.post(url("withdraw", local), follow=True).content.decode()
    assert f"Unpublished from {name} · de." in answer


def test_positions_are_typed_as_they_are_named(root):
    image = approved(factories.product())
    fields = {f"slot-{image.pk}": "gallery", f"position-{image.pk}": "2"}
    decide = reverse("admin:nb_catalog_productimage_decide")
    data = {"decision": f"publish:{image.pk}", **fields}
    news = root.post(decide, data, headers={"accept": "application/json"}).json()
    assert Placement.objects.get().position == 1
    assert "published to gallery 2" in news["message"] and "Published: gallery 2" in news["card"]
    undo = {f"{name}-{image.pk}": value for name, value in news["place"].items()}
    data = {"decision": f"roll_back:{image.pk}", **undo}
    root.post(decide, data, headers={"accept": "application/json"})
    assert not Placement.objects.exists()


def test_an_outdated_picture_is_offered_until_its_replacement_exists(root):
    mug = factories.product(photo=False)
    _placement, asked = outdated(mug)
    assert "Regenerate outdated pictures" in page_of(root)
    job = factories.job(mug, asked=asked, state=JobState.CALLING)
    page = page_of(root)
    assert "Its replacement is being generated" in page and f"/run/{job.run_id}/change/" in page
    assert "Regenerate outdated pictures" not in page
    type(job).objects.filter(pk=job.pk).update(state=JobState.SUCCEEDED, live_key=None)
    image = factories.image(mug, asked=asked, locale="de")
    page = page_of(root)
    assert "Its replacement waits for review" in page and f"?picture={image.pk}" in page
    assert "Regenerate outdated pictures" not in page
    type(image).objects.filter(pk=image.pk).update(state=ImageState.APPROVED)
    assert "Its replacement waits to be published" in page_of(root)
    type(image).objects.filter(pk=image.pk).update(state=ImageState.REJECTED)
    assert "Regenerate outdated pictures" in page_of(root)


@pytest.mark.parametrize("differs", [{"locale": "fr"}, {"layout": "corner"}, {"base": "c" * 64}])
def test_another_picture_is_no_replacement(root, differs):
    mug = factories.product(photo=False)
    outdated(mug)
    changes = {"base": "b" * 64, "layout": "banner", "locale": "de"} | differs
    asked = factories.spec(mug, **changes)
    factories.image(mug, asked=asked, locale=asked.locale)
    factories.job(mug, asked=asked)
    page = page_of(root)
    assert "Its replacement" not in page and "Regenerate outdated pictures" in page


def test_only_what_the_search_finds_is_offered(root):
    for name in ("Stoneware mug", "Glass mug"):
        outdated(factories.product(photo=False, name=name))
    assert "2 published pictures show outdated text." in page_of(root)
    assert "1 published picture shows outdated text." in page_of(root, q="stoneware")
