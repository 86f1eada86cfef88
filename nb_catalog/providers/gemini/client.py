"""The SDK's client, created on first use per process and event loop, and the exceptions it may raise."""

from __future__ import annotations

import os
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.request import getproxies

from nb_catalog.providers.connection_pool import ConnectionPool

if TYPE_CHECKING:
    import aiohttp
    from google.genai import Client, types


class ClientOptions(NamedTuple):
    """The options that distinguish clients. ``connections`` 0 means no limit. Without a ``key`` the
    client uses Vertex AI."""

    key: str
    base_url: str
    connections: int
    project: str = ""
    location: str = ""
    credentials: Any = None


class Connection(NamedTuple):
    """A client and its HTTP session, which are closed separately."""

    client: Client
    session: aiohttp.ClientSession


class Progress:
    """Whether any part of a call has been sent, and its response once the headers are there."""

    sent = False
    response: aiohttp.ClientResponse | None = None


class TransportErrors(NamedTuple):
    """Exceptions of the SDK and its two transports, by what they say about the request."""

    api_error: type[Exception]
    credentials: type[Exception]
    unsent: tuple[type[Exception], ...]
    other: tuple[type[Exception], ...]

    @property
    def all(self) -> tuple[type[Exception], ...]:
        return (self.api_error, self.credentials, *self.unsent, *self.other)


POOL: Final[ConnectionPool[ClientOptions, Connection]] = ConnectionPool()
_PROGRESS: Final[ContextVar[Progress | None]] = ContextVar("gemini_progress", default=None)
# The SDK's own value: a picture of 1.5 MB arrives in a few reads.
_READ_BUFFER: Final = 2**22
SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)


@cache
def transport_errors() -> TransportErrors:
    """Return the exception classes. Imported late, for the reason given in ``_open``."""
    import aiohttp
    import httpx2
    from google.auth.exceptions import GoogleAuthError
    from google.genai import errors

    return TransportErrors(
        api_error=errors.APIError,
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
    """Start watching the call that the running task is about to make."""
    progress = Progress()
    _PROGRESS.set(progress)
    return progress


def current_response() -> aiohttp.ClientResponse | None:
    """Return the response to the running task's call, once its headers have been received."""
    progress = _PROGRESS.get()
    return progress.response if progress else None


def connection_for(options: ClientOptions) -> Connection:
    """Return the connection of this process and of the running event loop."""
    return POOL.get(options, open=_open)


async def close_client(options: ClientOptions) -> None:
    """Close the client of the running event loop, if there is one."""
    connection = POOL.pop(options)
    if connection is not None:
        await connection.session.close()
        await connection.client.aio.aclose()
        connection.client.close()


def call_config(body: dict[str, object]) -> types.GenerateContentConfig:
    """Return the config with which the SDK sends ``body`` unchanged, once, and returns the response
    unparsed."""
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


def _open(options: ClientOptions) -> Connection:
    # Importing the SDK takes half a second and 56 MB of memory: a web process that only displays
    # pictures must not pay for it.
    import aiohttp
    from google.genai import Client, types

    async def note_sent(*_: Any) -> None:
        if progress := _PROGRESS.get():
            progress.sent = True

    async def note_response(_session: Any, _context: Any, ended: Any) -> None:
        if progress := _PROGRESS.get():
            progress.response = ended.response

    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(note_sent)
    trace.on_request_end.append(note_response)
    # Our own session, because the SDK's is a subclass, which aiohttp 3.14 warns about.
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=options.connections),
        trust_env=has_environment(),
        read_bufsize=_READ_BUFFER,
        trace_configs=[trace],
    )
    client = Client(
        **_authentication(options),
        http_options=types.HttpOptions(
            base_url=options.base_url or None,
            # Without retry options the SDK repeats a request after a dropped connection
            # (`_async_request_once` in 3.4), which may be billed twice.
            retry_options=types.HttpRetryOptions(attempts=1),
            # A redirect would carry the key to another host.
            async_client_args={"allow_redirects": False},
            aiohttp_client=session,
        ),
    )
    return Connection(client, session)


def has_environment() -> bool:
    """Return whether a proxy, or passwords for hosts (``.netrc``), are set outside of the app.

    If so, aiohttp looks both up before each request, in one of the threads that render pictures.
    """
    # Not ``Path``, which raises an error for a user without a home, or one that may not look there.
    netrc = os.environ.get("NETRC") or os.path.expanduser("~/.netrc")  # noqa: PTH111
    return bool(getproxies()) or os.path.exists(netrc)  # noqa: PTH110


def _authentication(options: ClientOptions) -> dict[str, Any]:
    # `vertexai` is always passed, because GOOGLE_GENAI_USE_VERTEXAI in the environment would decide
    # otherwise.
    if options.key:
        return {"vertexai": False, "api_key": options.key}
    credentials = options.credentials
    if isinstance(credentials, str | Path):
        from google.oauth2 import service_account

        credentials = service_account.Credentials.from_service_account_file(  # type: ignore[no-untyped-call]
            str(credentials), scopes=SCOPES
        )
    return {
        "vertexai": True,
        "project": options.project,
        "location": options.location,
        "credentials": credentials,
    }
