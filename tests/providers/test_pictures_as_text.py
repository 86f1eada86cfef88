"""Pictures inside of JSON: base64 in all its forms, and data URIs, from Google and from gateways."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from nb_catalog.exceptions import Billed, NoPicture
from nb_catalog.providers.gemini import GeminiProvider
from nb_catalog.providers.openai_images import OpenAIImagesProvider, wire
from nb_catalog.providers.responses import picture_bytes, read_json
from nb_catalog.providers.types import RawResponse
from nb_catalog.testing.gemini import picture_json
from nb_catalog.testing.openai_images import USAGE

# Every byte, so that both alphabets differ, and a length that needs padding.
DATA = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 3
PLAIN = base64.b64encode(DATA).decode()
URL_SAFE = base64.urlsafe_b64encode(DATA).decode()
LINES = base64.encodebytes(DATA).decode()

FORMS = {
    "plain": PLAIN,
    "URL-safe": URL_SAFE,
    "without padding": PLAIN.rstrip("="),
    "URL-safe without padding": URL_SAFE.rstrip("="),
    "too much padding": PLAIN + "==",
    "line breaks": LINES,
    "line breaks of Windows": LINES.replace("\n", "\r\n"),
    "URL-safe with line breaks": base64.encodebytes(DATA).decode().translate({43: "-", 47: "_"}),
    "white space around": f"\n  {PLAIN}\t\n",
    "escaped twice": LINES.replace("\n", "\\n").replace("/", "\\/"),
    "data URI": f"data:image/png;base64,{PLAIN}",
    "data URI in capitals": f"DATA:IMAGE/PNG;BASE64,{PLAIN}",
    "data URI without type": f"data:;base64,{PLAIN}",
    "data URI with parameters": f"data:image/png;charset=utf-8;name=a.png;base64,{PLAIN}",
    "data URI with spaces": f" data:image/png; base64, {LINES}",
    "data URI, URL-encoded": f"data:image/png;base64,{quote(PLAIN, safe='')}",
    "data URI, URL-safe": f"data:image/png;base64,{URL_SAFE.rstrip('=')}",
    "data URI without base64": f"data:image/png,{quote(DATA)}",
    "data URI that forgot to say base64": f"data:image/png,{PLAIN}",
    "without data:": f"image/png;base64,{PLAIN}",
    "base64 only": f"base64,{PLAIN}",
}
BROKEN = {
    "other characters": "@@@not base64@@@",
    "padding inside": "YWJj=YWJj",
    "cut off": "A",
    "letters": "é",
    "empty data URI": "data:image/png;base64,",
    "broken data URI": "data:image/png;base64,@@@@",
    "only a scheme": "data:",
}


def of_gemini(value):
    body = picture_json(DATA)
    body["candidates"][0]["content"]["parts"][0]["inlineData"]["data"] = value
    return GeminiProvider(alias="gemini", api_key="k").parse(RawResponse(body=json.dumps(body)))


def of_gateway(item):
    body = {"data": [item], "model": "m", "id": "i", "usage": dict(USAGE)}
    provider = OpenAIImagesProvider(alias="g", api_key="k", base_url="https://x.test/v1")
    return provider.parse(RawResponse(body=json.dumps(body)))


@pytest.mark.parametrize("form", FORMS)
def test_a_picture_is_read_in_every_form(form):
    assert picture_bytes(FORMS[form]) == DATA
    assert of_gemini(FORMS[form]).data == DATA
    assert of_gateway({"b64_json": FORMS[form]}).data == DATA


@pytest.mark.parametrize("form", [form for form in FORMS if form.startswith("data URI")])
def test_a_data_uri_in_place_of_an_address_is_not_fetched(form):
    item = {"url": FORMS[form]}
    assert wire.picture_url({"data": [item]}) == ""
    assert of_gateway(item).data == DATA


@pytest.mark.parametrize("form", BROKEN)
def test_a_broken_picture_is_no_picture_and_is_paid_for(form):
    calls = [
        lambda: of_gemini(BROKEN[form]),
        lambda: of_gateway({"b64_json": BROKEN[form]}),
    ]
    if BROKEN[form].startswith("data:"):
        calls.append(lambda: of_gateway({"url": BROKEN[form]}))
    for call in calls:
        with pytest.raises(NoPicture) as caught:
            call()
        assert caught.value.reason == "base64"
        assert caught.value.billed is Billed.YES
        assert caught.value.usage["image"] == 1120
        assert caught.value.request_id


def test_the_item_that_has_the_picture_is_taken():
    for data in (
        [{}, {"b64_json": PLAIN}],
        {"b64_json": PLAIN},
        [f"data:image/png;base64,{PLAIN}"],
    ):
        body = json.dumps({"data": data})
        provider = OpenAIImagesProvider(alias="g", api_key="k", base_url="https://x.test/v1")
        assert provider.parse(RawResponse(body=body)).data == DATA


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('{"a": "\\ud800x"}', "\ud800x"),
        ('{"a": "\\ud83d\\ude42"}', "🙂"),
        (b'{"a": "caf\xe9"}', "caf\ufffd"),
        (b'{"a": "\xed\xa0\x80"}', "\ufffd\ufffd\ufffd"),
        ('{"a": "nul \x00, tab \t"}', "nul \x00, tab \t"),
        ('\ufeff{"a": "x"}', "x"),
        ('{"a": "x"}'.encode("utf-16"), "x"),
    ],
)
def test_json_that_strict_readers_refuse_is_read(body, text):
    assert read_json(body) == {"a": text}


@pytest.mark.parametrize(
    "body", ["", b"", "{", b"\xff\xfe", "[" * 50_000, '{"a": 1} more', "<html>"]
)
def test_what_is_not_json_is_refused(body):
    with pytest.raises(ValueError):
        read_json(body)
