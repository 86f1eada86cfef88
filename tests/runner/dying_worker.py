"""A worker that kills itself with SIGKILL at a named point: python -m tests.runner.dying_worker POINT.

The points are between two steps that another process can tell apart.
"""

import json
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


def arm(point: str) -> None:
    from nb_catalog.providers.gemini import GeminiProvider
    from nb_catalog.providers.local import LocalProvider
    from nb_catalog.runner import books, claims, keeping, staging

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
        books._keep_images = die
    elif point == "after the commit":
        staging.drop = die
    elif point != "mid-body":
        raise SystemExit(f"No point {point!r}.")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.conf import settings

    settings.NB_CATALOG = {**settings.NB_CATALOG, **json.loads(os.environ["NB_TEST_CATALOG"])}
    arm(sys.argv[1])
    from nb_catalog import runner

    print("working", flush=True)
    runner.Worker(concurrency=1, free_threads=1).run(until_idle=True)
