"""The shop's stock, loaded from the JSON files in this package; existing rows are not changed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

from django.core.files.base import ContentFile

from demo_project.shop.models import Bundle, BundlePhoto, Category, Product
from demo_project.shop.photography import photo_file

PhotoFuture: TypeAlias = Future[tuple[str, bytes]]

TEXT_FIELDS = ("name", "description", "translations")
FACT_FIELDS = ("price", "colour", "material", "size", "height_cm")
# Set by `manage.py demo --products`: only the first so many products, and as many sets.
limit: int | None = None


def load_rows(kind: str) -> list[dict[str, Any]]:
    """Return the rows of ``categories``, ``products``, ``bundles`` or ``decks``."""
    file = Path(__file__).parent / f"{kind}.json"
    rows: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))
    return rows[:limit] if kind in ("products", "bundles") else rows


def create_stock() -> Iterator[Product | Bundle]:
    """Create missing rows and draw their photos; yield each product and bundle once it exists."""
    slugs = [row["slug"] for kind in ("products", "bundles") for row in load_rows(kind)]
    done = Product.objects.exclude(packshot="").values_list("slug", flat=True)
    done = {*done, *Bundle.objects.filter(photos__isnull=False).values_list("slug", flat=True)}
    categories = {}
    for n, row in enumerate(load_rows("categories")):
        defaults = {**_pick(row, *TEXT_FIELDS), "position": n}
        category, _ = Category.objects.get_or_create(slug=row["slug"], defaults=defaults)
        categories[row["slug"]] = category
    with ThreadPoolExecutor(os.cpu_count()) as executor:
        photos = {slug: executor.submit(photo_file, slug) for slug in slugs if slug not in done}
        for n, row in enumerate(load_rows("products")):
            category, photo = categories[row["category"]], photos.get(row["slug"])
            yield _create_product(row, photo, category=category, position=n)
        for row in load_rows("bundles"):
            yield _create_bundle(row, photos.get(row["slug"]))


def _pick(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names if name in row}


def _create_product(
    row: Mapping[str, Any], photo: PhotoFuture | None, *, category: Category, position: int
) -> Product:
    defaults = {
        **_pick(row, *TEXT_FIELDS, *FACT_FIELDS),
        "category": category,
        "position": position,
    }
    product, _ = Product.objects.get_or_create(slug=row["slug"], defaults=defaults)
    if photo is not None:
        name, data = photo.result()
        product.packshot.save(name, ContentFile(data))
    return product


def _create_bundle(row: Mapping[str, Any], photo: PhotoFuture | None) -> Bundle:
    defaults = {**_pick(row, *TEXT_FIELDS, "price"), "id": row["id"]}
    bundle, created = Bundle.objects.get_or_create(slug=row["slug"], defaults=defaults)
    if created:
        bundle.products.set(Product.objects.filter(slug__in=row["products"]))
    if photo is not None:
        name, data = photo.result()
        BundlePhoto(bundle=bundle).image.save(name, ContentFile(data))
    return bundle
