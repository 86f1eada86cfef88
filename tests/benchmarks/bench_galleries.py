"""Publishing with galleries, and delivery into the host's rows.

    .venv-test/bin/python [tests/services.py postgres .venv-test/bin/python]
        -m tests.benchmarks.bench_galleries [--pictures 1000]

Places of as many products are filled and emptied in one call each, without galleries and with two of them.
``delivered_per_second`` and ``taken_back_per_second`` count rows of the host, ``over_bare`` compares a
delivery with what cannot be left out: the file is read, stored, and the row inserted.
"""

import argparse
import time
from collections.abc import Callable

from tests.benchmarks.scene import database, print_result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=1000)
    options = parser.parse_args()
    with database():
        from django.conf import settings
        from django.core.files.base import ContentFile
        from django.db import connection, transaction

        import nb_catalog
        from nb_catalog import storage
        from nb_catalog.core.states import ImageState
        from nb_catalog.models import ProductImage
        from nb_catalog.publishing import galleries, places
        from nb_catalog.publishing.renditions import make_renditions
        from tests import factories
        from tests.catalog.models import Lamp, LampPhoto
        from tests.publishing.galleries.shop import GALLERIES

        settings.NB_CATALOG = {
            **settings.NB_CATALOG, "RENDITION_WIDTHS": [800], "RENDITION_FORMATS": ["jpeg"]
        }  # fmt: skip

        class Source(nb_catalog.CatalogSource):
            title_field = "name"
            photo_field = "packshot"
            slots = ("hero",)

        nb_catalog.register(Lamp)(Source)
        lamps = [Lamp(name=f"Lamp {number}") for number in range(options.pictures)]
        Lamp.objects.bulk_create(lamps)
        image = factories.image(lamps[0], state=ImageState.APPROVED, size=(800, 1000))
        [rendition] = make_renditions(image)
        keys = [(image.content_type_id, str(lamp.pk), "hero", "", 0) for lamp in Lamp.objects.all()]

        def change(shown: ProductImage | None) -> float:
            with transaction.atomic():
                current = places.lock_places(keys)
                changes = [
                    places.PlaceChange(
                        key=key, current=current.get(key), image=shown, picture_data=shown and {}
                    )
                    for key in keys
                ]
                return seconds(lambda: places.write_changes(changes, actor=None, move="publish"))

        change(image)
        change(None)
        bare_publish, bare_empty = change(image), change(None)
        Source.galleries = GALLERIES
        publish = change(image)
        deliver = seconds(galleries.deliver_due)
        assert LampPhoto.objects.count() == options.pictures
        empty = change(None)
        take_back = seconds(galleries.deliver_due)
        assert not LampPhoto.objects.exists()

        def bare_delivery() -> None:
            for lamp in lamps:
                row = LampPhoto(lamp=lamp)
                data = storage.read(str(rendition.file.name))
                row.file.save("bare.jpg", ContentFile(data), save=False)
                row.save()

        bare = seconds(bare_delivery)
        rows = 2 * options.pictures
        print_result(
            "galleries",
            database=connection.vendor,
            pictures=options.pictures,
            publish_seconds=publish,
            publish_over_none=publish / bare_publish,
            empty_seconds=empty,
            empty_over_none=empty / bare_empty,
            delivered_per_second=rows / deliver,
            taken_back_per_second=rows / take_back,
            over_bare=deliver / 2 / bare,
        )


def seconds(act: Callable[[], object]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
