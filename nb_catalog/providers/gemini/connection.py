"""Calls to Google: every request passes through here, and every failure becomes a ``ProviderError``."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar

from django.core.checks import CheckMessage

from nb_catalog.exceptions import NoCredentials, ProviderError
from nb_catalog.providers.base import Provider
from nb_catalog.providers.gemini import errors
from nb_catalog.providers.gemini.account import Account
from nb_catalog.providers.gemini.client import (
    Connection,
    close_client,
    connection_for,
    transport_errors,
    watch_progress,
)
from nb_catalog.providers.responses import mapping, read_json

if TYPE_CHECKING:
    import aiohttp

T = TypeVar("T")

CHECK_SECONDS: Final = 20.0


class GeminiConnection(Provider):
    """What picture calls, batches and text calls have in common."""

    def __init__(self, *, alias: str, account: Account) -> None:
        super().__init__(alias=alias)
        self.account = account

    @property
    def base_url(self) -> str:
        return self.account.base_url

    @property
    def secrets(self) -> Sequence[str]:
        return self.account.secrets

    def check(self) -> Sequence[CheckMessage]:
        return list(self.account.checks())

    async def check_model(self, model: str) -> str:
        try:
            await self.call(
                lambda connection: connection.client.aio.models.get(model=model),
                seconds=CHECK_SECONDS,
            )
        except ProviderError as error:
            return str(error)
        return ""

    async def open(self) -> None:
        if not transport_errors.cache_info().currsize:
            # In a thread, because importing the SDK takes a second, in which no lease would be renewed.
            await asyncio.to_thread(transport_errors)
        if not self.account.problem:
            # What does not open is reported by the call, which maps the error.
            with contextlib.suppress(*transport_errors().all):
                connection_for(self.account.client_options)

    async def close(self) -> None:
        await close_client(self.account.client_options)

    async def call(self, request: Callable[[Connection], Awaitable[T]], *, seconds: float) -> T:
        """Await ``request`` for at most ``seconds`` and return its result. Raises a ``ProviderError``."""
        if problem := self.account.problem:
            raise NoCredentials(f"{problem} Set it in {self.account.key_setting}.", reason="key")
        known, progress = transport_errors(), watch_progress()
        try:
            # Opened before the clock starts, because importing the SDK takes a while.
            connection = connection_for(self.account.client_options)
            async with asyncio.timeout(seconds):
                return await request(connection)
        except known.all as error:
            response = progress.response
            if isinstance(error, ValueError) and response is not None and response.status != 200:
                # An error whose text the SDK cannot decode: its status still says what it is.
                body = await _received(response)
                failure = self.response_error(response.status, response.headers, body)
            else:
                failure = self.convert_error(error, sent=progress.sent, seconds=seconds)
        # Raised here and not `from` the SDK's error, which holds the request's headers and so
        # the key.
        raise failure

    def parsed_error(
        self, response: Mapping[str, Any], *, rpc_codes: bool = False
    ) -> ProviderError:
        """Return our error for the "error" in a response with status 200, or with ``rpc_codes`` for that
        of a batch or of one of its items."""
        error = mapping(response, "error")
        code = error.get("code")
        status = code if isinstance(code, int) and not isinstance(code, bool) else 500
        if rpc_codes and status in errors.HTTP_OF_RPC:
            status, name = errors.HTTP_OF_RPC[status]
            error = {"status": name, **error}
        return self.response_error(status, {}, {"error": error})

    def convert_error(self, error: Exception, *, sent: bool, seconds: float) -> ProviderError:
        """Return our error for an exception of the SDK or a transport."""
        known = transport_errors()
        if isinstance(error, known.api_error):
            headers = getattr(getattr(error, "response", None), "headers", None) or {}
            code = getattr(error, "code", None)
            status = code if isinstance(code, int) else 500
            return self.response_error(status, headers, getattr(error, "details", None))
        return errors.from_transport_error(
            error,
            transport=known,
            sent=sent,
            timeout=seconds,
            key_setting=self.account.key_setting,
        )

    def response_error(
        self, status: int, headers: Mapping[str, str], body: object
    ) -> ProviderError:
        """Return our error for a response that is not a 200."""
        return errors.from_response(
            errors.parse_error_body(status, body),
            retry_after=str(headers.get("Retry-After", "")),
            date=str(headers.get("Date", "")),
            key_setting=self.account.key_setting,
            url_setting=f"{self.account.path}['base_url']",
        )


async def _received(response: aiohttp.ClientResponse) -> object:
    """Return the JSON of a body that has been read, or its text."""
    try:
        data = await response.read()
    except transport_errors().all:
        return None
    try:
        return read_json(data)
    except ValueError:
        return {"message": data.decode("utf-8", "replace")}
