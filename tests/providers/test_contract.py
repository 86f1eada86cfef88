"""The contract, for every shipped provider."""

from __future__ import annotations

import asyncio
import io
import unittest

import pytest
from PIL import Image, ImageDraw

from nb_catalog.core.types import Reference, Treatment
from nb_catalog.exceptions import ProviderError, RateLimited
from nb_catalog.providers import provider
from nb_catalog.providers.gemini import GeminiProvider
from nb_catalog.providers.local import LocalProvider
from nb_catalog.providers.photo import PhotoProvider
from nb_catalog.providers.types import ImageRequest, ImageResult, Payload
from nb_catalog.testing import GeminiServer, ProviderContract, Script, ScriptedProvider
from tests.factories import OUR_RULES


def mug() -> Reference:
    image = Image.new("RGB", (320, 320), "white")
    ImageDraw.Draw(image).rounded_rectangle((90, 70, 230, 260), radius=24, fill="darkgreen")
    out = io.BytesIO()
    image.save(out, "PNG")
    return Reference(data=out.getvalue(), mime_type="image/png")


class TestGemini(ProviderContract):
    secret = "AIzaContractKey"

    @pytest.fixture(autouse=True)
    def running_server(self):
        with GeminiServer(**OUR_RULES) as self.server:
            yield

    def make_provider(self):
        return GeminiProvider(
            alias="gemini", api_key=self.secret, base_url=self.server.url, timeout=30
        )

    def make_request(self):
        return ImageRequest(
            model="gemini-3.1-flash-lite-image",
            prompt="A green mug on marble.",
            ratio="4:5",
            size="1K",
            references=(mug(),),
        )

    def calls_made(self):
        return self.server.count


class TestLocal(ProviderContract):
    def make_provider(self):
        return LocalProvider(alias="local")

    def make_request(self):
        return ImageRequest(
            model="local-studio",
            prompt="A green mug.",
            ratio="1:1",
            size="512",
            references=(mug(),),
            renderer={"surface": {"kind": "marble"}},
        )


class TestPhoto(ProviderContract):
    def make_provider(self):
        return PhotoProvider(alias="photo")

    def make_request(self, *, ratio="4:5"):
        return ImageRequest(
            model="photo", prompt="", ratio=ratio, size="", treatment=Treatment.PHOTO,
            references=(mug(),),
        )  # fmt: skip

    def make_other_request(self):
        # Words mean nothing to it.
        return self.make_request(ratio="5:4")


class TestScripted(ProviderContract):
    def make_provider(self):
        return ScriptedProvider(alias="scripted")

    def make_request(self):
        return ImageRequest(model="anything", prompt="A green mug.", ratio="1:1", size="512")


def test_a_script_is_followed_and_outlives_its_provider(settings):
    script = Script(RateLimited("Slow down.", retry_after=2), b"\xff\xd8\xff picture")
    settings.NB_CATALOG = {"PROVIDERS": {"paid": script.as_setting()}}
    request = TestScripted().make_request()

    def outcome():
        ours = provider("paid")
        try:
            return ours.parse(asyncio.run(ours.send(ours.build(request))))
        except ProviderError as error:
            return error

    assert outcome().retry_after == 2
    assert outcome().data == b"\xff\xd8\xff picture"
    assert outcome().mime_type == "image/png"
    assert script.count == 3
    assert script.requests == [request] * 3


class Leaky(ScriptedProvider):
    def __repr__(self):
        return "<provider that was asked for A green mug.>"


class Forgetful(ScriptedProvider):
    def build(self, request):
        return Payload(model=request.model, body={"request": request, "nonce": object()})


class Careless(ScriptedProvider):
    def parse(self, answer):
        return ImageResult(data=answer.body, mime_type="image/png")


class Fragile(ScriptedProvider):
    def parse(self, answer):
        if not answer.body.startswith(b"\x89PNG"):
            raise ValueError(answer.body)
        return super().parse(answer)


class Stale(ScriptedProvider):
    kept = None

    async def send(self, payload):
        self.kept = self.kept or await super().send(payload)
        return self.kept


class Eager(ScriptedProvider):
    async def send(self, payload):
        await super().send(payload)
        return await super().send(payload)


class Stubborn(ScriptedProvider):
    async def send(self, payload):
        try:
            await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            raise RateLimited("Not now.") from None
        return await super().send(payload)


@pytest.mark.parametrize(
    ("kind", "broken"),
    [
        (Leaky, "test_nothing_secret_is_displayed"),
        (Forgetful, "test_building_twice_gives_the_same_body_and_leaves_the_request_alone"),
        (Careless, "test_a_response_without_a_picture_raises_a_provider_error"),
        (Fragile, "test_a_response_without_a_picture_raises_a_provider_error"),
        (Stale, "test_responses_of_concurrent_calls_are_not_mixed_up"),
        (Eager, "test_one_send_is_one_call"),
        (Stubborn, "test_a_cancelled_call_stays_cancelled"),
    ],
)
def test_a_provider_that_breaks_the_contract_fails_it(kind, broken):
    script = Script()

    class Broken(TestScripted):
        def make_provider(self):
            return kind(alias="broken", script=script)

        def calls_made(self):
            return script.count

    with pytest.raises((AssertionError, ValueError, RateLimited)):
        getattr(Broken(), broken)()


def test_the_contract_runs_under_unittest_too():
    class Case(TestScripted, unittest.TestCase):
        pass

    outcome = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(Case).run(outcome)
    assert outcome.testsRun >= 14
    assert outcome.wasSuccessful(), outcome.failures + outcome.errors
