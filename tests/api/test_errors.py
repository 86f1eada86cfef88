"""Every error of the API is a problem document, and hostile input is the client's error."""

import json

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import include, path
from rest_framework.permissions import BasePermission
from rest_framework.throttling import BaseThrottle

from nb_catalog.api import images as images_api
from nb_catalog.api.images import ImageViewSet
from nb_catalog.api.urls import CatalogRootView
from nb_catalog.core.types import Permission
from tests import factories
from tests.api.conftest import BASE

PROBLEM = "application/problem+json"
CHANGE = "nb_catalog.change_copydeck"
# Codecs of Python's that are no encodings of text, or not of this text.
STRANGE = ("zip", "bz2", "hex", "rot13", "undefined", "utf-16", "idna", "klingon")

# The address space of a host that has an address behind ours.
urlpatterns = [
    path("api/catalog-images/", include("nb_catalog.api.urls")),
    path("api/other/", lambda request: HttpResponse("theirs")),
]


@pytest.fixture
def api(api_as):
    return api_as(*Permission, CHANGE)


def assert_problem(answer, status, *codes):
    assert answer.status_code == status, answer.content[:500]
    assert answer["Content-Type"] == PROBLEM
    body = json.loads(answer.content)
    assert {"type", "title", "status", "detail", "code"} <= set(body)
    assert body["status"] == status and body["detail"]
    assert not codes or body["code"] in codes
    return body


@pytest.mark.parametrize("path", ["plans/", "decks/autumn/texts/", "images/{}/publish/"])
def test_json_of_any_depth_is_a_problem(api, path):
    factories.deck()
    address = BASE + path.format(factories.image().pk)
    for opening, closing in ("[]", ('{"a":', "}")):
        for depth in (900, 5_000, 100_000):
            body = opening * depth + "1" + closing * depth
            answer = api.client.post(address, body, content_type="application/json")
            assert_problem(answer, 400, "parse_error", "invalid")


def test_a_body_in_a_strange_encoding_is_a_problem(api):
    json_type, form = "application/json", "application/x-www-form-urlencoded"
    kinds = [
        *(f"{json_type}; charset={each}" for each in STRANGE),
        *(f"{form}; charset={each}" for each in STRANGE),
        "multipart/form-data",
        "multipart/form-data; boundary=",
    ]
    for kind in kinds:
        body = b"x\x9c{}\xff\x00=1"
        answer = api.client.generic("POST", f"{BASE}plans/", body, content_type=kind)
        assert_problem(answer, 400, "parse_error", "invalid")


@pytest.mark.parametrize("wrong", ["\ud800", "a\0b", "\u202e"])
def test_text_that_cannot_be_stored_is_refused_wherever_it_is(api, wrong):
    factories.deck()
    for texts in (
        {"texts": {wrong: {"price": "Now"}}},
        {"texts": {"en": {wrong: "Now"}}},
        {"texts": {"en": {"price": {wrong: 1}}}},
        {"texts": {}, wrong: 1},
    ):
        answer = api.post("decks/autumn/texts/", texts)
        assert answer.status_code in (400, 422)
        assert_problem(answer, answer.status_code)
    image = factories.image()
    answer = api.post(f"images/{image.pk}/alt/", {"texts": {wrong: "A mug"}})
    assert_problem(answer, 422)


def test_a_body_beyond_the_limit_of_the_host_is_too_large(api, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2000
    wish = {"model": "testcatalog.mug", "objects": "all", "scenes": ["x" * 3000]}
    assert_problem(api.post("plans/", wish), 413, "payload_too_large")
    assert_problem(api.client.post(f"{BASE}plans/", wish), 413, "payload_too_large")
    form = "application/x-www-form-urlencoded"
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(api.user)
    # Only then the form is searched for the token, by DRF's authentication.
    strict.cookies["csrftoken"] = "c" * 32
    answer = strict.post(f"{BASE}plans/", "scenes=" + "x" * 3000, content_type=form)
    assert_problem(answer, 413, "payload_too_large")


def test_too_many_fields_of_a_form_are_a_problem(api, settings):
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 10
    form = "application/x-www-form-urlencoded"
    answer = api.client.post(f"{BASE}plans/", "a=1&" * 50, content_type=form)
    assert_problem(answer, 400)


@pytest.mark.django_db
def test_an_address_that_does_not_exist_is_a_problem(anybody):
    for address in (
        "nope/",
        "jobs/x/",
        "jobs/1/x/",
        "images/-1/",
        "nope",
        "a/b/c",
        "%FF/",
        "a%0Ab/",
    ):
        for method in ("GET", "POST", "DELETE"):
            assert_problem(anybody.client.generic(method, BASE + address), 404, "not_found")


@pytest.mark.django_db
def test_a_missing_slash_is_appended_as_everywhere_in_django(anybody, settings):
    answer = anybody.client.get(f"{BASE}runs?page=2")
    assert (answer.status_code, answer["Location"]) == (301, f"{BASE}runs/?page=2")
    assert_problem(anybody.client.post(f"{BASE}runs"), 404, "not_found")
    settings.APPEND_SLASH = False
    assert_problem(anybody.client.get(f"{BASE}runs"), 404, "not_found")


@pytest.mark.urls("tests.api.test_errors")
@pytest.mark.django_db
def test_addresses_of_the_host_behind_ours_are_still_found(anybody):
    assert anybody.client.get("/api/other/").content == b"theirs"


class Nobody(BasePermission):
    def has_permission(self, request, view):
        return False


def test_the_root_is_refused_with_a_problem(api, monkeypatch):
    monkeypatch.setattr(CatalogRootView, "permission_classes", [Nobody])
    assert_problem(api.get(""), 403, "permission_denied")


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "code"),
    [
        ("DELETE", "jobs/", {}, 405, "method_not_allowed"),
        ("BREW", "jobs/", {}, 405, "method_not_allowed"),
        ("GET", "jobs/", {"HTTP_ACCEPT": "image/png"}, 406, "not_acceptable"),
        ("GET", "jobs/", {"HTTP_ACCEPT": ";;,/,"}, 406, "not_acceptable"),
        ("POST", "plans/", {"content_type": "text/csv"}, 415, "unsupported_media_type"),
        ("POST", "plans/", {"content_type": "json"}, 415, "unsupported_media_type"),
    ],
)
def test_what_http_itself_refuses_is_a_problem(api, method, path, options, status, code):
    answer = api.client.generic(method, BASE + path, "a,b", **options)
    assert_problem(answer, status, code)


