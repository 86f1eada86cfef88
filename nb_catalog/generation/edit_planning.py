"""Checks requests for edits of pictures and turns them into plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from nb_catalog import storage
from nb_catalog.conf import picture_limits
from nb_catalog.core.types import RequestMode, Size
from nb_catalog.exceptions import PictureError, PlanRefused, RequestRefused
from nb_catalog.generation.arguments import choice_of
from nb_catalog.generation.edits import AdjustmentPlanner, preview_of
from nb_catalog.generation.instructed_edits import MAX_CANDIDATES, EditPlanner, StoredArea
from nb_catalog.generation.moved_texts import moved_text_planner
from nb_catalog.generation.plan import Plan
from nb_catalog.generation.plan_parts import make_plan, products_of
from nb_catalog.generation.prompts.edit import clean_instruction
from nb_catalog.generation.subjects import source_of
from nb_catalog.generation.text_overlays import DesignCache
from nb_catalog.imaging.adjust import parse_adjustments
from nb_catalog.imaging.edit_area import check_area
from nb_catalog.models import ProductImage
from nb_catalog.providers.tiers import tier as tier_named


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


def preview_adjustments(
    image: ProductImage, adjustments: Sequence[Mapping[str, Any]], *, side: int = 960
) -> bytes:
    """Return a WebP file, ``side`` pixels or less, of what ``plan_adjustments`` would make of ``image``.
    Nothing is stored but the outline of a photo with transparency.

    Raises ``PlanRefused``, ``RequestRefused``, ``PictureError`` and ``StorageFailed``.
    """
    plan = plan_adjustments([image], adjustments)
    assert isinstance(plan.planner, AdjustmentPlanner)  # noqa: S101 - made above
    return preview_of(plan.planner, next(iter(plan.each_product())), side=side)


def plan_edit(
    image: ProductImage,
    instruction: str,
    *,
    tier: str = "draft",
    mode: str = RequestMode.DIRECT,
    mask: bytes | None = None,
    candidates: int = 1,
    session: bool = False,
    key: str = "",
) -> Plan:
    """Plan ``candidates`` pictures in which the model of ``tier`` changes ``image`` as ``instruction`` says.

    The product's photo is sent along each time. ``mask`` is a picture file of the size of ``image``, light
    where it is to change; everything else keeps the pixels of ``image``. The mask is stored, and nothing
    else. With ``mode`` "batch" it costs half. With ``session``, the service stores the edit, and the next one
    of its picture goes on from there, as this one does if it can; the plan's warnings say which way.

    Raises ``PlanRefused`` with every objection at once, ``NotRegistered`` for an unknown model.
    """
    products = products_of([image])
    try:
        text = clean_instruction(instruction)
        area = None if mask is None else _stored_area(image, mask)
        chosen = tier_named(tier)
    except (RequestRefused, PictureError) as error:
        raise PlanRefused(*getattr(error, "objections", (str(error),))) from error
    if not 1 <= candidates <= MAX_CANDIDATES:
        raise PlanRefused(
            _("1 to %(most)d candidates can be made of an edit, not %(number)d.")
            % {"most": MAX_CANDIDATES, "number": candidates}
        )
    planner = EditPlanner(
        source=source_of(products),
        image=image,
        instruction=text,
        tier=chosen,
        mode=choice_of(RequestMode, mode, name="mode"),
        area=area,
        candidates=candidates,
        session=session,
    )
    return make_plan(planner, products, key=key, with_photos=True)


def _stored_area(image: ProductImage, mask: bytes) -> StoredArea:
    """Check ``mask`` and store it. Raises ``PictureError``, ``StorageFailed``."""
    area = check_area(mask, picture=Size(image.width, image.height), **picture_limits())
    stored = storage.store(area.file, folder="masks", mime_type="image/png")
    return StoredArea(area=area, name=stored.name, sha256=stored.sha256)


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
