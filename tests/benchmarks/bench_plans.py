"""Planning and starting 100,000 jobs, beside a bare chunked bulk_create of the same rows.

    python -m tests.benchmarks.bench_plans [--jobs N]

Prints one JSON line: the time ratio (at most 2 is wanted) and how far memory rose above the
start (under 30 MB is wanted). Both parts write to one empty database each, one after the other.
"""

import argparse
import json
import os
import subprocess
import sys
import time

from tests.benchmarks.scene import print_result


def measure(part: str, jobs: int) -> dict[str, float]:
    """Each part in a process of its own: what one leaves in memory is not the other's."""
    answer = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.bench_plans", "--part", part, "--jobs", str(jobs)],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(answer.stdout.splitlines()[-1])


def prepare(jobs: int):
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    call_command("loaddata", "nb_catalog_scenes", verbosity=0)
    from tests.catalog.models import Mug

    for start in range(0, jobs // 4, 5000):
        Mug.objects.bulk_create(
            Mug(name=f"Mug {n}", colour="blue", packshot=f"mugs/{n}.png")
            for n in range(start, min(start + 5000, jobs // 4))
        )
    from nb_catalog import generation

    return generation.plan_backgrounds(
        Mug.objects.order_by("pk"), scenes=["oak-table", "marble"], variants=2, ratio="4:5"
    )


def resident() -> int:
    import psutil

    return psutil.Process().memory_info().rss


def run_ours(plan) -> None:
    from nb_catalog.generation import runs
    from nb_catalog.worker.run_starts import write_next_block

    plan.summary()
    runs.start_run(plan)
    while write_next_block(owner="benchmark"):
        pass


def run_bare(plan) -> None:
    from itertools import islice

    from django.db import transaction

    from nb_catalog.models import ImageJob, Run
    from nb_catalog.models.generic import content_type_of

    run = Run.objects.create(plan_key="bare", title="bare", tier=plan.tier)
    content_type = content_type_of(plan.source.model)
    spec = next(plan.items()).spec.as_dict()
    rows = (
        ImageJob(
            run=run, content_type=content_type, object_id=str(n // 4 + 1), spec=spec,
            fingerprint=f"{n:064d}", live_key=f"{n:064d}", tier=plan.tier,
            provider="local", model="local-studio", is_free=True,
        )
        for n in range(plan.jobs)
    )  # fmt: skip
    with transaction.atomic():
        while block := list(islice(rows, 1000)):
            ImageJob.objects.bulk_create(block)


def part(name: str, jobs: int) -> None:
    plan = prepare(jobs)
    object.__setattr__(plan, "jobs", jobs)
    before, peak = resident(), 0
    import threading

    done = threading.Event()

    def watch():
        nonlocal peak
        while not done.wait(0.05):
            peak = max(peak, resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.perf_counter()
    (run_ours if name == "ours" else run_bare)(plan)
    seconds = time.perf_counter() - started
    done.set()
    watcher.join()
    from nb_catalog.models import ImageJob

    assert ImageJob.objects.count() == jobs
    print(json.dumps({"seconds": seconds, "rise_mb": (peak - before) / 2**20}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--part", choices=("ours", "bare"))
    options = parser.parse_args()
    if options.part:
        part(options.part, options.jobs)
        return
    bare, ours = measure("bare", options.jobs), measure("ours", options.jobs)
    print_result(
        "plan_and_start",
        jobs=options.jobs,
        time_over_bare=ours["seconds"] / bare["seconds"],
        memory_rise_mb=ours["rise_mb"],
        bare_memory_rise_mb=bare["rise_mb"],
    )


if __name__ == "__main__":
    main()
