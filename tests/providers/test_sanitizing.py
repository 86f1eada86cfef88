"""What a service says is cleaned on its way in: whatever the provider, its method and the form of a key."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape, unescape
from urllib.parse import quote, quote_plus, unquote_plus

import pytest

from nb_catalog.core.text import message_line, strip_unstorable
from nb_catalog.exceptions import NoPicture, RateLimited, RequestRefused
from nb_catalog.providers.base import Provider
from nb_catalog.providers.batches import BatchService
from nb_catalog.providers.gemini import GeminiProvider
from nb_catalog.providers.openai_images import OpenAIImagesProvider
from nb_catalog.providers.redaction import redact, redact_message
from nb_catalog.providers.text_base import TextProvider, TextResult
from nb_catalog.providers.types import BatchItem, BatchReport, ImageResult, Payload, RawResponse

KEY = "Abc/def+ghi=jkl&1234"


def encoded(prefix: bytes = b"", suffix: bytes = b"") -> str:
    return base64.b64encode(prefix + KEY.encode() + suffix).decode()


FORMS = {
    "as it is": KEY,
    "URL": quote(KEY, safe=""),
    "URL, lower case": quote(KEY, safe="").lower(),
    "form": quote_plus(KEY),
    "query": f"https://x.test/v1?alt=json&key={quote(KEY, safe='')}&more=1",
    "header": f"Authorization: Bearer {KEY}",
    "basic": f"Basic {encoded(b'user:')}",
    "basic without user": f"Basic {encoded(b':')}",
    "base64": encoded(),
    "base64, URL-safe": encoded().replace("+", "-").replace("/", "_"),
    "base64, shifted": encoded(b"xx", b"yy"),
    "hexadecimal": KEY.encode().hex(),
    "HTML": escape(KEY),
    "JSON": KEY.replace("/", "\\/"),
    "capitals": KEY.upper(),
    "divided by what cannot be seen": "\u200b".join(KEY),
}


def shows_the_key(text: str) -> bool:
    """Whether somebody who reads ``text`` has the key. Decodes, where redaction encodes."""
    plain = "".join(char for char in text if char.isprintable() and char != "\u200b")
    tokens = plain.replace("-", "+").replace("_", "/").split()
    texts = [plain.lower()]
    for token in tokens:
        for start in range(4):
            piece = token[start:]
            piece = piece[: len(piece) // 4 * 4]
            try:
                texts.append(base64.b64decode(piece).decode("latin-1").lower())
                texts.append(bytes.fromhex(token).decode("latin-1").lower())
            except ValueError:
                continue
    texts += [unquote_plus(each) for each in texts] + [unescape(each) for each in texts]
    texts += [each.replace("\\/", "/") for each in texts]
    return any(part in each for each in texts for part in (KEY.lower(), KEY[:12].lower()))


@pytest.mark.parametrize("form", FORMS)
def test_a_key_is_found_in_every_form(form):
    assert form == "divided by what cannot be seen" or shows_the_key(FORMS[form]), "else no test"
    error = NoPicture(f"It says {FORMS[form]} here.", request_id=FORMS[form], reason=FORMS[form])
    met = outcome(Mine(error), "parse", RawResponse(body=""))
    for text in (str(met), met.request_id, met.reason):
        assert "[key]" in text and not shows_the_key(text)


@pytest.mark.parametrize(
    "text",
    [
        "Bearer ya29.a0AfH6SMBx-1234567890",
        "api_key:AIzaSyA1234567890abcdefghijklmnopqrstuvw",
        "AQ.Ab8RN6Jabcdefghijklmnopqrstuvwxyz0123",
        "sk-or-v1-0123456789abcdef0123",
        "https://user:pass@gateway.test/v1",
        "x-goog-api-key: qwertyuiop",
        '{"Authorization": "Bearer abcdefgh12345"}',
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-DEF_123",
        "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----",
    ],
)
def test_credentials_that_nobody_configured_are_known_by_their_form(text):
    redacted = redact_message(f"It says {text}")
    assert "[key]" in redacted
    secret = text.split()[-1].split("@")[0].split("=")[-1].split("/")[-1].strip('"}')
    assert secret not in redacted


@pytest.mark.parametrize(
    "text",
    [
        "Bearer authentication is required.",
        "Basic T-shirt, 100 % cotton",
        "Set the key in NB_CATALOG['PROVIDERS']['gemini']['OPTIONS']['api_key'].",
        "https://console.developers.google.com/apis/api/x/overview?project=1",
        "The keyboard is key to success: a task-oriented desk-lamp",
    ],
)
def test_ordinary_text_stays(text):
    assert redact_message(text, ["a-real-key-0123"]) == text


def test_a_short_key_is_removed_as_a_word_only():
    assert redact("the k of a key: k, 'k'", ["k"]) == "the [key] of a key: [key], '[key]'"


def test_texts_are_made_storable():
    odd = "a\ud800b\udfffc\ud83d\ude42\0\x1b[31m\x9fd\u200d\te\n"
    assert strip_unstorable(odd) == "a\ufffdb\ufffdc🙂[31md\u200d\te\n"
    assert message_line(f"\u202eab\u2066{odd}") == "aba\ufffdb\ufffdc🙂[31md\u200d e"
    assert len(message_line("word " * 1_000_000)) == 300


# Providers


@dataclass(frozen=True, kw_only=True)
class Texts(TextResult):
    texts: Mapping[str, str] = field(default_factory=dict)
    lines: tuple[str, ...] = ()


class Mine(Provider):
    """A plug-in that knows nothing of all this; ``value`` is what every method raises or returns."""

    def __init__(self, value, *, alias="mine"):
        super().__init__(alias=alias)
        self.api_key = KEY
        self.value = value

    def answer(self):
        if isinstance(self.value, Exception):
            raise self.value
        return self.value

    def build(self, request):
        return self.answer()

    async def send(self, payload):
        return self.answer()

    def parse(self, answer):
        return self.answer()

    async def check_model(self, model):
        return self.answer()


class Batches:
    """A mixin that is no provider."""

    async def submit(self, file, *, model, name):
        return self.answer()

    async def collect(self, report):
        yield self.answer()


class MyBatches(Batches, Mine, BatchService):
    batch_limits = None

    def request_line(self, key, payload):
        return b""

    async def upload(self, path, *, name):
        return self.answer()

    async def find(self, name):
        return self.answer()

    async def poll(self, batch):
        return self.answer()

    async def cancel(self, batch):
        self.answer()

    async def delete_files(self, *files):
        self.answer()


class MyTexts(TextProvider[Texts]):
    def __init__(self, value):
        self.token = KEY
        self.value = value

    answer = Mine.answer

    def cost(self, usage):
        return None

    async def send(self, payload):
        return self.answer()

    def parse(self, answer):
        return self.answer()


def outcome(provider, method, *args, **options):
    """What a method returns, or raises."""

    async def everything(items):
        return [item async for item in items]

    try:
        result = getattr(provider, method)(*args, **options)
        if hasattr(result, "__aiter__"):
            return asyncio.run(everything(result))
        return asyncio.run(result) if asyncio.iscoroutine(result) else result
    except Exception as error:  # noqa: BLE001 - it is what is looked at
        return error


ODD = f"half \ud800, nul \0, override \u202e, {KEY}"
CALLS = [
    (Mine, "build", (None,), {}),
    (Mine, "send", (None,), {}),
    (Mine, "parse", (None,), {}),
    (Mine, "check_model", ("m",), {}),
    (MyBatches, "upload", ("p",), {"name": "n"}),
    (MyBatches, "submit", ("f",), {"model": "m", "name": "n"}),
    (MyBatches, "find", ("n",), {}),
    (MyBatches, "poll", ("b",), {}),
    (MyBatches, "collect", (None,), {}),
    (MyBatches, "cancel", ("b",), {}),
    (MyBatches, "delete_files", ("f",), {}),
    (MyTexts, "send", (None,), {}),
    (MyTexts, "parse", (None,), {}),
]


@pytest.mark.parametrize(
    ("kind", "method", "args", "options"), CALLS, ids=lambda value: getattr(value, "__name__", None)
)
def test_every_method_of_every_provider_raises_clean_errors(kind, method, args, options):
    met = outcome(kind(RateLimited(ODD, retry_after=3, request_id=ODD)), method, *args, **options)
    assert type(met) is RateLimited and met.retry_after == 3
    assert str(met) == met.request_id == "half \ufffd, nul , override , [key]"


def test_errors_that_caused_one_are_cleaned_for_the_log():
    cause = ValueError(f"GET https://x.test/?key={KEY} failed", 3)
    error = RequestRefused("No.")
    error.__cause__ = cause
    cause.__context__ = KeyError(KEY)
    assert outcome(Mine(error), "build", None) is error
    assert "[key]" in str(cause) and cause.args[1] == 3
    assert KEY not in repr(cause.__context__)


def test_results_are_cleaned_and_their_bytes_are_not():
    result = ImageResult(
        data=KEY.encode(),
        mime_type="image/png",
        model_version=f"m {KEY}\0",
        request_id="r" * 500,
        report={"note": [ODD], KEY: {"deep": ODD}},
    )
    met = outcome(Mine(result), "parse", None)
    assert met.data == KEY.encode()
    assert met.model_version == "m [key]" and len(met.request_id) == 128
    assert not shows_the_key(str(met.report)) and "\ud800" not in str(met.report)
    raw = RawResponse(body=KEY)
    assert outcome(Mine(raw), "send", Payload(model="m", body={})) is raw


def test_items_and_reports_of_batches_are_cleaned():
    item = BatchItem(key="1.1", result=NoPicture(ODD))
    (met,) = outcome(MyBatches(item), "collect", None)
    assert met.key == "1.1" and not shows_the_key(str(met.result))
    report = BatchReport(name="b", state="S", is_final=True, error=ODD, problem=NoPicture(ODD))
    met = outcome(MyBatches(report), "poll", "b")
    assert met.error == str(met.problem) == "half \ufffd, nul , override , [key]"


def test_texts_keep_everything_else():
    texts = Texts(texts={"de": f"Zeile\nzwei\u200d \ud800 {KEY}"}, lines=("a\0b", "c"))
    met = outcome(MyTexts(texts), "parse", None)
    assert met.texts == {"de": "Zeile\nzwei\u200d \ufffd [key]"}
    assert met.lines == ("ab", "c")


def test_a_generator_is_closed_with_its_consumer():
    closed = []

    class Slow(MyBatches):
        async def collect(self, report):
            try:
                yield BatchItem(key="1", result=NoPicture("x"))
                yield BatchItem(key="2", result=NoPicture("x"))
            finally:
                closed.append(True)

    async def first():
        items = Slow(None).collect(None)
        async for _item in items:
            break
        await items.aclose()
        return list(closed)

    assert asyncio.run(first()) == [True]


def test_our_providers_name_their_secrets(monkeypatch):
    monkeypatch.setenv("GEMINI_API_KEY", "of-the-environment")
    urls = "https://u:p%40ss@x.test/v1?token=0123456789"
    ours = GeminiProvider(alias="g", base_url=urls)
    assert set(ours.secrets) == {"of-the-environment", "p%40ss", "p@ss", "0123456789"}
    gateway = OpenAIImagesProvider(alias="g", api_key=KEY, base_url=urls)
    assert set(gateway.secrets) == {KEY, "p%40ss", "p@ss", "0123456789"}
