"""Targets: nothing is sent into private networks, whatever an address looks like or its name leads to."""

from __future__ import annotations

import socket

import pytest

from nb_catalog import checks, webhooks
from nb_catalog.exceptions import RequestRefused
from nb_catalog.models import WebhookDelivery, WebhookEndpoint

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/hook",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://10.1.2.3:8443/",
        "https://192.168.0.10/",
        "https://169.254.169.254/latest/meta-data/",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://240.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://[fe80::1%25eth0]/",
        "https://[fd00::1]/",
        "https://[2002:a00:1::]/",
        "https://user:password@shop.example/",
        "https://shop.example/#hook",
        "https://shop.example:99999/",
        "https:///hook",
        "ftp://shop.example/",
        "file:///etc/passwd",
        "shop.example/hook",
    ],
)
def test_an_address_that_must_not_be_sent_to_is_refused_with_a_sentence(url):
    assert webhooks.refusal(url).endswith(".")
    with pytest.raises(RequestRefused):
        webhooks.create(url=url)
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize(
    "url", ["https://shop.example/hook", "https://shop.example:8443/", "https://93.184.215.14/"]
)
def test_a_public_address_is_accepted(url):
    assert webhooks.refusal(url) == ""


def test_networks_that_the_settings_allow_are_sent_to_and_no_others(settings):
    networks = {"WEBHOOKS": {"ALLOWED_NETWORKS": ["10.0.3.0/24"]}}
    settings.NB_CATALOG = {**settings.NB_CATALOG, **networks}
    assert webhooks.refusal("http://10.0.3.7:8080/") == webhooks.refusal("https://10.0.3.7/") == ""
    assert webhooks.refusal("https://[::ffff:10.0.3.7]/") == ""
    assert webhooks.refusal("http://10.0.4.7/") and webhooks.refusal("http://93.184.215.14/")


def test_this_machine_is_allowed_while_developing(settings):
    assert webhooks.refusal("http://localhost:8000/")
    settings.DEBUG = True
    assert webhooks.refusal("http://localhost:8000/") == webhooks.refusal("http://[::1]/") == ""


def sent_to(url):
    """What becomes of a message to ``url``, which an endpoint has although it would be refused today."""
    endpoint, _secret = webhooks.create(url="https://shop.example/")
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(url=url)
    delivery = webhooks.send_test(endpoint)
    webhooks.send_due(seconds=0)
    delivery.refresh_from_db()
    return delivery


@pytest.fixture
def private_receiver(receiver, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "WEBHOOKS": {}}
    return receiver


@pytest.mark.parametrize("host", ["127.0.0.1", "①②⑦.0.0.1", "2130706433", "0x7f.1", "127.1"])
def test_no_spelling_of_this_machine_is_connected_to(private_receiver, host):
    port = private_receiver.root.rpartition(":")[2]
    for scheme in ("http", "https"):
        delivery = sent_to(f"{scheme}://{host}:{port}/")
        assert delivery.error_code in ("address", "connection") and delivery.status_code is None
    assert private_receiver.received == []


@pytest.mark.parametrize("first", [["127.0.0.1"], ["93.184.215.14", "127.0.0.1"]])
def test_a_name_that_leads_into_a_private_network_is_not_connected_to(
    private_receiver, monkeypatch, first
):
    port = int(private_receiver.root.rpartition(":")[2])
    asked = []

    def rebound(host, *args, **options):
        """Private, or both, when it is asked for first, and public from then on."""
        asked.append(host)
        addresses = ["93.184.215.14"] if len(asked) > 1 else first
        kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
        return [(*kind, (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", rebound)
    delivery = sent_to(f"https://rebound.example:{port}/")
    assert delivery.error_code == "address" and private_receiver.received == []
    assert asked == ["rebound.example"], "what was checked is not looked up again"
    assert "private network" in webhooks.describe_failure(delivery)


def test_a_name_in_an_allowed_network_is_sent_to_unencrypted_and_another_one_is_not(
    receiver, monkeypatch
):
    port = int(receiver.root.rpartition(":")[2])
    addresses = {"mine.example": "127.0.0.1", "public.example": "93.184.215.14"}

    def lookup(host, *args, **options):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (addresses[host], port))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    assert sent_to(f"http://mine.example:{port}/ok").state == "delivered"
    assert sent_to(f"http://public.example:{port}/ok").error_code == "address"


def test_an_event_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(RequestRefused, match="picture.published"):
        webhooks.create(url="https://shop.example/", events=["picture.publishd"])


def test_there_is_a_limit_to_endpoints(monkeypatch):
    monkeypatch.setattr("nb_catalog.webhooks.endpoints.MAX_ENDPOINTS", 1)
    webhooks.create(url="https://shop.example/")
    with pytest.raises(RequestRefused, match="1 webhook endpoints already"):
        webhooks.create(url="https://shop.example/")
    assert not WebhookDelivery.objects.exists()


@pytest.mark.parametrize(
    "value",
    [{"ALLOWED_NETWORKS": "10.0.0.0/8"}, {"ALLOWED_NETWORKS": ["10.0.0.1/8"]}, {"KEEP_DAYS": 0},
     {"DISABLE_AFTER_DAYS": "5"}, {"NETWORKS": []}],
)  # fmt: skip
def test_a_setting_that_is_wrong_is_found_by_the_checks(settings, value):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "WEBHOOKS": value}
    [message] = checks.check_settings()
    assert message.id == "nb_catalog.E001" and "WEBHOOKS" in message.msg


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0"])
def test_a_setting_that_opens_every_network_is_warned_of(settings, network):
    value = {"ALLOWED_NETWORKS": [network, "10.0.3.0/24"]}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "WEBHOOKS": value}
    [message] = checks.check_settings()
    assert message.id == "nb_catalog.W210" and network in message.msg
