"""The local Gemini, called by the real SDK: every endpoint, its refusals and its request log."""

from __future__ import annotations

import asyncio
import io
import json
import urllib.request
from decimal import Decimal

import pytest
from google import genai
from google.genai import errors, types
from PIL import Image

from nb_catalog.providers.model_specs import spec_for
from nb_catalog.testing.gemini import BatchScript, GeminiServer, Rate, fault, price_of
from tests.factories import photo_bytes

KEY = "sdk-key"
LITE, NANO = "gemini-3.1-flash-lite-image", "gemini-nano-banana-2.1"


@pytest.fixture
def server():
    with GeminiServer(keys={KEY}) as running:
        yield running


@pytest.fixture
def client(server):
    with client_of(server) as created:
        yield created


def client_of(server, **options):
    http = types.HttpOptions(base_url=server.url, api_version="v1beta")
    return genai.Client(**{"api_key": KEY, "vertexai": False, "http_options": http, **options})


def request_picture(client, *, model=NANO, contents="A mug.", **image):
    config = types.GenerateContentConfig(
        response_modalities=["IMAGE"], image_config=types.ImageConfig(**image)
    )
    return client.models.generate_content(model=model, contents=contents, config=config)


def picture_in(answer):
    return Image.open(io.BytesIO(answer.candidates[0].content.parts[-1].inline_data.data))


def refusal_of(call):
    with pytest.raises(errors.APIError) as caught:
        call()
    return caught.value


def test_a_picture_of_the_asked_size_with_its_usage(client, server):
    part = types.Part.from_bytes(data=photo_bytes(), mime_type="image/png")
    answer = request_picture(
        client, contents=["A mug.", part], aspect_ratio="16:9", image_size="2K"
    )
    assert picture_in(answer).size == (2752, 1536)
    usage = answer.usage_metadata
    assert usage.prompt_token_count > 1120
    assert usage.candidates_token_count == spec_for(NANO).image_tokens["2K"]
    assert answer.model_version == NANO and answer.response_id
    (entry,) = server.request_log.entries
    assert (entry.operation, entry.worked, entry.reports_usage) == ("generateContent", True, True)
    assert entry.billed_usd == server.request_log.billed_usd > Decimal("0.05")


def test_the_books_price_is_the_cards_by_another_way(client, server):
    request_picture(client)
    (entry,) = server.request_log.entries
    counts = entry.usage
    ours = {"prompt": counts["promptTokenCount"], "candidates": counts["candidatesTokenCount"],
            "thoughts": counts["thoughtsTokenCount"], "total": counts["totalTokenCount"],
            "image": counts["candidatesTokensDetails"][0]["tokenCount"]}  # fmt: skip
    assert entry.billed_usd == spec_for(NANO).settle(ours)
    assert price_of(counts, model=NANO, batch=True) == spec_for(NANO).settle(ours, batch=True)
    assert price_of(counts, model="nobody's") == 0


def test_the_same_words_give_the_same_picture_and_others_another(client):
    def bytes_of(words):
        answer = request_picture(client, contents=words)
        return answer.candidates[0].content.parts[-1].inline_data.data

    assert bytes_of("A mug.") == bytes_of("A mug.") != bytes_of("A cup.")


@pytest.mark.parametrize(
    ("call", "code", "message"),
    [
        (lambda c: request_picture(c, model="gemini-9-image"), 404, "is not found"),
        (lambda c: request_picture(c, model="gemini-2.5-flash-image"), 404, "is not found"),
        (lambda c: request_picture(c, aspect_ratio="7:3"), 400, "aspect_ratio"),
        (lambda c: request_picture(c, image_size="3K"), 400, "image_size"),
        (lambda c: request_picture(c, model=LITE, image_size="4K"), 400, "image_size"),
        (
            lambda c: request_picture(c, contents=[types.Part.from_bytes(
                data=b"x", mime_type="image/png")] * 15),
            400, "At most 14 images",
        ),
        (
            lambda c: request_picture(c, contents=[types.Part.from_bytes(data=b"x", mime_type="image/tiff")]),
            400, "Unsupported MIME type",
        ),
    ],
    ids=["unknown model", "retired model", "ratio", "size", "size of Lite", "references", "mime"],
)  # fmt: skip
def test_what_is_not_on_the_card_is_refused(client, server, call, code, message):
    caught = refusal_of(lambda: call(client))
    assert caught.code == code and message in str(caught)
    assert server.request_log.billed_usd == 0


