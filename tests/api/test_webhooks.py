"""Webhooks over REST: the secret in one response only, and the same rules as in the admin."""

import pytest
from django.urls import reverse

from nb_catalog import webhooks
from nb_catalog.models import WebhookDelivery, WebhookEndpoint
from tests import factories

pytestmark = pytest.mark.django_db
VERBS = tuple(f"nb_catalog.{verb}_webhookendpoint" for verb in ("view", "add", "change", "delete"))
URL = "https://shop.example/hook"


@pytest.fixture
def api(api_as):
    return api_as(*VERBS)


@pytest.fixture
def endpoint():
    return webhooks.create(url=URL, events=["run.ended"])[0]


def test_an_endpoint_is_added_read_changed_and_deleted(api):
    made = api.post("webhooks/", {"url": URL, "events": ["picture.published"]})
    assert made.status_code == 201 and made.json()["secret"].startswith("whsec_")
    assert made["Cache-Control"] == "no-store"
    address = f"webhooks/{made.json()['id']}/"
    for response in (api.get("webhooks/"), api.get(address)):
        assert response.status_code == 200 and "whsec_" not in response.content.decode()
    changed = api.patch(address, {"description": "Chat", "is_active": False}).json()
    assert (changed["url"], changed["events"]) == (URL, ["picture.published"])
    assert (changed["description"], changed["is_active"]) == ("Chat", False)
    assert api.patch(address, {"is_active": True}).json()["is_active"] is True
    assert api.delete(address).status_code == 204 and not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [({"url": "https://10.0.0.1/"}, 422), ({"url": "http://shop.example/"}, 422), ({}, 400),
     ({"url": URL, "events": ["run.endet"]}, 400), ({"url": URL, "secret": "mine"}, 400)],
)  # fmt: skip
def test_what_cannot_be_an_endpoint_is_refused(api, endpoint, body, status):
    assert api.post("webhooks/", body).status_code == status
    if body:
        assert api.patch(f"webhooks/{endpoint.pk}/", body).status_code == status
    assert WebhookEndpoint.objects.count() == 1


def test_a_rotation_returns_another_secret(api, endpoint):
    first, second = (api.post(f"webhooks/{endpoint.pk}/rotate/", {}).json() for _ in range(2))
    assert first["secret"] != second["secret"]


def test_deliveries_are_read_filtered_and_sent_again(api, endpoint):
    test = api.post(f"webhooks/{endpoint.pk}/test/", {})
    assert test.status_code == 201 and test.json()["event"] == "webhook.test"
    WebhookDelivery.objects.update(
        state="failed", due_at=None, error_code="redirect", status_code=302, attempts=8
    )
    [row] = api.get(f"webhook-deliveries/?state=failed&endpoint={endpoint.pk}").json()["results"]
    assert "redirects (status 302)" in row["problem"] and row["message"].startswith("msg_")
    assert api.get("webhook-deliveries/?event=run.ended").json()["results"] == []
    again = api.post("webhook-deliveries/resend/", {"deliveries": [row["id"]]})
    assert again.json() == {"resent": 1}
    row = api.get(f"webhook-deliveries/{row['id']}/").json()
    assert (row["state"], row["attempts"], row["problem"]) == ("waiting", 0, "")
    webhooks.switch_off(endpoint)
    refused = api.post("webhook-deliveries/resend/", {"deliveries": [row["id"]]})
    assert refused.status_code == 422 and "Switched off" in refused.json()["detail"]
    assert api.post(f"webhooks/{endpoint.pk}/test/", {}).status_code == 422


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("redirect", "which is not followed. Change the address"),
        ("timeout", "did not respond within 15 seconds. It should respond first"),
        ("address", "private network"),
    ],
)
def test_what_kept_a_message_from_arriving_is_said_here_and_in_the_admin(api, endpoint, code, text):
    api.post(f"webhooks/{endpoint.pk}/test/", {})
    WebhookDelivery.objects.update(state="failed", due_at=None, error_code=code, status_code=302)
    [row] = api.get("webhook-deliveries/").json()["results"]
    assert text in row["problem"]
    api.client.force_login(factories.superuser("other"))
    admin = api.client.get(reverse("admin:nb_catalog_webhookdelivery_changelist"))
    assert text in admin.content.decode()


def test_each_verb_needs_its_permission(api_as, endpoint):
    def allowed(permission):
        api = api_as(permission)
        requests = {
            "view": api.get("webhooks/"),
            "add": api.post("webhooks/", {"url": URL}),
            "change": api.patch(f"webhooks/{endpoint.pk}/", {}),
            "delete": api.delete("webhooks/999/"),
        }
        return {name for name, response in requests.items() if response.status_code != 403}

    assert [allowed(verb) for verb in VERBS] == [{"view"}, {"add"}, {"view", "change"}, {"delete"}]


def test_the_address_of_an_endpoint_is_a_part_of_what_was_seen(api, endpoint):
    address = f"webhooks/{endpoint.pk}/"
    seen = api.get(address)["ETag"]
    assert api.patch(address, {"url": "https://other.example/hook"}).status_code == 200
    assert api.delete(address, if_match=seen).status_code == 412
    assert WebhookEndpoint.objects.exists()


def test_a_key_that_no_delivery_can_have_is_refused(api):
    too_large = 2**63
    assert api.post("webhook-deliveries/resend/", {"deliveries": [too_large]}).status_code == 400
    assert api.get("webhook-deliveries/", {"endpoint": too_large}).status_code == 400
