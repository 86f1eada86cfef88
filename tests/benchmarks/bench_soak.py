"""2,000 jobs, three spoiled calls in ten, every kind of fault; then the books are compared.

.venv-test/bin/python -m tests.benchmarks.bench_soak [JOBS]
"""

import os
import sys
import time


def main(jobs: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.conf import settings
    from django.test.utils import get_runner, setup_test_environment
    from tqdm import tqdm

    from nb_catalog.testing.gemini import GeminiServer
    from tests.soak import soak

    setup_test_environment()
    old = get_runner(settings)(verbosity=0, interactive=False).setup_databases()
    assert old
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
        print(
            f"{jobs} jobs, {len(calls)} calls, {spoiled} of them spoiled"
            f" in {len(soak.kinds_met(server))} ways"
        )
        print({name: number for name, number in counts.items() if not name.startswith("fault ")})
        print(
            f"breakers and pauses ended by hand: {closed}; {took:.0f} s;"
            f" billed {server.request_log.billed_usd} USD"
        )
        print(
            "Everything holds: histories, calls one to one, money to the micro-dollar, nothing in flight."
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
