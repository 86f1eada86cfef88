"""Responses from Gemini: all documented ones, and malformed ones."""

from __future__ import annotations

import base64
import io
import json
import random

import pytest
from PIL import Image

from nb_catalog.exceptions import (
    Billed,
    ContentRefused,
    NoPicture,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
)
from nb_catalog.providers.gemini import GeminiProvider
from nb_catalog.providers.types import RawResponse
from nb_catalog.testing.gemini import picture_json
from nb_catalog.testing.gemini.answers import USAGE

FLAT_USAGE = {"prompt": 1240, "candidates": 1120, "thoughts": 200, "total": 2560, "image": 1120}


def picture(colour="white", kind="PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(out, kind)
    return out.getvalue()


def part(data: bytes, **more):
    return {
        "inlineData": {"mimeType": "image/png", "data": base64.b64encode(data).decode()},
        **more,
    }


def answer(*parts, **candidate):
    return {
        "candidates": [{"content": {"parts": list(parts)}, "finishReason": "STOP", **candidate}],
        "usageMetadata": USAGE,
        "modelVersion": "gemini-nano-banana-2.1-001",
        "responseId": "r-17",
    }


def parse(body):
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    return GeminiProvider(alias="gemini").parse(RawResponse(body=text))


def trouble(body) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        parse(body)
    return caught.value


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_the_bytes_come_out_untouched(kind):
    data = picture("red", kind)
    assert parse(picture_json(data)).data == data


def test_everything_around_the_picture_is_kept():
    result = parse(answer(part(picture())))
    assert result.mime_type == "image/png"
    assert result.usage == FLAT_USAGE
    assert result.model_version == "gemini-nano-banana-2.1-001"
    assert result.request_id == "r-17"


def test_bytes_are_read_as_well_as_text():
    body = json.dumps(answer(part(picture())))
    assert parse(body.encode()) == parse(body)


def test_the_last_picture_that_is_no_thought_is_taken():
    early, late, thought = picture("red"), picture("green"), picture("blue")
    body = answer(
        part(thought, thought=True),
        part(early),
        {"text": "Here it is."},
        part(late, thoughtSignature="c2ln"),
        part(thought, thought=True),
        {"text": "Enjoy."},
    )
    assert parse(body).data == late


def test_snake_case_is_read_too():
    data = picture()
    blob = {"inline_data": {"mime_type": "image/png", "data": base64.b64encode(data).decode()}}
    assert parse(answer(blob)).data == data


def test_the_alphabet_for_addresses_is_read_too():
    data = bytes(range(256)) * 3
    blob = {
        "inlineData": {"mimeType": "image/png", "data": base64.urlsafe_b64encode(data).decode()}
    }
    assert parse(answer(blob)).data == data


def test_a_picture_that_was_cut_off_for_length_is_still_a_picture():
    data = picture()
    assert parse(answer(part(data), finishReason="MAX_TOKENS")).data == data


@pytest.mark.parametrize(
    "reason",
    [
        "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "SAFETY",
        "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "RECITATION",
    ],
)  # fmt: skip
def test_a_refusal_is_told_with_its_reason_and_usage(reason):
    error = trouble(answer(finishReason=reason, finishMessage="Not this one."))
    assert type(error) is ContentRefused
    assert not error.retryable
    assert error.reason == reason
    assert "Not this one." in str(error)
    assert error.usage == FLAT_USAGE
    assert error.model_version == "gemini-nano-banana-2.1-001"
    assert error.request_id == "r-17"


def test_a_blocked_prompt_is_told_with_its_reason_and_usage():
    error = trouble(
        {
            "promptFeedback": {"blockReason": "OTHER", "blockReasonMessage": "Terms."},
            "usageMetadata": {"promptTokenCount": 10, "totalTokenCount": 10},
        }
    )
    assert type(error) is ContentRefused
    assert error.reason == "OTHER"
    assert error.usage == {"prompt": 10, "total": 10}


@pytest.mark.parametrize(
    "reason",
    ["NO_IMAGE", "IMAGE_OTHER", "OTHER", "MALFORMED_RESPONSE", "MAX_TOKENS", "STOP", "NEVER_HEARD"],
)
def test_an_answer_without_a_picture_may_be_tried_again_and_is_billed(reason):
    error = trouble(answer({"text": "I cannot do that."}, finishReason=reason))
    assert type(error) is NoPicture
    assert error.retryable
    assert error.billed is Billed.YES
    assert error.reason == reason
    assert error.usage == FLAT_USAGE


def inline(mime_type, data):
    blob = {"mimeType": mime_type, "data": data}
    return {"candidates": [{"content": {"parts": [{"inlineData": blob}]}}]}


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        None,
        {"candidates": []},
        {"candidates": [{}]},
        {"candidates": [{"content": {}}]},
        {"candidates": [{"content": {"parts": []}}]},
        {"candidates": [{"content": {"role": "model"}, "index": 0}]},
        inline("image/png", ""),
        inline("text/plain", "YQ=="),
        {"candidates": "none", "usageMetadata": 3, "modelVersion": 4, "promptFeedback": []},
    ],
)
def test_a_complete_answer_that_says_nothing_has_no_picture(body):
    error = trouble(body)
    assert type(error) is NoPicture
    assert error.reason == "EMPTY"
    assert error.usage == {}


