"""The local server leaves nothing open that a later test would be blamed for."""

import gc
import socket
import warnings
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from aiohttp import web

from nb_catalog.testing.local_server import LocalServer


class Large(LocalServer):
    def route(self, app):
        async def respond(_request):
            return web.Response(body=bytes(30_000_000))

        app.router.add_get("/", respond)


@contextmanager
def nothing_left_open():
    gc.collect()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
        gc.collect()
    assert [str(each.message) for each in caught if "unclosed" in str(each.message)] == []


def connect(server):
    address = urlsplit(server.root)
    return socket.create_connection((address.hostname, address.port))


def test_a_client_that_reads_nothing_leaves_no_connection_open():
    with ExitStack() as stack, nothing_left_open(), Large() as server:
        client = stack.enter_context(connect(server))
        client.sendall(b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
        # What has arrived stays unread, and the rest waits in the server.
        client.recv(1, socket.MSG_PEEK)


def test_clients_that_come_at_the_last_moment_leave_no_connection_open():
    for _turn in range(3):
        with nothing_left_open(), Large() as server:
            for _client in range(3):
                connect(server).close()
