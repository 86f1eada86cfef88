"""Vertex AI: the same provider with other credentials, and the checks of its options."""

from __future__ import annotations

import asyncio
import json

import pytest
from google.auth.exceptions import DefaultCredentialsError, RefreshError, TransportError
from google.oauth2.credentials import Credentials

from nb_catalog.core.types import Reference
from nb_catalog.exceptions import (
    InvalidSettings,
    KeyRejected,
    NoCredentials,
    NotSent,
    RequestRejected,
)
from nb_catalog.providers import provider
from nb_catalog.providers.batches import takes_batches
from nb_catalog.providers.gemini import GeminiProvider
from nb_catalog.providers.gemini.account import DEFAULT_CREDENTIALS
from nb_catalog.providers.types import ImageRequest
from nb_catalog.testing import ProviderContract
from nb_catalog.testing.gemini import GeminiServer
from tests.factories import OUR_RULES, photo_bytes

TOKEN = "ya29.a-token-for-tests"
PROJECT = {"vertex": True, "project": "shop", "location": "europe-west4"}


@pytest.fixture
def server():
    with GeminiServer(**OUR_RULES, tokens={TOKEN}) as running:
        yield running


def on_vertex(server, **changes):
    options = {
        **PROJECT,
        "credentials": Credentials(token=TOKEN),
        "base_url": server.url,
        **changes,
    }
    return GeminiProvider(alias="vertex", timeout=10, **options)


def request(**changes):
    fields = {"model": "gemini-nano-banana-2.1", "prompt": "A mug.", "ratio": "1:1", "size": "1K"}
    return ImageRequest(**fields | changes)


def send(maker, image_request):
    async def one():
        try:
            return maker.parse(await maker.send(maker.build(image_request)))
        finally:
            await maker.close()

    return asyncio.run(one())


class TestVertex(ProviderContract):
    secret = TOKEN

    @pytest.fixture(autouse=True)
    def running_server(self):
        with GeminiServer(**OUR_RULES, tokens={TOKEN}) as self.server:
            yield

    def make_provider(self):
        return on_vertex(self.server)

    def make_request(self):
        return request(references=(Reference(data=photo_bytes(), mime_type="image/png"),))

    def calls_made(self):
        return self.server.count


def test_the_project_and_the_token_go_along(server):
    assert send(on_vertex(server), request()).data
    (received,) = server.received
    assert received.path.endswith(
        "/projects/shop/locations/europe-west4/publishers/google/models/gemini-nano-banana-2.1:generateContent"
    )
    assert received.headers["authorization"] == f"Bearer {TOKEN}"
    assert "x-goog-api-key" not in received.headers


def test_a_token_that_is_refused_says_where_credentials_are_set(server):
    with pytest.raises(KeyRejected, match=DEFAULT_CREDENTIALS) as caught:
        send(on_vertex(server, credentials=Credentials(token="another")), request())
    assert "another" not in str(caught.value)


@pytest.mark.parametrize("missing", ["project", "location"])
def test_incomplete_options_are_an_error_and_send_nothing(server, missing):
    maker = on_vertex(server, **{missing: ""})
    (message,) = maker.check()
    assert message.id == "nb_catalog.E204"
    assert repr(missing) in message.msg and "NB_CATALOG['PROVIDERS']['vertex']" in message.msg
    with pytest.raises(NoCredentials, match=missing):
        send(maker, request())
    assert not server.request_log.entries


def test_a_key_does_not_go_with_vertex():
    with pytest.raises(InvalidSettings, match=r"\['api_key'\]"):
        GeminiProvider(alias="vertex", api_key="k", **PROJECT)


@pytest.mark.parametrize("option", ["project", "location", "credentials"])
def test_vertexs_options_need_vertex(option):
    with pytest.raises(InvalidSettings, match="'vertex': True"):
        GeminiProvider(alias="gemini", **{option: "x"})


@pytest.mark.parametrize(
    ("content", "text"),
    [(None, "cannot be read"), ("{", "is not JSON"), ('{"type": "user"}', "service account"),
     ("[]", "service account")],
)  # fmt: skip
def test_a_file_that_holds_no_service_account_is_an_error(server, tmp_path, content, text):
    path = tmp_path / "key.json"
    if content is not None:
        path.write_text(content)
    (message,) = on_vertex(server, credentials=str(path)).check()
    assert message.id == "nb_catalog.E205"
    assert text in message.msg
    assert str(tmp_path) not in message.msg


def test_a_service_accounts_file_passes_the_check(server, tmp_path):
    path = tmp_path / "key.json"
    path.write_text(json.dumps({"type": "service_account"}))
    assert list(on_vertex(server, credentials=path).check()) == []


def test_no_credentials_at_all_are_warned_about(server, monkeypatch, tmp_path):
    monkeypatch.delenv(DEFAULT_CREDENTIALS, raising=False)
    monkeypatch.setattr("nb_catalog.providers.gemini.account.GCLOUD", tmp_path / "none")
    assert [each.id for each in on_vertex(server, credentials=None).check()] == ["nb_catalog.W206"]
    monkeypatch.setenv(DEFAULT_CREDENTIALS, "/some/file.json")
    assert list(on_vertex(server, credentials=None).check()) == []


class Failing(Credentials):
    """Credentials that give no token."""

    def __init__(self, error):
        super().__init__(token=None)
        self.error = error

    def refresh(self, request):
        raise self.error


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (RefreshError("invalid_grant: Invalid JWT: Token must be a short-lived token and in a reasonable"
                      " timeframe. Check your iat and exp values"), NoCredentials, "clock of this machine"),
        (RefreshError("invalid_grant: account not found"), NoCredentials, "Check the credentials"),
        (RefreshError("try again", retryable=True), NotSent, "nothing was sent"),
        (TransportError("no route"), NotSent, "nothing was sent"),
        (DefaultCredentialsError("none found"), NoCredentials, "Check the credentials"),
    ],
)  # fmt: skip
def test_credentials_that_give_no_token_send_nothing(server, error, kind, text):
    with pytest.raises(kind, match=text):
        send(on_vertex(server, credentials=Failing(error)), request())
    assert not server.request_log.entries


def test_a_reference_over_the_limit_of_vertex_is_refused(server):
    large = Reference(data=bytes(7_000_001), mime_type="image/png")
    with pytest.raises(RequestRejected, match="Vertex AI takes 7"):
        on_vertex(server).build(request(references=(large,)))
    assert on_vertex(server).reference_limit_bytes == 7_000_000


def test_vertex_takes_no_batches(server, settings):
    assert not takes_batches(on_vertex(server))
    settings.NB_CATALOG = {"PROVIDERS": {"v": {
        "BACKEND": "nb_catalog.providers.gemini.GeminiProvider", "OPTIONS": PROJECT}}}  # fmt: skip
    assert not takes_batches(provider("v"))
