"""Safety settings, the key, threads and retry times."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from nb_catalog.exceptions import (
    DailyQuotaReached,
    InvalidSettings,
    KeyRejected,
    ModelRetired,
    NoPicture,
    RateLimited,
)
from nb_catalog.providers.gemini import GeminiProvider, errors
from nb_catalog.providers.types import ImageRequest, RawResponse
from nb_catalog.testing.gemini import GeminiServer, error, fault
from tests.factories import OUR_RULES

KEY = "AIzaOfTests"


@pytest.fixture
def server():
    with GeminiServer(**OUR_RULES, keys={KEY}) as running:
        yield running


def ours(server, **options):
    return GeminiProvider(alias="gemini", api_key=KEY, base_url=server.url, timeout=10, **options)


def request(prompt="A mug."):
    return ImageRequest(model="gemini-nano-banana-2.1", prompt=prompt, ratio="1:1", size="1K")


def send_all(provider, *prompts):
    async def all_of_them():
        try:
            return [
                provider.parse(await provider.send(provider.build(request(prompt))))
                for prompt in prompts
            ]
        finally:
            await provider.close()

    return asyncio.run(all_of_them())


def test_safety_settings_go_along_in_googles_words(server):
    chosen = {"HARASSMENT": "BLOCK_ONLY_HIGH", "HARM_CATEGORY_HATE_SPEECH": "OFF"}
    send_all(ours(server, safety_settings=chosen), "A mug.")
    assert server.received[0].body["safetySettings"] == [
        {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"},
        {"category": "HARM_CATEGORY_HATE_SPEECH", "threshold": "OFF"},
    ]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"HARASMENT": "OFF"}, "Did you mean 'HARASSMENT'"),
        ({"HARASSMENT": "BLOCK_ONLY_HIG"}, "Did you mean 'BLOCK_ONLY_HIGH'"),
        (["HARASSMENT"], "expected a dict"),
    ],
)
def test_a_misspelt_safety_setting_says_the_nearest_and_its_place(server, value, message):
    with pytest.raises(InvalidSettings, match=message) as caught:
        ours(server, safety_settings=value)
    assert "NB_CATALOG['PROVIDERS']['gemini']['OPTIONS']['safety_settings']" in str(caught.value)


def test_a_wrong_key_is_told_and_not_shown(server):
    provider = GeminiProvider(alias="gemini", api_key="AIzaRevoked", base_url=server.url)
    with pytest.raises(KeyRejected, match="GEMINI_API_KEY") as caught:
        send_all(provider, "A mug.")
    assert "AIzaRevoked" not in str(caught.value)


def test_many_threads_with_loops_of_their_own_mix_nothing_up(server):
    prompts = [[f"Mug {thread}.{number}" for number in range(25)] for thread in range(8)]
    provider = ours(server)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda own: send_all(provider, *own), prompts))
    by_prompt = {}
    for own, results in zip(prompts, answers, strict=True):
        by_prompt |= {prompt: result.data for prompt, result in zip(own, results, strict=True)}
    again = send_all(provider, *[own[7] for own in prompts])
    assert [each.data for each in again] == [by_prompt[own[7]] for own in prompts]
    assert len(set(by_prompt.values())) == 200


@pytest.mark.parametrize("off", [timedelta(hours=-3), timedelta(0), timedelta(hours=3)])
def test_a_clock_that_is_off_does_not_shorten_a_wait(off):
    """The wait is computed from the response's own date."""
    real = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
    body = errors.parse_error_body(429, {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}})
    error = errors.from_response(
        body,
        retry_after=format_datetime(real + timedelta(seconds=90), usegmt=True),
        date=format_datetime(real, usegmt=True),
    )
    assert type(error) is RateLimited
    assert error.retry_after == 90


def test_the_days_quota_ends_at_midnight_by_the_services_own_clock():
    body = errors.parse_error_body(429, {"error": {"code": 429, "details": [
        {"violations": [{"quotaId": "RequestsPerDay"}]}]}})  # fmt: skip
    error = errors.from_response(body, date="Wed, 25 Nov 2026 07:59:00 GMT")
    assert type(error) is DailyQuotaReached
    assert error.retry_after == 60, "one minute to midnight in Los Angeles"


def test_a_models_reach_is_asked_without_making_a_picture(server):
    async def check(model):
        provider = ours(server)
        try:
            return await provider.check_model(model)
        finally:
            await provider.close()

    assert asyncio.run(check("gemini-nano-banana-2.1")) == ""
    assert "404" in asyncio.run(check("gemini-2.5-flash-image"))
    assert {entry.operation for entry in server.request_log.entries} == {"models.get"}


def test_whatever_the_service_asks_to_wait_the_longest_counts(server):
    server.script(error(429, "RESOURCE_EXHAUSTED", retry_delay="4s"), fault("rate_limited"))
    with pytest.raises(RateLimited) as caught:
        send_all(ours(server), "A mug.")
    assert caught.value.retry_after == 4


def test_a_model_that_is_gone_names_what_replaces_it(server, settings):
    old = "gemini-2.5-flash-image"
    settings.NB_CATALOG = {"MODEL_SPECS": {old: {"retired_on": None}}}
    server.script(fault("retired_model"))
    provider = ours(server)
    image_request = ImageRequest(model=old, prompt="A mug.", ratio="1:1", size="1K")

    async def one():
        try:
            await provider.send(provider.build(image_request))
        finally:
            await provider.close()

    with pytest.raises(ModelRetired, match="Use gemini-nano-banana-2.1 instead"):
        asyncio.run(one())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stored_sessions": "yes"}, "True or False"),
        ({"stored_sessions": True, "safety_settings": {"HARASSMENT": "OFF"}}, "'safety_settings'"),
        ({"stored_sessions": True, "api_key": "", "vertex": True, "project": "p", "location": "l"},
         "'vertex' cannot be combined"),
    ],
)  # fmt: skip
def test_stored_sessions_are_allowed_where_they_are_possible(options, message):
    with pytest.raises(InvalidSettings, match=message):
        GeminiProvider(alias="gemini", **options)
    assert not GeminiProvider(alias="gemini", api_key=KEY).keeps_sessions
    assert GeminiProvider(alias="gemini", api_key=KEY, stored_sessions=True).keeps_sessions


@pytest.mark.parametrize(
    ("interaction", "reason"),
    [
        ({"id": "i1", "status": "failed", "steps": []}, "FAILED"),
        ({"steps": [{"type": "thought", "content": [{"type": "image", "data": "AAAA"}]}]}, "EMPTY"),
        ({"steps": [{"type": "model_output", "content": [{"type": "text", "text": "No."}]}]}, "EMPTY"),
        ({"steps": [{"type": "model_output", "content": [{"type": "image", "data": "?"}]}]}, "base64"),
        ({"steps": None, "usage": {"total_tokens": "x"}}, "EMPTY"),
    ],
)  # fmt: skip
def test_an_interaction_without_a_picture_is_billed_and_gives_a_reason(interaction, reason):
    usage = {"usage": {"total_input_tokens": 7, "total_output_tokens": 3}, **interaction}
    with pytest.raises(NoPicture) as caught:
        GeminiProvider(alias="gemini", api_key=KEY).parse(RawResponse(body=json.dumps(usage)))
    assert caught.value.reason == reason
    assert caught.value.usage == ({} if "usage" in interaction else {"prompt": 7, "candidates": 3})
