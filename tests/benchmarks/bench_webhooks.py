"""Webhooks to many endpoints, some of which hang or fail, and what an event costs without any endpoint.

    python -m tests.benchmarks.bench_webhooks [--endpoints N] [--messages N]

Prints one JSON line: seconds until all messages of the endpoints that work have arrived, with and without the
fifth that does not; how many messages a second; and milliseconds of an event about 100 pictures.
"""

import argparse
import os
import time

from tests.benchmarks.scene import print_result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoints", type=int, default=20)
    parser.add_argument("--messages", type=int, default=100)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection, transaction

    from nb_catalog import webhooks
    from nb_catalog.core.event_types import EventType
    from nb_catalog.models import WebhookDelivery, WebhookEndpoint
    from nb_catalog.signals import events
    from tests import factories
    from tests.webhooks.conftest import Receiver

    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    networks = {"WEBHOOKS": {"ALLOWED_NETWORKS": ["127.0.0.0/8"]}}
    settings.NB_CATALOG = {**settings.NB_CATALOG, **networks}
    facts = [events.picture_facts(factories.image(factories.product(photo=False)))] * 100

    def event_ms():
        begun = time.perf_counter()
        for _ in range(20):
            with transaction.atomic():
                events.record(EventType.PICTURE_WAITING, facts)
        return (time.perf_counter() - begun) / 20 * 1000

    def arrived_after(bad):
        """Seconds until the good four fifths have all that is theirs."""
        number = options.endpoints * 4 // 5
        with Receiver() as receiver:
            receiver.answers["/fail"] = (500, {})
            paths = [f"/ok/{each}" for each in range(number)]
            paths += [("/hang", "/fail")[each % 2] for each in range(bad)]
            for path in paths:
                receiver.endpoint(path, events=["run.ended"])
            ended = {
                "run": 1,
                "state": "finished",
                "cancelled": False,
                "counts": {},
                "resource": "",
            }
            with transaction.atomic():
                events.record(EventType.RUN_ENDED, [ended] * options.messages)
            begun = time.perf_counter()
            with webhooks.in_background():
                receiver.wait_for(
                    lambda counts: all(counts[path] >= options.messages for path in paths[:number])
                )
                seconds = time.perf_counter() - begun
                receiver.released.set()
        WebhookEndpoint.objects.all().delete()
        return seconds

    without = event_ms()
    endpoint, _secret = webhooks.create(url="https://shop.example/")
    with_one = event_ms()
    WebhookDelivery.objects.all().delete()
    endpoint.delete()
    good, mixed = arrived_after(0), arrived_after(options.endpoints // 5)
    print_result(
        "webhooks",
        good_seconds=round(good, 2),
        mixed_seconds=round(mixed, 2),
        delay=round(mixed / good, 2),
        per_second=round(options.endpoints * 4 // 5 * options.messages / good),
        event_without_endpoints_ms=round(without, 2),
        event_with_one_ms=round(with_one, 2),
    )


if __name__ == "__main__":
    main()
