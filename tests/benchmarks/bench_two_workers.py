"""Two workers beside one: processes on one database, each with 20 calls of 2 s in flight.

    .venv-test/bin/python [tests/services.py postgres .venv-test/bin/python]
        -m tests.benchmarks.bench_two_workers [--jobs 600]

Wanted: at least 1.9 times the pictures a second, while CPU lasts. Measured between the first and the last
tenth of the jobs: processes that start and the last few calls are nobody's throughput.
"""

import argparse
import time

from tests.benchmarks.scene import database, print_result, slow_gemini

IN_FLIGHT = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=600)
    parser.add_argument("--seconds", type=float, default=2.0, help="How long a call takes.")
    options = parser.parse_args()
    with slow_gemini(seconds=options.seconds) as port, database():
        from django.db import connection

        one, two = (rate(options.jobs, port=port, workers=count) for count in (1, 2))
        print_result(
            "two_workers",
            database=connection.vendor,
            jobs=options.jobs,
            one_per_second=one,
            two_per_second=two,
            ratio=two / one,
        )


def rate(jobs: int, *, port: int, workers: int) -> float:
    """Pictures a second."""
    from django.conf import settings
    from tqdm import tqdm

    from nb_catalog.models import ImageJob, ProductImage
    from tests.catalog.models import Mug
    from tests.soak import soak
    from tests.soak.crowd import Crowd

    options = {"api_key": "x", "base_url": f"http://127.0.0.1:{port}"}
    gemini = {"BACKEND": "nb_catalog.providers.gemini.GeminiProvider", "OPTIONS": options}
    catalog = {"PROVIDERS": {"gemini": gemini}, "TIERS": soak.TIERS}
    settings.NB_CATALOG = {**settings.NB_CATALOG, **catalog}
    run = soak.start(jobs)
    ended = ImageJob.objects.filter(run=run, finished_at__isnull=False)
    with (
        Crowd(workers, catalog=catalog, concurrency=IN_FLIGHT),
        tqdm(total=jobs, unit="picture", leave=False) as bar,
    ):
        while bar.n < jobs:
            time.sleep(0.5)
            bar.update(ended.count() - bar.n)
    moments = sorted(ended.values_list("finished_at", flat=True))
    tenth = jobs // 10
    seconds = (moments[-tenth] - moments[tenth]).total_seconds()
    if not seconds:
        raise SystemExit(
            f"{jobs} jobs ended at the same moment: try with more, at least {3 * IN_FLIGHT}."
        )
    ProductImage.objects.all().delete()
    run.delete()
    Mug.objects.all().delete()
    return (jobs - 2 * tenth) / seconds


if __name__ == "__main__":
    main()
