"""The SDK's client: made late, one for each process and event loop, and what it may raise."""

from __future__ import annotations

from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from nb_catalog.providers.connection_pool import ConnectionPool

if TYPE_CHECKING:
    import aiohttp
    from google.genai import Client, types


class Address(NamedTuple):
    """What tells one client from another. ``connections`` 0: as many as there are calls.

    Without a ``key`` the client is Vertex AI's.
    """

    key: str
    base_url: str
    connections: int
    project: str = ""
    location: str = ""
    credentials: Any = None


class Connection(NamedTuple):
    """A client and the connections under it, which are closed apart."""

    client: Client
    session: aiohttp.ClientSession


class Progress:
    """How far a call came: whether anything of it was sent."""

    sent = False


class TransportErrors(NamedTuple):
    """What the SDK and its two transports raise, by what it says about the request."""

    answered: type[Exception]
    credentials: type[Exception]
    unsent: tuple[type[Exception], ...]
    other: tuple[type[Exception], ...]

    @property
    def all(self) -> tuple[type[Exception], ...]:
        return (self.answered, self.credentials, *self.unsent, *self.other)


_POOL: Final[ConnectionPool[Address, Connection]] = ConnectionPool()
_PROGRESS: Final[ContextVar[Progress | None]] = ContextVar("gemini_progress", default=None)
# The SDK's own figure: a picture of 1.5 MB arrives in a few reads.
_READ_BUFFER: Final = 2**22
SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)


@cache
def transport_errors() -> TransportErrors:
    """The families of errors. Imported late, for the reason that ``_opened`` gives."""
    import aiohttp
    import httpx2
    from google.auth.exceptions import GoogleAuthError
    from google.genai import errors

    return TransportErrors(
        answered=errors.APIError,
        credentials=GoogleAuthError,
        unsent=(
            aiohttp.ClientConnectorError,
            aiohttp.ConnectionTimeoutError,
            aiohttp.InvalidURL,
            httpx2.ConnectError,
            httpx2.ConnectTimeout,
            httpx2.PoolTimeout,
            httpx2.UnsupportedProtocol,
        ),
        # ValueError is json's JSONDecodeError, pydantic's ValidationError and UnicodeDecodeError;
        # OSError is TimeoutError and every error of a socket.
        other=(aiohttp.ClientError, httpx2.HTTPError, ValueError, OSError),
    )


def watch_progress() -> Progress:
    """The progress of the call that the running task is about to make."""
    progress = Progress()
    _PROGRESS.set(progress)
    return progress


def client_for(address: Address) -> Client:
    """The client of this process and of the running event loop."""
    return connection_for(address).client


def connection_for(address: Address) -> Connection:
    """The client of this process and of the running event loop, and what it is connected by."""
    return _POOL.line(address, opened=_opened)


async def close_client(address: Address) -> None:
    """Close the client of the running event loop, if there is one."""
    line = _POOL.taken(address)
    if line is not None:
        await line.session.close()
        await line.client.aio.aclose()
        line.client.close()


def call_config(body: dict[str, object]) -> types.GenerateContentConfig:
    """How the SDK sends ``body`` as it stands, once, and hands the answer back unread."""
    from google.genai import types

    return types.GenerateContentConfig(
        # The SDK has no other way to `responseFormat`.
        http_options=types.HttpOptions(extra_body=body),
        # Its own parser costs twice our reader's time and drops `finishMessage`.
        should_return_http_response=True,
        # It can send a second request that is billed too.
        automatic_continuation=False,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )


def _opened(address: Address) -> Connection:
    # The SDK takes half a second to import and 56 MB of memory: a web process that only shows
    # pictures must not pay for it.
    from google.genai import Client, types

    session = _session(address)
    client = Client(
        **_identity(address),
        http_options=types.HttpOptions(
            base_url=address.base_url or None,
            # Without retry options the SDK sends a request again after a dropped connection
            # (`_async_request_once` in 3.4), which may be a second bill.
            retry_options=types.HttpRetryOptions(attempts=1),
            # A redirect would carry the key to another host.
            async_client_args={"allow_redirects": False},
            aiohttp_client=session,
        ),
    )
    return Connection(client, session)


def _identity(address: Address) -> dict[str, Any]:
    """By what the service knows us. Which service is said each time: GOOGLE_GENAI_USE_VERTEXAI in
    the environment would decide otherwise."""
    if address.key:
        return {"vertexai": False, "api_key": address.key}
    return {
        "vertexai": True,
        "project": address.project,
        "location": address.location,
        "credentials": _credentials(address.credentials),
    }


def _credentials(given: Any) -> Any:
    if not isinstance(given, str | Path):
        return given
    from google.oauth2 import service_account

    return service_account.Credentials.from_service_account_file(  # type: ignore[no-untyped-call]
        str(given), scopes=SCOPES
    )


def _session(address: Address) -> aiohttp.ClientSession:
    # Our own, because the SDK's session is a subclass, which aiohttp 3.14 warns about.
    import aiohttp

    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(_note_sent)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=address.connections),
        trust_env=True,
        read_bufsize=_READ_BUFFER,
        trace_configs=[trace],
    )


async def _note_sent(*_: Any) -> None:
    if progress := _PROGRESS.get():
        progress.sent = True
