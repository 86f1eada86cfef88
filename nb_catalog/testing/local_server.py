"""An HTTP server for tests, on a local port and in a separate thread."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from aiohttp import web

# 100 MB of inline pictures, and the rest of the request.
MAX_BODY: Final = 128 * 2**20
START_SECONDS: Final = 10.0
RUN_SECONDS: Final = 60.0
LAST_ROUNDS: Final = 5

Result = TypeVar("Result")


class LocalServer(ABC):
    """Listens while its ``with`` block runs. ``port`` 0 is a free one; ``root`` is the server's URL."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.root = ""
        self._error: OSError | None = None
        self._host, self._port = host, port
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @abstractmethod
    def route(self, app: web.Application) -> None:
        """Add the routes."""

    def __enter__(self) -> Self:
        """Start the server. Raises ``OSError`` if the port is in use or not allowed."""
        self._thread.start()
        if not self._ready.wait(START_SECONDS):
            raise RuntimeError(f"The server did not start within {START_SECONDS:.0f} seconds.")
        if self._error is not None:
            raise self._error
        return self

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Run ``coroutine`` in the server's thread and return its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(RUN_SECONDS)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(client_max_size=MAX_BODY)
        self.route(app)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port, backlog=1024).start()
        except OSError as error:
            self._error = error
            await runner.cleanup()
            self._ready.set()
            return
        self.root = f"http://{self._host}:{runner.addresses[0][1]}"
        # ``cleanup`` forgets it, with connections whose clients do not read.
        server = runner.server
        self._ready.set()
        try:
            await self._stop.wait()
        finally:
            # What was accepted at the last moment becomes a connection in the next rounds of the loop. If it
            # no longer listened by then, asyncio would leave it open.
            for _round in range(LAST_ROUNDS):
                await asyncio.sleep(0)
            transports = [each.transport for each in server.connections]
            await runner.cleanup()
            for each in transports:
                if each is not None:
                    each.abort()
            await asyncio.sleep(0)


def close_connection(
    request: web.Request, response: web.StreamResponse | None = None
) -> web.StreamResponse:
    """Close the connection before the response is complete, as failing networks do."""
    if request.transport is not None:
        request.transport.close()
    return response or web.Response()
