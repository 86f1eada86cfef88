"""Any gateway that speaks OpenAI's images API, through the openai package (extra ``openai``)."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from django.core.checks import CheckMessage, Error, Warning

from nb_catalog.conf import settings
from nb_catalog.core.text import nearest
from nb_catalog.exceptions import AnswerTooLarge, InvalidSettings, NoCredentials, ProviderError
from nb_catalog.providers.base import Provider
from nb_catalog.providers.openai_images import errors, fetching, wire
from nb_catalog.providers.openai_images.client import (
    INSTALL,
    Address,
    client_for,
    close_client,
    missing,
    watch_progress,
)
from nb_catalog.providers.types import ImageRequest, ImageResult, Payload, RawResponse

__all__ = ["OpenAIImagesProvider"]

ENVIRONMENT: Final = "OPENAI_API_KEY"
FORMATS: Final = ("", "b64_json", "url")
# What `extra_body` may not say: one call makes one picture of what was asked for, in one piece.
OURS: Final = frozenset(
    {"model", "prompt", "n", "size", "response_format", "image", "mask", "stream", "partial_images"}
)
_HOST: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*|[0-9a-f:.]+")
MOST_REFERENCE_BYTES: Final = 25_000_000


class OpenAIImagesProvider(Provider):
    """Generations without a reference, edits with one. One call makes one picture, sent once.

    ``base_url`` is the gateway's. The key is ``api_key``, or what the environment variable
    ``api_key_env`` holds when a call goes out. ``models`` maps a card's id to the gateway's own
    name for it. The size is sent as ``size_style`` says ("pixels": "1024x1280", "ratio": "4:5",
    "none"), or as ``sizes`` has it for a ratio. ``response_format`` is sent when it is not empty;
    pictures that are answered by address are fetched from ``image_hosts`` and the gateway itself,
    within ``fetch_timeout`` seconds. ``extra_body`` goes along as it is. ``timeout`` is how many
    seconds the gateway has for its answer.
    """

    def __init__(
        self,
        *,
        alias: str,
        base_url: str = "",
        api_key: str | None = "",
        api_key_env: str = ENVIRONMENT,
        timeout: float = 300,
        fetch_timeout: float = 60,
        connections: int = 0,
        models: Mapping[str, str] | None = None,
        size_style: str = "pixels",
        sizes: Mapping[str, str] | None = None,
        response_format: str = "b64_json",
        image_hosts: Collection[str] = (),
        extra_body: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(alias=alias)
        self._path = f"NB_CATALOG['PROVIDERS'][{alias!r}]['OPTIONS']"
        self.base_url = self._checked("base_url", base_url, str, "an address")
        try:
            self._origin = fetching.origin(urlsplit(base_url))
        except ValueError as error:
            raise self._wrong("base_url", "an address", base_url) from error
        self._api_key = self._checked("api_key", api_key or "", str, "a text")
        self._api_key_env = self._checked("api_key_env", api_key_env, str, "a variable's name")
        self.timeout = self._number("timeout", timeout, least=0.001)
        self.fetch_timeout = self._number("fetch_timeout", fetch_timeout, least=0.001)
        self.connections = int(self._number("connections", connections, least=0))
        self.models = self._checked("models", models or {}, Mapping, "a dict of id -> id")
        self.size_style = self._one_of("size_style", size_style, wire.SIZE_STYLES)
        self.sizes = self._checked("sizes", sizes or {}, Mapping, "a dict of ratio -> size")
        self.response_format = self._one_of("response_format", response_format, FORMATS)
        self.image_hosts = self._hosts(image_hosts)
        self.extra_body = self._checked("extra_body", extra_body or {}, Mapping, "a dict")
        if ours := sorted(OURS & set(self.extra_body)):
            raise self._wrong("extra_body", f"nothing that the request has anyway ({ours})", ours)
        self.reference_limit_bytes = MOST_REFERENCE_BYTES

    def build(self, request: ImageRequest) -> Payload:
        model = self.models.get(request.model, request.model)
        body = wire.body_for(
            request,
            model=model,
            size_style=self.size_style,
            sizes=self.sizes,
            response_format=self.response_format,
            extra=self.extra_body,
        )
        return Payload(model=model, body=body)

    async def send(self, payload: Payload) -> RawResponse:
        """One POST, no retries, at most ``timeout`` seconds, and the picture if it lies elsewhere."""
        text = await self._posted(payload)
        said = wire.read(text)
        url = wire.url_in(said)
        if not url:
            return RawResponse(body=text)
        try:
            data = await fetching.fetch(
                url,
                places=fetching.AllowedHosts(hosts=self.image_hosts, origin=self._origin),
                most_bytes=settings.MAX_PICTURE_BYTES,
                seconds=self.fetch_timeout,
            )
        except ProviderError as error:
            raise wire.with_receipt(error, said) from error
        return RawResponse(body=data, headers={"said": text})

    def parse(self, answer: RawResponse) -> ImageResult:
        if "said" in answer.headers and isinstance(answer.body, bytes):
            return wire.result_in(wire.read(answer.headers["said"]), data=answer.body)
        return wire.result_in(wire.read(answer.body))

    def check(self) -> Sequence[CheckMessage]:
        found: list[CheckMessage] = []
        if problem := missing():
            found.append(Error(f"{self._path}: {problem}", hint=INSTALL, id="nb_catalog.E301"))
        if problem := self._problem():
            found.append(Warning(problem, hint=f"Set it in {self._where}.", id="nb_catalog.W302"))
        address = urlsplit(self.base_url)
        if not self.base_url or address.scheme not in {"http", "https"} or not address.hostname:
            found.append(
                Error(
                    f"{self._path}['base_url'] is not an address.",
                    hint='"base_url": "https://api.lumenfall.ai/openai/v1"',
                    id="nb_catalog.E303",
                )
            )
        elif address.scheme == "http" and not fetching.is_address(address.hostname):
            found.append(
                Warning(
                    f"{self._path}['base_url'] sends the key and the photos unencrypted.",
                    hint="Use https://.",
                    id="nb_catalog.W304",
                )
            )
        return found

    async def close(self) -> None:
        await close_client(self._address)

    async def _posted(self, payload: Payload) -> str:
        """The answer's text. Raises a ``ProviderError`` for everything but a 200."""
        if problem := self._problem() or missing():
            raise NoCredentials(f"{problem} Set it in {self._where}.", reason="key")
        from openai import APIConnectionError, APIStatusError, OpenAIError

        progress = watch_progress()
        try:
            client = client_for(self._address)
            images = client.images.with_raw_response
            post = images.edit if "image" in payload.body else images.generate
            async with asyncio.timeout(self.timeout):
                response = await post(**payload.body)
                return str(response.text)
        except APIStatusError as error:
            failure = self._refusal(error.status_code, error.response.text, error)
        except AnswerTooLarge as error:
            failure = error
        except APIConnectionError as error:
            failure = self._trouble(error.__cause__ or error, sent=progress.sent)
        except (OpenAIError, OSError, ValueError) as error:
            failure = self._trouble(error, sent=progress.sent)
        # Raised here and not `from` the SDK's error, which holds the request's headers and so
        # the key.
        raise failure

    def _refusal(self, status: int, text: str, error: Any) -> ProviderError:
        body = error.body
        return errors.from_status(
            status,
            text,
            {"error": body} if isinstance(body, Mapping) and "error" not in body else body,
            headers=error.response.headers,
            secret=self._key,
            where_the_key_is=self._where,
            where_the_address_is=f"{self._path}['base_url']",
        )

    def _trouble(self, error: BaseException, *, sent: bool) -> ProviderError:
        if isinstance(error, AnswerTooLarge):
            return error
        return errors.from_transport_error(error, sent=sent, timeout=self.timeout, secret=self._key)

    @property
    def _address(self) -> Address:
        return Address(self._key, self.base_url, self.connections, settings.MAX_PICTURE_BYTES)

    @property
    def _key(self) -> str:
        return (self._api_key or os.environ.get(self._api_key_env, "")).strip()

    @property
    def _where(self) -> str:
        return f"{self._path}['api_key'] or in the environment variable {self._api_key_env}"

    def _problem(self) -> str:
        key = self._key
        if not key:
            return f"The provider {self.alias!r} has no API key."
        if not key.isascii() or not key.isprintable() or " " in key:
            return f"The API key of the provider {self.alias!r} has characters that no key has."
        return ""

    def _wrong(self, option: str, wants: str, given: object) -> InvalidSettings:
        return InvalidSettings(
            f"expected {wants}, got {given!r}.", path=f"{self._path}[{option!r}]"
        )

    def _hosts(self, given: Any) -> frozenset[str]:
        wants = "a list of hosts such as 'cdn.example.com', without 'https://' and without '*'"
        if isinstance(given, str) or not isinstance(given, Collection):
            raise self._wrong("image_hosts", wants, given)
        for host in given:
            if not isinstance(host, str) or not _HOST.fullmatch(host.lower()):
                raise self._wrong("image_hosts", wants, host)
        return frozenset(host.lower() for host in given)

    def _checked(self, option: str, given: Any, kind: type, wants: str) -> Any:
        if not isinstance(given, kind):
            raise self._wrong(option, wants, given)
        return given

    def _number(self, option: str, given: Any, *, least: float) -> float:
        if isinstance(given, bool) or not isinstance(given, int | float) or given < least:
            raise self._wrong(option, "a number that is not negative", given)
        return float(given)

    def _one_of(self, option: str, given: str, words: Sequence[str]) -> str:
        if given not in words:
            raise InvalidSettings(
                f"there is no {given!r}.{nearest(str(given), words)}",
                path=f"{self._path}[{option!r}]",
            )
        return given
