"""The demo's web server: ASGI, so that pages follow events, and stopped although some are open."""

import signal
import threading

import pytest
import uvicorn
from django.urls import reverse

from demo_project.shop.management.commands.demo import ASGI, DemoServer
from tests import factories
from tests.live.server import PATIENCE, Stream, started

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]


def test_the_demo_serves_events_and_stops_with_open_streams(client):
    client.force_login(factories.superuser())
    run = factories.run()
    factories.job(of=run)
    server = DemoServer(uvicorn.Config(ASGI, port=0, lifespan="off", log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    url = reverse("admin:nb_catalog_run_events", args=[run.pk])
    with Stream(started(server, thread), url, client=client) as stream:
        assert stream.next()[0] == "progress"
        server.handle_exit(signal.SIGTERM, None)
        assert stream.next(but=("ping", "progress")) is None
    thread.join(PATIENCE)
    assert not thread.is_alive()
