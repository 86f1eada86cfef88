"""Google's Gemini image models through google-genai, developer API."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from django.core.checks import CheckMessage, Warning

from nb_catalog.cards import card
from nb_catalog.exceptions import InvalidSettings, KeyRejected, ProviderError
from nb_catalog.providers.base import Provider
from nb_catalog.providers.gemini import errors, wire
from nb_catalog.providers.gemini.batch import GeminiBatches
from nb_catalog.providers.gemini.client import (
    Address,
    Line,
    call_config,
    close_client,
    line_for,
    troubles,
    watched,
)
from nb_catalog.types import ImageRequest, ImageResult, Payload, RawAnswer

if TYPE_CHECKING:
    from google.genai import Client

__all__ = ["GeminiProvider"]

T = TypeVar("T")

ENVIRONMENT: Final = "GEMINI_API_KEY"


class GeminiProvider(GeminiBatches, Provider):
    """The Nano Banana family. One call makes one picture and is sent exactly once.

    ``api_key`` may be left out: then ``GEMINI_API_KEY`` is read when a call goes out.
    ``timeout`` is the whole time that a call may take, in seconds: 4K pictures with references
    were seen to take more than four minutes. ``base_url`` is for a gateway or a test server.
    ``connections`` limits what is open at once in one event loop; 0 leaves the limit to
    ``NB_CATALOG["CONCURRENCY"]``.
    """

    def __init__(
        self,
        *,
        alias: str,
        api_key: str = "",
        base_url: str = "",
        timeout: float = 300,
        connections: int = 0,
    ) -> None:
        super().__init__(alias=alias)
        self._options = f"NB_CATALOG['PROVIDERS'][{alias!r}]['OPTIONS']"
        self._api_key = self._text("api_key", api_key)
        self.base_url = self._text("base_url", base_url)
        if not _is_number(timeout, int | float) or not timeout > 0:
            raise self._wrong("timeout", "a positive number of seconds", timeout)
        if not _is_number(connections, int) or connections < 0:
            raise self._wrong("connections", "a whole number, 0 for no limit", connections)
        self.timeout = timeout
        self.connections = connections

    def build(self, request: ImageRequest) -> Payload:
        """The JSON body for ``request``; the model's card decides how ratio and size are spelt.

        Raises ``RequestRefused`` for a model without a card and ``RequestRejected`` for a
        reference that Gemini cannot read.
        """
        return Payload(model=request.model, body=wire.body_for(request, card=card(request.model)))

    async def send(self, payload: Payload) -> RawAnswer:
        """One POST, no retries, at most ``timeout`` seconds. Raises a ``ProviderError``."""
        return await self._talk(
            lambda line: _post(payload, client=line.client), seconds=self.timeout
        )

    async def _talk(self, say: Callable[[Line], Awaitable[T]], *, seconds: float) -> T:
        """What ``say`` answers within ``seconds``; what goes wrong on the line is our error."""
        self._refuse_a_bad_key()
        known, progress = troubles(), watched()
        try:
            line = line_for(self._address())  # made before the clock runs: that takes a while
            async with asyncio.timeout(seconds):
                return await say(line)
        except (known.answered, *known.unsent, *known.other) as error:
            failure = self._failure(error, sent=progress.sent, seconds=seconds)
        # Raised here and not `from` the SDK's error, which holds the request's headers and so
        # the key.
        raise failure

    def _failure(self, error: Exception, *, sent: bool, seconds: float) -> ProviderError:
        known = troubles()
        if isinstance(error, known.answered):
            return self._answered(error)
        return errors.from_trouble(
            error, troubles=known, sent=sent, timeout=seconds, secret=self._key()
        )

    def parse(self, answer: RawAnswer) -> ImageResult:
        return wire.result_in(answer.body)

    def check(self) -> Sequence[CheckMessage]:
        found: list[CheckMessage] = []
        if problem := self._key_problem():
            found.append(
                Warning(problem, hint=f"Set the key in {self._where()}.", id="nb_catalog.W201")
            )
        address = urlsplit(self.base_url)
        if self.base_url and address.scheme not in {"http", "https"}:
            found.append(
                Warning(
                    f"{self._options}['base_url'] is not an address.",
                    hint="It begins with https://.",
                    id="nb_catalog.W202",
                )
            )
        elif address.scheme == "http" and address.hostname not in {"127.0.0.1", "::1", "localhost"}:
            found.append(
                Warning(
                    f"{self._options}['base_url'] sends the key and the photos unencrypted.",
                    hint="Use https://.",
                    id="nb_catalog.W203",
                )
            )
        return found

    async def close(self) -> None:
        await close_client(self._address())

    def _answered(self, error: Exception) -> ProviderError:
        headers = getattr(getattr(error, "response", None), "headers", None) or {}
        status = getattr(error, "code", None)
        return self._refused(
            status if isinstance(status, int) else 500, headers, getattr(error, "details", None)
        )

    def _refused(self, status: int, headers: Mapping[str, str], body: object) -> ProviderError:
        answer = errors.said(status, body, secret=self._key())
        return errors.from_answer(
            answer,
            retry_after=str(headers.get("Retry-After", "")),
            where_the_key_is=self._where(),
        )

    def _text(self, option: str, value: str | None) -> str:
        # None is what os.environ.get() gives.
        if not isinstance(value, str | None):
            raise self._wrong(option, "a text", type(value).__name__)
        return value or ""

    def _wrong(self, option: str, wants: str, given: object) -> InvalidSettings:
        return InvalidSettings(
            f"expected {wants}, got {given!r}.", path=f"{self._options}[{option!r}]"
        )

    def _address(self) -> Address:
        return Address(self._key(), self.base_url, self.connections)

    def _key(self) -> str:
        return (self._api_key or os.environ.get(ENVIRONMENT, "")).strip()

    def _key_problem(self) -> str:
        key = self._key()
        if not key:
            return f"The provider {self.alias!r} has no API key."
        if not key.isascii() or not key.isprintable() or " " in key:
            return f"The API key of the provider {self.alias!r} has characters that no key has."
        return ""

    def _refuse_a_bad_key(self) -> None:
        if problem := self._key_problem():
            raise KeyRejected(f"{problem} Set it in {self._where()}.", reason="key")

    def _where(self) -> str:
        return f"{self._options}['api_key'] or in the environment variable {ENVIRONMENT}"


async def _post(payload: Payload, *, client: Client) -> RawAnswer:
    response = await client.aio.models.generate_content(
        model=payload.model,
        contents="-",  # asked for by the SDK, replaced by the body's own
        config=call_config(dict(payload.body)),
    )
    raw = response.sdk_http_response
    if raw is None or raw.body is None:
        return RawAnswer(body="")
    return RawAnswer(body=raw.body, headers=raw.headers or {})


def _is_number(value: object, kind: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)
