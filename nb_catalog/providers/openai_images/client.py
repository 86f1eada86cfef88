"""The openai package's client: imported late, one for each process and event loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from nb_catalog.exceptions import InvalidSettings
from nb_catalog.providers.lines import Lines

if TYPE_CHECKING:
    from openai import AsyncOpenAI

INSTALL: Final = "pip install 'nb-catalog[openai]'"


class Address(NamedTuple):
    """What tells one client from another. ``connections`` 0: as many as there are calls."""

    key: str
    base_url: str
    connections: int


class Progress:
    """How far a call came: whether anything of it was sent."""

    sent = False


LINES: Final[Lines[Address, AsyncOpenAI]] = Lines()
_PROGRESS: Final[ContextVar[Progress | None]] = ContextVar("openai_progress", default=None)


def watched() -> Progress:
    """The progress of the call that the running task is about to make."""
    progress = Progress()
    _PROGRESS.set(progress)
    return progress


def client_for(address: Address) -> AsyncOpenAI:
    """The client of this process and of the running event loop."""
    return LINES.line(address, opened=_opened)


async def close_client(address: Address) -> None:
    """Close the client of the running event loop, if there is one."""
    client = LINES.taken(address)
    if client is not None:
        await client.close()


def missing() -> str:
    """Why the package cannot be used; empty when it can."""
    try:
        import openai  # noqa: F401 - an extra: asked for, not used here
    except ImportError:
        return f"The package openai is not installed: {INSTALL}"
    return ""


def _opened(address: Address) -> AsyncOpenAI:
    if problem := missing():
        raise InvalidSettings(problem, path="NB_CATALOG['PROVIDERS']")
    import httpx2
    from openai import AsyncOpenAI

    limits = httpx2.Limits(max_connections=address.connections or None)
    return AsyncOpenAI(
        api_key=address.key,
        base_url=address.base_url,
        # One send is one call: the runner decides about the next.
        max_retries=0,
        timeout=None,
        http_client=httpx2.AsyncClient(
            transport=_transport(httpx2.AsyncHTTPTransport(limits=limits)),
            # A redirect would carry the key to another host.
            follow_redirects=False,
            timeout=None,
        ),
    )


def _transport(inner: Any) -> Any:
    """``inner``, noting when the first bytes of a request have gone out."""
    import httpx2

    class Watching(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            request.extensions = {**request.extensions, "trace": _noting(_PROGRESS.get())}
            return await inner.handle_async_request(request)  # type: ignore[no-any-return]

        async def aclose(self) -> None:
            await inner.aclose()

    return Watching()


def _noting(progress: Progress | None) -> Callable[[str, Any], Awaitable[None]]:
    async def note(event: str, _info: Any) -> None:
        if progress is not None and event.endswith("send_request_headers.complete"):
            progress.sent = True

    return note
