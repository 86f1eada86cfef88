"""Requests to Gemini, compared with those that google-genai 3.4 sends."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from nb_catalog.core.types import Reference
from nb_catalog.exceptions import InvalidSettings, RequestRefused, RequestRejected
from nb_catalog.providers import provider
from nb_catalog.providers.gemini import GeminiProvider
from nb_catalog.providers.types import ImageRequest

MODEL = "gemini-nano-banana-2.1"


def png(colour="white") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(out, "PNG")
    return out.getvalue()


def request(**changes) -> ImageRequest:
    return ImageRequest(
        **{"model": MODEL, "prompt": "A mug.", "ratio": "4:5", "size": "2K", **changes}
    )


def body(**changes):
    return GeminiProvider(alias="gemini").build(request(**changes)).body


def test_the_body_has_exactly_the_recorded_shape():
    photo = png()
    assert body(
        references=(Reference(data=photo, mime_type="image/png"),),
        thinking="high",
        system="Be exact.",
    ) == {
        "contents": [
            {
                "role": "user",
                "parts": [
                    {"text": "A mug."},
                    {
                        "inlineData": {
                            "data": base64.b64encode(photo).decode(),
                            "mime_type": "image/png",
                        }
                    },
                ],
            }
        ],
        "systemInstruction": {"parts": [{"text": "Be exact."}]},
        "store": False,
        "generationConfig": {
            "responseModalities": ["IMAGE"],
            "imageConfig": {"aspectRatio": "4:5", "imageSize": "2K"},
            "thinkingConfig": {"thinking_level": "HIGH"},
        },
    }


def test_what_was_not_asked_for_is_not_sent():
    assert body() == {
        "contents": [{"role": "user", "parts": [{"text": "A mug."}]}],
        "store": False,
        "generationConfig": {
            "responseModalities": ["IMAGE"],
            "imageConfig": {"aspectRatio": "4:5", "imageSize": "2K"},
        },
    }


def test_a_seed_stays_at_home():
    assert body(seed=7) == body(seed=8)


def test_a_model_with_one_fixed_size_is_not_told_a_size():
    config = body(model="gemini-3.1-flash-lite-image", size="1K")["generationConfig"]
    assert config["imageConfig"] == {"aspectRatio": "4:5"}


def test_a_card_switches_the_spelling_of_the_image_options(settings):
    settings.NB_CATALOG = {"MODEL_SPECS": {MODEL: {"image_options": "responseFormat"}}}
    assert body()["generationConfig"] == {
        "responseModalities": ["IMAGE"],
        "responseFormat": {"image": {"aspectRatio": "4:5", "imageSize": "2K"}},
    }


def test_references_keep_their_order_and_their_bytes():
    photos = [png(colour) for colour in ("red", "green", "blue")]
    references = tuple(Reference(data=photo, mime_type="image/png") for photo in photos)
    _, *parts = body(references=references)["contents"][0]["parts"]
    assert [base64.b64decode(part["inlineData"]["data"]) for part in parts] == photos


def test_a_reference_that_gemini_cannot_read_is_refused():
    with pytest.raises(RequestRejected, match=r"'image/tiff'. Possible: image/heic"):
        body(references=(Reference(data=b"II*\x00", mime_type="image/tiff"),))


def test_references_over_the_limit_of_a_request_are_refused():
    half = Reference(data=bytes(38_000_000), mime_type="image/png")
    with pytest.raises(RequestRejected, match="101 MB in the request, Gemini takes 100"):
        body(references=(half, half))


def test_a_model_without_a_card_is_refused():
    with pytest.raises(RequestRefused, match="no model 'gemini-9'"):
        body(model="gemini-9")


def options(**changes):
    return {"PROVIDERS": {"gemini": {"BACKEND": BACKEND, "OPTIONS": changes}}}


BACKEND = "nb_catalog.providers.gemini.GeminiProvider"


@pytest.mark.parametrize(
    ("option", "value", "wants"),
    [
        ("timeout", 0, "a positive number of seconds"),
        ("timeout", float("nan"), "a positive number of seconds"),
        ("timeout", True, "a positive number of seconds"),
        ("timeout", "300", "a positive number of seconds"),
        ("connections", -1, "a whole number"),
        ("connections", 1.5, "a whole number"),
        ("api_key", 5, "a text"),
        ("base_url", b"http://x", "a text"),
    ],
)
def test_a_wrong_option_is_refused_with_its_path(settings, option, value, wants):
    settings.NB_CATALOG = options(**{option: value})
    with pytest.raises(
        InvalidSettings, match=rf"\['gemini'\]\['OPTIONS'\]\['{option}'\]: expected {wants}"
    ):
        provider("gemini")


def test_a_key_that_is_missing_is_told_by_check(monkeypatch):
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    (message,) = GeminiProvider(alias="mine", api_key=None).check()
    assert message.id == "nb_catalog.W201"
    assert "NB_CATALOG['PROVIDERS']['mine']['OPTIONS']['api_key']" in message.hint
    assert "GEMINI_API_KEY" in message.hint


def test_the_environments_key_is_read_when_it_is_used(monkeypatch):
    ours = GeminiProvider(alias="gemini")
    monkeypatch.setenv("GEMINI_API_KEY", "from the environment".replace(" ", "-"))
    assert ours.check() == []


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "schlüssel"])
def test_a_key_that_cannot_be_one_is_told_without_showing_it(key):
    (message,) = GeminiProvider(alias="gemini", api_key=key).check()
    assert message.id == "nb_catalog.W201"
    assert key not in f"{message}"


@pytest.mark.parametrize(
    ("base_url", "ids"),
    [
        ("", []),
        ("https://gateway.example/", []),
        ("http://127.0.0.1:8000", []),
        ("http://gateway.example/", ["nb_catalog.W203"]),
        ("gateway.example", ["nb_catalog.W202"]),
    ],
)
def test_an_address_that_shows_the_key_is_told_by_check(base_url, ids):
    messages = GeminiProvider(alias="gemini", api_key="key", base_url=base_url).check()
    assert [message.id for message in messages] == ids
