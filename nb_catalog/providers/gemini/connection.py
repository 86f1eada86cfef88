"""Calls to Google: every request passes through here, and every failure becomes a ``ProviderError``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeVar

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
            failure = self.convert_error(error, sent=progress.sent, seconds=seconds)
        # Raised here and not `from` the SDK's error, which holds the request's headers and so
        # the key.
        raise failure

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
            secret=self.account.key,
            key_setting=self.account.key_setting,
        )

    def response_error(
        self, status: int, headers: Mapping[str, str], body: object
    ) -> ProviderError:
        """Return our error for a response that is not a 200."""
        return errors.from_response(
            errors.parse_error_body(status, body, secret=self.account.key),
            retry_after=str(headers.get("Retry-After", "")),
            date=str(headers.get("Date", "")),
            key_setting=self.account.key_setting,
            url_setting=f"{self.account.path}['base_url']",
        )
