"""The local Gemini where a lenient one would pass: malformed bodies, batches that are not polled,
uploads in chunks, and invalid options."""

from __future__ import annotations

import base64
import io
import json
import socket
import time
import urllib.request
from http.client import IncompleteRead
from threading import Event, Thread
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from nb_catalog.testing import local_server
from nb_catalog.testing.gemini import BatchScript, GeminiServer, Rate, fault
from tests.factories import photo_bytes

LITE, NANO = "gemini-3.1-flash-lite-image", "gemini-nano-banana-2.1"
PICTURES = f"/v1beta/models/{NANO}:generateContent"
BATCHES = f"/v1beta/models/{LITE}:batchGenerateContent"
INTERACTIONS = "/v1beta/interactions"


@pytest.fixture
def server():
    with GeminiServer() as running:
        yield running


def sent(server, path, body=None, *, method="POST", **headers):
    """Return status, headers and JSON of a response, of any status."""
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(
        path if path.startswith("http") else f"{server.url}{path}",
        data=data,
        headers={"x-goog-api-key": "k", **named},
        method=method,
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def refused(server, path, body):
    status, _headers, content = sent(server, path, body)
    assert status == 400, content
    error = json.loads(content)["error"]
    assert error["status"] == "INVALID_ARGUMENT"
    return error["message"]


def words(text="A mug.", **more):
    return {"contents": [{"parts": [{"text": text}]}], **more}


def picture_of(server, body):
    status, _headers, content = sent(server, PICTURES, body)
    assert status == 200, content
    blob = json.loads(content)["candidates"][0]["content"]["parts"][0]["inlineData"]
    return blob["mimeType"], base64.b64decode(blob["data"])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "Root element"),
        ("A mug.", "Root element"),
        ({"contents": "A mug."}, "'contents[0]': expected an object"),
        ({"contents": [["A mug."]]}, "'contents[0]'"),
        ({"contents": [{"parts": "A mug."}]}, "'contents[0].parts[0]'"),
        ({"contents": [{"parts": [{"text": 3}]}]}, "'contents[0].parts[0].text': expected a text"),
        ({"contents": [{"parts": [{"txt": "A mug."}]}]}, "'txt' at 'contents[0].parts[0]'"),
        ({"contents": [{"parts": [{}]}]}, "must not be empty"),
        ({"contents": [{"role": "user"}]}, "contents[0].parts must not be empty"),
        ({"contents": [{"parts": [{"inlineData": "abc"}]}]}, "inline_data': expected an object"),
        ({"contents": [{"parts": [{"inlineData": {"data": 1}}]}]}, "inline_data.data"),
        (
            {"contents": [{"parts": [{"inlineData": {"url": "x", "data": ""}}]}]},
            "'url' at 'contents[0].parts[0].inline_data'",
        ),
        (words(generationConfig=[1]), "'generation_config'"),
        (words(generationConfig={"imageConfig": "4:5"}), "generation_config.image_config"),
        (words(generationConfig={"imageConfig": {"ratio": "4:5"}}), "'ratio' at"),
        (words(generationConfig={"imageConfig": {"imageSize": 1}}), "image_size': expected a text"),
        (words(generationConfig={"responseFormat": {"picture": {}}}), "'picture' at"),
        (words(generationConfig={"thinkingConfig": {"level": "LOW"}}), "'level' at"),
        (words(generationConfig={"temperature": "hot"}), "expected a number"),
        (words(systemInstruction="Be exact."), "'system_instruction': expected an object"),
        (words(safetySettings=[{"category": ["RUDE"]}]), "safety_settings[0].category"),
        (words(store="no"), "'store': expected true or false"),
    ],
)
def test_a_misshapen_request_is_googles_400_and_names_the_place(server, body, message):
    assert message in refused(server, PICTURES, body)
    assert server.request_log.billed_usd == 0