def posted(server, body, *, path=f"/v1beta/models/{NANO}:generateContent", key=KEY):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"x-goog-api-key": key} if key else {}
    request = urllib.request.Request(f"{server.url}{path}", data=data, headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


WORDS = {"contents": [{"parts": [{"text": "A mug."}]}]}


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"tool": []}, "Unknown name 'tool'"),
        ({"generationConfig": {"topP": "high"}}, "'generation_config.top_p': expected a number"),
        ({"generationConfig": {"seed": 1.5}}, "'generation_config.seed': expected a whole number"),
        ({"generationConfig": {"colour": 1}}, "Unknown name 'colour'"),
        (
            {"safetySettings": [{"category": "RUDE", "threshold": "OFF"}]},
            "safety_settings.category",
        ),
        (
            {"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}},
            "Thinking level 'low'",
        ),
        ({"contents": []}, "contents is not specified"),
        (
            {"contents": [{"parts": [{"inlineData": {"data": "@@", "mimeType": "image/png"}}]}]},
            "Base64 decoding failed",
        ),
    ],
)
def test_what_no_model_takes_is_refused(server, more, message):
    status, answer = posted(server, WORDS | more)
    assert status == 400
    assert answer["error"]["status"] == "INVALID_ARGUMENT"
    assert message in answer["error"]["message"]


def test_both_spellings_are_understood(server):
    camel = {"imageConfig": {"aspectRatio": "4:5", "imageSize": "1K"}}
    snake = {"image_config": {"aspect_ratio": "4:5", "image_size": "1K"}}
    newer = {"responseFormat": {"image": {"aspectRatio": "4:5", "imageSize": "1K"}}}
    answers = [posted(server, WORDS | {"generationConfig": each}) for each in (camel, snake, newer)]
    assert [status for status, _answer in answers] == [200] * 3
    blobs = {a["candidates"][0]["content"]["parts"][0]["inlineData"]["data"] for _s, a in answers}
    assert len(blobs) == 1


def test_a_projects_own_rules_can_be_switched_on():
    sampled = {"generationConfig": {"temperature": 0.5}}
    with GeminiServer(require_store_false=True, refuse_sampling=True) as server:
        assert posted(server, WORDS)[1]["error"]["message"] == "'store' must be false."
        assert posted(server, WORDS | {"store": False})[0] == 200
        status, answer = posted(server, WORDS | sampled | {"store": False})
        assert (status, answer["error"]["message"]) == (
            400,
            "temperature is not supported by this model.",
        )
    with GeminiServer() as server:
        assert posted(server, WORDS | sampled)[0] == 200


@pytest.mark.parametrize(
    ("key", "status", "reason"), [("wrong", 400, "API_KEY_INVALID"), ("", 403, "")]
)
def test_a_key_that_is_wrong_or_missing_is_refused(server, key, status, reason):
    code, answer = posted(server, WORDS, key=key)
    assert code == status
    assert reason in json.dumps(answer["error"]["details"])


def test_what_is_no_json_is_refused(server):
    assert posted(server, b"{")[0] == 400
    assert posted(server, WORDS, path="/v1beta/elsewhere")[0] == 404


def test_models_are_listed_and_got(client):
    assert client.models.get(model=LITE).display_name == "Nano Banana 2 Lite"
    names = {model.name for model in client.models.list()}
    assert f"models/{NANO}" in names and "models/gemini-2.5-flash-image" not in names
    assert refusal_of(lambda: client.models.get(model="gemini-9")).code == 404


def test_an_interaction_ends_with_a_picture(client, server):
    answer = client.interactions.create(
        model=NANO,
        input=[{"type": "text", "text": "A mug."}],
        response_format={"type": "image", "aspect_ratio": "4:5", "image_size": "1K"},
    )
    import base64

    picture = Image.open(io.BytesIO(base64.b64decode(answer.output_image.data)))
    assert (answer.status, picture.size) == ("completed", (928, 1152))
    assert client.interactions.get(answer.id).id == answer.id
    assert server.request_log.billed_usd > 0


# Files and batches


def line(key, words="A mug.", **config):
    request = {
        "contents": [{"parts": [{"text": words}]}],
        "generationConfig": config,
        "store": False,
    }
    return json.dumps({"key": key, "request": request}) + "\n"


def uploaded(client, server, text, tmp_path):
    path = tmp_path / "requests.jsonl"
    path.write_text(text)
    http = {"base_url": server.url, "api_version": "v1beta"}
    config = {"mime_type": "application/jsonl", "display_name": "mine", "http_options": http}
    return client.files.upload(file=path, config=config)


def results_of(client, job):
    data = client.files.download(file=job.dest.file_name)
    return {each["key"]: each for each in map(json.loads, data.decode().splitlines())}


