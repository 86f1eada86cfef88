"""The worker's own cost: jobs that need no work, drained by one process.

    .venv-test/bin/python [tests/services.py postgres .venv-test/bin/python] -m tests.benchmarks.bench_drain
        [--jobs 10000]

Claimed, looked up, ended and committed in two lanes: ``free`` and ``paid`` jobs whose product is gone.
``asked``: paid jobs with a call that is recorded, reserved, refused at once and settled. Wanted of the
first two: at least 1,200 jobs a second. A bare loop that moves the same rows stands beside them.
"""

import argparse
import itertools
import time

from tests.benchmarks.scene import database, print_result

KINDS = ("free", "paid", "asked")
ROUNDS = 3
BLOCK = 5_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--kind", choices=KINDS)
    options = parser.parse_args()
    with database():
        from django.db import connection

        rates, bare = {}, {}
        for kind in [options.kind] if options.kind else KINDS:
            rates[kind] = sorted(round(rate(kind, options.jobs)) for _ in range(ROUNDS))
            bare[kind] = round(options.jobs / bare_seconds(options.jobs))
        print_result(
            "drain",
            database=connection.vendor,
            jobs=options.jobs,
            jobs_per_second={kind: each[ROUNDS // 2] for kind, each in rates.items()},
            rounds=rates,
            bare_rows_per_second=bare,
        )


def rate(kind: str, jobs: int) -> float:
    """Jobs a second, from the start of a worker to its last commit."""
    from nb_catalog import worker

    filled(kind, jobs)
    began = time.perf_counter()
    outcomes = worker.Worker(concurrency=200).run(until_idle=True)
    seconds = time.perf_counter() - began
    assert sum(outcomes.values()) == jobs, outcomes
    return jobs / seconds


def filled(kind: str, count: int) -> None:
    from django.conf import settings

    from nb_catalog.exceptions import RequestRejected
    from nb_catalog.models import ImageJob
    from nb_catalog.models.generic import content_type_of
    from nb_catalog.testing.scripted import Script
    from tests import factories
    from tests.catalog.models import Mug

    refused = itertools.repeat(RequestRejected("The model does not do this."), count)
    settings.NB_CATALOG = {
        "PROVIDERS": {"gemini": Script(*refused).as_setting(), "local": settings.NB_CATALOG.get(
            "PROVIDERS", {}).get("local", {"BACKEND": "nb_catalog.providers.local.LocalProvider"})},
    }  # fmt: skip
    ImageJob.objects.all().delete()
    about = factories.product(photo=True)
    provider = "local" if kind == "free" else "gemini"
    model = "local-studio" if kind == "free" else "gemini-3.1-flash-lite-image"
    spec = factories.spec(
        about, provider=provider, model=model, photo=about.packshot.name, treatment="painted"
    )
    run, content_type = factories.run(), content_type_of(about)
    if kind != "asked":
        Mug.objects.filter(pk=about.pk).delete()
    for start in range(0, count, BLOCK):
        ImageJob.objects.bulk_create(
            ImageJob(
                run=run, content_type=content_type, object_id=str(about.pk), spec=spec.as_dict(),
                fingerprint=f"{number:064}", live_key=f"{number:064}", tier="draft", turn=number,
                provider=provider, model=model, is_free=kind == "free", estimate_microusd=36_000,
            )
            for number in range(start, min(count, start + BLOCK))
        )  # fmt: skip


def bare_seconds(jobs: int) -> float:
    """The same rows read in blocks of 100 and moved twice, one transaction each, and nothing else."""
    from django.db import transaction

    from nb_catalog.models import ImageJob

    keys = list(ImageJob.objects.order_by("pk").values_list("pk", flat=True)[:jobs])
    began = time.perf_counter()
    for start in range(0, jobs, 100):
        for state in ("leased", "failed"):
            with transaction.atomic():
                block = ImageJob.objects.filter(pk__in=keys[start : start + 100])
                list(block.values_list("pk", "spec"))
                block.update(state=state)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
