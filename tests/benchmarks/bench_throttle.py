"""Eight processes and 600 calls a minute: no 60 seconds at the service see more, and nearly all are used.

    .venv-test/bin/python tests/services.py postgres .venv-test/bin/python -m tests.benchmarks.bench_throttle
        [--processes 8] [--quota 600] [--minutes 3] [--start-seconds 10]

Wanted: at most the quota in any 60 s at the service, at least 95 % of it used.
"""

import argparse
import time

from tests.benchmarks.scene import database, print_result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--quota", type=int, default=600)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--start-seconds", type=int, default=10, help="Not counted.")
    options = parser.parse_args()
    with database():
        measured(options)


def measured(options: argparse.Namespace) -> None:
    from django.conf import settings
    from tqdm import tqdm

    from nb_catalog.testing.gemini import GeminiServer
    from tests.soak import soak
    from tests.soak.crowd import Crowd, wait_until

    with GeminiServer(keys={soak.KEY}, delay=1.5, keep_bodies=False) as server:
        model = soak.TIERS["draft"]["MODEL"]
        limits = {"gemini": {model: {"REQUESTS_PER_MINUTE": options.quota}}}
        catalog = {**soak.settings_for(server), "QUOTAS": limits}
        settings.NB_CATALOG = {**settings.NB_CATALOG, **catalog}
        soak.start(int(options.quota * (options.minutes + 1)))
        with Crowd(options.processes, catalog=catalog, concurrency=8):
            wait_until(lambda: server.count > 0)
            for _ in tqdm(range(int(options.minutes * 60) + options.start_seconds + 2), unit="s"):
                time.sleep(1)
            times = sorted(entry.at for entry in server.request_log.calls())
    # The books say when an answer went out: a fixed delay after the request had come in.
    first = times[0] + options.start_seconds
    last = first + options.minutes * 60
    used = sum(first <= moment < last for moment in times) / options.minutes
    print_result(
        "throttle",
        processes=options.processes,
        quota=options.quota,
        calls=len(times),
        most_in_any_60_seconds=_most(times),
        used_per_minute=used,
        share_of_quota=used / options.quota,
    )


def _most(times: list[float]) -> int:
    first, most = 0, 0
    for last, moment in enumerate(times):
        while moment - times[first] >= 60:
            first += 1
        most = max(most, last - first + 1)
    return most


if __name__ == "__main__":
    main()
