"""A shop with a million jobs, pictures and calls: how long pages, sweeps and reports take.

    .venv-test/bin/python [tests/services.py postgres .venv-test/bin/python] -m tests.benchmarks.bench_scale
        [--doublings 10]

Each look is timed on 1,000 rows and again when all rows were doubled ten times over; the ratio says what
growing costs. Half of the jobs are queued, the others ended or wait; one picture in ten is approved.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from itertools import cycle

from tests.benchmarks.scene import database, print_result

FIRST = 1_000
ROUNDS = 5
STATES = ("queued",) * 5 + ("succeeded", "succeeded", "succeeded", "waiting", "failed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--doublings", type=int, default=10)
    options = parser.parse_args()
    with database():
        from django.db import connection
        from tqdm import tqdm

        first_rows()
        small = {name: milliseconds(look) for name, look in looks()}
        for _ in tqdm(range(options.doublings), unit="doubling"):
            double()
        analyse()
        large = {}
        for name, look in looks():
            large[name] = milliseconds(look)
            ratio = large[name] / small[name]
            print(f"{name:34} {small[name]:9.1f} {large[name]:9.1f}   x{ratio:.1f}")
        print_result(
            "scale",
            database=connection.vendor,
            rows=FIRST << options.doublings,
            ms_of_1000={name: round(value, 1) for name, value in small.items()},
            ms={name: round(value, 1) for name, value in large.items()},
        )


def looks() -> Iterator[tuple[str, Callable[[], object]]]:
    """(name, what is timed)"""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.test import Client
    from django.urls import reverse

    from nb_catalog import billing
    from nb_catalog.models import ImageJob, ProductImage, Run
    from nb_catalog.models.db.clock import database_now
    from nb_catalog.operations import status
    from nb_catalog.worker import recovery

    user, _ = get_user_model().objects.get_or_create(
        username="root", defaults={"is_staff": True, "is_superuser": True}
    )
    client = Client()
    client.force_login(user)

    def page(name: str, *args: object, **query: object) -> Callable[[], None]:
        def asked() -> None:
            answer = client.get(reverse(name, args=args), query)
            assert answer.status_code == 200, (name, answer.status_code)

        return asked

    run = Run.objects.earliest("id").pk
    middle = ProductImage.objects.order_by("id").values_list("id", flat=True).last() // 2
    today = database_now().date()
    for model in ("imagejob", "productimage", "providercall", "run"):
        yield f"list of {model}", page(f"admin:nb_catalog_{model}_changelist")
    yield "list of failed jobs", page("admin:nb_catalog_imagejob_changelist", state__exact="failed")
    about = ImageJob.objects.values_list("object_id", flat=True).latest("id")
    yield "jobs of one product", page("admin:nb_catalog_imagejob_changelist", q=about)
    yield "jobs by words of an error", page("admin:nb_catalog_imagejob_changelist", q="the lamp")
    yield "pictures, half-way down", page("admin:nb_catalog_productimage_changelist", before=middle)
    yield "review page", page("admin:nb_catalog_productimage_review")
    yield (
        "review page, approved ones",
        page("admin:nb_catalog_productimage_review", state="approved"),
    )
    yield "run page", page("admin:nb_catalog_run_change", run)
    yield "run's progress", page("admin:nb_catalog_run_progress", run)
    yield "API: runs", page("nb_catalog_api:run-list")
    yield "API: jobs", page("nb_catalog_api:job-list")
    yield "API: images", page("nb_catalog_api:image-list")
    yield "status.look()", status.collect
    yield "status.problems() (health)", status.problems
    yield "a sweep", recovery.sweep
    yield "report of 30 days", lambda: billing.report(first=today - timedelta(days=29), last=today)
    yield "nb_prune --dry-run", partial(call_command, "nb_prune", dry_run=True, verbosity=0)
    assert ImageJob.objects.exists()


def milliseconds(look: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        look()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def first_rows() -> None:
    from django.utils import timezone

    from nb_catalog.models import ImageJob, ProductImage, ProviderCall, ReviewEvent
    from nb_catalog.models.generic import content_type_of
    from tests import factories

    about = factories.product(photo=True)
    picture = factories.image(about)
    spec = factories.spec(about, provider="gemini", model="gemini-3.1-flash-lite-image")
    run, kind, now = factories.run(), content_type_of(about), timezone.now()
    states = cycle(STATES)
    jobs = [
        ImageJob(
            run=run, content_type=kind, object_id=str(about.pk), spec=spec.as_dict(),
            fingerprint=f"{number}", live_key=f"{number}" if state in ("queued", "waiting") else None,
            tier="draft", provider="gemini", model=spec.model, turn=number, state=state,
            estimate_microusd=36_000, not_before=now + timedelta(days=1) if state == "waiting" else None,
            finished_at=now - timedelta(days=number % 25) if state in ("succeeded", "failed") else None,
        )
        for number, state in zip(range(FIRST), states, strict=False)
    ]  # fmt: skip
    ImageJob.objects.bulk_create(jobs)
    keys = list(ImageJob.objects.order_by("pk").values_list("pk", flat=True))
    ProviderCall.objects.bulk_create(
        ProviderCall(
            job_id=key, epoch=1, lease_owner="", provider="gemini", model=spec.model, tier="draft",
            scene="marble", estimate_microusd=36_000, cost_microusd=33_000 + number, outcome="picture",
            started_at=now - timedelta(days=number % 25),
        )
        for number, key in enumerate(keys)
    )  # fmt: skip
    ProductImage.objects.filter(pk=picture.pk).delete()
    images = []
    for number, key in enumerate(keys):
        picture.pk, picture.job_id, picture.fingerprint = None, key, f"{number}"
        picture.state = ("approved", "rejected", "pending")[min(2, number % 10)]
        images.append(
            ProductImage(
                **{
                    f.attname: getattr(picture, f.attname)
                    for f in picture._meta.fields
                    if f.name != "id"
                }
            )
        )
    ProductImage.objects.bulk_create(images)
    rejected = ProductImage.objects.filter(state="rejected").values_list("pk", flat=True)
    ReviewEvent.objects.bulk_create(ReviewEvent(image_id=key, move="reject") for key in rejected)


def double() -> None:
    """All rows once more, with keys of their own. In SQL: through the ORM it would take hours."""
    from django.db import connection

    from nb_catalog.models import ImageJob, ProductImage, ProviderCall, ReviewEvent

    more = {model: _span(model) for model in (ImageJob, ProductImage, ProviderCall, ReviewEvent)}
    text = "CHAR" if connection.vendor == "mysql" else "TEXT"
    for model, span in more.items():
        table = connection.ops.quote_name(model._meta.db_table)
        changed = {"id": f"id + {span}"}
        if model is ImageJob:
            changed |= {
                "fingerprint": f"CAST(id + {span} AS {text})",
                "live_key": f"CASE WHEN live_key IS NULL THEN NULL ELSE CAST(id + {span} AS {text}) END",
                "turn": f"turn + {span}",
                "object_id": f"CAST((id + {span}) % 20000 AS {text})",
            }
        elif model is ReviewEvent:
            changed["image_id"] = f"image_id + {more[ProductImage]}"
        else:
            changed["job_id"] = f"job_id + {more[ImageJob]}"
            if model is ProductImage:
                changed["fingerprint"] = f"CAST(id + {span} AS {text})"
        columns = [field.column for field in model._meta.local_concrete_fields]
        names = ", ".join(map(connection.ops.quote_name, columns))
        values = ", ".join(changed.get(name, connection.ops.quote_name(name)) for name in columns)
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {table} ({names}) SELECT {values} FROM {table}")  # noqa: S608


def _span(model) -> int:
    keys = model.objects.order_by("pk").values_list("pk", flat=True)
    return keys.last() - keys.first() + 1 if keys else 0


def analyse() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor != "mysql":
            cursor.execute("ANALYZE")


if __name__ == "__main__":
    main()
