"""The Gemini provider over real HTTP, against a local server that can misbehave."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import pwd
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from nb_catalog.core.types import Reference, Size
from nb_catalog.exceptions import (
    ContentRefused,
    DailyQuotaReached,
    KeyRejected,
    ModelRetired,
    NoCredentials,
    NoPicture,
    NotSent,
    OutcomeUnknown,
    Overloaded,
    PageInstead,
    ProviderError,
    ProviderStopped,
    RateLimited,
    RequestRejected,
    ServiceUnavailable,
    WrongService,
)
from nb_catalog.providers.gemini import GeminiProvider, client
from nb_catalog.providers.types import ImageRequest
from nb_catalog.testing.gemini import (
    Answer,
    Fault,
    GeminiServer,
    error,
    fault,
    json_answer,
    picture,
    picture_json,
)
from tests.factories import OUR_RULES

KEY = "AIzaThisKeyMustNotBeSeen"
MODEL = "gemini-nano-banana-2.1"


@pytest.fixture
def server():
    with GeminiServer(**OUR_RULES) as running:
        yield running


def ours(server, **options):
    return GeminiProvider(
        **{"alias": "gemini", "api_key": KEY, "base_url": server.url, "timeout": 10, **options}
    )


def request(**changes):
    return ImageRequest(
        **{"model": MODEL, "prompt": "A very private mug.", "ratio": "4:5", "size": "1K", **changes}
    )


def send_all(provider, *requests):
    """Send ``requests`` concurrently. Return results and errors in their order."""

    async def one(each):
        return provider.parse(await provider.send(provider.build(each)))

    async def all_of_them():
        try:
            return await asyncio.gather(*map(one, requests), return_exceptions=True)
        finally:
            await provider.close()

    return asyncio.run(all_of_them())


def outcome(provider, **changes):
    (result,) = send_all(provider, request(**changes))
    return result


def photo(kind="PNG"):
    out = io.BytesIO()
    Image.new("RGB", (16, 16), "navy").save(out, kind)
    return out.getvalue()


def test_a_picture_comes_back_as_it_was_sent(server):
    data = photo("JPEG")
    server.script(picture(data, mime_type="image/jpeg", model="gemini-nano-banana-2.1-001"))
    result = outcome(ours(server))
    assert result.data == data
    assert result.model_version == "gemini-nano-banana-2.1-001"
    assert result.usage["image"] == 1120


def test_an_unscripted_answer_has_the_size_that_was_asked_for(server):
    with Image.open(io.BytesIO(outcome(ours(server), ratio="16:9", size="2K").data)) as image:
        assert Size(*image.size) == (2752, 1536)


def test_what_goes_out_is_what_was_built(server):
    provider = ours(server)
    wanted = request(
        references=(Reference(data=photo(), mime_type="image/png"),),
        thinking="high",
        system="Exact.",
    )
    send_all(provider, wanted)
    (received,) = server.received
    assert received.body == provider.build(wanted).body
    assert received.path == f"/v1/models/{MODEL}:generateContent"
    assert received.headers["x-goog-api-key"] == KEY
    # A short limit would make the service give up as well, with a 504 that counts.
    assert "x-server-timeout" not in received.headers


@pytest.fixture
def plain_environment(monkeypatch, tmp_path):
    """No proxy and no passwords for hosts."""
    for name in [each for each in os.environ if each.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


def test_calls_wait_for_no_thread_that_renders_pictures(server, plain_environment):
    async def call():
        provider = ours(server)
        await provider.open()
        loop, finished = asyncio.get_running_loop(), threading.Event()
        with ThreadPoolExecutor(1) as renderers:
            loop.set_default_executor(renderers)
            rendering = loop.run_in_executor(None, finished.wait)
            try:
                async with asyncio.timeout(30):
                    await provider.open()
                    return provider.parse(await provider.send(provider.build(request())))
            finally:
                finished.set()
                await rendering
                await provider.close()

    assert asyncio.run(call()).data


def test_the_proxy_of_the_environment_is_used(server, plain_environment, monkeypatch):
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    # Nothing but the proxy knows such a host.
    assert outcome(ours(server, base_url="http://nowhere.invalid")).data


def test_passwords_for_hosts_of_the_environment_are_used(server, plain_environment):
    Path(os.environ["NETRC"]).write_text("machine 127.0.0.1 login shop password letmein")
    assert outcome(ours(server)).data
    assert server.received[0].headers["authorization"] == "Basic c2hvcDpsZXRtZWlu"


def test_a_user_without_a_home_can_call(server, plain_environment, monkeypatch):
    def unknown(_uid):
        raise KeyError("no such user")

    monkeypatch.delenv("NETRC")
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert outcome(ours(server)).data


def test_the_other_spelling_of_the_image_options_goes_out_too(server, settings):
    settings.NB_CATALOG = {"MODEL_SPECS": {MODEL: {"image_options": "responseFormat"}}}
    assert outcome(ours(server)).data
    assert server.received[0].body["generationConfig"] == {
        "responseModalities": ["IMAGE"],
        "responseFormat": {"image": {"aspectRatio": "4:5", "imageSize": "1K"}},
    }


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(429, "RESOURCE_EXHAUSTED", retry_delay="2s"), RateLimited),
        (error(429, "RESOURCE_EXHAUSTED", quota_id="RequestsPerDayPerProject"), DailyQuotaReached),
        (error(429, "RESOURCE_EXHAUSTED", "Monthly spending cap exceeded."), ProviderStopped),
        (error(402, "RESOURCE_EXHAUSTED"), ProviderStopped),
        (error(500, "INTERNAL"), ServiceUnavailable),
        (error(503, "UNAVAILABLE"), Overloaded),
        (error(504, "DEADLINE_EXCEEDED"), ServiceUnavailable),
        (error(400, "INVALID_ARGUMENT"), RequestRejected),
        (error(400, "INVALID_ARGUMENT", "API key not valid. Please pass one."), KeyRejected),
        (error(401, "UNAUTHENTICATED"), KeyRejected),
        (error(403, "PERMISSION_DENIED"), KeyRejected),
        (error(404, "NOT_FOUND"), ModelRetired),
        (Answer(status=502, body=b"<html>", headers={"Content-Type": "text/html"}), OutcomeUnknown),
        (Answer(status=503, body=b""), OutcomeUnknown),
        (Answer(status=503, body=b'{"error": {"co'), OutcomeUnknown),
        (Answer(status=204, body=b""), OutcomeUnknown),
        (Answer(body=b""), OutcomeUnknown),
        (Answer(body=b"\xff\xff"), OutcomeUnknown),
        (Answer(body=b"<html>"), PageInstead),
        (fault("web_page"), PageInstead),
        (
            Answer(status=404, body=b"<!DOCTYPE html>", headers={"Content-Type": "text/html"}),
            WrongService,
        ),
        (Answer(status=200, body=b"not json"), OutcomeUnknown),
        (Answer(fault=Fault.DROP), OutcomeUnknown),
        (Answer(fault=Fault.CUT), OutcomeUnknown),
        (json_answer({}), NoPicture),
        (json_answer([]), NoPicture),
        (json_answer(None), NoPicture),
        (json_answer({"candidates": [{"finishReason": "NO_IMAGE"}]}), NoPicture),
        (json_answer({"candidates": [{"finishReason": "IMAGE_SAFETY"}]}), ContentRefused),
        (json_answer({"promptFeedback": {"blockReason": "SAFETY"}}), ContentRefused),
    ],
)
def test_whatever_comes_back_costs_one_request_and_is_told(server, answer, kind):
    server.script(answer)
    assert type(outcome(ours(server))) is kind
    assert server.count == 1


def test_an_answer_that_could_be_continued_is_not_asked_for_more(server):
    candidate = {"finishReason": "CONTINUATION", "continuationToken": "bW9yZQ=="}
    server.script(json_answer({"candidates": [candidate], "continuationToken": "bW9yZQ=="}))
    assert type(outcome(ours(server))) is NoPicture
    assert server.count == 1


def test_the_wait_that_google_asks_for_arrives(server):
    server.script(
        error(429, "RESOURCE_EXHAUSTED", retry_delay="2.5s"),
        Answer(status=429, body=b"{}", headers={"Retry-After": "7"}),
    )
    assert outcome(ours(server)).retry_after == 2.5
    assert outcome(ours(server)).retry_after == 7


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
def test_an_error_that_cannot_be_decoded_is_what_its_status_says(server, kind):
    body = b'{"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "caf\xe9 \\ud800"}}'
    server.script(Answer(status=401, body=body, headers={"Content-Type": kind}))
    problem = outcome(ours(server))
    assert type(problem) is KeyRejected
    assert str(problem).endswith("caf\ufffd \ufffd") or kind != "application/json"


@pytest.mark.parametrize("text", [b"caf\xe9", b"half \\ud800", b"nul \x00", b"\xed\xa0\x80"])
def test_odd_text_beside_a_picture_does_not_lose_it(server, text):
    data = photo()
    good = json.dumps(picture_json(data)).encode()
    spoiled = good.replace(b'"parts": [', b'"parts": [{"text": "' + text + b'"}, ')
    assert spoiled != good
    server.script(Answer(body=spoiled, works=True))
    assert outcome(ours(server)).data == data


def test_a_rejected_key_says_where_it_is_set_and_hides_it(server):
    server.script(error(403, "PERMISSION_DENIED", f"Consumer 'api_key:{KEY}' has been suspended."))
    problem = outcome(ours(server))
    assert "NB_CATALOG['PROVIDERS']['gemini']['OPTIONS']['api_key']" in str(problem)
    assert "GEMINI_API_KEY" in str(problem)
    assert KEY not in str(problem)


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak"])
def test_without_a_usable_key_nothing_is_sent(server, key, monkeypatch):
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    assert type(outcome(ours(server, api_key=key))) is NoCredentials
    assert server.count == 0


def test_the_environments_key_is_used(server, monkeypatch):
    monkeypatch.setenv("GEMINI_API_KEY", "from-the-environment")
    assert outcome(ours(server, api_key="")).data
    assert server.received[0].headers["x-goog-api-key"] == "from-the-environment"


def test_an_environment_made_for_another_service_changes_nothing(server, monkeypatch):
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "somebody-elses")
    monkeypatch.setenv("GOOGLE_API_KEY", "somebody-elses")
    assert outcome(ours(server)).data
    assert server.received[0].path.startswith("/v1/models/")
    assert server.received[0].headers["x-goog-api-key"] == KEY


def test_a_redirect_is_not_followed_with_the_key(server):
    with GeminiServer(**OUR_RULES) as elsewhere:
        server.script(Answer(status=307, body=b"", headers={"Location": f"{elsewhere.url}/v1/x"}))
        assert type(outcome(ours(server))) is WrongService
        assert elsewhere.count == 0


def test_a_refused_connection_was_not_sent():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    provider = GeminiProvider(alias="gemini", api_key=KEY, base_url=f"http://127.0.0.1:{port}")
    assert type(outcome(provider)) is NotSent


def test_a_late_answer_may_have_been_billed(server):
    server.script(Answer(delay=30))
    problem = outcome(ours(server, timeout=0.7))
    assert type(problem) is OutcomeUnknown
    assert "within 0.7 seconds" in str(problem)


def test_a_dripping_body_does_not_outlive_the_limit(server):
    server.script(Answer(fault=Fault.DRIP))
    begun = time.monotonic()
    assert type(outcome(ours(server, timeout=0.7))) is OutcomeUnknown
    # The whole body would take half an hour.
    assert time.monotonic() - begun < 30


def test_a_call_that_waited_for_a_connection_until_the_end_was_not_sent(server):
    server.script(Answer(delay=2))
    patient, hasty = ours(server, connections=1), ours(server, connections=1, timeout=0.3)

    async def both():
        first = asyncio.ensure_future(patient.send(patient.build(request())))
        while not server.count:
            await asyncio.sleep(0.01)
        try:
            await hasty.send(hasty.build(request()))
        except ProviderError as problem:
            return await first, problem
        finally:
            await patient.close()

    _, problem = asyncio.run(both())
    assert type(problem) is NotSent
    assert server.count == 1


def test_two_hundred_calls_are_in_flight_at_once():
    with GeminiServer(**OUR_RULES, delay=2.5) as server:
        results = send_all(ours(server, timeout=60), *[request(size="1K") for _ in range(200)])
        assert server.most_in_flight == 200
    assert not [each for each in results if isinstance(each, Exception)]


def test_nothing_private_is_logged_or_told(server, caplog):
    caplog.set_level(logging.DEBUG)
    provider = ours(server)
    server.script(Answer(), error(503, "UNAVAILABLE"), Answer(fault=Fault.DROP), Answer(body=b"{"))
    problem = [outcome(provider) for _ in range(4)]
    output = f"{caplog.text} {provider!r} {problem!r} {[str(each) for each in problem]}"
    assert KEY not in output
    assert "private mug" not in output


def test_an_error_does_not_carry_the_sdks_error_and_its_headers_along(server):
    server.script(error(403, "PERMISSION_DENIED"))
    problem = outcome(ours(server))
    assert isinstance(problem, ProviderError)
    assert problem.__cause__ is None
    assert problem.__context__ is None


def test_one_loop_has_one_client_and_keeps_its_connection(server):
    provider = ours(server)

    async def twice():
        first = client.connection_for(provider.account.client_options).client
        for _ in range(2):
            await provider.send(provider.build(request()))
        same = client.connection_for(
            GeminiProvider(**_options(provider)).account.client_options
        ).client
        await provider.close()
        return (
            first is same,
            client.connection_for(provider.account.client_options).client is first,
            await provider.close(),
        )

    assert asyncio.run(twice())[:2] == (True, False)


def _options(provider):
    return {"alias": "again", "api_key": KEY, "base_url": provider.base_url}


def test_a_forked_child_makes_its_own_client_and_leaves_the_parents_alone(server, monkeypatch):
    provider = ours(server)

    async def forked():
        parents = client.connection_for(provider.account.client_options).client
        with monkeypatch.context() as child:
            child.setattr(os, "getpid", lambda: -1)
            childs = client.connection_for(provider.account.client_options).client
            await provider.close()
        still = client.connection_for(provider.account.client_options).client
        await provider.send(provider.build(request()))
        await provider.close()
        return parents is childs, parents is still

    assert asyncio.run(forked()) == (False, True)


def test_clients_of_ended_loops_are_let_go(server):
    provider = ours(server)

    async def unclosed():
        client.connection_for(provider.account.client_options)
        # What a worker forgets; its loop ends without close().
        await client.POOL.current()[provider.account.client_options].session.close()

    asyncio.run(unclosed())
    send_all(provider, request())
    assert client.POOL.closed_loops() <= 1


def test_the_sdk_is_not_imported_before_a_call_is_made():
    code = (
        "import sys, nb_catalog.providers.gemini;"
        "late = {'google.genai', 'aiohttp', 'httpx2'} & set(sys.modules);"
        "sys.exit(', '.join(sorted(late)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
