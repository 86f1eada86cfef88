"""Checks requests for edits of pictures and turns them into plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nb_catalog.exceptions import PlanRefused, RequestRefused
from nb_catalog.generation.edits import AdjustmentPlanner
from nb_catalog.generation.moved_texts import moved_text_planner
from nb_catalog.generation.plan import Plan
from nb_catalog.generation.plan_parts import make_plan, products_of
from nb_catalog.generation.subjects import source_of
from nb_catalog.generation.text_overlays import DesignCache
from nb_catalog.imaging.adjust import parse_adjustments
from nb_catalog.models import ProductImage


def plan_adjustments(
    images: Sequence[ProductImage], adjustments: Sequence[Mapping[str, Any]], *, key: str = ""
) -> Plan:
    """Plan ``adjustments`` of ``images``, made one after the other without a model, free of charge.

    Each is a mapping such as ``{"kind": "crop", "ratio": "4:5"}``; docs/edits.md lists them. Every picture
    becomes a new one with this one as its parent.

    Raises ``PlanRefused`` for adjustments that are not valid, for images of several models and when a
    product no longer exists, ``NotRegistered`` for an unknown model.
    """
    try:
        parsed = parse_adjustments(adjustments)
    except ValueError as error:
        raise PlanRefused(str(error)) from error
    products = products_of(images)
    planner = AdjustmentPlanner(source=source_of(products), images=images, adjustments=parsed)
    return make_plan(planner, products, key=key, with_photos=True)


def plan_moved_texts(image: ProductImage, *, key: str = "") -> Plan:
    """Plan the typeset texts of the pictures that ``image`` is an edit of, set on ``image``. It is free.

    Each layout and language once, in the current layout and with the current texts. Raises ``PlanRefused``
    for a picture that is not an edit, and when its product no longer exists.
    """
    products = products_of([image])
    try:
        planner = moved_text_planner(image, designs=DesignCache(source_of(products)))
    except RequestRefused as error:
        raise PlanRefused(*error.objections) from error
    return make_plan(planner, products, key=key)
