"""Publishing many pictures as one, beside encoding their files alone, and rolling all of them back.

Prints one JSON line. ``ratio`` is the time from the request until all places have changed, in relation to
deriving the same files from the same pictures, with as many threads and without storing anything;
``cpu_ratio`` is that of the processor's time, which other work on the machine does not blur. The moves
of the places, which are part of it, and the roll-back are measured alone, too, with their queries. Targets: a
ratio of 1.3, and 1,000 places rolled back in 2 seconds.

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
    from nb_catalog.models import Placement, ProductImage
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

    publication.refresh_from_db()
    scope = rollbacks.scope_of(publication=publication)
    start = time.perf_counter()
    with CaptureQueriesContext(connection) as undone:
        rollbacks.roll_back_all(scope, actor=None)
    back = time.perf_counter() - start
    assert not Placement.objects.exists()

    # And back again: each place gets a picture, which has to be read and checked.
    record = publication.undone_by.get()
    start = time.perf_counter()
    rollbacks.roll_back_all(rollbacks.scope_of(publication=record), actor=None)
    forth = time.perf_counter() - start
    assert Placement.objects.count() == number
    return {
        "bare_seconds": bare,
        "request_seconds": requested,
        "publish_seconds": ended - began,
        "ratio": (ended - began) / bare,
        "cpu_ratio": publish_cpu / bare_cpu,
        "move_seconds": ended - moved,
        "move_queries": len(moves),
        "roll_back_seconds": back,
        "roll_back_queries": len(undone),
        "restore_seconds": forth,
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
