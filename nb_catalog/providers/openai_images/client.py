"""The openai package's client: imported late, one for each process and event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from nb_catalog.exceptions import InvalidSettings
from nb_catalog.providers.connection_pool import ConnectionPool
from nb_catalog.providers.openai_images.fetching import too_large

if TYPE_CHECKING:
    from openai import AsyncOpenAI

INSTALL: Final = "pip install 'nb-catalog[openai]'"
# Nothing else goes out. The package adds an account's ids and any header that the environment names
# for OpenAI (OPENAI_ORG_ID, OPENAI_PROJECT_ID, OPENAI_CUSTOM_HEADERS), and tells the machine's kind.
HEADERS: Final = frozenset(
    {"accept", "authorization", "connection", "content-length", "content-type", "host",
     "transfer-encoding", "user-agent"}
)  # fmt: skip
# What else stands in an answer: counts, revised words.
BESIDE_THE_PICTURE: Final = 2**18


class Address(NamedTuple):
    """What tells one client from another. ``connections`` 0: as many as there are calls.

    ``picture_bytes`` is how large a picture in an answer may be.
    """

    key: str
    base_url: str
    connections: int
    picture_bytes: int


class Progress:
    """How far a call came: whether anything of it was sent."""

    sent = False


POOL: Final[ConnectionPool[Address, AsyncOpenAI]] = ConnectionPool()
_PROGRESS: Final[ContextVar[Progress | None]] = ContextVar("openai_progress", default=None)


def watch_progress() -> Progress:
    """The progress of the call that the running task is about to make."""
    progress = Progress()
    _PROGRESS.set(progress)
    return progress


def client_for(address: Address) -> AsyncOpenAI:
    """The client of this process and of the running event loop."""
    return POOL.line(address, opened=_opened)


async def close_client(address: Address) -> None:
    """Close the client of the running event loop, if there is one."""
    client = POOL.taken(address)
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
        # Said outright: OPENAI_CUSTOM_HEADERS could put another key in its place.
        default_headers={"Authorization": f"Bearer {address.key}"},
        # One send is one call: the runner decides about the next.
        max_retries=0,
        timeout=None,
        http_client=httpx2.AsyncClient(
            transport=_transport(
                httpx2.AsyncHTTPTransport(limits=limits), picture_bytes=address.picture_bytes
            ),
            # A redirect would carry the key to another host.
            follow_redirects=False,
            timeout=None,
        ),
    )


def _transport(inner: Any, *, picture_bytes: int) -> Any:
    """``inner``, with the headers that are needed and no more, an answer no longer than a picture
    of ``picture_bytes`` is in base64, and a note when the first bytes of a request have gone out."""
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

    class Watching(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            # A copy: the package keeps notes of its own in the headers of the request it made.
            bare = httpx2.Request(
                request.method,
                request.url,
                headers=[
                    pair for pair in request.headers.raw if pair[0].decode().lower() in HEADERS
                ],
                stream=request.stream,
                extensions={**request.extensions, "trace": _noting(_PROGRESS.get())},
            )
            response = await inner.handle_async_request(bare)
            response.stream = Bounded(response.stream)
            return response  # type: ignore[no-any-return]

        async def aclose(self) -> None:
            await inner.aclose()

    return Watching()


def _noting(progress: Progress | None) -> Callable[[str, Any], Awaitable[None]]:
    async def note(event: str, _info: Any) -> None:
        if progress is not None and event.endswith("send_request_headers.complete"):
            progress.sent = True

    return note
