"""An HTTP server for tests: on a port of this machine, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from aiohttp import web

# 100 MB of pictures inline, and the rest of the request.
MOST_BODY: Final = 128 * 2**20
START_SECONDS: Final = 10.0
DO_SECONDS: Final = 60.0

Result = TypeVar("Result")


class LocalServer(ABC):
    """Listens while its ``with`` block runs, on a free port unless told. ``root`` is its address."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.root = ""
        self._trouble: OSError | None = None
        self._host, self._port = host, port
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @abstractmethod
    def route(self, app: web.Application) -> None:
        """Say what is answered where."""

    def __enter__(self) -> Self:
        """Raises ``OSError`` when the port is taken or not allowed."""
        self._thread.start()
        if not self._ready.wait(START_SECONDS):
            raise RuntimeError(f"The server did not start within {START_SECONDS:.0f} seconds.")
        if self._trouble is not None:
            raise self._trouble
        return self

    def do(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Carry out ``work`` in the server's own thread and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(DO_SECONDS)

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
        app = web.Application(client_max_size=MOST_BODY)
        self.route(app)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port, backlog=1024).start()
        except OSError as error:
            self._trouble = error
            await runner.cleanup()
            self._ready.set()
            return
        self.root = f"http://{self._host}:{runner.addresses[0][1]}"
        self._ready.set()
        try:
            await self._stop.wait()
        finally:
            await runner.cleanup()


def hung_up(request: web.Request, response: web.StreamResponse | None = None) -> web.StreamResponse:
    """Close the connection under the answer, as networks do."""
    if request.transport is not None:
        request.transport.close()
    return response or web.Response()
