"""The local server leaves nothing open that a later test would be blamed for."""

import gc
import socket
import warnings
from urllib.parse import urlsplit

from aiohttp import web

from nb_catalog.testing.local_server import LocalServer


class Large(LocalServer):
    def route(self, app):
        async def respond(_request):
            return web.Response(body=bytes(30_000_000))

        app.router.add_get("/", respond)


def test_a_client_that_reads_nothing_leaves_no_connection_open():
    gc.collect()
    with warnings.catch_warnings(record=True) as caught, socket.socket() as client:
        warnings.simplefilter("always")
        with Large() as server:
            address = urlsplit(server.root)
            client.connect((address.hostname, address.port))
            client.sendall(b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n")
            # What has arrived stays unread, and the rest waits in the server.
            client.recv(1, socket.MSG_PEEK)
        gc.collect()
    assert [str(each.message) for each in caught if "unclosed" in str(each.message)] == []
