"""The gateway provider over real HTTP, against a local gateway that can misbehave."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import socket
import subprocess
import sys

import pytest
from PIL import Image

from nb_catalog import worker
from nb_catalog.core.types import Reference
from nb_catalog.exceptions import (
    AddressRefused,
    AnswerTooLarge,
    ContentRefused,
    InvalidSettings,
    KeyRejected,
    ModelRetired,
    NoCredentials,
    NoPicture,
    NotSent,
    OutcomeUnknown,
    Overloaded,
    PageInstead,
    ProviderStopped,
    RateLimited,
    RequestRejected,
    WrongService,
)
from nb_catalog.models import ImageJob, ProviderCall, ProviderPause
from nb_catalog.providers import public_hosts
from nb_catalog.providers.openai_images import OpenAIImagesProvider, fetching
from nb_catalog.providers.types import ImageRequest
from nb_catalog.testing import ProviderContract
from nb_catalog.testing.openai_images import Answer, OpenAIImagesServer, error
from tests.factories import photo_bytes
from tests.worker.conftest import money_is_sound, start  # noqa: F401 - a fixture

KEY = "lf-ThisKeyMustNotBeSeen"
MODEL = "gemini-3.1-flash-lite-image"


@pytest.fixture
def server():
    with OpenAIImagesServer(key=KEY) as running:
        yield running


def ours(server, **options):
    options = {"alias": "gateway", "api_key": KEY, "base_url": server.url, "timeout": 10, **options}
    return OpenAIImagesProvider(**options)


def request(**changes):
    fields = {"model": MODEL, "prompt": "A very private mug.", "ratio": "4:5", "size": "1K"}
    return ImageRequest(**fields | changes)


def outcome(provider, **changes):
    """Return the result, or the error."""

    async def one():
        try:
            return provider.parse(await provider.send(provider.build(request(**changes))))
        except Exception as error:  # noqa: BLE001 - it is what is looked at
            return error
        finally:
            await provider.close()

    return asyncio.run(one())


def mug():
    return Reference(data=photo_bytes(), mime_type="image/png")


class TestContract(ProviderContract):
    secret = KEY

    @pytest.fixture(autouse=True)
    def running_server(self):
        with OpenAIImagesServer(key=KEY) as self.server:
            yield

    def make_provider(self):
        return ours(self.server)

    def make_request(self):
        return request(references=(mug(),))

    def calls_made(self):
        return self.server.count


class TestContractByAddress(TestContract):
    def make_provider(self):
        return ours(self.server, response_format="url")


def test_a_generation_says_model_words_and_size(server):
    result = outcome(ours(server), system="Be exact.")
    (received,) = server.received
    assert received.path == "/v1/images/generations"
    assert received.fields == {
        "model": MODEL,
        "prompt": "Be exact.\n\nA very private mug.",
        "n": 1,
        "size": "928x1152",
        "response_format": "b64_json",
    }
    assert Image.open(io.BytesIO(result.data)).size == (928, 1152)
    assert result.usage == {"prompt": 1240, "candidates": 1120, "total": 2360, "image": 1120}


def test_an_edit_carries_the_references(server):
    first, second = mug(), Reference(data=photo_bytes(kind="JPEG"), mime_type="image/jpeg")
    assert outcome(ours(server), references=(first, second)).data
    (received,) = server.received
    assert received.path == "/v1/images/edits"
    assert received.images == (first.data, second.data)
    assert received.fields["prompt"] == "A very private mug."


@pytest.mark.parametrize(
    ("options", "size"),
    [({"size_style": "ratio"}, "4:5"), ({"size_style": "none"}, None),
     ({"sizes": {"4:5": "1024x1536"}}, "1024x1536")],
)  # fmt: skip
def test_the_size_is_told_as_the_gateway_wants_it(server, options, size):
    body = ours(server, **options).build(request()).body
    assert body.get("size") == size


def test_the_gateways_own_name_for_a_model_goes_out(server):
    outcome(ours(server, models={MODEL: "google/nano-banana-2-lite"}, extra_body={"tier": "fast"}))
    assert server.received[0].fields["model"] == "google/nano-banana-2-lite"
    assert server.received[0].fields["tier"] == "fast"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(429, code="rate_limit_exceeded"), RateLimited),
        (error(429, code="insufficient_quota"), ProviderStopped),
        (error(402), ProviderStopped),
        (error(400, code="billing_hard_limit_reached"), ProviderStopped),
        (error(401, code="invalid_api_key"), KeyRejected),
        (error(403), KeyRejected),
        (error(400, code="moderation_blocked"), ContentRefused),
        (error(400, code="content_policy_violation"), ContentRefused),
        (error(400, kind="invalid_request_error"), RequestRejected),
        (error(422), RequestRejected),
        (error(404, code="model_not_found"), ModelRetired),
        (Answer(status=404, body=b"<html>", content_type="text/html"), WrongService),
        (error(500, kind="server_error"), OutcomeUnknown),
        (error(503, kind="overloaded_error"), Overloaded),
        (error(503), OutcomeUnknown),
        (Answer(status=502, body=b"<html>", content_type="text/html"), OutcomeUnknown),
        (Answer(status=307, headers={"Location": "http://elsewhere.test/"}), WrongService),
        (Answer(body=b"<html>", content_type="text/html"), PageInstead),
        (Answer(body=b""), OutcomeUnknown),
        (Answer(body=b"{"), OutcomeUnknown),
        (Answer(body=b"[]"), OutcomeUnknown),
        (Answer(body=b"{}"), NoPicture),
        (Answer(body=b'{"data": []}'), NoPicture),
        (Answer(body=b'{"data": [{"b64_json": "@@"}]}'), NoPicture),
        (Answer(fault="drop"), OutcomeUnknown),
        (Answer(fault="cut"), OutcomeUnknown),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else str(value.status),
)
def test_whatever_comes_back_costs_one_request_and_is_told(server, answer, kind):
    server.script(answer)
    assert type(outcome(ours(server))) is kind
    assert server.count == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"retry_after": "7"}, 7), ({"retry_after_ms": "2500"}, 2.5),
     ({"x_ratelimit_reset_requests": "1m2s"}, 62), ({"retry_after": "soon"}, None)],
)  # fmt: skip
def test_the_wait_that_the_gateway_asks_for_arrives(server, headers, seconds):
    server.script(error(429, **headers))
    assert outcome(ours(server)).retry_after == seconds


def test_a_late_answer_may_have_been_billed(server):
    server.script(Answer(delay=5))
    assert type(outcome(ours(server, timeout=0.4))) is OutcomeUnknown


def test_a_refused_connection_was_not_sent():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    provider = OpenAIImagesProvider(alias="g", api_key=KEY, base_url=f"http://127.0.0.1:{port}/v1")
    assert type(outcome(provider)) is NotSent


def test_without_a_key_nothing_is_sent(server, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert type(outcome(ours(server, api_key=""))) is NoCredentials
    assert server.count == 0


def test_the_environments_key_is_used(server, monkeypatch):
    monkeypatch.setenv("SHOP_GATEWAY_KEY", KEY)
    assert outcome(ours(server, api_key="", api_key_env="SHOP_GATEWAY_KEY")).data


def test_nothing_private_is_logged_or_told(server, caplog):
    caplog.set_level(logging.DEBUG, logger="nb_catalog")
    server.script(error(401, message=f"Incorrect API key provided: {KEY}."), Answer(fault="drop"))
    problem = [outcome(ours(server)) for _ in range(3)]
    output = f"{caplog.text} {ours(server)!r} {problem!r} {[str(each) for each in problem]}"
    assert KEY not in output and "private mug" not in output
    assert problem[0].__cause__ is None and problem[0].__context__ is None


# Pictures by address


def test_a_picture_is_fetched_from_the_gateway_itself(server):
    server.script(Answer(as_url=True))
    assert outcome(ours(server)).data.startswith(b"\x89PNG")
    assert server.fetches == ["0.png"]


def test_a_fetch_that_fails_is_tried_again_for_the_picture_is_paid(server, monkeypatch):
    monkeypatch.setattr(fetching, "PAUSE", 0.0)
    server.script(Answer(as_url=True))
    server.file_answers.extend([Answer(fault="drop"), Answer(status=503, body=b"")])
    assert outcome(ours(server)).data
    assert len(server.fetches) == 3


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=302, body=b"", headers={"Location": "/files/0.png"}),
        Answer(status=404, body=b""),
    ],
    ids=["redirect", "gone"],
)
def test_a_picture_that_cannot_be_had_may_be_billed(server, monkeypatch, answer):
    monkeypatch.setattr(fetching, "PAUSE", 0.0)
    server.script(Answer(as_url=True))
    server.file_answers.append(answer)
    problem = outcome(ours(server))
    assert type(problem) is OutcomeUnknown and "could not be fetched" in str(problem)
    assert len(server.fetches) == 1, "no redirect was followed"


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("https://elsewhere.example/1.png", "elsewhere.example"),
        ("http://169.254.169.254/latest/meta-data", "not among the allowed hosts"),
        ("file:///etc/passwd", "no host"),
        ("http://cdn.example/1.png", "not sent over https"),
        ("http://[::1", "an invalid picture URL"),
        ("https://cdn.example:port/1.png", "an invalid picture URL"),
        ("https://shop:secret@cdn.example/1.png", "a user name"),
    ],
)
def test_an_address_that_is_not_allowed_is_not_asked(server, place, message):
    server.script(Answer(picture_url=place))
    problem = outcome(ours(server, image_hosts=["cdn.example"]))
    assert type(problem) is AddressRefused
    assert message in str(problem) and "secret" not in str(problem)
    assert problem.usage["candidates"] == 1120, "what was counted is kept: it is paid for"


def test_another_port_of_the_gateways_machine_is_another_place(server):
    with OpenAIImagesServer() as beside:
        server.script(Answer(picture_url=f"{beside.root}/files/0.png"))
        assert type(outcome(ours(server))) is AddressRefused
        assert not beside.fetches


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "::1", "fe80::1", "fd00::1",
     "::ffff:10.0.0.1", "0.0.0.0", "224.0.0.1", "100.64.0.1", "64:ff9b::10.0.0.1",  # noqa: S104 - told from public ones, not bound to
     "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:a00:1::1", "2001:0:a00:1::1", "::10.0.0.1",
     "fec0::1", "ff02::1", "3fff::1", "::", "fe80::1%eth0"],
)  # fmt: skip
def test_private_addresses_are_told_from_public_ones(address):
    assert not public_hosts.is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:4700::1111", "64:ff9b::5db8:d822", "::ffff:93.184.216.34"]
)
def test_public_addresses_are_public_wrapped_or_not(address):
    assert public_hosts.is_public(address)


def leading(monkeypatch, address):
    """Resolve every name to ``address``. Return the list of names that are resolved."""
    names = []

    async def resolved(self, host, port=0, family=0):
        names.append(host)
        return [{"hostname": host, "host": address, "port": port, "family": socket.AF_INET,
                 "proto": 0, "flags": 0}]  # fmt: skip

    monkeypatch.setattr("aiohttp.resolver.ThreadedResolver.resolve", resolved)
    return names


def test_a_host_whose_name_leads_into_a_private_network_is_not_asked(server, monkeypatch):
    names = leading(monkeypatch, "10.0.0.7")
    server.script(Answer(picture_url="https://cdn.example/1.png"))
    problem = outcome(ours(server, image_hosts=["cdn.example"]))
    assert type(problem) is AddressRefused and "cdn.example, which leads into a private" in str(
        problem
    )
    assert names == ["cdn.example"], "once: another try would lead there too"
    assert problem.usage["candidates"] == 1120


def test_the_gateways_own_name_may_lead_into_a_private_network(server, monkeypatch):
    monkeypatch.setattr(fetching, "PAUSE", 0.0)
    names = leading(monkeypatch, "127.0.0.1")
    port = int(server.root.rpartition(":")[2])
    server.script(Answer(as_url=True))
    outcome(ours(server))
    allowed = fetching.AllowedHosts(hosts=frozenset(), origin=("http", "gateway.internal", port))
    url = f"http://gateway.internal:{port}/files/0.png"
    got = asyncio.run(fetching.fetch(url, allowed=allowed, most_bytes=10**6, seconds=5))
    assert got.startswith(b"\x89PNG") and names == ["gateway.internal"]


@pytest.mark.parametrize(
    ("hosts", "message"),
    [("cdn.example", "a list of hosts"), (["https://cdn.example"], "without 'https://'"),
     (["*.example"], r"without '\*'"), ([3], "a list of hosts"), (["cdn.example/x"], "a list of")],
)  # fmt: skip
def test_hosts_are_hosts(hosts, message):
    with pytest.raises(InvalidSettings, match=message):
        OpenAIImagesProvider(alias="g", base_url="https://x.test/v1", image_hosts=hosts)


def test_a_picture_that_is_too_large_is_not_read_to_its_end(server, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "MAX_PICTURE_BYTES": 100_000}
    server.script(Answer(as_url=True))
    server.file_answers.append(Answer(body=bytes(5_000_000), content_type="image/png"))
    assert type(outcome(ours(server))) is AnswerTooLarge


@pytest.mark.parametrize("status", [200, 400])
def test_an_answer_that_is_too_large_is_not_read_to_its_end(server, settings, status):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "MAX_PICTURE_BYTES": 100_000}
    server.script(Answer(status=status, body=b"{" + bytes(5_000_000)))
    problem = outcome(ours(server))
    assert type(problem) is AnswerTooLarge and "100,000 bytes" in str(problem)


def test_a_slow_fetch_is_bounded(server, monkeypatch):
    monkeypatch.setattr(fetching, "PAUSE", 0.0)
    server.script(Answer(as_url=True))
    server.file_answers.extend([Answer(delay=3)] * 3)
    problem = outcome(ours(server, fetch_timeout=0.2))
    assert type(problem) is OutcomeUnknown and "longer than 0.2 seconds" in str(problem)
    assert len(server.fetches) == 1, "the time is for all tries together"


def test_what_a_failed_fetch_was_paid_for_is_kept(server):
    server.script(Answer(as_url=True))
    server.file_answers.append(Answer(status=404, body=b""))
    problem = outcome(ours(server))
    assert problem.usage == {"prompt": 1240, "candidates": 1120, "total": 2360, "image": 1120}
    assert problem.model_version == MODEL


def test_the_environment_adds_nothing_to_what_a_gateway_gets(server, monkeypatch):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-another-service")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-of-another-service")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer other\nX-Secret: other")
    assert outcome(ours(server)).data
    (received,) = server.received
    assert received.key == KEY
    assert set(received.headers) <= {
        "host", "accept", "connection", "user-agent", "authorization", "content-type", "content-length",
    }  # fmt: skip


# Settings


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size_style": "pixel"}, "Did you mean 'pixels'"),
        ({"response_format": "b64json"}, "Did you mean 'b64_json'"),
        ({"base_url": "https://x.test:port/v1"}, "a URL"),
        ({"extra_body": {"n": 4}}, r"no field of the request itself \(\['n'\]\)"),
        ({"extra_body": {"stream": True, "tier": "fast"}}, r"\['stream'\]"),
        ({"fetch_timeout": 0}, "not negative"),
        ({"timeout": 0}, "not negative"),
        ({"models": ["x"]}, "a dict"),
        ({"base_url": 3}, "a URL"),
    ],
)
def test_a_wrong_option_quotes_its_place(options, message):
    with pytest.raises(InvalidSettings, match=message) as caught:
        OpenAIImagesProvider(**{"alias": "g", "base_url": "https://x.test/v1", **options})
    assert "NB_CATALOG['PROVIDERS']['g']['OPTIONS']" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ({}, ["nb_catalog.W302", "nb_catalog.E303"]),
        ({"api_key": KEY, "base_url": "gateway.test"}, ["nb_catalog.E303"]),
        ({"api_key": KEY, "base_url": "http://gateway.test/v1"}, ["nb_catalog.W304"]),
        ({"api_key": KEY, "base_url": "http://127.0.0.1:9/v1"}, []),
        ({"api_key": KEY, "base_url": "https://gateway.test/v1"}, []),
    ],
)
def test_the_check_names_what_is_missing(options, ids, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert [each.id for each in OpenAIImagesProvider(alias="g", **options).check()] == ids


def test_the_package_is_an_extra_and_missed_with_a_sentence():
    code = (
        "import sys; sys.modules['openai'] = None;"
        "from nb_catalog.providers.openai_images import OpenAIImagesProvider as P;"
        "print(P(alias='g', api_key='k', base_url='https://x.test/v1').check())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pip install 'nb-catalog[openai]'" in done.stdout, done.stderr


# The whole way


@pytest.mark.django_db(transaction=True)
def test_a_host_that_nobody_listed_costs_one_picture_and_not_all(server, start, settings):  # noqa: F811 - the fixture
    backend = "nb_catalog.providers.openai_images.OpenAIImagesProvider"
    options = {"base_url": server.url, "api_key": KEY}
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "CONCURRENCY": 1,
        "PROVIDERS": {"lumenfall": {"BACKEND": backend, "OPTIONS": options}},
        "TIERS": {"draft": {"PROVIDER": "lumenfall", "MODEL": MODEL, "SIZE": "1K"}},
    }
    server.script(*[Answer(picture_url="https://cdn.example/1.png")] * 3)
    start(3)
    worker.drain()
    assert server.count == 1
    assert sorted(ImageJob.objects.values_list("state", flat=True)) == [
        "queued",
        "queued",
        "unknown",
    ]
    assert ProviderPause.objects.get().cause == "address_refused"
    assert ProviderCall.objects.get().cost_microusd, "the answer had counted its tokens"
    money_is_sound()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("usage", [True, False], ids=["counted", "not counted"])
def test_a_run_through_a_gateway(server, start, settings, usage):  # noqa: F811 - the fixture
    backend = "nb_catalog.providers.openai_images.OpenAIImagesProvider"
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "PROVIDERS": {
            "lumenfall": {
                "BACKEND": backend,
                "OPTIONS": {"base_url": server.url, "api_key": KEY},
            }
        },
        "TIERS": {"draft": {"PROVIDER": "lumenfall", "MODEL": MODEL, "SIZE": "1K"}},
        "MODEL_SPECS": {MODEL: {"bills_per_image": not usage}},
    }
    if not usage:
        server.script(*[Answer(usage=None)] * 5)
    run = start(5)
    worker.drain()
    assert set(ImageJob.objects.values_list("state", flat=True)) == {"succeeded"}
    each = 33_910 if usage else 33_600
    assert set(ProviderCall.objects.values_list("cost_microusd", flat=True)) == {each}
    run.refresh_from_db()
    assert money_is_sound() == run.spent_microusd == 5 * each
    assert {each.path for each in server.received} == {"/v1/images/edits"}
    assert json.dumps([each.fields for each in server.received])
