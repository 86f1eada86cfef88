"""Open streams of one process, on one run, on as many runs, and the same number of pages that poll.

    python -m tests.benchmarks.bench_live [--streams N] [--seconds N]

Prints one JSON line: CPU seconds of the server and queries, each for a minute. The clients are a process of
their own. A page that polls asks for its parts every 1.5 s.
"""

import argparse
import os
import subprocess
import sys
import time

from tests.benchmarks.scene import print_result

CLIENTS = """
import http.client, sys, time
port, cookie, paths = sys.argv[1], sys.argv[2], sys.argv[3:]
streams = []
for path in paths:
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
    connection.request("GET", path, headers={"Cookie": cookie, "Accept": "text/event-stream"})
    response = connection.getresponse()
    assert response.status == 200
    while not response.readline().startswith(b"event: progress"):
        pass
    streams.append((connection, response))
print("open", flush=True)
sys.stdin.read()
"""
POLL_SECONDS = 1.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.db import connection
    from django.test import Client
    from django.urls import reverse

    from tests import factories
    from tests.live import server

    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    queries = count_queries()
    client = Client()
    client.force_login(factories.superuser())
    runs = [factories.run() for _ in range(options.streams)]
    for run in runs:
        for _ in range(20):
            factories.job(of=run)

    def per_minute(act):
        queries.clear()
        cpu, begun = time.process_time(), time.monotonic()
        act()
        factor = 60 / (time.monotonic() - begun)
        return (time.process_time() - cpu) * factor, len(queries) * factor

    def streaming(watched):
        paths = [reverse("admin:nb_catalog_run_events", args=[run.pk]) for run in watched]
        cookie = "; ".join(f"{each.key}={each.value}" for each in client.cookies.values())
        with server.serving() as port:
            clients = subprocess.Popen(
                [sys.executable, "-c", CLIENTS, str(port), cookie, *paths],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            assert clients.stdout.readline() == "open\n"
            found = per_minute(lambda: time.sleep(options.seconds))
            clients.communicate()
        return found

    def one_poll():
        assert (
            client.get(reverse("admin:nb_catalog_run_progress", args=[runs[0].pk])).status_code
            == 200
        )

    one_run, many_runs = streaming([runs[0]] * options.streams), streaming(runs)
    one_poll()
    queries.clear()
    begun = time.process_time()
    for _ in range(10):
        one_poll()
    polls_a_minute = options.streams * 60 / POLL_SECONDS / 10
    print_result(
        "live",
        streams=options.streams,
        cpu_seconds=round(one_run[0], 2),
        queries=round(one_run[1]),
        many_runs_cpu_seconds=round(many_runs[0], 2),
        many_runs_queries=round(many_runs[1]),
        polling_cpu_seconds=round((time.process_time() - begun) * polls_a_minute, 2),
        polling_queries=round(len(queries) * polls_a_minute),
    )


def count_queries() -> list[str]:
    """Return a list to which each query of any thread is added."""
    from django.db.backends.utils import CursorWrapper

    queries, execute = [], CursorWrapper.execute

    def counted(self, sql, params=None):
        queries.append(sql)
        return execute(self, sql, params)

    CursorWrapper.execute = counted
    return queries


if __name__ == "__main__":
    main()
