"""Checks requests for pictures as a whole and turns them into plans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import uuid4

from django.db.models import Model, QuerySet, TextChoices, prefetch_related_objects

from nb_catalog.conf import settings
from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.text import nearest
from nb_catalog.core.types import RequestMode, TextMethod, Treatment
from nb_catalog.exceptions import PlanRefused
from nb_catalog.generation.backgrounds import BackgroundPlanner
from nb_catalog.generation.painted_text import PaintedTextPlanner
from nb_catalog.generation.plan import Plan
from nb_catalog.generation.planners import Planner
from nb_catalog.generation.refresh import RefreshPlanner, ReplacePaintedText
from nb_catalog.generation.text_overlays import DesignCache, TypesetPlanner
from nb_catalog.models import CopyDeck, ProductImage, Scene, TextLayout
from nb_catalog.providers.tiers import tier as tier_named
from nb_catalog.registry import source_for

C = TypeVar("C", bound=TextChoices)
R = TypeVar("R", Scene, TextLayout)
Products = QuerySet[Model] | Sequence[Model]


def plan_backgrounds(
    products: Products,
    *,
    scenes: Sequence[str | Scene],
    variants: int = 1,
    ratio: str = "1:1",
    tier: str = "draft",
    treatment: str = Treatment.LOCKED,
    mode: str = RequestMode.DIRECT,
    key: str = "",
) -> Plan:
    """Plan pictures of ``products`` in each of ``scenes`` (keys or rows).

    With ``mode`` "batch" they cost half and arrive when the provider has capacity. ``key``
    identifies the request if the caller has an idempotency key of its own.

    Raises ``PlanRefused`` with every objection at once, ``NotRegistered`` for an unknown model.
    """
    planner = BackgroundPlanner(
        source=source_for(_model_of(products)),
        tier=tier_named(tier),
        scenes=_rows(Scene, scenes),
        variants=variants,
        ratio=ratio,
        treatment=_choice(Treatment, treatment, name="treatment"),
        mode=_choice(RequestMode, mode, name="mode"),
    )
    return _plan(planner, products, key=key, with_photos=True)


def plan_texts(
    products: Products,
    *,
    layouts: Sequence[str | TextLayout],
    locales: Sequence[str] = (),
    scenes: Sequence[str | Scene] = (),
    slot: str = "",
    deck: str | CopyDeck = "",
    text: str = TextMethod.SET,
    tier: str = "draft",
    mode: str = RequestMode.DIRECT,
    key: str = "",
) -> Plan:
    """Plan text on pictures of ``products``: each of ``layouts`` (keys or rows) in each of ``locales``.

    ``locales`` default to all locales of the shop. Used is the newest picture in each of ``scenes``
    (default: every scene that there is a picture of); with ``slot``, only pictures published there.
    Texts come from ``deck`` (its key or row), and from the source's ``copy()`` for roles that the
    deck does not have. Typesetting is free.

    With ``text`` "painted" the model of ``tier`` paints the texts into the scene, about where the
    layout places them. That is paid for, and OCR compares the result with what was requested.

    Raises ``PlanRefused`` with every objection at once, ``NotRegistered`` for an unknown model.
    """
    options: dict[str, Any] = {
        "source": source_for(_model_of(products)),
        "layouts": _rows(TextLayout, layouts),
        "locales": tuple(dict.fromkeys(locales or settings.LOCALES)),
        "scenes": tuple(scene.key for scene in _rows(Scene, scenes)),
        "slot": slot,
        "deck": None,
    }
    if deck:
        row = deck if isinstance(deck, CopyDeck) else CopyDeck.objects.filter(key=deck).first()
        if row is None:
            known = CopyDeck.objects.values_list("key", flat=True)
            raise PlanRefused(f"There is no copy deck {deck!r}.{nearest(str(deck), known)}")
        options["deck"] = row
    if _choice(TextMethod, text, name="text method") == TextMethod.SET:
        return _plan(TypesetPlanner(**options), products, key=key)
    planner = PaintedTextPlanner(
        **options, tier=tier_named(tier), mode=_choice(RequestMode, mode, name="mode")
    )
    return _plan(planner, products, key=key, with_photos=True)


def plan_replacement(images: Sequence[ProductImage], *, key: str = "") -> Plan:
    """Plan typesetting the text of ``images``, which a model painted.

    The text is set in the same layouts on the same base images. It is free.

    Raises ``PlanRefused`` for an image without painted text, for images of several models and when
    a product no longer exists, ``NotRegistered`` for an unknown model.
    """
    if len({image.content_type_id for image in images}) > 1:
        raise PlanRefused("A plan is about one model; these pictures are of several.")
    for image in images:
        if not ImageSpec.from_dict(image.spec).paints_text:
            raise PlanRefused(f"Picture {image.pk} has no text that a model painted.")
    objects = {image.object_id: image.catalog_object for image in images}
    products = [product for product in objects.values() if product is not None]
    if len(products) < len(objects):
        raise PlanRefused("The product of one of the pictures no longer exists.")
    designs = DesignCache(source_for(_model_of(products)))
    return _plan(ReplacePaintedText(designs=designs, images=images), products, key=key)


def plan_refresh(products: Products, *, key: str = "") -> Plan:
    """Plan outdated published pictures with text of ``products`` again, and nothing else.

    Layouts and base images stay the same. It is free. Raises ``NotRegistered`` for an unknown model.
    """
    designs = DesignCache(source_for(_model_of(products)))
    return _plan(RefreshPlanner(designs=designs), products, key=key)


def _plan(planner: Planner, products: Products, *, key: str, with_photos: bool = False) -> Plan:
    objections = tuple(planner.objections())
    if objections:
        raise PlanRefused(*objections)
    lookups = planner.source.photo_lookups() if with_photos else ()
    if lookups and isinstance(products, QuerySet):
        products = products.prefetch_related(*lookups)
    elif lookups:
        prefetch_related_objects(list(products), *lookups)
    return Plan(
        key=key or uuid4().hex,
        title=planner.title(),
        source=planner.source,
        products=products,
        planner=planner,
        request=planner.as_request(),
    )


def _model_of(products: Products) -> type[Model]:
    if isinstance(products, QuerySet):
        return products.model
    models = {type(product) for product in products}
    if not models:
        raise PlanRefused("No products were given.")
    if len(models) > 1:
        names = ", ".join(sorted(model.__name__ for model in models))
        raise PlanRefused(f"A plan is about one model; these are {names}. Make a plan for each.")
    return models.pop()


def _rows(model: type[R], selected: Sequence[str | R]) -> tuple[R, ...]:
    """Return the rows that ``selected`` names by their keys; rows stay as they are."""
    if not selected:
        return ()
    name = "scene" if model is Scene else "layout"
    known = {row.key: row for row in model._default_manager.all()}
    rows: list[R] = []
    for each in selected:
        if isinstance(each, model):
            rows.append(each)
        elif each in known:
            rows.append(known[each])
        elif not known:
            raise PlanRefused(
                f"There are no {name}s yet. Load the starter set: manage.py loaddata nb_catalog_{name}s"
            )
        else:
            raise PlanRefused(f"There is no {name} {each!r}.{nearest(str(each), known)}")
    return tuple(rows)


def _choice(choices: type[C], value: str, *, name: str) -> C:
    try:
        return choices(value)
    except ValueError as error:
        raise PlanRefused(
            f"There is no {name} {value!r}.{nearest(value, choices.values)}"
        ) from error