def test_a_file_goes_up_in_pieces_and_lives_for_two_days(client, server, tmp_path):
    file = uploaded(client, server, "x" * (9 * 2**20), tmp_path)
    assert int(file.size_bytes) == 9 * 2**20
    assert client.files.get(name=file.name).display_name == "mine"
    assert [each.name for each in client.files.list()] == [file.name]
    server.pass_time(hours=49)
    assert refusal_of(lambda: client.files.get(name=file.name)).code == 403


def test_a_deleted_file_is_gone(client, server, tmp_path):
    file = uploaded(client, server, line("1"), tmp_path)
    client.files.delete(name=file.name)
    assert refusal_of(lambda: client.files.get(name=file.name)).code == 403


def test_a_batch_is_done_by_key_at_half_the_price(client, server, tmp_path):
    file = uploaded(client, server, line("a") + line("b", "A cup."), tmp_path)
    job = client.batches.create(model=LITE, src=file.name, config={"display_name": "ours"})
    assert job.state.value == "JOB_STATE_PENDING"
    job = client.batches.get(name=job.name)
    assert (job.state.value, job.display_name) == ("JOB_STATE_SUCCEEDED", "ours")
    results = results_of(client, job)
    assert set(results) == {"a", "b"}
    assert results["a"]["response"]["usageMetadata"]
    direct = price_of(results["a"]["response"]["usageMetadata"], model=LITE)
    assert {entry.key: entry.billed_usd for entry in server.request_log.calls()}[
        "a"
    ] == pytest.approx(direct / 2, abs=Decimal("0.000001"))
    results_of(client, job)
    assert len(server.request_log.calls()) == 2, "reading results again costs nothing"


def test_a_batch_takes_its_time_and_can_be_called_off(client, server, tmp_path):
    server.batches.script(BatchScript(seconds=3600))
    file = uploaded(client, server, line("a"), tmp_path)
    job = client.batches.create(model=LITE, src=file.name)
    assert client.batches.get(name=job.name).state.value == "JOB_STATE_PENDING"
    client.batches.cancel(name=job.name)
    states = [client.batches.get(name=job.name).state for _ in range(2)]
    assert "CANCELLED" in str(states[-1])
    assert server.request_log.billed_usd == 0


def test_a_stuck_batch_expires_after_two_days(client, server, tmp_path):
    server.batches.script(BatchScript(stuck=True))
    file = uploaded(client, server, line("a"), tmp_path)
    job = client.batches.create(model=LITE, src=file.name)
    server.pass_time(hours=47)
    assert client.batches.get(name=job.name).state.value == "JOB_STATE_RUNNING"
    server.pass_time(hours=2)
    assert client.batches.get(name=job.name).state.value == "JOB_STATE_EXPIRED"


def test_batches_are_listed_in_pages(client, server, tmp_path):
    file = uploaded(client, server, line("a"), tmp_path)
    created = [client.batches.create(model=LITE, src=file.name).name for _ in range(5)]
    listed = [job.name for job in client.batches.list(config={"page_size": 2})]
    assert listed == created[::-1]
    client.batches.delete(name=created[0])
    assert len(list(client.batches.list())) == 4


@pytest.mark.parametrize(
    ("source", "model", "code"),
    [("files/none", LITE, 404), (None, "gemini-9", 404)],
    ids=["unknown file", "unknown model"],
)
def test_a_batch_that_cannot_be_is_refused(client, server, tmp_path, source, model, code):
    file = source or uploaded(client, server, line("a"), tmp_path).name
    assert refusal_of(lambda: client.batches.create(model=model, src=file)).code == code


def test_more_than_a_hundred_batches_wait(client, server, tmp_path):
    server.batches.script(*[BatchScript(stuck=True)] * 101)
    file = uploaded(client, server, line("a"), tmp_path)
    for _ in range(100):
        client.batches.create(model=LITE, src=file.name)
    assert refusal_of(lambda: client.batches.create(model=LITE, src=file.name)).code == 429


def test_a_line_that_the_service_would_refuse_is_an_items_own_error(client, server, tmp_path):
    text = line("a", temperatur=1) + "{\n" + line("c")
    job = client.batches.create(model=LITE, src=uploaded(client, server, text, tmp_path).name)
    results = results_of(client, client.batches.get(name=job.name))
    assert "temperatur" in results["a"]["error"]["message"]
    assert "is not a request" in results["1"]["error"]["message"]
    assert "response" in results["c"]


