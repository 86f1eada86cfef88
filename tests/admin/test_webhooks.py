"""The admin's pages for webhooks: a secret is shown once, and each action needs its permission."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.messages import get_messages

from nb_catalog import webhooks
from nb_catalog.models import WebhookDelivery, WebhookEndpoint
from nb_catalog.models.db.clock import database_now

pytestmark = pytest.mark.django_db
ENDPOINTS = "/admin/nb_catalog/webhookendpoint/"
DELIVERIES = "/admin/nb_catalog/webhookdelivery/"
VIEW, ADD, CHANGE, DELETE = (
    f"nb_catalog.{verb}_webhookendpoint" for verb in ("view", "add", "change", "delete")
)


@pytest.fixture
def endpoint():
    made, made.secret = webhooks.create(
        url="https://shop.example/hook", events=["run.ended"], description="Chat"
    )
    return made


def said(response):
    return [str(each) for each in get_messages(response.wsgi_request)]


def test_the_secret_of_a_new_endpoint_is_shown_in_this_response_only(root):
    data = {"url": "https://shop.example/hook", "events": ["picture.published"], "description": ""}
    response = root.post(f"{ENDPOINTS}add/", data)
    endpoint = WebhookEndpoint.objects.get()
    assert response.status_code == 200 and b"whsec_" in response.content
    assert "no-store" in response["Cache-Control"]
    assert endpoint.events == ["picture.published"] and endpoint.is_active
    for page in (
        ENDPOINTS,
        f"{ENDPOINTS}{endpoint.pk}/change/",
        f"{ENDPOINTS}{endpoint.pk}/history/",
    ):
        assert b"whsec_" not in root.get(page).content


def test_an_address_that_cannot_be_sent_to_is_an_error_of_its_field(root):
    response = root.post(f"{ENDPOINTS}add/", {"url": "http://10.0.0.1/"})
    assert "ALLOWED_NETWORKS" in response.content.decode()
    assert not WebhookEndpoint.objects.exists()


def test_beyond_the_limit_nothing_is_added(root, endpoint, monkeypatch):
    monkeypatch.setattr("nb_catalog.webhooks.endpoints.MAX_ENDPOINTS", 1)
    response = root.post(f"{ENDPOINTS}add/", {"url": "https://shop.example/hook"})
    assert "1 webhook endpoints already" in said(response)[0]
    assert WebhookEndpoint.objects.count() == 1


def test_an_endpoint_is_changed_and_switched_off_and_on(root, endpoint):
    webhooks.send_test(endpoint)
    page = f"{ENDPOINTS}{endpoint.pk}/change/"
    assert (
        root.post(page, {"url": "https://other.example/", "description": "Cache"}).status_code
        == 302
    )
    endpoint.refresh_from_db()
    assert (endpoint.url, endpoint.events, endpoint.is_active) == (
        "https://other.example/",
        [],
        False,
    )
    assert WebhookDelivery.objects.get().state == "failed"
    root.post(page, {"url": endpoint.url, "is_active": "on"})
    endpoint.refresh_from_db()
    assert endpoint.is_active


def test_a_secret_is_rotated_once_that_is_confirmed(root, endpoint):
    page = f"{ENDPOINTS}{endpoint.pk}/rotate/"
    assert b"whsec_" not in root.get(page).content
    response = root.post(page)
    assert b"whsec_" in response.content and endpoint.secret.encode() not in response.content
    endpoint.refresh_from_db()
    assert endpoint.secret_version == 2


def test_a_test_event_is_sent_from_the_page_and_from_the_list(root, endpoint):
    root.post(f"{ENDPOINTS}{endpoint.pk}/test/")
    root.post(ENDPOINTS, {"action": "test", "_selected_action": [endpoint.pk]})
    assert list(WebhookDelivery.objects.values_list("event", flat=True)) == ["webhook.test"] * 2


def test_what_was_given_up_is_sent_again_one_by_one_and_in_bulk(root, endpoint):
    rows = [webhooks.send_test(endpoint) for _ in range(3)]
    given_up = {
        "state": "failed",
        "due_at": None,
        "attempts": 8,
        "error_code": "redirect",
        "status_code": 302,
    }
    WebhookDelivery.objects.update(**given_up)
    page = root.get(f"{DELIVERIES}{rows[0].pk}/change/").content.decode()
    assert "redirects (status 302)" in page and "Send again" in page
    root.post(f"{DELIVERIES}{rows[0].pk}/resend/")
    assert WebhookDelivery.objects.filter(state="waiting", attempts=0).count() == 1
    keys = [row.pk for row in rows[1:]]
    response = root.post(DELIVERIES, {"action": "resend", "_selected_action": keys})
    assert "2 messages again" in said(response)[-1]
    webhooks.switch_off(endpoint)
    response = root.post(DELIVERIES, {"action": "resend", "_selected_action": keys})
    assert "Switched off: Chat" in said(response)[-1]


@pytest.mark.parametrize(
    "query", ["", "?state__exact=waiting", "?event=run.ended", "?endpoint__id__exact=1", "?q=msg_x"]
)
def test_deliveries_are_filtered(root, endpoint, query):
    webhooks.send_test(endpoint)
    assert root.get(f"{DELIVERIES}{query}").status_code == 200


def test_each_page_and_action_needs_its_permission(sign_in, endpoint):
    delivery = webhooks.send_test(endpoint)
    pages = {
        "list": lambda client: client.get(ENDPOINTS),
        "deliveries": lambda client: client.get(f"{DELIVERIES}{delivery.pk}/change/"),
        "add": lambda client: client.get(f"{ENDPOINTS}add/"),
        "rotate": lambda client: client.post(f"{ENDPOINTS}{endpoint.pk}/rotate/"),
        "test": lambda client: client.post(f"{ENDPOINTS}{endpoint.pk}/test/"),
        "resend": lambda client: client.post(f"{DELIVERIES}{delivery.pk}/resend/"),
        "delete": lambda client: client.get(f"{ENDPOINTS}{endpoint.pk}/delete/"),
    }

    def allowed(*permissions):
        client = sign_in(*permissions)
        return {name for name, request in pages.items() if request(client).status_code != 403}

    assert allowed() == set()
    assert allowed(VIEW) == {"list", "deliveries"}
    assert allowed(ADD) == {"add"}
    assert allowed(CHANGE) == {"list", "deliveries", "rotate", "test", "resend"}
    assert allowed(DELETE, VIEW) == {"list", "deliveries", "delete"}


def test_an_endpoint_is_deleted_with_its_deliveries(sign_in, endpoint):
    webhooks.send_test(endpoint)
    client = sign_in(DELETE, VIEW)
    address = f"{ENDPOINTS}{endpoint.pk}/delete/"
    assert "webhook.test" not in client.get(address).content.decode(), "they may be thousands"
    assert client.post(address, {"post": "yes"}).status_code == 302
    assert not WebhookEndpoint.objects.exists() and not WebhookDelivery.objects.exists()


def test_someone_who_may_only_view_sees_no_buttons(sign_in, endpoint):
    page = sign_in(VIEW).get(f"{ENDPOINTS}{endpoint.pk}/change/").content.decode()
    assert "Send a test event" not in page and "Rotate" not in page and "A run has ended" in page


def test_an_endpoint_that_fails_is_on_the_start_page_and_in_the_status(root, endpoint):
    from nb_catalog.operations import status

    assert "Webhook endpoints that fail" not in root.get("/admin/nb_catalog/").content.decode()
    since = database_now() - timedelta(minutes=10)
    WebhookEndpoint.objects.update(failing_since=since)
    assert "Webhook endpoints that fail" in root.get("/admin/nb_catalog/").content.decode()
    assert status.collect().failing_webhooks == 1
    assert "Failing since" in root.get(ENDPOINTS).content.decode()
    webhooks.switch_off(endpoint, reason="failing")
    assert "failed for days" in root.get(ENDPOINTS).content.decode()
    assert status.collect().failing_webhooks == 1
