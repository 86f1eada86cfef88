"""200 times kill -9 at random workers at random moments, over 5,000 jobs, four processes.

    .venv-test/bin/python [tests/services.py postgres .venv-test/bin/python] -m tests.benchmarks.bench_kills
        [--jobs 5000] [--kills 200] [--processes 4]

What has to hold: nothing lost, nothing stuck, no job finished twice, none billed twice, and every call
in the service's books has its row.
"""

import argparse
import random
import time

from tests.benchmarks.scene import database, print_result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--lease-seconds", type=float, default=5.0)
    options = parser.parse_args()
    with database():
        measured(options)


def measured(options: argparse.Namespace) -> None:
    from collections import Counter

    from django.conf import settings
    from django.db import connection
    from tqdm import tqdm

    from nb_catalog import worker
    from nb_catalog.core.states import JOB_UNDERWAY
    from nb_catalog.models import ImageJob
    from nb_catalog.testing.gemini import GeminiServer
    from tests.soak import soak
    from tests.soak.crowd import Crowd

    def left() -> int:
        return ImageJob.objects.filter(state__in=JOB_UNDERWAY).count()

    draw, began = random.Random(1), time.perf_counter()
    with GeminiServer(keys={soak.KEY}, delay=0.3, keep_bodies=False) as server:
        catalog = {**soak.settings_for(server), "LEASE_SECONDS": options.lease_seconds}
        settings.NB_CATALOG = {**settings.NB_CATALOG, **catalog}
        run = soak.start(options.jobs)
        with (
            Crowd(options.processes, catalog=catalog, concurrency=8) as crowd,
            tqdm(total=options.jobs, unit="job") as bar,
        ):
            while missing := left():
                bar.update(options.jobs - missing - bar.n)
                bar.set_postfix(kills=crowd.kills)
                if crowd.kills < options.kills:
                    time.sleep(draw.uniform(0.2, 1.5))
                    crowd.kill_one(draw)
                else:
                    time.sleep(1)
            kills = crowd.kills
        time.sleep(settings.NB_CATALOG["LEASE_SECONDS"])
        worker.drain()
        soak.nothing_is_lost_or_repeated(server, run)
        states = Counter(ImageJob.objects.values_list("state", flat=True))
    print_result(
        "kills",
        database=connection.vendor,
        kills=kills,
        states=dict(states),
        calls=server.count,
        seconds=time.perf_counter() - began,
    )


if __name__ == "__main__":
    main()