def test_a_picture_that_is_only_a_thought_is_kept_and_marked():
    early, late = picture("red"), picture("blue")
    result = parse(answer(part(early, thought=True), part(late, thought=True)))
    assert (result.data, dict(result.report)) == (late, {"interim": True})
    assert result.usage == FLAT_USAGE


def test_an_interim_picture_stands_in_for_one_that_is_damaged():
    broken = {"inlineData": {"mimeType": "image/png", "data": "@@@@"}}
    result = parse(answer(part(picture("red"), thought=True), broken))
    assert (result.data, dict(result.report)) == (picture("red"), {"interim": True})


@pytest.mark.parametrize("reason", ["IMAGE_SAFETY", "NO_IMAGE", "MAX_TOKENS", "NEVER_HEARD"])
def test_a_picture_is_kept_whatever_the_answer_says_beside_it(reason):
    result = parse(answer(part(picture()), finishReason=reason))
    assert (result.data, dict(result.report)) == (picture(), {"finish_reason": reason})
    blocked = {**answer(part(picture())), "promptFeedback": {"blockReason": reason}}
    assert dict(parse(blocked).report) == {"finish_reason": reason}


def test_nothing_is_marked_about_an_ordinary_picture():
    assert dict(parse(answer(part(picture()))).report) == {}


@pytest.mark.parametrize("kind", ["application/octet-stream", "IMAGE/PNG", "", "image/x-unheard"])
def test_bytes_of_an_odd_type_may_be_a_picture(kind):
    blob = {"mimeType": kind, "data": base64.b64encode(picture()).decode()}
    assert parse(answer({"inlineData": blob})).data == picture()


@pytest.mark.parametrize(
    "body",
    [
        "",
        b"",
        "{",
        b"\xff\xfe",
        '{"candidates": [',
        "[" * 50_000,
        json.dumps(answer(part(picture())))[:-9],
    ],
)
def test_what_cannot_be_read_may_have_been_billed(body):
    error = trouble(body)
    assert type(error) is OutcomeUnknown
    assert error.reason == "unreadable"
    assert not error.retryable


@pytest.mark.parametrize("data", ["@@@@", "YWJj=YWJj", "é", "A", "data:image/png;base64,@"])
def test_a_damaged_picture_is_no_picture_and_keeps_its_usage(data):
    error = trouble(answer({"inlineData": {"mimeType": "image/png", "data": data}}))
    assert type(error) is NoPicture
    assert error.billed is Billed.YES
    assert error.reason == "base64"
    assert error.usage == FLAT_USAGE
    assert len(data) < 4 or data not in str(error)


def test_an_error_in_a_good_answers_clothes_is_told_as_what_it_is():
    error = trouble(
        {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Slow down."}}
    )
    assert type(error) is RateLimited


def test_counts_that_are_no_counts_are_left_out():
    usage = {
        "promptTokenCount": True,
        "candidatesTokenCount": -1,
        "thoughtsTokenCount": 1.5,
        "totalTokenCount": 10**30,
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": "9"}],
    }
    body = {**answer(part(picture())), "usageMetadata": usage}
    assert parse(body).usage == {}


def test_text_output_beside_the_picture_is_counted_apart():
    usage = {
        "candidatesTokenCount": 1150,
        "candidatesTokensDetails": [
            {"modality": "TEXT", "tokenCount": 30},
            {"modality": "IMAGE", "tokenCount": 1120},
        ],
    }
    body = {**answer(part(picture())), "usageMetadata": usage}
    assert parse(body).usage == {"candidates": 1150, "image": 1120}


def test_a_long_message_is_bounded():
    error = trouble(answer(finishReason="NO_IMAGE" * 99, finishMessage="word " * 9_999))
    assert len(str(error)) < 1_200
    assert len(error.reason) <= 64


def _swapped(value, chance: random.Random):
    """Return ``value`` with one of its leaves or branches replaced."""
    other = chance.choice([None, 3, -1.5, "", "IMAGE", True, [], {}, [[]], [{}], {"error": {}}])
    if chance.random() < 0.25 or not isinstance(value, dict | list) or not value:
        return other
    if isinstance(value, dict):
        key = chance.choice(list(value))
        return {**value, key: _swapped(value[key], chance)}
    place = chance.randrange(len(value))
    return [*value[:place], _swapped(value[place], chance), *value[place + 1 :]]


@pytest.mark.parametrize("seed", range(20))
def test_no_damage_to_an_answer_leads_to_another_kind_of_error(seed):
    chance = random.Random(seed)
    whole = {**answer({"text": "x"}, part(picture())), "promptFeedback": {"blockReason": ""}}
    for _ in range(100):
        try:
            result = parse(_swapped(whole, chance))
        except ProviderError as error:
            assert str(error)
        else:
            assert result.data == picture()
