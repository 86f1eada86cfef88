"""Eight processes and 600 calls a minute: no 60 seconds at the service see more, and nearly all are used.

    .venv-test/bin/python tests/services.py postgres .venv-test/bin/python -m tests.benchmarks.bench_throttle
        [--processes 8] [--quota 600] [--minutes 3]

Wanted: at most the quota in any 60 s at the service, at least 95 % of it used.
"""

import argparse
import time

from tests.benchmarks.scene import database


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--quota", type=int, default=600)
    parser.add_argument("--minutes", type=float, default=3.0)
    options = parser.parse_args()
    with database():
        measured(options)


def measured(options: argparse.Namespace) -> None:
    from django.conf import settings
    from tqdm import tqdm

    from nb_catalog.testing.gemini import GeminiServer
    from tests.soak import soak
    from tests.soak.crowd import Crowd

    with GeminiServer(keys={soak.KEY}, delay=1.5, keep_bodies=False) as server:
        model = soak.TIERS["draft"]["MODEL"]
        limits = {"gemini": {model: {"REQUESTS_PER_MINUTE": options.quota}}}
        catalog = {**soak.settings_for(server), "QUOTAS": limits}
        settings.NB_CATALOG = {**settings.NB_CATALOG, **catalog}
        soak.start(int(options.quota * (options.minutes + 1)))
        with Crowd(options.processes, catalog=catalog, concurrency=8):
            for _ in tqdm(range(int(options.minutes * 60) + 15), unit="s"):
                time.sleep(1)
            times = sorted(entry.at for entry in server.request_log.calls())
    # The books say when an answer went out: a fixed delay after the request had come in.
    first, last = times[0] + 10, times[0] + 10 + options.minutes * 60
    used = sum(first <= moment < last for moment in times) / options.minutes
    print(f"{options.processes} processes, {len(times)} calls")
    print(f"most in any 60 s: {_most(times)} (allowed: {options.quota})")
    print(f"a minute: {used:.1f}, {used / options.quota:.1%} of the quota (wanted: at least 95 %)")


def _most(times: list[float]) -> int:
    first, most = 0, 0
    for last, moment in enumerate(times):
        while moment - times[first] >= 60:
            first += 1
        most = max(most, last - first + 1)
    return most


if __name__ == "__main__":
    main()
