"""The openai package's client, imported and created on first use per process and event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from nb_catalog.exceptions import InvalidSettings
from nb_catalog.providers.connection_pool import ConnectionPool
from nb_catalog.providers.openai_images.fetching import too_large

if TYPE_CHECKING:
    from openai import AsyncOpenAI

INSTALL: Final = "pip install 'nb-catalog[openai]'"
# No other header is sent. The package adds an account's ids, headers from the environment that are
# meant for OpenAI (OPENAI_ORG_ID, OPENAI_PROJECT_ID, OPENAI_CUSTOM_HEADERS), and the platform.
HEADERS: Final = frozenset(
    {"accept", "authorization", "connection", "content-length", "content-type", "host",
     "transfer-encoding", "user-agent"}
)  # fmt: skip
# What a response contains beside the picture: counts, a revised prompt.
BESIDE_THE_PICTURE: Final = 2**18


class ClientOptions(NamedTuple):
    """The options that distinguish clients. ``connections`` 0 means no limit; ``picture_bytes`` is the
    maximum size of a picture in a response."""

    key: str
    base_url: str
    connections: int
    picture_bytes: int


class Progress:
    """Whether any part of a call has been sent."""

    sent = False


POOL: Final[ConnectionPool[ClientOptions, AsyncOpenAI]] = ConnectionPool()
_PROGRESS: Final[ContextVar[Progress | None]] = ContextVar("openai_progress", default=None)


def watch_progress() -> Progress:
    """Start watching the call that the running task is about to make."""
    progress = Progress()
    _PROGRESS.set(progress)
    return progress


def client_for(options: ClientOptions) -> AsyncOpenAI:
    """Return the client of this process and of the running event loop."""
    return POOL.get(options, open=_open)


async def close_client(options: ClientOptions) -> None:
    """Close the client of the running event loop, if there is one."""
    client = POOL.pop(options)
    if client is not None:
        await client.close()


def import_problem() -> str:
    """Return why the package cannot be used; empty if it can."""
    try:
        import openai  # noqa: F401 - only tests that the extra is installed
    except ImportError:
        return f"The package openai is not installed: {INSTALL}"
    return ""


def _open(options: ClientOptions) -> AsyncOpenAI:
    if problem := import_problem():
        raise InvalidSettings(problem, path="NB_CATALOG['PROVIDERS']")
    import httpx2
    from openai import AsyncOpenAI

    limits = httpx2.Limits(max_connections=options.connections or None)
    return AsyncOpenAI(
        api_key=options.key,
        base_url=options.base_url,
        # Explicit, because OPENAI_CUSTOM_HEADERS could replace the key with another one.
        default_headers={"Authorization": f"Bearer {options.key}"},
        # One send is one call: the worker decides about retries.
        max_retries=0,
        timeout=None,
        http_client=httpx2.AsyncClient(
            transport=_transport(
                httpx2.AsyncHTTPTransport(limits=limits), picture_bytes=options.picture_bytes
            ),
            # A redirect would carry the key to another host.
            follow_redirects=False,
            timeout=None,
        ),
    )


def _transport(inner: Any, *, picture_bytes: int) -> Any:
    """Return ``inner`` with only the necessary headers, responses limited to a picture of
    ``picture_bytes`` in base64, and progress recorded when a request's headers have been sent."""
    import httpx2

    most_bytes = picture_bytes * 4 // 3 + BESIDE_THE_PICTURE

    class Bounded(httpx2.AsyncByteStream):
        def __init__(self, stream: Any) -> None:
            self._stream = stream

        async def __aiter__(self) -> AsyncIterator[bytes]:
            length = 0
            async for piece in self._stream:
                length += len(piece)
                if length > most_bytes:
                    raise too_large(picture_bytes)
                yield piece

        async def aclose(self) -> None:
            await self._stream.aclose()

    class Restricted(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            progress = _PROGRESS.get()

            async def trace(event: str, _info: Any) -> None:
                if progress is not None and event.endswith("send_request_headers.complete"):
                    progress.sent = True

            # A copy: the package stores data of its own in the headers of its request.
            bare = httpx2.Request(
                request.method,
                request.url,
                headers=[
                    pair for pair in request.headers.raw if pair[0].decode().lower() in HEADERS
                ],
                stream=request.stream,
                extensions={**request.extensions, "trace": trace},
            )
            response = await inner.handle_async_request(bare)
            response.stream = Bounded(response.stream)
            return response  # type: ignore[no-any-return]

        async def aclose(self) -> None:
            await inner.aclose()

    return Restricted()
