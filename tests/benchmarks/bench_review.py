"""The review page with thousands of pictures that wait: server time of pages and decisions.

    .venv-test/bin/python [tests/services.py postgres .venv-test/bin/python] -m tests.benchmarks.bench_review
        [--pictures 10000] [--decisions 200]

A page is the whole response, an own queue claims what it shows, and a decision is one entry of the page's
queue in the browser. ``decision_over_bare`` compares it with the least that can be written: the conditional
UPDATE and the INSERT of its event, in a transaction. Medians, in milliseconds.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from uuid import uuid4

from tests.benchmarks.scene import database, print_result

ROUNDS = 7
PRODUCTS = 500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=10_000)
    parser.add_argument("--decisions", type=int, default=200)
    options = parser.parse_args()
    with database():
        from django.db import connection
        from django.test import Client
        from django.test.utils import CaptureQueriesContext
        from django.urls import reverse

        from nb_catalog.models import ProductImage
        from tests import factories

        client = Client()
        client.force_login(factories.superuser())
        first_pictures()
        review = reverse("admin:nb_catalog_productimage_review")

        def page(**query: object) -> None:
            assert client.get(review, query).status_code == 200

        def queries(**query: object) -> int:
            with CaptureQueriesContext(connection) as captured:
                page(**query)
            return len(captured)

        page()
        few = queries(), milliseconds(page)
        more_pictures(options.pictures)
        keys = list(ProductImage.objects.order_by("pk").values_list("pk", flat=True))
        middle = keys[len(keys) // 2]
        looks: dict[str, Callable[[], None]] = {
            "page_ms": page,
            "half_way_ms": lambda: page(after=middle),
            "by_run_ms": lambda: page(by="run"),
            "by_series_ms": lambda: page(by="series"),
            "own_queue_ms": lambda: page(queue="mine"),
        }
        figures = {name: milliseconds(look) for name, look in looks.items()}
        decided = keys[: options.decisions]
        send = reverse("admin:nb_catalog_productimage_send")
        sent = [timed(lambda pk=pk: decide(client, send, pk)) for pk in decided]
        bare = [timed(lambda pk=pk: write_bare(pk)) for pk in keys[-len(decided) :]]
        print_result(
            "review",
            database=connection.vendor,
            pictures=len(keys),
            page_queries=queries(),
            queries_of_one=few[0],
            page_over_one=figures["page_ms"] / few[1],
            **figures,
            decision_ms=statistics.median(sent),
            slowest_decision_ms=max(sent),
            decision_over_bare=statistics.median(sent) / statistics.median(bare),
        )


def decide(client, url: str, pk: int) -> None:
    entry = {"id": str(uuid4()), "image": pk, "verb": "reject", "seen": "pending"}
    answer = client.post(url, json.dumps({"sent": [entry]}), content_type="application/json")
    assert answer.json()["results"][0]["outcome"] == "done", answer.content


def write_bare(pk: int) -> None:
    from django.db import transaction

    from nb_catalog.models import ProductImage, ReviewEvent

    with transaction.atomic():
        ProductImage.objects.filter(pk=pk, state="pending").update(state="rejected")
        ReviewEvent.objects.create(image_id=pk, move="reject", state="rejected")


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def milliseconds(look: Callable[[], object]) -> float:
    return statistics.median(timed(look) for _ in range(ROUNDS))


def first_pictures() -> None:
    """A page of products with photos, so that the pages before and after show as much."""
    from tests import factories

    for _ in range(24):
        factories.image(factories.product(), checks={"drift": {"score": 0.4, "worst": "light"}})


def more_pictures(number: int) -> None:
    from nb_catalog.models import ProductImage
    from tests import factories

    picture = ProductImage.objects.first()
    mugs = [str(factories.product(photo=False).pk) for _ in range(min(PRODUCTS, number))]
    names = [each.attname for each in picture._meta.fields if each.name != "id"]
    jobs = [factories.job(of=factories.run(), state="succeeded").pk for _ in range(3)]
    columns = {name: getattr(picture, name) for name in names}
    ProductImage.objects.bulk_create(
        [
            ProductImage(
                **{
                    **columns,
                    "object_id": mugs[at % len(mugs)],
                    "job_id": jobs[at % len(jobs)],
                    "series": ("autumn", "winter", None)[at % 3],
                    "fingerprint": f"{at}",
                }
            )
            for at in range(number - 24)
        ],
        batch_size=500,
    )


if __name__ == "__main__":
    main()
