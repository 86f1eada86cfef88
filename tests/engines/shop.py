"""What the shop of ``queue_settings`` is told to do: ``python -m tests.engines.shop start 6``."""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.engines.queue_settings")
django.setup()

from nb_catalog import generation, tasks  # noqa: E402 - they need the settings
from nb_catalog.generation import runs  # noqa: E402
from tests import factories  # noqa: E402
from tests.catalog.models import Mug  # noqa: E402


def start(pictures):
    """Start a run of so many pictures; its key."""
    factories.scene()
    mugs = [factories.product().pk for _ in range(int(pictures))]
    plan = generation.plan_backgrounds(Mug.objects.filter(pk__in=mugs), scenes=["marble"])
    return runs.start_run(plan).pk


def wake(count):
    """Send ``count`` messages, whether one is queued or not."""
    for _ in range(int(count)):
        tasks.work_a_while.enqueue()


if __name__ == "__main__":
    do = {"start": start, "wake": wake}[sys.argv[1]]
    print(json.dumps(do(*sys.argv[2:])))
