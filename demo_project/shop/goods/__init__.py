"""The shop's stock, from the JSON files beside this module. What is there already stays as it is."""

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

Drawing: TypeAlias = Future[tuple[str, bytes]]

WORDS = ("name", "description", "translations")
FACTS = ("price", "colour", "material", "size")


def rows(kind: str) -> list[dict[str, Any]]:
    """The rows of ``categories``, ``products``, ``bundles`` or ``decks``."""
    found: list[dict[str, Any]] = json.loads(
        (Path(__file__).parent / f"{kind}.json").read_text("utf-8")
    )
    return found


def stock_up() -> Iterator[Product | Bundle]:
    """Write what is missing and draw its photos; answers each product and bundle when it is there."""
    wanted = [row["slug"] for kind in ("products", "bundles") for row in rows(kind)]
    done = Product.objects.exclude(packshot="").values_list("slug", flat=True)
    done = {*done, *Bundle.objects.filter(photos__isnull=False).values_list("slug", flat=True)}
    shelves = {row["slug"]: _category(row, position=n) for n, row in enumerate(rows("categories"))}
    with ThreadPoolExecutor(os.cpu_count()) as artists:
        drawn = {slug: artists.submit(photo_file, slug) for slug in wanted if slug not in done}
        for n, row in enumerate(rows("products")):
            photo = drawn.get(row["slug"])
            yield _product(row, photo, category=shelves[row["category"]], position=n)
        for row in rows("bundles"):
            yield _bundle(row, drawn.get(row["slug"]))


def _taken(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: row[name] for name in names if name in row}


def _category(row: Mapping[str, Any], *, position: int) -> Category:
    defaults = {**_taken(row, *WORDS), "position": position}
    return Category.objects.get_or_create(slug=row["slug"], defaults=defaults)[0]


def _product(
    row: Mapping[str, Any], photo: Drawing | None, *, category: Category, position: int
) -> Product:
    defaults = {**_taken(row, *WORDS, *FACTS), "category": category, "position": position}
    product, _ = Product.objects.get_or_create(slug=row["slug"], defaults=defaults)
    if photo is not None:
        name, data = photo.result()
        product.packshot.save(name, ContentFile(data))
    return product


def _bundle(row: Mapping[str, Any], photo: Drawing | None) -> Bundle:
    defaults = {**_taken(row, *WORDS, "price"), "id": row["id"]}
    bundle, made = Bundle.objects.get_or_create(slug=row["slug"], defaults=defaults)
    if made:
        bundle.products.set(Product.objects.filter(slug__in=row["products"]))
    if photo is not None:
        name, data = photo.result()
        BundlePhoto(bundle=bundle).image.save(name, ContentFile(data))
    return bundle
