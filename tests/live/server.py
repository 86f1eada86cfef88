"""A real ASGI server in a thread, with the test's settings and database, and a client of its streams."""

import http.client
import json
import threading
import time
from contextlib import contextmanager

import uvicorn
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

from nb_catalog import live

PATIENCE = 60


def started(server, thread):
    """Return the port of ``server``, once it listens."""
    deadline = time.monotonic() + PATIENCE
    while not server.started:
        assert thread.is_alive() and time.monotonic() < deadline
        time.sleep(0.01)
    return server.servers[0].sockets[0].getsockname()[1]


@contextmanager
def serving(port=0):
    """Yields the port of a server that runs meanwhile."""
    config = uvicorn.Config(
        ASGIStaticFilesHandler(get_asgi_application()), host="127.0.0.1", port=port, lifespan="off",
        log_level="warning", timeout_graceful_shutdown=5,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield started(server, thread)
    finally:
        live.end_streams()
        server.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive()


class Stream:
    """One request for events; ``next`` waits for an event and returns its name, id and data."""

    def __init__(self, port, path, *, client=None, last_id="", **headers):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        cookies = "; ".join(f"{each.key}={each.value}" for each in client.cookies.values())
        headers = {"Accept": "text/event-stream", "Cookie": cookies, **headers}
        if last_id:
            headers["Last-Event-ID"] = last_id
        self.connection.request("GET", path, headers=headers)
        self.response = self.connection.getresponse()
        self.status, self.headers = self.response.status, self.response.headers

    def next(self, *, but=()):
        """None once the stream has ended; events named in ``but`` are passed over."""
        fields = {}
        while line := self.response.readline().decode():
            name, _colon, value = line.rstrip("\n").partition(": ")
            if name:
                fields[name] = value
            elif "event" in fields and fields["event"] not in but:
                return fields["event"], fields["id"], json.loads(fields["data"])
            else:
                fields = {}
        return None

    def close(self):
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()