class Never(BaseThrottle):
    def allow_request(self, request, view):
        return False

    def wait(self):
        return 7


def test_throttling_of_the_host_is_a_problem(api, monkeypatch):
    monkeypatch.setattr(ImageViewSet, "throttle_classes", [Never])
    answer = api.get("images/")
    assert_problem(answer, 429, "throttled")
    assert answer["Retry-After"] == "7"


@pytest.mark.parametrize("accept", [PROBLEM, f"{PROBLEM}; q=0.9, image/png", PROBLEM.upper()])
def test_a_client_may_accept_problems_alone(api, accept):
    answer = api.get("images/", accept=accept)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert_problem(api.get("images/999999/", accept=accept), 404)
    assert_problem(api.post("plans/", {}, accept=accept), 400)


def test_a_defect_is_a_problem_too_and_is_reported_as_django_does(api, monkeypatch, caplog):
    def broken(*_args, **_options):
        raise ZeroDivisionError("a secret of the server")

    monkeypatch.setattr(images_api.review, "approve", broken)
    address = f"{BASE}images/{factories.image().pk}/approve/"
    with pytest.raises(ZeroDivisionError):
        api.client.post(address)  # by the signal that Sentry listens to as well
    api.client.raise_request_exception = False
    caplog.clear()
    answer = api.client.post(address)
    body = assert_problem(answer, 500, "server_error")
    assert "secret" not in json.dumps(body)
    [record] = [each for each in caplog.records if each.levelname == "ERROR"]
    assert record.exc_info[0] is ZeroDivisionError and record.status_code == 500


def test_a_defect_is_shown_to_developers(api, monkeypatch, settings):
    def broken(*_args, **_options):
        raise ZeroDivisionError

    settings.DEBUG = True
    monkeypatch.setattr(images_api.review, "approve", broken)
    api.client.raise_request_exception = False
    answer = api.client.post(f"{BASE}images/{factories.image().pk}/approve/")
    assert answer.status_code == 500 and b"Traceback" in answer.content


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("jobs/?rnu=7", "'run'"),
        ("images/?sene=oak", "'scene'"),
        ("runs/?state=paused", "page_size"),
        ("placements/?lang=de", "locale"),
        ("scenes/?q=x", "page"),
        ("models/?x=1", "page"),
        ("jobs/1/?run=7", "no such parameter"),
        ("jobs/?run=1&run=2", "once"),
        ("images/?slot=hero&slot=gallery", "once"),
        ("jobs/?run=", "value"),
        ("images/?state=", "value"),
        ("jobs/?page_size=x", "200"),
        ("jobs/?page_size=0", "200"),
        ("jobs/?page_size=-1", "200"),
        ("jobs/?page_size=" + "9" * 5000 + "x", "200"),
    ],
)
def test_a_parameter_that_is_not_known_or_not_clear_is_refused(api, path, says):
    answer = api.get(path)
    body = assert_problem(answer, 400, "invalid")
    assert says in str(body["errors"])


def test_parameters_of_drf_and_of_repeated_filters_are_known(api):
    for address in ("jobs/?format=json", "jobs/?state=failed&state=queued", "placements/?locale=",
                 "jobs/?page_size=1000"):  # fmt: skip
        assert api.get(address).status_code == 200, address


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("plans/", {"budget": "5"}),
        ("runs/", {"budget": "5"}),
        ("runs/renewal/", {"scenes": ["marble"]}),
        ("placements/roll-back/", {"slots": "hero"}),
    ],
)
def test_a_value_that_is_not_known_is_refused(api, path, body):
    answer = api.post(path, body)
    [name] = body
    assert "no such parameter" in str(assert_problem(answer, 400, "invalid")["errors"][name])


@pytest.mark.parametrize("field", ["scenes", "layouts", "locales"])
def test_nothing_is_named_twice(api, field):
    factories.product()
    factories.scene("marble")
    factories.layout()
    wish = {"model": "testcatalog.mug", "objects": "all", "layouts": ["banner"]}
    twice = {"scenes": ["marble"], "layouts": ["banner"], "locales": ["de"]}[field] * 2
    answer = api.post("plans/texts/", {**wish, field: twice})
    assert twice[0] in str(assert_problem(answer, 400, "invalid")["errors"][field])
    if field == "scenes":
        del wish["layouts"]
        assert_problem(api.post("runs/", {**wish, "scenes": twice}), 400, "invalid")
