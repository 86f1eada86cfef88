"""What holds for every endpoint: versions, conditional requests, caching, throttles, challenges, order."""

import re

import pytest
from django.db.models.fields.files import FieldFile
from django.utils import timezone
from rest_framework.authentication import BasicAuthentication, TokenAuthentication

from nb_catalog.api.border import BorderView
from nb_catalog.api.runs import RunViewSet
from nb_catalog.api.urls import router, urlpatterns
from nb_catalog.core import pagination
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Permission
from nb_catalog.models import ProductImage, Scene
from tests import factories
from tests.api import described
from tests.api.conftest import Api
from tests.api.test_long_pages import path_of, walk

LISTS = (
    "models/", "scenes/", "layouts/", "decks/", "runs/", "jobs/", "images/", "placements/", "series/",
    "experiments/", "cutouts/", "gallery-deliveries/", "webhooks/", "webhook-deliveries/", "publications/",
    "pauses/", "batches/", "calls/", "spending/", "review-filters/", "exports/",
)  # fmt: skip


pytestmark = pytest.mark.django_db


@pytest.fixture
def api(db):
    return Api(factories.superuser())


def test_no_list_is_forgotten_here():
    view_sets = {prefix: view for prefix, view, _name in router.registry if hasattr(view, "list")}
    assert {f"{prefix}/" for prefix in view_sets} == set(LISTS)
    # What is registered is not a table, and there are few pauses and saved filters.
    sorted_by = {prefix for prefix, view in view_sets.items() if view.orderings}
    assert sorted_by == view_sets.keys() - {"models", "pauses", "review-filters"}


# Versions


def test_the_version_is_a_parameter_of_the_media_type(api):
    for accepted in ("application/json", "application/json; version=1", "*/*"):
        assert api.get("runs/", accept=accepted).status_code == 200, accepted


@pytest.mark.parametrize("path", ["runs/", "runs/7/", "schema/", "nowhere/", ""])
def test_an_unknown_version_is_refused_everywhere(api, path):
    answer = api.get(path, accept="application/json; version=2")
    assert answer.status_code == 406, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert "2" in answer.json()["detail"] and answer.json()["code"] == "not_acceptable"


def test_versions_of_the_host_are_of_its_own_endpoints(api, monkeypatch):
    assert RunViewSet.versioning_class is None and BorderView.versioning_class is None


# Conditional requests


