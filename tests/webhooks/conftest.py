"""A receiver of webhooks on this machine, whose paths say how it behaves."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from dataclasses import dataclass

import pytest
from aiohttp import web

from nb_catalog import webhooks
from nb_catalog.testing.local_server import LocalServer
from nb_catalog.webhooks import outbox

PATIENCE = 20.0


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict
    body: bytes


class Receiver(LocalServer):
    """Answers by the first part of the path: "/ok/3", "/fail", "/hang" (until ``released``)."""

    def __init__(self):
        super().__init__()
        self.received, self.answers = [], {}
        self.released, self.changed = threading.Event(), threading.Condition()

    def route(self, app):
        app.router.add_route("*", "/{tail:.*}", self._answer)

    async def _answer(self, request):
        body = await request.read()
        with self.changed:
            self.received.append(Received(request.path, dict(request.headers), body))
            self.changed.notify_all()
        behaviour = request.path.split("/")[1]
        if behaviour == "hang":
            while not self.released.is_set():
                await asyncio.sleep(0.01)
        status, headers = self.answers.get(request.path, (204, {}))
        return web.Response(status=status, headers=headers, text="words of the receiver")

    def wait_for(self, condition):
        """Wait until ``condition`` holds of what has been received, by path."""
        deadline = time.monotonic() + PATIENCE
        with self.changed:
            while not condition(self.counts()):
                left = deadline - time.monotonic()
                assert left > 0 and self.changed.wait(left), self.counts()

    def counts(self):
        return Counter(each.path for each in self.received)

    def endpoint(self, path="/ok", **options):
        endpoint, endpoint_secret = webhooks.create(url=f"{self.root}{path}", **options)
        endpoint.secret = endpoint_secret
        return endpoint


@pytest.fixture
def receiver(settings):
    networks = {"WEBHOOKS": {"ALLOWED_NETWORKS": ["127.0.0.0/8"]}}
    settings.NB_CATALOG = {**settings.NB_CATALOG, **networks}
    with Receiver() as server:
        yield server
        server.released.set()


@pytest.fixture
def quick(monkeypatch):
    """Failed messages are tried again in a moment."""
    monkeypatch.setattr(outbox, "PAUSES", (0.01,) * len(outbox.PAUSES))
