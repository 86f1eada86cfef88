"""Gateways that offer OpenAI's images API, called through the openai package (extra ``openai``)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from django.core.checks import CheckMessage, Error, Warning

from nb_catalog.conf import settings
from nb_catalog.core.text import nearest
from nb_catalog.exceptions import AnswerTooLarge, InvalidSettings, NoCredentials, ProviderError
from nb_catalog.providers import public_hosts
from nb_catalog.providers.base import Provider
from nb_catalog.providers.openai_images import errors, fetching, wire
from nb_catalog.providers.openai_images.client import (
    INSTALL,
    ClientOptions,
    client_for,
    close_client,
    import_problem,
    watch_progress,
)
from nb_catalog.providers.redaction import secrets_in_url
from nb_catalog.providers.types import ImageRequest, ImageResult, Payload, RawResponse

__all__ = ["OpenAIImagesProvider"]

ENVIRONMENT: Final = "OPENAI_API_KEY"
FORMATS: Final = ("", "b64_json", "url")
# Fields that `extra_body` must not set: one call makes the one picture that was requested, unstreamed.
RESERVED: Final = frozenset(
    {"model", "prompt", "n", "size", "response_format", "image", "mask", "stream", "partial_images"}
)
_HOST: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*|[0-9a-f:.]+")
MOST_REFERENCE_BYTES: Final = 25_000_000


class OpenAIImagesProvider(Provider):
    """Sends generations without a reference, edits with one. One call makes one picture, sent once.

    ``base_url`` is the gateway's. The key is ``api_key``, or the value of the environment variable
    ``api_key_env`` when a call is sent. ``models`` maps our model ids to the gateway's names for
    them. ``size_style`` decides how the size is sent ("pixels": "1024x1280", "ratio": "4:5",
    "none"), unless ``sizes`` has an entry for the ratio. ``response_format`` is sent unless it is
    empty; if the response contains a URL, the picture is fetched from ``image_hosts`` or the gateway
    itself, within ``fetch_timeout`` seconds. ``extra_body`` is added to the request unchanged.
    ``timeout`` is the maximum duration of a call in seconds, without the fetch.
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
        self.base_url = self._checked("base_url", base_url, str, "a URL")
        try:
            self._origin = fetching.origin(urlsplit(base_url))
        except ValueError as error:
            raise self._option_error("base_url", "a URL", base_url) from error
        self._api_key = self._checked("api_key", api_key or "", str, "a string")
        self._api_key_env = self._checked("api_key_env", api_key_env, str, "a variable name")
        self.timeout = self._number("timeout", timeout, least=0.001)
        self.fetch_timeout = self._number("fetch_timeout", fetch_timeout, least=0.001)
        self.connections = int(self._number("connections", connections, least=0))
        self.models = self._checked("models", models or {}, Mapping, "a dict of id -> id")
        self.size_style = self._one_of("size_style", size_style, wire.SIZE_STYLES)
        self.sizes = self._checked("sizes", sizes or {}, Mapping, "a dict of ratio -> size")
        self.response_format = self._one_of("response_format", response_format, FORMATS)
        self.image_hosts = self._parse_hosts(image_hosts)
        self.extra_body = self._checked("extra_body", extra_body or {}, Mapping, "a dict")
        if reserved := sorted(RESERVED & set(self.extra_body)):
            raise self._option_error(
                "extra_body", f"no field of the request itself ({reserved})", reserved
            )
        self.reference_limit_bytes = MOST_REFERENCE_BYTES

    def build(self, request: ImageRequest) -> Payload:
        model = self.models.get(request.model, request.model)
        body = wire.build_fields(
            request,
            model=model,
            size_style=self.size_style,
            sizes=self.sizes,
            response_format=self.response_format,
            extra=self.extra_body,
        )
        return Payload(model=model, body=body)

    async def send(self, payload: Payload) -> RawResponse:
        """Send one POST without retries, for at most ``timeout`` seconds, and fetch the picture if the
        response has a URL only."""
        content = await self._post(payload)
        response = wire.parse_json(content)
        url = wire.picture_url(response)
        if not url:
            return RawResponse(body=content)
        try:
            data = await fetching.fetch(
                url,
                allowed=fetching.AllowedHosts(hosts=self.image_hosts, origin=self._origin),
                most_bytes=settings.MAX_PICTURE_BYTES,
                seconds=self.fetch_timeout,
            )
        except ProviderError as error:
            raise wire.with_receipt(error, response) from error
        return RawResponse(body=data, headers={"response": content})

    def parse(self, answer: RawResponse) -> ImageResult:
        if "response" in answer.headers and isinstance(answer.body, bytes):
            response, data = wire.parse_json(answer.headers["response"]), answer.body
        else:
            response, data = wire.parse_json(answer.body), b""
        return wire.parse_result(
            response, data=data, convert_error=lambda error: self._error(500, error)
        )

    @property
    def secrets(self) -> Sequence[str]:
        return tuple(filter(None, (self._key, *secrets_in_url(self.base_url))))

    def check(self) -> Sequence[CheckMessage]:
        messages: list[CheckMessage] = []
        if problem := import_problem():
            messages.append(Error(f"{self._path}: {problem}", hint=INSTALL, id="nb_catalog.E301"))
        if problem := self._key_problem():
            messages.append(
                Warning(problem, hint=f"Set it in {self._key_setting}.", id="nb_catalog.W302")
            )
        url = urlsplit(self.base_url)
        if not self.base_url or url.scheme not in {"http", "https"} or not url.hostname:
            messages.append(
                Error(
                    f"{self._path}['base_url'] is not a valid URL.",
                    hint='"base_url": "https://api.lumenfall.ai/openai/v1"',
                    id="nb_catalog.E303",
                )
            )
        elif url.scheme == "http" and not public_hosts.is_address(url.hostname):
            messages.append(
                Warning(
                    f"{self._path}['base_url'] sends the key and the photos unencrypted.",
                    hint="Use https://.",
                    id="nb_catalog.W304",
                )
            )
        return messages

    async def open(self) -> None:
        # In a thread, because the import takes a while, in which no lease would be renewed.
        missing = await asyncio.to_thread(import_problem)
        if not (missing or self._key_problem()):
            # What does not open is reported by the call.
            with contextlib.suppress(OSError, ValueError):
                client_for(self._client_options)

    async def close(self) -> None:
        await close_client(self._client_options)

    async def _post(self, payload: Payload) -> str:
        """Return the response's text. Raises a ``ProviderError`` unless the status is 200."""
        if problem := self._key_problem() or import_problem():
            raise NoCredentials(f"{problem} Set it in {self._key_setting}.", reason="key")
        from openai import APIConnectionError, APIStatusError, OpenAIError

        progress = watch_progress()
        failure: ProviderError
        try:
            client = client_for(self._client_options)
            images = client.images.with_raw_response
            post = images.edit if "image" in payload.body else images.generate
            async with asyncio.timeout(self.timeout):
                response = await post(**payload.body)
                return str(response.text)
        except APIStatusError as error:
            response = error.response
            failure = self._error(error.status_code, response.text, headers=response.headers)
        except AnswerTooLarge as error:
            failure = error
        except (OpenAIError, OSError, ValueError) as error:
            cause = error.__cause__ if isinstance(error, APIConnectionError) else None
            if isinstance(cause, AnswerTooLarge):
                failure = cause
            else:
                failure = errors.from_transport_error(
                    cause or error, sent=progress.sent, timeout=self.timeout
                )
        # Raised here and not `from` the SDK's error, which holds the request's headers and so
        # the key.
        raise failure

    def _error(
        self, status: int, body: object, *, headers: Mapping[str, str] | None = None
    ) -> ProviderError:
        return errors.from_status(
            status,
            body,
            headers=headers or {},
            key_setting=self._key_setting,
            url_setting=f"{self._path}['base_url']",
        )

    @property
    def _client_options(self) -> ClientOptions:
        return ClientOptions(self._key, self.base_url, self.connections, settings.MAX_PICTURE_BYTES)

    @property
    def _key(self) -> str:
        return (self._api_key or os.environ.get(self._api_key_env, "")).strip()

    @property
    def _key_setting(self) -> str:
        return f"{self._path}['api_key'] or in the environment variable {self._api_key_env}"

    def _key_problem(self) -> str:
        key = self._key
        if not key:
            return f"The provider {self.alias!r} has no API key."
        if not key.isascii() or not key.isprintable() or " " in key:
            return f"The API key of the provider {self.alias!r} contains invalid characters."
        return ""

    def _option_error(self, option: str, expected: str, value: object) -> InvalidSettings:
        return InvalidSettings(
            f"expected {expected}, got {value!r}.", path=f"{self._path}[{option!r}]"
        )

    def _parse_hosts(self, value: Any) -> frozenset[str]:
        expected = "a list of hosts such as 'cdn.example.com', without 'https://' and without '*'"
        if isinstance(value, str) or not isinstance(value, Collection):
            raise self._option_error("image_hosts", expected, value)
        for host in value:
            if not isinstance(host, str) or not _HOST.fullmatch(host.lower()):
                raise self._option_error("image_hosts", expected, host)
        return frozenset(host.lower() for host in value)

    def _checked(self, option: str, value: Any, kind: type, expected: str) -> Any:
        if not isinstance(value, kind):
            raise self._option_error(option, expected, value)
        return value

    def _number(self, option: str, value: Any, *, least: float) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or value < least:
            raise self._option_error(option, "a number that is not negative", value)
        return float(value)

    def _one_of(self, option: str, value: str, known: Sequence[str]) -> str:
        if value not in known:
            raise InvalidSettings(
                f"there is no {value!r}.{nearest(str(value), known)}",
                path=f"{self._path}[{option!r}]",
            )
        return value