def test_googles_reader_forgives_a_null_and_a_list_of_one(server):
    body = {"contents": {"parts": {"text": "A mug."}}, "systemInstruction": None}
    assert picture_of(server, body) == picture_of(server, words())


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "Root element"),
        ({"batch": []}, "'batch': expected an object"),
        ({"batch": {"inputConfig": {"fileName": 3}}}, "batch.input_config.file_name"),
        ({"batch": {"inputConfig": {"file": "files/1"}}}, "'file' at 'batch.input_config'"),
        (
            {"batch": {"inputConfig": {"requests": {"requests": [{"request": "A mug."}]}}}},
            "requests[0].request': expected an object",
        ),
    ],
)
def test_a_misshapen_batch_is_googles_400(server, body, message):
    assert message in refused(server, BATCHES, body)
    assert not server.batches.all


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"model": NANO}, "'input'"),
        ({"model": NANO, "input": 3}, "'input'"),
        ({"model": NANO, "input": [3]}, "Unknown name"),
        ({"model": NANO, "input": [{"type": "sound"}]}, "Unknown name 'type'"),
        ({"model": NANO, "input": "A mug.", "colour": "red"}, "Unknown name 'colour'"),
        ({"model": NANO, "input": "A mug.", "response_format": "4:5"}, "'response_format'"),
        (
            {"model": NANO, "input": "A mug.", "store": False, "background": True},
            "background needs store=true",
        ),
    ],
)
def test_a_misshapen_interaction_is_googles_400(server, body, message):
    assert message in refused(server, INTERACTIONS, body)


@pytest.mark.parametrize("path", ["/v1beta/batches?pageSize=many", "/v1beta/batches?pageToken=x"])
def test_a_page_that_is_no_number_is_refused(server, path):
    assert sent(server, path, method="GET")[0] == 400


def test_a_pass_of_time_that_is_no_number_is_refused(server):
    assert sent(server, "/__nb__/pass-time?hours=soon", b"")[0] == 400
    assert sent(server, "/__nb__/pass-time", b"")[0] == 400


# Pictures


def with_photo(photo, text="A mug."):
    blob = {"mimeType": "image/png", "data": base64.b64encode(photo).decode()}
    return {"contents": [{"parts": [{"text": text}, {"inlineData": blob}]}]}


def test_two_photos_with_the_same_words_give_two_pictures(server):
    red, blue = photo_bytes(colour=(200, 30, 30)), photo_bytes(colour=(30, 30, 200))
    pictures = [picture_of(server, with_photo(photo))[1] for photo in (red, blue, red)]
    assert pictures[0] == pictures[2] != pictures[1]


def test_pictures_can_differ_each_time():
    with GeminiServer(unique=True) as server:
        first, second = (picture_of(server, words())[1] for _ in range(2))
    assert first != second
    sizes = [Image.open(io.BytesIO(data)).size for data in (first, second)]
    assert sizes == [(1024, 1024)] * 2


@pytest.mark.parametrize("at_least", [0, 300_000])
def test_plain_pictures_can_be_jpeg(at_least):
    options = {"mime_type": "image/jpeg", "picture_bytes": at_least}
    with GeminiServer(**options) as server:
        mime_type, data = picture_of(server, words())
        assert picture_of(server, words("A cup."))[1] != data
    picture = Image.open(io.BytesIO(data))
    picture.load()
    assert (mime_type, picture.format, picture.size) == ("image/jpeg", "JPEG", (1024, 1024))
    assert at_least <= len(data) <= at_least + 100_000


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_to_answer_with_stays_sound(kind):
    own = photo_bytes(kind=kind)
    with GeminiServer(picture=own, picture_bytes=200_000) as server:
        mime_type, data = picture_of(server, words())
    picture = Image.open(io.BytesIO(data))
    assert mime_type == f"image/{kind.lower()}"
    assert picture.tobytes() == Image.open(io.BytesIO(own)).tobytes()
    assert 199_000 <= len(data) <= 201_000


@pytest.mark.parametrize(
    "options", [{"picture": b"GIF89a"}, {"mime_type": "image/webp"}], ids=["GIF", "WebP"]
)
def test_a_picture_of_another_kind_is_refused_at_once(options):
    with pytest.raises(ValueError, match="PNG nor a JPEG|image/png or image/jpeg"):
        GeminiServer(**options)


# Faults


def test_a_misspelt_operation_says_the_nearest(server):
    with pytest.raises(ValueError, match=r"Did you mean 'batches.create'"):
        server.script_for("batch.create", fault("internal"))
    with pytest.raises(ValueError, match=r"Did you mean 'files.upload'"):
        Rate(0.5, operations=["file.upload"])


def test_a_fault_of_pictures_cannot_happen_to_a_file(server):
    with pytest.raises(ValueError, match="'text_only' is possible for generateContent only"):
        server.script_for("files.get", fault("text_only"))
    with pytest.raises(ValueError, match="can happen to 'files.get'"):
        Rate(0.5, operations=["files.get"], kinds=["text_only"])


@pytest.mark.parametrize("name", ["malformed_json", "empty_object", "empty_body", "web_page"])
def test_faults_of_any_answer_can_happen_to_a_batch(server, name):
    server.script_for("batches.list", fault(name))
    spoiled, good = (sent(server, "/v1beta/batches", method="GET") for _ in range(2))
    assert spoiled[0] == good[0] == 200
    assert json.loads(good[2]) == {"operations": []}
    assert spoiled[2] != good[2]


