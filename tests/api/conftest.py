"""A client that speaks JSON to the API as a member of staff."""

import pytest
from django.test import Client

from tests import factories
from tests.api import described

BASE = "/api/catalog-images/"


class Api:
    """Answers are Django's responses, with ``.data`` from DRF."""

    def __init__(self, user=None):
        self.user = user
        self.client = Client()
        if user is not None:
            self.client.force_login(user)

    def get(self, path, query=None, **headers):
        return self.client.get(BASE + path, query, headers=headers)

    def patch(self, path, body=None, **headers):
        return self.client.patch(
            BASE + path, body or {}, content_type="application/json", headers=headers
        )

    def put(self, path, body=None, **headers):
        return self.client.put(
            BASE + path, body or {}, content_type="application/json", headers=headers
        )

    def delete(self, path, **headers):
        return self.client.delete(BASE + path, headers=headers)

    def post(self, path, body=None, **headers):
        return self.client.post(
            BASE + path, body or {}, content_type="application/json", headers=headers
        )


@pytest.fixture
def api_as(db):
    """A client with just these permissions, and the right to view everything of ours and the products."""

    def make(*permissions, views=True):
        products = factories.VIEW_PRODUCTS if views else ()
        return Api(factories.staff(*permissions, *products, views=views))

    return make


@pytest.fixture
def anybody(db):
    return Api()


@pytest.fixture(scope="session", autouse=True)
def description():
    """Made before a test changes settings that it depends on."""
    described.document()


@pytest.fixture(autouse=True)
def as_described(monkeypatch):
    """Every response of every test here is compared with the schema."""
    request = Client.request

    def compared(self, **kwargs):
        response = request(self, **kwargs)
        if response.request["PATH_INFO"].startswith(BASE) and not response.streaming:
            described.check(response)
        return response

    monkeypatch.setattr(Client, "request", compared)
