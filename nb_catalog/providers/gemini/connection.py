"""The line to Google: one place where something is said, and where what goes wrong is understood."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

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


class GeminiConnection(Provider):
    """What calls, batches and questions have in common."""

    def __init__(self, *, alias: str, account: Account) -> None:
        super().__init__(alias=alias)
        self.account = account

    @property
    def base_url(self) -> str:
        return self.account.base_url

    def check(self) -> Sequence[CheckMessage]:
        return list(self.account.checks())

    async def close(self) -> None:
        await close_client(self.account.address)

    async def talk(self, say: Callable[[Connection], Awaitable[T]], *, seconds: float) -> T:
        """What ``say`` answers within ``seconds``. Raises a ``ProviderError``."""
        if problem := self.account.problem:
            raise NoCredentials(f"{problem} Set it in {self.account.where}.", reason="key")
        known, progress = transport_errors(), watch_progress()
        try:
            line = connection_for(self.account.address)  # before the clock runs: that takes a while
            async with asyncio.timeout(seconds):
                return await say(line)
        except known.all as error:
            failure = self.failure(error, sent=progress.sent, seconds=seconds)
        # Raised here and not `from` the SDK's error, which holds the request's headers and so
        # the key.
        raise failure

    def failure(self, error: Exception, *, sent: bool, seconds: float) -> ProviderError:
        """Our error for what the SDK or a transport raised."""
        known = transport_errors()
        if isinstance(error, known.answered):
            headers = getattr(getattr(error, "response", None), "headers", None) or {}
            code = getattr(error, "code", None)
            status = code if isinstance(code, int) else 500
            return self.refusal(status, headers, getattr(error, "details", None))
        return errors.from_transport_error(
            error,
            troubles=known,
            sent=sent,
            timeout=seconds,
            secret=self.account.key,
            where_the_key_is=self.account.where,
        )

    def refusal(
        self, status: int, headers: Mapping[str, str], body: object, *, model: str = ""
    ) -> ProviderError:
        """Our error for an answer that is not a 200."""
        return errors.from_response(
            errors.parse_error_body(status, body, secret=self.account.key),
            retry_after=str(headers.get("Retry-After", "")),
            date=str(headers.get("Date", "")),
            where_the_key_is=self.account.where,
            where_the_address_is=f"{self.account.path}['base_url']",
        )