def test_a_rate_can_be_for_other_operations():
    rate = Rate(1.0, seed=3, operations=["batches.list"], kinds=["internal", "text_only"])
    with GeminiServer(faults=rate) as server:
        assert sent(server, "/v1beta/batches", method="GET")[0] == 500
        assert sent(server, PICTURES, words())[0] == 200


# Batches


def line(key, **more):
    return {"key": key, "request": words(f"Mug {key}.", **more)}


def batch_of(server, *lines):
    requests = [{"request": each["request"], "metadata": {"key": each["key"]}} for each in lines]
    body = {"batch": {"displayName": "mine", "inputConfig": {"requests": {"requests": requests}}}}
    return json.loads(sent(server, BATCHES, body)[2])["name"]


def state_of(server, name):
    batch = json.loads(sent(server, f"/v1beta/{name}", method="GET")[2])
    return batch["metadata"]["state"]


def results_of(server, name):
    batch = json.loads(sent(server, f"/v1beta/{name}", method="GET")[2])
    file = batch["metadata"]["output"]["responsesFile"]
    return sent(server, f"/v1beta/{file}:download?alt=media", method="GET")[2]


def test_a_batch_is_billed_when_it_is_due_whether_or_not_anybody_looks(server):
    server.batches.script(BatchScript(seconds=0.05))
    batch_of(server, line("a"))
    assert not server.request_log.calls()
    for _ in range(200):
        if server.request_log.calls():
            break
        time.sleep(0.05)
    (entry,) = server.request_log.calls()
    assert entry.billed_usd > 0


def test_a_batch_that_nobody_looked_at_for_days_is_not_expired(server):
    server.batches.script(BatchScript(seconds=3600))
    name = batch_of(server, line("a"))
    began = server.batches.all[0].created
    server.pass_time(hours=200)
    (entry,) = server.request_log.calls()
    assert entry.at == began + 3600, "the hour at which it was due, not that of the look"
    assert state_of(server, name) == "BATCH_STATE_SUCCEEDED"


def test_a_batch_that_is_longer_than_the_service_waits_expires(server):
    server.batches.script(BatchScript(seconds=50 * 3600))
    name = batch_of(server, line("a"))
    server.pass_time(hours=49)
    assert state_of(server, name) == "BATCH_STATE_EXPIRED"
    assert server.request_log.billed_usd == 0


def test_a_batch_that_is_done_cannot_be_called_off(server):
    server.batches.script(BatchScript(seconds=3600))
    name = batch_of(server, line("a"))
    server.pass_time(hours=2)
    sent(server, f"/v1beta/{name}:cancel", b"{}")
    assert state_of(server, name) == "BATCH_STATE_SUCCEEDED"


def test_a_batch_whose_file_is_gone_fails(server):
    server.batches.script(BatchScript(seconds=3600))
    file = upload(server, [json.dumps(line("a")).encode()])
    body = {"batch": {"inputConfig": {"fileName": file["name"]}}}
    name = json.loads(sent(server, BATCHES, body)[2])["name"]
    sent(server, f"/v1beta/{file['name']}", method="DELETE")
    server.pass_time(hours=2)
    assert state_of(server, name) == "BATCH_STATE_FAILED"
    assert not server.request_log.calls()


def test_an_item_that_lets_google_keep_it_is_refused_where_that_is_insisted_on():
    with GeminiServer(require_store_false=True) as server:
        name = batch_of(server, line("a"), line("b", store=False))
        results = {
            each["key"]: each
            for each in map(json.loads, results_of(server, name).split(b"\n")[:-1])
        }
    assert "'store' must be false" in results["a"]["error"]["message"]
    assert "response" in results["b"]


def test_a_misshapen_item_is_its_own_error(server):
    name = batch_of(server, line("a", colour="red"), line("b"))
    results = {each["key"]: each for each in map(json.loads, results_of(server, name).splitlines())}
    assert "'colour'" in results["a"]["error"]["message"]
    assert "response" in results["b"]


@pytest.mark.parametrize("count", [1, 3])
def test_a_result_is_cut_in_the_middle_however_short(server, count):
    name = batch_of(server, *[line(str(number)) for number in range(count)])
    whole = results_of(server, name)
    assert len(whole.splitlines()) == count
    server.script_for("files.download", fault("cut"))
    with pytest.raises(IncompleteRead) as caught:
        results_of(server, name)
    assert 0 < len(caught.value.partial) < len(whole)
    assert not caught.value.partial.endswith(b"\n")
    assert results_of(server, name) == whole


