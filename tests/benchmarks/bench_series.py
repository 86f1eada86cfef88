"""The page of a series of 500, and the plan of a series of 10,000 members beside one of as many backgrounds.

Prints one JSON line. ``page_over_bare`` is the processor time of the page of the admin, in relation to what
it cannot avoid: the rows of members, products, pictures and places, and a line of HTML for each.
``page_queries`` and ``queries_of_50`` are the queries for the whole series and for one of 50 members.
``plan_ratio`` compares the plans, with their items and prices. Targets: a page in 400 ms with as many queries
as one of 50 members, a plan in twice the time.

    python -m tests.benchmarks.bench_series [--members 10000] [--shown 500] [--rounds 3]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

from tests.benchmarks.scene import database, print_result

BARE = """{% for m in members %}<li><img src="{{ m.image.file.name }}" alt=""><a href="/{{ m.product.pk }}/">
{{ m.product.name }}</a> {{ m.image.state }} {{ m.place.slot }}</li>{% endfor %}"""


def milliseconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return (time.process_time() - begin) * 1000


def products(number: int) -> list[Any]:
    """``number`` mugs in the database, whose photos are not there."""
    from tests.catalog.models import Mug

    Mug.objects.bulk_create(
        (Mug(name=f"Mug {n}", packshot=f"mugs/{n}.png") for n in range(number)), batch_size=2000
    )
    return list(Mug.objects.order_by("pk"))


def page_figures(shown: int, *, rounds: int) -> dict[str, float]:
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.template import Context, Engine
    from django.test import Client
    from django.test.utils import CaptureQueriesContext
    from django.urls import reverse

    from nb_catalog import generation, publishing
    from nb_catalog.core.states import ImageState
    from nb_catalog.models import Placement, ProductImage
    from tests import factories
    from tests.catalog.models import Mug

    mugs = products(shown)
    series, few = factories.series(*mugs), factories.series(*mugs[:50], key="few")
    for row in (few, series):
        for item, mug in zip(generation.plan_series(row).items(), mugs, strict=False):
            factories.image(mug, asked=item.spec, state=ImageState.APPROVED, size=(50, 50))
    publishing.publish_series(series, actor=None)
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("editor"))
    template = Engine().from_string(BARE)

    def page(of: Any = series) -> None:
        answer = client.get(reverse("admin:nb_catalog_series_sheet", args=[of.pk]))
        assert len(answer.context["cards"]) == of.members.count()

    def bare() -> None:
        rows = list(series.members.filter(removed_at=None).order_by("position", "pk"))
        keys = [row.object_id for row in rows]
        about = {str(mug.pk): mug for mug in Mug.objects.filter(pk__in=keys)}
        images = ProductImage.objects.filter(object_id__in=keys, series=series.key)
        pictures = {each.object_id: each for each in images.prefetch_related("renditions")}
        places = {each.object_id: each for each in Placement.objects.filter(object_id__in=keys)}
        for row in rows:
            row.product, row.image = about[row.object_id], pictures[row.object_id]
            row.place = places[row.object_id]
        template.render(Context({"members": rows}))

    def queries(of: Any) -> int:
        with CaptureQueriesContext(connection) as captured:
            page(of)
        return len(captured)

    # The first pages only warm code and caches up.
    queries(few), queries(series), bare()
    turns = [(milliseconds(page), milliseconds(bare)) for _turn in range(rounds)]
    return {
        "page_queries": queries(series),
        "queries_of_50": queries(few),
        "page_ms": statistics.median(took for took, _bare in turns),
        "page_over_bare": statistics.median(took / least for took, least in turns),
    }


def plan_figures(members: int, *, rounds: int) -> dict[str, float]:
    from nb_catalog import generation
    from tests import factories
    from tests.catalog.models import Mug

    series = factories.series(*products(members), key="large", slot="gallery")

    def of_series() -> None:
        plan = generation.plan_series(series)
        assert plan.summary().total == members

    def of_backgrounds() -> None:
        mugs = Mug.objects.filter(pk__in=series.members.values("object_id")).order_by("pk")
        plan = generation.plan_backgrounds(mugs, scenes=[series.scene], slot="gallery")
        assert plan.summary().total == members

    turns = [(milliseconds(of_series), milliseconds(of_backgrounds)) for _turn in range(rounds)]
    return {
        "plan_ms": statistics.median(took for took, _other in turns),
        "plan_ratio": statistics.median(took / other for took, other in turns),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=10_000)
    parser.add_argument("--shown", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with database():
        plan = plan_figures(options.members, rounds=options.rounds)
    with database():
        page = page_figures(options.shown, rounds=options.rounds)
    print_result("series", members=options.members, shown=options.shown, **page, **plan)


if __name__ == "__main__":
    main()
