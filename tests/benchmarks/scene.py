"""What benchmarks stand on: a fresh database of the kind that NB_TEST_DATABASE names, a slow service, and
one JSON line with the results at the end, which other programs can read."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def database() -> Iterator[None]:
    """Set Django up and make the test database; it is gone afterwards."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.conf import settings
    from django.test.utils import get_runner, setup_test_environment, teardown_test_environment

    setup_test_environment()
    runner = get_runner(settings)(verbosity=0, interactive=False)
    old = runner.setup_databases()
    try:
        yield
    finally:
        runner.teardown_databases(old)
        teardown_test_environment()


@contextmanager
def slow_gemini(*, seconds: float) -> Iterator[int]:
    """The port of a service, in a process of its own, that answers every call after ``seconds``."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.slow_gemini", "0", str(seconds)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        yield int(server.stdout.readline().split()[1])
    finally:
        server.kill()
        server.wait()


def print_result(benchmark: str, **figures: object) -> None:
    """Print the last line of a benchmark."""
    rounded = {
        name: round(value, 3) if isinstance(value, float) else value
        for name, value in figures.items()
    }
    print(json.dumps({"benchmark": benchmark, **rounded}), flush=True)
