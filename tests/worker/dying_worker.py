"""A worker that kills itself with SIGKILL at a named point: python -m tests.worker.dying_worker POINT.

The points are between two steps that another process can tell apart.
"""

import os
import signal
import sys


def die(*_args, **_options):
    os.kill(os.getpid(), signal.SIGKILL)


def after(function):
    def both(*args, **options):
        function(*args, **options)
        die()

    return both


async def die_on_the_line(*_args, **_options):
    die()


def dying_after(function):
    async def both(*args, **options):
        await function(*args, **options)
        die()

    return both


BATCH_POINTS = {
    "after gathering", "while filling", "after uploading", "after recording", "after handing in",
    "after accepting", "after the end is known", "mid-results", "after the results", "before closing",
}  # fmt: skip


def arm_batches(point: str) -> None:
    from nb_catalog.providers.gemini import GeminiProvider
    from nb_catalog.worker import results
    from nb_catalog.worker.batches import (
        download,
        polling,
        queries,
        request_file,
        schedule,
        submission,
    )

    schedule.FIRST_WAIT = 0.0
    if point == "after gathering":
        request_file.write_requests = die
    elif point == "while filling":
        request_file.encode_line = die
    elif point == "after uploading":
        GeminiProvider.upload = dying_after(GeminiProvider.upload)
    elif point == "after recording":
        GeminiProvider.submit = die_on_the_line
    elif point == "after handing in":
        GeminiProvider.submit = dying_after(GeminiProvider.submit)
    elif point == "after accepting":
        submission.accept = dying_after(submission.accept)
    elif point == "after the end is known":
        download.fetch = die_on_the_line
    elif point == "mid-results":
        results.store_result = after(results.store_result)
    elif point == "after the results":
        polling.end_unanswered = die_on_the_line
    elif point == "before closing":
        queries.close = die


def arm_second_block() -> None:
    from nb_catalog.generation import run_starts

    write_jobs, calls = run_starts.write_jobs, []

    def write_or_die(*args, **options):
        turn = write_jobs(*args, **options)
        calls.append(turn)
        return turn if len(calls) == 1 else die()

    run_starts.write_jobs = write_or_die


def arm(point: str) -> None:
    from nb_catalog.providers.gemini import GeminiProvider
    from nb_catalog.providers.local import LocalProvider
    from nb_catalog.worker import claims, persistence, results, spool

    if point == "after claim":
        claims.with_photos = die
    elif point == "after calling":
        GeminiProvider.send = LocalProvider.send = die_on_the_line
    elif point == "after the answer":
        results.spool_result = die
    elif point == "while staging":
        spool.os.fsync = die
    elif point == "after staging":
        results.store_result = die
    elif point == "after storing":
        results.store_result = after(results.store_result)
    elif point == "inside the commit":
        persistence.save_images = die
    elif point == "after the commit":
        spool.drop = die
    elif point == "while a run is written":
        arm_second_block()
    elif point in BATCH_POINTS:
        arm_batches(point)
    elif point != "mid-body":
        raise SystemExit(f"No point {point!r}.")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    arm(sys.argv[1])
    from nb_catalog import worker

    print("working", flush=True)
    worker.Worker(concurrency=1, free_threads=1).run(until_idle=True)