@pytest.mark.parametrize("name", ["item_error", "text_only", "missing", "twice", "unavailable"])
def test_single_items_can_be_spoiled(client, server, tmp_path, name):
    server.batches.script(BatchScript(items={"a": name}))
    text = line("a") + line("b")
    job = client.batches.create(model=LITE, src=uploaded(client, server, text, tmp_path).name)
    # Raw: the SDK's own reader fails for the whole batch when one item's error has details.
    http = f"{server.url}/v1beta/{job.name}"
    request = urllib.request.Request(http, headers={"x-goog-api-key": KEY})
    with urllib.request.urlopen(request) as answer:
        output = json.load(answer)["metadata"]["output"]["responsesFile"]
    lines = client.files.download(file=output).decode().splitlines()
    keys = [json.loads(each)["key"] for each in lines]
    assert keys.count("a") == {"missing": 0, "twice": 2}.get(name, 1)
    assert keys.count("b") == 1


@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
def test_the_async_client_is_served_too(server):
    async def one():
        async with client_of(server).aio as client:
            answer = await client.models.generate_content(model=NANO, contents="A mug.")
            return picture_in(answer).size

    assert asyncio.run(one()) == (1024, 1024)


def test_other_processes_can_read_the_books(client, server):
    request_picture(client)
    with urllib.request.urlopen(f"{server.url}/__nb__/requests") as answer:
        (entry,) = map(json.loads, answer.read().splitlines())
    assert entry["operation"] == "generateContent"
    assert "A mug." not in json.dumps(entry)
    with urllib.request.urlopen(f"{server.url}/__nb__/stats") as answer:
        assert json.load(answer)["billed_usd"] == entry["billed_usd"]
    post = urllib.request.Request(f"{server.url}/__nb__/pass-time?hours=2", method="POST")
    with urllib.request.urlopen(post) as answer:
        assert json.load(answer)["ahead_seconds"] == 7200


def test_faults_by_rate_come_again_with_the_same_seed():
    drawn = [
        [bool(Rate(0.3, seed=seed).draw(number)) for number in range(2000)] for seed in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1] != drawn[2]
    assert 500 < sum(drawn[0]) < 700


def test_a_misspelt_fault_says_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'drop_after'"):
        fault("drop_aftr")


def test_a_large_result_is_made_while_it_is_read(server):
    """200 MB of results are never in memory at the same time."""
    import tracemalloc

    with GeminiServer(picture_bytes=100_000, keep_bodies=False) as large:
        requests = [{"request": json.loads(line(str(n)))["request"], "metadata": {"key": str(n)}}
                    for n in range(2_000)]  # fmt: skip
        body = {
            "batch": {"displayName": "large", "inputConfig": {"requests": {"requests": requests}}}
        }
        _status, job = posted(large, body, path=f"/v1beta/models/{LITE}:batchGenerateContent")
        request = urllib.request.Request(
            f"{large.url}/v1beta/{job['name']}", headers={"x-goog-api-key": "k"}
        )
        with urllib.request.urlopen(request) as answer:
            file = json.load(answer)["metadata"]["output"]["responsesFile"]
        download = urllib.request.Request(
            f"{large.url}/v1beta/{file}:download?alt=media", headers={"x-goog-api-key": "k"}
        )
        tracemalloc.start()
        try:
            size = 0
            with urllib.request.urlopen(download) as answer:
                while piece := answer.read(2**16):
                    size += len(piece)
            _now, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert size > 200_000_000
    assert peak < 20_000_000


def interaction(client, words, **options):
    return client.interactions.create(
        model=NANO, input=[{"type": "text", "text": words}], **{"store": True, **options}
    )


def test_an_interaction_goes_on_from_a_stored_one_and_reads_it_again(client, server):
    first = interaction(client, "A mug.")
    second = interaction(client, "Blue.", previous_interaction_id=first.id)
    third = interaction(client, "Blue.", previous_interaction_id=first.id)
    assert second.usage.total_input_tokens > first.usage.total_tokens
    assert third.usage.total_input_tokens == second.usage.total_input_tokens
    assert len({first.id, second.id, third.id}) == 3


@pytest.mark.parametrize("cause", ["never", "not stored", "expired", "another key"])
def test_an_interaction_that_is_not_stored_is_googles_404_and_costs_nothing(cause):
    keys = {KEY, "another"}
    with GeminiServer(keys=keys) as server, client_of(server) as client:
        first = interaction(client, "A mug.", store=cause != "not stored")
        if cause == "expired":
            server.pass_time(hours=55 * 24 + 1)
        before = server.request_log.billed_usd
        name = "interaction-999" if cause == "never" else first.id
        caller = client_of(server, api_key="another") if cause == "another key" else client
        with pytest.raises(Exception, match="Interaction not found"):
            interaction(caller, "Blue.", previous_interaction_id=name)
        assert server.request_log.billed_usd == before
