"""Edits in words of pictures that show several products: only beside them, with the photos of all of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from django.db.models import Model
from django.utils.translation import gettext as _

from nb_catalog.core.attributes import host_code
from nb_catalog.core.specs import ImageSpec, PartSpec
from nb_catalog.core.types import Photo, Treatment
from nb_catalog.exceptions import NotRegistered, PictureMissing
from nb_catalog.generation.prompts.background import product_line
from nb_catalog.models import ProductImage
from nb_catalog.registry import all_photos, source_for


def bundle_objections(image: ProductImage, *, has_area: bool, session: bool) -> Iterator[str]:
    """Yield why ``image``, which shows several products, cannot be edited in words.

    A model would draw them again, and products that hide parts of each other are not compared with their
    photos. So all of them have to keep their own pixels, which a mask beside them ensures.
    """
    if not has_area:
        yield _(
            "A picture of several products can be edited in words beside them only, because products that a "
            "model draws together are not compared with their photos. Paint a mask that leaves all of them "
            "out, or adjust the picture without a model."
        )
    elif image.spec.get("treatment") not in (
        Treatment.LOCKED,
        Treatment.RELIT,
    ) or not image.checks.get("product"):
        yield _(
            "A model drew the products on this picture, and where they are is not known. Adjust the picture "
            "without a model."
        )
    if session:
        yield _("A picture of several products cannot be edited in a session. Edit it without one.")


def parts_of(image: ProductImage) -> list[tuple[Model, Photo]]:
    """Return the products on ``image`` in order, each with the photo that it was made from. A query for each
    model and its sources' own lookups.

    Raises ``PictureMissing`` if one of them no longer exists, or no longer has its photo.
    """
    parts = [PartSpec(**each) for each in ImageSpec.of_image(image.spec).parts]
    keys: dict[str, list[str]] = defaultdict(list)
    for part in parts:
        keys[part.object_type].append(part.object_id)
    rows: dict[tuple[str, str], Model] = {}
    for label, named in keys.items():
        try:
            found = source_for(label).queryset().filter(pk__in=named)
        except NotRegistered:
            continue
        rows |= {(label, str(row.pk)): row for row in found}
    made = []
    for number, part in enumerate(parts, start=1):
        row = rows.get((part.object_type, part.object_id))
        photos = [] if row is None else all_photos(row)
        photo = next((each for each in photos if each.name == part.photo), None)
        if row is None or photo is None:
            raise PictureMissing(
                _(
                    "Product %(number)s of the bundle no longer has the photo that this picture was made "
                    "from, and a model would not know what to leave alone. Adjust the picture without a "
                    "model."
                )
                % {"number": number}
            )
        made.append((row, photo))
    return made


def part_lines(parts: list[tuple[Model, Photo]]) -> list[str]:
    """Return the products as lines of quoted data for a prompt."""
    lines = []
    for product, _photo in parts:
        source = source_for(product)
        with host_code(f"{type(source).__name__}, title() or facts(),"):
            title, facts = source.title(product), source.facts(product)
        lines.append(product_line(title, facts))
    return lines
