"""The contract, for every provider that ships."""

from __future__ import annotations

import asyncio
import io

import pytest
from PIL import Image, ImageDraw

from nb_catalog.exceptions import ProviderError, RateLimited
from nb_catalog.providers import provider
from nb_catalog.providers.gemini import GeminiProvider
from nb_catalog.providers.local import LocalProvider
from nb_catalog.testing import GeminiServer, ProviderContract, Script, ScriptedProvider
from nb_catalog.types import ImageRequest, Reference


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
        with GeminiServer() as self.server:
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


class TestScripted(ProviderContract):
    def make_provider(self):
        self.script = Script()
        return ScriptedProvider(alias="scripted", script=self.script)

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
    assert script.asked == [request] * 3
