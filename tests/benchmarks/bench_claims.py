"""Claims out of a long queue: 100 of 1,000 and of 1,000,000, with 100,000 deferred rows beside them.

    .venv-test/bin/python [tests/services.py postgres .venv-test/bin/python] -m tests.benchmarks.bench_claims
        [--jobs 1000000]

Wanted for a claim of 100 out of a million: at most 3 ms on SQLite and 8 ms on PostgreSQL, and at most
1.5 times what it takes out of a thousand. Beside it: a run's counts, a look at the status.
"""

import argparse
import statistics
import time

from tests.benchmarks.scene import database, print_result

ROUNDS = 9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1_000_000)
    options = parser.parse_args()
    with database():
        measured(options.jobs)


def measured(jobs: int) -> None:
    from django.db import connection

    from nb_catalog.generation import job_counts
    from nb_catalog.models import ImageJob, Run
    from nb_catalog.operations import status

    # Two times nine claims of 100, and a fifth of the jobs is put aside before.
    few, many = 1_000, max(jobs, 2_500)
    filled(few)
    small = claim_ms()
    ImageJob.objects.all().delete()
    filled(many)
    deferred(many // 10)
    ended(many // 10)
    claim_ms()
    with connection.cursor() as cursor:
        cursor.execute(
            "ANALYZE TABLE nb_catalog_imagejob" if connection.vendor == "mysql" else "ANALYZE"
        )
        cursor.fetchall() if connection.vendor == "mysql" else None
    large = claim_ms()
    run = Run.objects.first()
    print_result(
        "claims",
        database=connection.vendor,
        jobs=many,
        claim_ms_of_1000=small,
        claim_ms=large,
        claim_ratio=large / small,
        status_ms=milliseconds(status.collect),
        health_ms=milliseconds(status.problems),
        run_counts_ms=milliseconds(lambda: job_counts.counts_for([run])),
    )


def filled(count: int) -> None:
    from django.contrib.contenttypes.models import ContentType
    from tqdm import tqdm

    from nb_catalog.models import ImageJob
    from tests import factories

    about = factories.product(photo=False)
    spec = factories.spec(about, provider="gemini", model="gemini-3.1-flash-lite-image")
    run, kind = factories.run(), ContentType.objects.get_for_model(about)
    with tqdm(total=count, unit="job", leave=False) as bar:
        for start in range(0, count, 5_000):
            ImageJob.objects.bulk_create(
                ImageJob(
                    run=run, content_type=kind, object_id=str(about.pk), spec=spec.as_dict(),
                    fingerprint=f"{number:064}", live_key=f"{number:064}", tier="draft",
                    provider="gemini", model="gemini-3.1-flash-lite-image", turn=number,
                    estimate_microusd=36_000,
                )
                for number in range(start, min(count, start + 5_000))
            )  # fmt: skip
            bar.update(5_000)


def deferred(count: int) -> None:
    from datetime import timedelta

    from nb_catalog.models import ImageJob
    from nb_catalog.models.db.clock import database_now

    first = ImageJob.objects.order_by("pk").values_list("pk", flat=True).first()
    ImageJob.objects.filter(pk__lt=first + count).update(
        state="waiting", not_before=database_now() + timedelta(hours=1)
    )


def ended(count: int) -> None:
    """The last ones, as if a run before this one had made them, a tenth without success."""
    from nb_catalog.models import ImageJob
    from nb_catalog.models.db.clock import database_now

    last = ImageJob.objects.order_by("-pk").values_list("pk", flat=True).first()
    for below, state in ((last, "succeeded"), (last - count + count // 10, "failed")):
        ImageJob.objects.filter(pk__gt=last - count, pk__lte=below).update(
            state=state, live_key=None, finished_at=database_now()
        )


def claim_ms() -> float:
    """Return the median of many claims, their specs read. Photos are not looked up, which is the catalog's
    time."""
    from nb_catalog.worker import claims

    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        jobs = claims.claim_rows(owner="one", limit=100, free=False)
        times.append((time.perf_counter() - began) * 1000)
        assert len(jobs) == 100
    return statistics.median(times)


def milliseconds(look) -> float:
    times = []
    for _ in range(5):
        began = time.perf_counter()
        look()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


if __name__ == "__main__":
    main()
