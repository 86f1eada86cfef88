"""The requirements on every provider, as tests that a provider's own test module inherits."""

# ruff: noqa: S101 - these are tests, they run under a test runner only

from __future__ import annotations

import asyncio
import socket
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar
from unittest import mock

from django.core.checks import CheckMessage

from nb_catalog.exceptions import InvalidSettings, ProviderError
from nb_catalog.providers.base import Provider
from nb_catalog.providers.types import ImageRequest, ImageResult, Payload, RawResponse

T = TypeVar("T")

SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF")
UNREADABLE: tuple[bytes | str, ...] = (
    b"", "", "null", "[]", "{}", "{", "0", '"text"', "[[]]", "<html></html>", b"\x00\xff", "[" * 9_999,
)  # fmt: skip


class ProviderContract(ABC):
    """Inherit it under pytest, or together with ``unittest.TestCase``, and define what to test.

        class TestMine(ProviderContract):
            secret = "the key that must not be displayed"

            def make_provider(self): return MyProvider(alias="mine", api_key=self.secret, ...)
            def make_request(self): return ImageRequest(model="mine-1", ...)

    Test a paid provider against a local server, never against the service.
    """

    secret = ""

    @abstractmethod
    def make_provider(self) -> Provider:
        """Return a provider that works."""

    @abstractmethod
    def make_request(self) -> ImageRequest:
        """Return a request that the provider can fulfil."""

    def make_other_request(self) -> ImageRequest:
        """Return a request that gives another picture than the first."""
        request = self.make_request()
        return replace(request, prompt=f"{request.prompt} again", seed=request.seed + 1)

    def calls_made(self) -> int | None:
        """Return the number of calls received so far; None if nothing counts them."""
        return None

    def make_picture(self, provider: Provider, request: ImageRequest) -> ImageResult:
        """Build, send and parse in a new event loop."""
        return self._run(provider, lambda: self._send(provider, request))

    def test_it_has_an_alias_and_says_whether_it_is_free(self) -> None:
        provider = self.make_provider()
        assert provider.alias
        assert isinstance(provider.is_free, bool)
        assert isinstance(provider.composites, bool)

    def test_an_unknown_option_is_refused_with_the_path_of_the_setting(self) -> None:
        message = ""
        try:
            type(self.make_provider()).from_options("contract", {"no_such_option": 1})
        except InvalidSettings as error:
            message = str(error)
        assert "NB_CATALOG['PROVIDERS']['contract']" in message
        assert "no_such_option" in message

    def test_checking_and_building_open_no_connection(self) -> None:
        provider = self.make_provider()
        with mock.patch.object(socket.socket, "connect", side_effect=AssertionError("connected")):
            messages = provider.check()
            provider.build(self.make_request())
        assert all(isinstance(message, CheckMessage) for message in messages)

    def test_building_twice_gives_the_same_body_and_leaves_the_request_alone(self) -> None:
        provider, request = self.make_provider(), self.make_request()
        first = provider.build(request)
        assert isinstance(first, Payload)
        assert first == provider.build(request)
        assert request == self.make_request()
        assert first != provider.build(self.make_other_request())

    def test_a_picture_comes_back(self) -> None:
        result = self.make_picture(self.make_provider(), self.make_request())
        assert result.data.startswith(SIGNATURES)
        assert all(isinstance(count, int) and count >= 0 for count in result.usage.values())

    def test_one_send_is_one_call(self) -> None:
        before = self.calls_made()
        self.make_picture(self.make_provider(), self.make_request())
        after = self.calls_made()
        assert before is None or after == before + 1

    def test_parsing_a_response_twice_gives_the_same_picture(self) -> None:
        provider, request = self.make_provider(), self.make_request()
        answer = self._run(provider, lambda: provider.send(provider.build(request)))
        assert isinstance(answer, RawResponse)
        assert provider.parse(answer) == provider.parse(answer)

    def test_sending_leaves_the_payload_alone(self) -> None:
        provider = self.make_provider()
        payload = provider.build(self.make_request())
        self._run(provider, lambda: provider.send(payload))
        assert payload == provider.build(self.make_request())

    def test_responses_of_concurrent_calls_are_not_mixed_up(self) -> None:
        provider = self.make_provider()
        requests = [self.make_request(), self.make_other_request()] * 2

        async def gather() -> list[ImageResult]:
            return list(await asyncio.gather(*(self._send(provider, each) for each in requests)))

        one, other = (self.make_picture(provider, each).data for each in requests[:2])
        assert one != other
        assert [each.data for each in self._run(provider, gather)] == [one, other] * 2

    def test_it_works_in_one_event_loop_after_another(self) -> None:
        provider, request = self.make_provider(), self.make_request()
        first = self.make_picture(provider, request)
        assert first.data == self.make_picture(provider, request).data

    def test_closing_twice_or_unused_is_harmless(self) -> None:
        provider = self.make_provider()

        async def close_twice() -> None:
            await provider.close()
            await provider.close()

        asyncio.run(close_twice())

    def test_a_cancelled_call_stays_cancelled(self) -> None:
        provider = self.make_provider()

        async def cancel() -> bool:
            task = asyncio.ensure_future(self._send(provider, self.make_request()))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            return task.cancelled() or isinstance(task.result(), ImageResult)

        assert self._run(provider, cancel)

    def test_a_response_without_a_picture_raises_a_provider_error(self) -> None:
        provider = self.make_provider()
        if provider.is_free:
            return  # its responses never leave this process
        for body in UNREADABLE:
            result: object = None
            try:
                result = provider.parse(RawResponse(body=body))
            except ProviderError as error:
                result = error
            assert isinstance(result, ProviderError), body
            assert str(result)

    def test_nothing_secret_is_displayed(self) -> None:
        provider, request = self.make_provider(), self.make_request()
        payload = provider.build(request)
        answer = self._run(provider, lambda: provider.send(payload))
        output = (
            f"{provider!r} {payload!r} {answer!r} {provider.parse(answer)!r} {provider.check()!r}"
        )
        assert not request.prompt or request.prompt not in output
        assert not self.secret or self.secret not in output

    async def _send(self, provider: Provider, request: ImageRequest) -> ImageResult:
        return provider.parse(await provider.send(provider.build(request)))

    def _run(self, provider: Provider, call: Callable[[], Awaitable[T]]) -> T:
        async def run_and_close() -> Any:
            try:
                return await call()
            finally:
                await provider.close()

        return asyncio.run(run_and_close())
