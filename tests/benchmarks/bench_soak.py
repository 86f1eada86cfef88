"""2,000 jobs, three spoiled calls in ten, every kind of fault; then the books are compared.

.venv-test/bin/python -m tests.benchmarks.bench_soak [JOBS]
"""

import sys
import time

from tests.benchmarks.scene import database, print_result


def main(jobs: int) -> None:
    from django.conf import settings
    from tqdm import tqdm

    from nb_catalog.testing.gemini import GeminiServer
    from tests.soak import soak

    with GeminiServer(keys={soak.KEY}, faults=soak.RATE, keep_bodies=False) as server:
        settings.NB_CATALOG = {**settings.NB_CATALOG, **soak.settings_for(server)}
        run = soak.start(jobs)
        begun = time.perf_counter()
        with tqdm(total=jobs, unit="job") as bar:
            closed = soak.work_it_off(progress=lambda left: bar.update(jobs - left - bar.n))
        took = time.perf_counter() - begun
        counts = soak.verify(server, run)
        calls = server.request_log.calls()
        spoiled = sum(bool(entry.fault) for entry in calls)
        print_result(
            "soak",
            jobs=jobs,
            calls=len(calls),
            spoiled=spoiled,
            kinds=len(soak.kinds_met(server)),
            counts={
                name: number for name, number in counts.items() if not name.startswith("fault ")
            },
            pauses_ended_by_hand=closed,
            seconds=took,
            billed_usd=str(server.request_log.billed_usd),
        )


if __name__ == "__main__":
    with database():
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
