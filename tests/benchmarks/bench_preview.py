"""A scene that is being edited, with a product of the shop: the time of the first preview and of later ones.

Prints one JSON line. The product is a photo of 12 megapixels with a stored mask, one with a transparency of
its own, or a cover. "first" is the first preview of a product, "later" that of another recipe with the same
product; "first_of_process" comes after nothing but the page with the form. Processor time, because a loaded
machine has others to serve. Target: at most 400 ms, the first time too.

    python -m tests.benchmarks.bench_preview [repetitions]
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from io import BytesIO

import numpy as np
from PIL import Image

from tests.benchmarks.scene import database, print_result

SIDE = 3464
"""Pixels of each side of a photo of 12 megapixels."""
SCENES = ("oak-table", "sunlit-window", "garden-stone")


def photo_file(kind: str) -> bytes:
    """Return a photo of a mug: with transparency, otherwise on a light ground, with a camera's noise."""
    from tests.imaging.pictures import mug, saved

    if kind == "alpha":
        return saved(mug(SIDE // 2))
    noise = np.random.default_rng(3).integers(236, 241, (SIDE, SIDE, 3), dtype=np.uint8)
    photo, product = Image.fromarray(noise), mug(SIDE // 4).resize((SIDE, SIDE))
    photo.paste(product, (0, 0), product)
    return saved(photo, "JPEG", quality=92)


def main(repetitions: int) -> None:
    with database():
        from django.contrib.auth import get_user_model
        from django.core.cache import cache
        from django.core.files.base import ContentFile
        from django.test import Client
        from django.urls import reverse

        from nb_catalog import cutouts
        from nb_catalog.cutouts.photos import request_for_products
        from nb_catalog.models import PhotoCutout, Scene
        from tests import factories
        from tests.benchmarks.bench_scene import FIXTURE
        from tests.imaging.pictures import mug

        recipes = {
            row["fields"]["key"]: row["fields"]["renderer"]
            for row in json.loads(FIXTURE.read_text(encoding="utf-8"))
        }
        mask = BytesIO()
        mug(1024).getchannel("A").save(mask, "PNG")
        products = {}
        for kind in ("masked", "alpha", "cover"):
            product = factories.product(photo=False)
            name = f"{kind}.png" if kind == "alpha" else f"{kind}.jpg"
            product.packshot.save(name, ContentFile(photo_file(kind)))
            products[kind] = product
        request_for_products(products.values())
        rows = {row.object_id: row for row in PhotoCutout.objects.all()}
        cutouts.replace_mask(rows[str(products["masked"].pk)], mask.getvalue(), actor=None)
        cutouts.set_kind([rows[str(products["cover"].pk)]], "full_frame", actor=None)
        client = Client()
        client.force_login(get_user_model().objects.create_superuser("editor"))
        scene = Scene.objects.create(key="edited", name="Edited", renderer=recipes["oak-table"])
        client.get(reverse("admin:nb_catalog_scene_change", args=[scene.pk]))
        times: dict[str, list[float]] = {"first": [], "later": []}

        def draw(product: object, key: str) -> float:
            query = {
                "content": json.dumps(recipes[key]),
                "product": f"testcatalog.Mug:{product.pk}",
                "ratio": "4:5",
            }
            began = time.process_time()
            answer = client.get(reverse("admin:nb_catalog_scene_preview"), query)
            took = (time.process_time() - began) * 1000
            assert answer.status_code == 200, answer.content
            return took

        from nb_catalog.cutouts import previews
        from nb_catalog.imaging import scenery

        for _turn in range(repetitions):
            for product in products.values():
                first, *others = SCENES
                times["first"].append(draw(product, first))
                times["later"] += [draw(product, key) for key in others]
            cache.clear()
            previews.cut_small.cache_clear()
            scenery._build_cached.cache_clear()
        print_result(
            "preview",
            first_ms=statistics.median(times["first"]),
            first_of_process_ms=times["first"][0],
            slowest_ms=max(times["first"] + times["later"]),
            later_ms=statistics.median(times["later"]),
            repetitions=repetitions,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
