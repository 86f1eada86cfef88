"""A worker that kills itself with SIGKILL at a named point: python -m tests.runner.dying_worker POINT.

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
    from nb_catalog.runner import keeping
    from nb_catalog.runner.batching import clock, fetching, filling, finishing, handing_in, shelf

    clock.FIRST_LOOK = 0.0
    if point == "after gathering":
        filling.fill = die
    elif point == "while filling":
        filling._line = die
    elif point == "after uploading":
        GeminiProvider.upload = dying_after(GeminiProvider.upload)
    elif point == "after recording":
        GeminiProvider.submit = die_on_the_line
    elif point == "after handing in":
        GeminiProvider.submit = dying_after(GeminiProvider.submit)
    elif point == "after accepting":
        handing_in.accept = dying_after(handing_in.accept)
    elif point == "after the end is known":
        fetching.fetch = die_on_the_line
    elif point == "mid-results":
        keeping.keep = after(keeping.keep)
    elif point == "after the results":
        finishing.end_the_rest = die_on_the_line
    elif point == "before closing":
        shelf.close = die


def arm(point: str) -> None:
    from nb_catalog.providers.gemini import GeminiProvider
    from nb_catalog.providers.local import LocalProvider
    from nb_catalog.runner import claims, keeping, pictures, staging

    if point == "after claim":
        claims.with_photos = die
    elif point == "after calling":
        GeminiProvider.send = LocalProvider.send = die_on_the_line
    elif point == "after the answer":
        keeping.take_in = die
    elif point == "while staging":
        staging.os.fsync = die
    elif point == "after staging":
        keeping.keep = die
    elif point == "after storing":
        keep = keeping.keep
        keeping.keep = after(keep)
    elif point == "inside the commit":
        pictures.keep = die
    elif point == "after the commit":
        staging.drop = die
    elif point in BATCH_POINTS:
        arm_batches(point)
    elif point != "mid-body":
        raise SystemExit(f"No point {point!r}.")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    arm(sys.argv[1])
    from nb_catalog import runner

    print("working", flush=True)
    runner.Worker(concurrency=1, free_threads=1).run(until_idle=True)