@pytest.mark.parametrize(
    "path",
    ["publishers/google/models/{}:batchGenerateContent", "files", "batches"],
)
def test_vertex_has_neither_batches_nor_files(server, path):
    place = f"/v1beta1/projects/p/locations/global/{path.format(LITE)}"
    assert sent(server, place, {"batch": {}}, Authorization="Bearer t")[0] == 404


def test_vertex_makes_pictures_and_knows_models(server):
    models = "publishers/google/models"
    place = f"/v1beta1/projects/p/locations/global/{models}/{NANO}:generateContent"
    assert sent(server, place, words(), Authorization="Bearer t")[0] == 200
    got = sent(server, f"/v1beta1/{models}/{NANO}", method="GET", Authorization="Bearer t")
    assert got[0] == 200


# Files


def begun(server):
    headers = {"X_Goog_Upload_Command": "start", "X_Goog_Upload_Header_Content_Type": "text/plain"}
    _status, headers, _said = sent(server, "/upload/v1beta/files", {"file": {}}, **headers)
    return headers["X-Goog-Upload-URL"]


def piece(server, place, data, *, offset, last=False):
    command = "upload, finalize" if last else "upload"
    headers = {"X_Goog_Upload_Command": command, "X_Goog_Upload_Offset": str(offset)}
    return sent(server, place, data, **headers)


def upload(server, pieces):
    place, offset = begun(server), 0
    for number, data in enumerate(pieces, start=1):
        _s, _h, content = piece(server, place, data, offset=offset, last=number == len(pieces))
        offset += len(data)
    return json.loads(content)["file"]


def test_a_piece_that_comes_twice_is_kept_once(server):
    place = begun(server)
    for _ in range(2):
        piece(server, place, b"first ", offset=0)
    headers = piece(server, place, b"", offset=6)[1]
    assert headers["X-Goog-Upload-Size-Received"] == "6"
    answers = [piece(server, place, b"second", offset=6, last=True) for _ in range(2)]
    assert {json.loads(content)["file"]["sizeBytes"] for _s, _h, content in answers} == {"12"}


def test_an_upload_tells_how_far_it_is(server):
    place = begun(server)
    piece(server, place, b"first ", offset=0)
    _status, headers, _said = sent(server, place, b"", X_Goog_Upload_Command="query")
    assert headers["X-Goog-Upload-Size-Received"] == "6"
    assert headers["X-Goog-Upload-Status"] == "active"


@pytest.mark.parametrize("offset", ["7", "-1", "first"])
def test_a_piece_that_leaves_a_gap_is_refused(server, offset):
    place = begun(server)
    piece(server, place, b"first ", offset=0)
    status, _headers, content = piece(server, place, b"x", offset=offset)
    assert status == 400 and b"6 bytes were received" in content


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"file": "x"}', b'{"folder": {}}'])
def test_an_upload_that_begins_misshapen_is_refused(server, body):
    status, _headers, _said = sent(
        server, "/upload/v1beta/files", body, X_Goog_Upload_Command="start"
    )
    assert status == 400


# The port


def test_a_taken_port_is_told_at_once(monkeypatch):
    """The event ends each wait for the server, and not the time that a start may take."""
    ended_by_event = []

    def wait(event, timeout=None):
        ended_by_event.append(Event.wait(event, timeout))
        return ended_by_event[-1]

    noted = type("Noted", (Event,), {"wait": wait})
    monkeypatch.setattr(local_server, "threading", SimpleNamespace(Event=noted, Thread=Thread))
    monkeypatch.setattr(local_server, "START_SECONDS", 60.0)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"), GeminiServer(port=port):
            pass
        with pytest.raises(CommandError, match="Choose another --port"):
            call_command("nb_fake_gemini", port=port)
    assert ended_by_event == [True, True]


def test_a_misspelt_fault_of_an_item_says_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'item_error'"):
        BatchScript(items={0: "item_eror"})


def test_a_result_that_is_read_twice_is_the_same_even_where_pictures_differ():
    with GeminiServer(unique=True) as server:
        name = batch_of(server, line("a"), {"key": "b", "request": words("Mug a.")})
        first, second = (results_of(server, name) for _ in range(2))
    assert first == second
    pictures = {
        json.dumps(json.loads(each)["response"]["candidates"]) for each in first.splitlines()
    }
    assert len(pictures) == 2