@pytest.mark.parametrize("path", LISTS)
def test_every_list_is_sent_once_while_it_is_the_same(api, path):
    first = api.get(path)
    again = api.get(path, if_none_match=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"] and "Cookie" in again["Vary"]
    assert api.get(path, if_none_match='"other"').status_code == 200


@pytest.mark.parametrize("path", ["events/", "images/events/"])
def test_events_are_neither_tagged_nor_stored(api, path):
    answer = api.get(path, accept="application/json")
    assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
    assert "ETag" not in answer


def test_a_change_changes_the_tag(api):
    image = factories.image()
    address = f"images/{image.pk}/"
    first = api.get(address)
    assert api.post(f"{address}approve/").status_code == 200
    again = api.get(address, if_none_match=first["ETag"])
    assert again.status_code == 200 and again["ETag"] != first["ETag"]


def test_a_decision_about_an_old_state_is_refused(api):
    image = factories.image()
    address = f"images/{image.pk}/"
    seen = api.get(address)["ETag"]
    assert api.post(f"{address}alt/", {"texts": {"en": "A mug"}}).status_code == 200
    late = api.post(f"{address}approve/", if_match=seen)
    current = api.get(address)["ETag"]
    assert (late.status_code, late["ETag"]) == (412, current)
    assert late.json()["code"] == "precondition_failed"
    assert ProductImage.objects.get().state == ImageState.PENDING
    assert api.post(f"{address}approve/", if_match=f'"other", {current}').status_code == 200


def test_a_star_matches_whatever_is_there(api):
    image = factories.image()
    assert api.post(f"images/{image.pk}/approve/", if_match="*").status_code == 200
    assert api.post("images/999/approve/", if_match="*").status_code == 404


def test_an_address_that_is_signed_again_changes_no_state(api, monkeypatch):
    image = factories.image()
    signatures = iter(range(100))
    signed = property(lambda file: f"/media/{file.name}?signature={next(signatures)}")
    monkeypatch.setattr(FieldFile, "url", signed)
    first = api.get(f"images/{image.pk}/")
    assert api.get(f"images/{image.pk}/", if_none_match=first["ETag"]).status_code == 200
    answer = api.post(f"images/{image.pk}/approve/", if_match=first["ETag"])
    assert answer.status_code == 200, answer.content


def test_a_condition_tells_nobody_more_than_they_may_see(api_as):
    api = api_as(Permission.GENERATE)
    answer = api.post(f"images/{factories.image().pk}/approve/", if_match='"old"')
    assert answer.status_code == 403


# Caching


def test_public_placements_may_be_stored_and_nothing_else(anybody, api, settings):
    factories.published()
    private = api.get("placements/")
    assert private["Cache-Control"] == "private, no-cache"
    settings.NB_CATALOG = {
        **settings.NB_CATALOG, "API_PUBLIC_PLACEMENTS": True, "API_PUBLIC_MAX_AGE": 300,
    }  # fmt: skip
    public = anybody.get("placements/")
    assert public["Cache-Control"] == "public, max-age=300"
    assert {"Accept", "Accept-Language", "Authorization", "Cookie"} <= {
        each.strip() for each in public["Vary"].split(",")
    }
    assert anybody.get("placements/", if_none_match=public["ETag"]).status_code == 304
    assert api.get("placements/")["Cache-Control"] == "private, no-cache"


def test_what_is_written_or_refused_is_not_stored(api):
    image = factories.image()
    assert api.post(f"images/{image.pk}/approve/")["Cache-Control"] == "no-store"
    assert api.get("images/999/")["Cache-Control"] == "no-store"
    assert "ETag" not in api.get("images/999/")


# Throttles


@pytest.fixture
def rates(settings):
    def give(**rates):
        settings.REST_FRAMEWORK = {"DEFAULT_THROTTLE_RATES": rates}

    return give


def test_a_rate_of_the_host_holds_for_what_costs_money_only(api, rates):
    rates(nb_catalog_generate="1/day")
    body = {"model": "testcatalog.mug", "objects": "all", "scenes": ["marble"]}
    assert api.post("runs/", body).status_code == 422
    late = api.post("runs/", body)
    assert (late.status_code, late.json()["code"]) == (429, "throttled")
    assert 86_000 < int(late["Retry-After"]) <= 86_400
    assert api.post("plans/", body).status_code == 422
    assert api.get("runs/").status_code == 200


COST_MONEY = {
    "nb_catalog_generate": {
        "deck-propose", "experiment-list", "image-edit", "image-escalate", "run-list", "run-finals",
        "run-photos", "run-renewal", "run-resume", "run-retry", "run-texts", "series-run",
    },
    "nb_catalog_read": {"image-compare", "image-propose-alt", "image-read-text"},
}  # fmt: skip


def test_all_that_costs_money_has_its_scope():
    scopes = {}
    for pattern in urlpatterns:
        for method, action in getattr(pattern.callback, "actions", {}).items():
            view = pattern.callback.cls()
            view.action = action
            # A view that was called has "head", too.
            if method not in ("get", "head") and view.throttle_scope:
                scopes.setdefault(view.throttle_scope, set()).add(pattern.name)
    assert scopes == COST_MONEY


def test_without_a_rate_nothing_is_throttled(api, settings):
    settings.REST_FRAMEWORK = {
        "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.ScopedRateThrottle"],
        "DEFAULT_THROTTLE_RATES": {"host": "1/day"},
    }
    body = {"model": "testcatalog.mug", "objects": "all", "scenes": ["marble"]}
    assert [api.post("runs/", body).status_code for _ in range(3)] == [422] * 3


# Challenges


def test_missing_credentials_are_a_401_where_there_is_a_challenge(anybody, monkeypatch):
    monkeypatch.setattr(
        RunViewSet, "authentication_classes", [BasicAuthentication, TokenAuthentication]
    )
    answer = anybody.get("runs/")
    assert (answer.status_code, answer["WWW-Authenticate"][:5]) == (401, "Basic")
    assert answer.json()["code"] == "not_authenticated"


def test_a_browser_is_not_asked_for_a_password_beside_another_way(anybody):
    answer = anybody.get("runs/")
    assert answer.status_code == 403 and "WWW-Authenticate" not in answer


def test_a_token_is_asked_for_behind_a_session(anybody, monkeypatch):
    first = RunViewSet.authentication_classes[0]
    monkeypatch.setattr(RunViewSet, "authentication_classes", [first, TokenAuthentication])
    answer = anybody.get("runs/")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Token")


# Languages


def test_messages_are_in_the_callers_language_without_middleware_for_it(api, settings):
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "Locale" not in each]
    answer = api.get("images/?state=pendig", accept_language="de")
    assert answer["Content-Language"] == "de"
    assert answer.json()["code"] == "invalid"
    assert answer.json()["detail"] != api.get("images/?state=pendig").json()["detail"]


# Names


@pytest.mark.parametrize("path", LISTS)
def test_an_unknown_parameter_is_refused_with_the_nearest(api, path):
    answer = api.get(f"{path}?page_siz=10")
    assert answer.status_code == 400
    assert "page_size" in answer.json()["errors"]["page_siz"][0]


