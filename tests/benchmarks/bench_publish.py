"""Publishing many pictures as one, beside encoding their files alone, and rolling all of them back.

Prints one JSON line. ``ratio`` is the time from the request until all places have changed, in relation to
deriving the same files from the same pictures, with as many threads and without storing anything;
``cpu_ratio`` is that of the processor's time, which other work on the machine does not blur. The moves
of the places, which are part of it, are measured alone, too, with their queries, and so are roll-backs of all
places: to the pictures that they showed earlier, and to empty. Targets: a ratio of 1.3, and 1,000 places
rolled back in 2 seconds, to whatever they showed.

    python -m tests.benchmarks.bench_publish [--pictures 1000] [--width 640]
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor

from tests.benchmarks.scene import database, print_result


def measure(number: int, *, width: int) -> dict[str, float]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from nb_catalog import storage
    from nb_catalog.conf import picture_limits, settings
    from nb_catalog.core.states import ImageState
    from nb_catalog.imaging.renditions import derive
    from nb_catalog.models import Placement, ProductImage, Publication, Rendition
    from nb_catalog.publishing import due_publications, publications, rendition_requests, rollbacks
    from tests import factories

    images = [
        factories.image(
            factories.product(photo=False), state=ImageState.APPROVED, size=(width, width * 5 // 4)
        )
        for _ in range(number)
    ]

    def encode(image: ProductImage) -> int:
        files = derive(
            storage.read(str(image.file.name)),
            widths=settings.RENDITION_WIDTHS,
            formats=settings.RENDITION_FORMATS,
            xmp=b"",
            **picture_limits(),
        )
        return sum(len(each.data) for each in files)

    def rolled_back(publication: Publication) -> dict[str, float]:
        start, cpu = time.perf_counter(), time.process_time()
        with CaptureQueriesContext(connection) as queries:
            rollbacks.roll_back_all(rollbacks.scope_of(publication=publication), actor=None)
        seconds, own = time.perf_counter() - start, time.process_time() - cpu
        return {"seconds": seconds, "cpu_seconds": own, "queries": len(queries)}

    encode(images[0])
    began, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(settings.FREE_THREADS) as pool:
        list(pool.map(encode, images))
    bare, bare_cpu = time.perf_counter() - began, time.process_time() - cpu

    began, cpu = time.perf_counter(), time.process_time()
    publication = publications.request_publication(
        publications.placed(images, slot="hero"), actor=None
    )
    requested = time.perf_counter() - began
    rendition_requests.make_requested()
    moved = time.perf_counter()
    with CaptureQueriesContext(connection) as moves:
        due_publications.publish_due()
    ended, publish_cpu = time.perf_counter(), time.process_time() - cpu
    assert Placement.objects.count() == number

    # Another picture in each place, which the roll-back replaces by the earlier one.
    places = list(Placement.objects.order_by("pk").values_list("image", flat=True))
    later = [
        factories.image(each.catalog_object, state=ImageState.APPROVED, size=(32, 40))
        for each in images
    ]
    Rendition.objects.bulk_create(
        Rendition(
            image=each, format=name, width=32, height=40, byte_size=1,
            file=f"{each.pk}.{name}", url=f"/{each.pk}.{name}",
        )
        for each in later
        for name in settings.RENDITION_FORMATS
    )  # fmt: skip
    replaced = publications.request_publication(
        publications.placed(later, slot="hero"), actor=None, background=False
    )
    to_earlier = rolled_back(replaced)
    assert list(Placement.objects.order_by("pk").values_list("image", flat=True)) == places
    publication.refresh_from_db()
    to_empty = rolled_back(publication)
    assert not Placement.objects.exists()
    return {
        "bare_seconds": bare,
        "request_seconds": requested,
        "publish_seconds": ended - began,
        "ratio": (ended - began) / bare,
        "cpu_ratio": publish_cpu / bare_cpu,
        "move_seconds": ended - moved,
        "move_queries": len(moves),
        **{f"to_earlier_{name}": value for name, value in to_earlier.items()},
        **{f"to_empty_{name}": value for name, value in to_empty.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--width", type=int, default=640, help="of the pictures, in pixels")
    options = parser.parse_args()
    with database():
        measured = measure(options.pictures, width=options.width)
    print_result("publish", pictures=options.pictures, **measured)


if __name__ == "__main__":
    main()
