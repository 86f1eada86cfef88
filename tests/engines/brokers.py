"""Message brokers: a Redis of our own, and the RabbitMQ of this machine."""

from __future__ import annotations

import shutil
import socket
import subprocess
from contextlib import contextmanager

import pytest

from tests.services import free_port
from tests.settings import SCRATCH
from tests.soak.crowd import wait_until


def answers(port):
    with socket.socket() as asked:
        asked.settimeout(1)
        return asked.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def redis():
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")
    port = free_port()
    server = subprocess.Popen(
        ["redis-server", "--port", str(port), "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL, cwd=SCRATCH,
    )  # fmt: skip
    try:
        wait_until(lambda: answers(port))
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(60)


@contextmanager
def rabbitmq():
    if not answers(5672):
        pytest.skip("no RabbitMQ answers on port 5672")
    yield "amqp://guest:guest@127.0.0.1:5672//"