def test_an_unknown_field_is_refused_also_further_in(api):
    decision = {"key": "5c1e0d7e-93a2-4c5e-8f0b-0f6f6d1f2a11", "image": 1, "decision": "approve"}
    answer = api.post("decisions/", {"decisions": [{**decision, "nots": "Too dark"}]})
    assert answer.status_code == 400
    assert "note" in str(answer.json()["errors"]["decisions"]["nots"])


# Order and time


def ids(answer):
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


def test_lists_are_sorted_both_ways(api):
    images = [factories.image().pk for _ in range(3)]
    assert ids(api.get("images/?ordering=created_at")) == images
    assert ids(api.get("images/?ordering=-created_at")) == images[::-1]
    factories.scene("oak", name="Oak", position=2)
    factories.scene("ash", name="Zelkova", position=1)
    keys = [row["key"] for row in api.get("scenes/?ordering=-name").json()["results"]]
    assert keys == ["ash", "oak"]


def test_an_order_that_does_not_exist_is_refused_with_the_nearest(api):
    answer = api.get("images/?ordering=created")
    assert answer.status_code == 400
    assert "created_at" in answer.json()["errors"]["ordering"][0]


# Of no time: what is registered, the few pauses of now, days, and saved filters.
@pytest.mark.parametrize(
    "path", sorted({*LISTS} - {"models/", "pauses/", "spending/", "review-filters/"})
)
def test_every_list_is_restricted_to_a_time_and_sorted(api, path):
    answer = api.get(f"{path}?created_after=2026-01-01T00:00:00Z&created_before=2026-02-01")
    assert answer.status_code == 200, answer.content
    wrong = api.get(f"{path}?ordering=nonsense").json()["errors"]["ordering"]
    assert wrong


def test_rows_of_a_time_are_listed_from_its_first_moment(api):
    scenes = [factories.scene(key) for key in ("a", "b", "c")]
    for number, scene in enumerate(scenes, 1):
        moment = timezone.datetime(2026, 1, number, tzinfo=timezone.timezone.utc)
        Scene.objects.filter(pk=scene.pk).update(created_at=moment)
    query = {"created_after": "2026-01-02T00:00:00Z", "created_before": "2026-01-03T00:00:00Z"}
    assert [row["key"] for row in api.get("scenes/", query).json()["results"]] == ["b"]


@pytest.mark.parametrize("order", ["object", "-object", "published_at", "-published_at"])
def test_each_order_leads_to_every_row_once_while_rows_come(api, order, monkeypatch):
    monkeypatch.setattr(pagination, "COUNT_LIMIT", 5)
    keys = {factories.published().pk for _ in range(9)}
    first = api.get(f"placements/?page_size=2&ordering={order}").json()
    factories.published()
    rest = walk(api, path_of(first["next"]))
    found = [row["id"] for row in first["results"]] + rest
    assert len(found) == len(set(found)) and keys <= set(found)


def test_links_are_headers_too(api):
    for _ in range(3):
        factories.run()
    answer = api.get("runs/?page_size=2")
    assert answer["Link"] == f'<{answer.json()["next"]}>; rel="next"'
    back = api.get(path_of(answer.json()["next"]))
    assert 'rel="prev"' in back["Link"] and back.json()["count"] == 3


def test_what_is_made_has_an_address():
    factories.scene()
    body = {
        "key": "autumn", "name": "Autumn", "model": "testcatalog.mug", "scene": "marble", "slot": "hero"
    }  # fmt: skip
    root = Api(factories.superuser())
    answer = root.post("series/", body)
    assert answer.status_code == 201, answer.content
    assert root.get(path_of(answer["Location"])).json()["key"] == "autumn"


# OPTIONS


def test_every_address_says_what_it_takes(api):
    factories.series(factories.product())
    values = {"key": "autumn", "label": "testcatalog.mug", "day": "2026-01-01", "side": "left"}
    silent = {}
    for path, methods in described.document()["paths"].items():
        filled = re.sub(r"\{(\w+)\}", lambda name: values.get(name[1], "1"), path)
        answer = api.client.options(f"{described.BASE}{filled}")
        taken = answer.json().get("actions", {}) if answer.status_code == 200 else None
        body = methods.get("post", {}).get("requestBody", {}).get("content", {})
        fields = body.get("application/json", {}).get("schema", {}).get("$ref", "")
        wanted = described.document()["components"]["schemas"].get(fields.rpartition("/")[2], {})
        if taken is None or not set(wanted.get("properties", ())) <= {*taken.get("POST", ())}:
            silent[path] = (answer.status_code, taken)
    assert silent == {}
