"""The local Gemini accepts what Google accepts: an adopter's own working code works against it."""

from __future__ import annotations

import base64
import json
import urllib.request

import pytest
from google import genai
from google.genai import types

from nb_catalog.testing.gemini import GeminiServer, shapes, validation
from tests.factories import photo_bytes

KEY = "sdk-key"
LITE, NANO, PRO = "gemini-3.1-flash-lite-image", "gemini-nano-banana-2.1", "gemini-3-pro-image"


@pytest.fixture(scope="module")
def server():
    with GeminiServer(keys={KEY}) as running:
        yield running


@pytest.fixture
def client(server):
    http = types.HttpOptions(base_url=server.url, api_version="v1beta")
    with genai.Client(api_key=KEY, vertexai=False, http_options=http) as created:
        yield created


def has_a_picture(answer):
    return any(part.inline_data for part in answer.candidates[0].content.parts)


def test_a_plain_call_of_the_sdk_gets_a_picture(client):
    assert has_a_picture(client.models.generate_content(model=NANO, contents="A mug."))


def test_the_sdks_own_options_are_accepted(client):
    config = types.GenerateContentConfig(
        temperature=0.4, top_p=0.9, top_k=20, seed=7, candidate_count=1, max_output_tokens=8192,
        stop_sequences=["END"], presence_penalty=0.1, frequency_penalty=0.1,
        response_modalities=["TEXT", "IMAGE"], media_resolution="MEDIA_RESOLUTION_HIGH",
        image_config=types.ImageConfig(aspect_ratio="4:5"),
        thinking_config=types.ThinkingConfig(include_thoughts=True),
        tools=[types.Tool(google_search=types.GoogleSearch())],
        tool_config=types.ToolConfig(),
        system_instruction="Be exact.", labels=None, service_tier="standard", cached_content=None,
        safety_settings=[types.SafetySetting(
            category="HARM_CATEGORY_JAILBREAK", threshold="BLOCK_NONE")],
    )  # fmt: skip
    assert has_a_picture(
        client.models.generate_content(model=NANO, contents="A mug.", config=config)
    )


def test_a_chat_sends_back_what_it_got(client):
    chat = client.chats.create(model=NANO)
    assert has_a_picture(chat.send_message("A mug."))
    assert has_a_picture(chat.send_message("Now in blue."))


def test_pictures_are_streamed_and_tokens_are_counted(client, server):
    chunks = list(client.models.generate_content_stream(model=NANO, contents="A mug."))
    assert any(has_a_picture(chunk) for chunk in chunks)
    assert server.request_log.entries[-1].billed_usd > 0
    assert client.models.count_tokens(model=NANO, contents="A mug.").total_tokens > 0


@pytest.mark.parametrize("level", ["high", "minimal"])
def test_a_model_that_always_thinks_takes_a_level(client, level):
    config = types.GenerateContentConfig(thinking_config=types.ThinkingConfig(thinking_level=level))
    assert has_a_picture(client.models.generate_content(model=PRO, contents="A.", config=config))


def test_a_batch_of_inline_requests_as_the_sdk_writes_them(client):
    request = {"model": LITE, "contents": [{"parts": [{"text": "A mug."}], "role": "user"}]}
    job = client.batches.create(
        model=LITE,
        src=[{**request, "metadata": {"key": "a", "shop": "mine"}, "config": {"seed": 3}}],
    )
    assert client.batches.get(name=job.name).state.value == "JOB_STATE_SUCCEEDED"


def test_an_interaction_with_more_options(client):
    answer = client.interactions.create(
        model=NANO,
        input="A mug.",
        generation_config={"temperature": 0.5, "thinking_level": "high"},
        response_modalities=["image"],
        system_instruction="Be exact.",
    )
    assert answer.status == "completed"


def posted(server, body, *, query="", path=None, **headers):
    data = json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"{server.url}{path or f'/v1beta/models/{NANO}:generateContent'}{query}"
    request = urllib.request.Request(url, data=data, headers=named)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


WORDS = {"contents": [{"parts": [{"text": "A mug."}]}]}


@pytest.mark.parametrize(
    "data",
    [
        lambda data: base64.b64encode(data).decode(),
        lambda data: base64.urlsafe_b64encode(data).decode(),
        lambda data: base64.b64encode(data).decode().rstrip("="),
        lambda data: base64.encodebytes(data).decode(),
    ],
    ids=["standard", "URL-safe", "without padding", "line breaks"],
)
def test_every_base64_of_protocol_buffers_is_read(server, data):
    blob = {"mimeType": "image/png", "data": data(photo_bytes(size=(7, 5)))}
    body = {"contents": [{"parts": [{"text": "A mug."}, {"inlineData": blob}]}]}
    assert posted(server, body, x_goog_api_key=KEY)[0] == 200


@pytest.mark.parametrize(
    "config",
    [
        {"temperature": "0.5", "seed": "7"},
        {"responseModalities": [2]},
        {"imageConfig": {"aspectRatio": "", "imageSize": ""}},
        {"thinkingConfig": {"thinkingLevel": "THINKING_LEVEL_UNSPECIFIED"}},
        {"responseMimeType": "application/json", "responseSchema": {"type": "ARRAY", "items": {}}},
        {"maxOutputTokens": 100, "responseLogprobs": False},
    ],
)
def test_values_as_json_of_protocol_buffers_has_them(server, config):
    assert posted(server, WORDS | {"generationConfig": config}, x_goog_api_key=KEY)[0] == 200


@pytest.mark.parametrize("mime_type", ["application/pdf", "text/plain", "audio/wav", "video/mp4"])
def test_other_media_that_gemini_reads_are_accepted(server, mime_type):
    blob = {"mimeType": mime_type, "data": "YWJj"}
    body = {"contents": [{"parts": [{"text": "A mug."}, {"inlineData": blob}]}]}
    assert posted(server, body, x_goog_api_key=KEY)[0] == 200


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (f"/v1beta/models/{NANO}:generateContent", {"Authorization": "Bearer ya29.token"}),
        (f"/v1/publishers/google/models/{NANO}:generateContent", {"x_goog_api_key": KEY}),
        (f"/v1/projects/p/locations/l/publishers/google/models/{NANO}:generateContent",
         {"Authorization": "bearer ya29.token"}),
    ],
    ids=["OAuth", "express mode", "Vertex AI"],
)  # fmt: skip
def test_both_apis_take_keys_and_tokens(server, path, headers):
    assert posted(server, WORDS, path=path, **headers)[0] == 200


def test_a_key_in_the_address_is_a_key(server):
    assert posted(server, WORDS, query=f"?key={KEY}")[0] == 200


def test_what_the_local_server_does_not_have_is_its_own_fault(server):
    path = f"/v1beta/models/{NANO}:embedContent"
    status, answer = posted(server, {}, path=path, x_goog_api_key=KEY)
    assert (status, answer["error"]["status"]) == (501, "UNIMPLEMENTED")


def fields_of(kind):
    """The names in JSON of every field that the SDK can send."""
    return {field.alias or name for name, field in kind.model_fields.items()}


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        (types.Part, shapes.GENERATE["contents"][0]["parts"][0]),
        (types.Content, shapes.GENERATE["contents"][0]),
        (types.Blob, shapes.GENERATE["contents"][0]["parts"][0]["inlineData"]),
        (types.FileData, shapes.GENERATE["contents"][0]["parts"][0]["fileData"]),
        (types.GenerationConfig, shapes.GENERATE["generationConfig"]),
        (types.ImageConfig, shapes.GENERATE["generationConfig"]["imageConfig"]),
        (types.ThinkingConfig, shapes.GENERATE["generationConfig"]["thinkingConfig"]),
        (types.SafetySetting, shapes.GENERATE["safetySettings"][0]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_field_of_the_sdk_is_known(kind, shape):
    assert fields_of(kind) <= set(shape)


def test_every_option_of_a_call_goes_somewhere():
    # Of the SDK itself: they are not sent.
    own = {
        "httpOptions",
        "shouldReturnHttpResponse",
        "automaticFunctionCalling",
        "automaticContinuation",
    }
    known = set(shapes.GENERATE) | set(shapes.GENERATE["generationConfig"])
    assert fields_of(types.GenerateContentConfig) - own <= known


def test_every_category_and_threshold_of_the_sdk_is_known():
    for kind, known in ((types.HarmCategory, validation._CATEGORIES),
                        (types.HarmBlockThreshold, validation._THRESHOLDS)):  # fmt: skip
        names = {each.value for each in kind}
        # Google refuses a setting without a category.
        assert names - {"HARM_CATEGORY_UNSPECIFIED"} <= known
