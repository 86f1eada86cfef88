"""Requests for words on pictures, checked as a whole before anything is worked out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from nb_catalog.conf import settings
from nb_catalog.core.locales import parse_locale
from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.text import nearest, shorten
from nb_catalog.core.types import RequestMode, TextMethod
from nb_catalog.exceptions import PlanRefused
from nb_catalog.generation.design_cache import DesignCache
from nb_catalog.generation.painted_text import PaintedTextPlanner
from nb_catalog.generation.plan import Plan
from nb_catalog.generation.planning_lookups import (
    LONGEST_LIST,
    model_of,
    objections_to_tier,
    one_of,
    plural,
    scenes_named,
    with_photos,
)
from nb_catalog.generation.refresh import RefreshPlanner
from nb_catalog.generation.replace_painted import ReplacePaintedText
from nb_catalog.generation.text_overlays import TypesetPlanner
from nb_catalog.models import CopyDeck, ProductImage, Scene, TextLayout
from nb_catalog.providers.tiers import tier as tier_named
from nb_catalog.registry import source_for
from nb_catalog.typesetting.layouts import Layout


def plan_texts(
    products: QuerySet[Model] | Sequence[Model],
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
    """Plan words on the pictures of ``products``: each of ``layouts`` (keys or rows) in each of
    ``locales`` (none: every locale of the shop), on the newest picture in each of ``scenes`` (none:
    in every scene that there is a picture of), with ``slot`` only on what is published there. The
    words are those of ``deck`` (its key or row), and the source's ``copy()`` for roles that it does not
    have. It costs nothing.

    With ``text`` "painted" the model of ``tier`` draws them into the scene, about where the layout has them.
    That is paid for, and what it wrote is read back and compared when it comes.

    Raises ``PlanRefused`` with every objection at once, ``NotRegistered`` for an unknown model.
    """
    model = products.model if isinstance(products, QuerySet) else model_of(products)
    chosen = tuple(dict.fromkeys(locales or settings.LOCALES))
    source = source_for(model)
    wanted: dict[str, Any] = {
        "source": source,
        "layouts": tuple(_layouts(layouts)),
        "locales": chosen,
        "scenes": tuple(scene.key for scene in scenes_named(scenes)) if scenes else (),
        "slot": slot,
        "deck": _deck(deck) if deck else None,
    }
    lettering: TypesetPlanner | PaintedTextPlanner = TypesetPlanner(**wanted)
    if one_of(TextMethod, text) == TextMethod.PAINTED:
        way = one_of(RequestMode, mode)
        lettering = PaintedTextPlanner(**wanted, tier=tier_named(tier), mode=way)
        products = with_photos(products, lookups=source.photo_lookups())
    objections = tuple(_objections_to(lettering))
    if objections:
        raise PlanRefused(*objections)
    return Plan(
        key=key or uuid4().hex,
        title=_title_of(model, lettering),
        source=lettering.source,
        products=products,
        planner=lettering,
        request={
            "model": lettering.source.label,
            "layouts": [row.key for row in lettering.layouts],
            "locales": list(chosen),
            "scenes": list(lettering.scenes),
            "slot": slot,
            "deck": lettering.deck.key if lettering.deck else "",
            **_painter(lettering),
        },
    )


def plan_replacement(images: Sequence[ProductImage], *, key: str = "") -> Plan:
    """Plan setting the words of ``images``, which a model painted: exactly, in the same layouts, on the
    pictures without words below them. It costs nothing.

    Raises ``PlanRefused`` for a picture that no model painted words into, and for pictures of several
    models, ``NotRegistered`` for an unknown model.
    """
    if len({image.content_type_id for image in images}) > 1:
        raise PlanRefused("One plan is about one model; these pictures are of several.")
    specs: dict[str, list[ImageSpec]] = defaultdict(list)
    for image in images:
        spec = ImageSpec.from_dict(image.spec)
        if not spec.paints_words:
            raise PlanRefused(f"On picture {image.pk} there are no words that a model painted.")
        specs[image.object_id].append(spec)
    products = {image.object_id: image.catalog_object for image in images}
    there = [product for product in products.values() if product is not None]
    if len(there) < len(products):
        raise PlanRefused("The product of one of the pictures is gone.")
    source = source_for(model_of(there))
    return Plan(
        key=key or uuid4().hex,
        title=_("%(what)s: words set instead of painted") % {"what": plural(source.model)},
        source=source,
        products=there,
        planner=ReplacePaintedText(source=source, designs=DesignCache(source), painted=specs),
        request={"model": source.label, "exact": sorted(image.pk for image in images)},
    )


def plan_refresh(products: QuerySet[Model] | Sequence[Model], *, key: str = "") -> Plan:
    """Plan anew the published pictures of ``products`` whose words are out of date, and nothing else:
    the same layouts on the same pictures. It costs nothing.

    Raises ``NotRegistered`` for an unknown model.
    """
    model = products.model if isinstance(products, QuerySet) else model_of(products)
    renewal = RefreshPlanner.of(source_for(model))
    return Plan(
        key=key or uuid4().hex,
        title=_("%(what)s: what is out of date") % {"what": plural(model)},
        source=renewal.source,
        products=products,
        planner=renewal,
        request={"model": renewal.source.label, "renewal": True},
    )


def _painter(lettering: TypesetPlanner | PaintedTextPlanner) -> dict[str, str]:
    if not isinstance(lettering, PaintedTextPlanner):
        return {"text": TextMethod.SET.value}
    return {
        "text": TextMethod.PAINTED.value,
        "tier": lettering.tier.name,
        "mode": lettering.mode.value,
    }


def _deck(given: str | CopyDeck) -> CopyDeck:
    if isinstance(given, CopyDeck):
        return given
    found: CopyDeck | None = CopyDeck.objects.filter(key=given).first()
    if found is None:
        known = CopyDeck.objects.values_list("key", flat=True)
        raise PlanRefused(f"There is no copy deck {given!r}.{nearest(given, known)}")
    return found


def _layouts(given: Sequence[str | TextLayout]) -> Iterator[TextLayout]:
    rows = {row.key: row for row in TextLayout.objects.all()}
    for each in given:
        if isinstance(each, TextLayout):
            yield each
        elif each in rows:
            yield rows[each]
        elif not rows:
            raise PlanRefused(
                "There are no layouts yet. Load the starter set: manage.py loaddata nb_catalog_layouts"
            )
        else:
            raise PlanRefused(f"There is no layout {each!r}.{nearest(each, rows)}")


def _objections_to(lettering: TypesetPlanner | PaintedTextPlanner) -> Iterator[str]:
    if isinstance(lettering, PaintedTextPlanner):
        yield from objections_to_tier(lettering)
    slots = lettering.source.slots
    if lettering.slot and lettering.slot not in slots:
        yield f"The model has no slot {lettering.slot!r}.{nearest(lettering.slot, slots)}"
    if not lettering.layouts:
        yield "No layout was chosen. Choose at least one."
    for row in lettering.layouts:
        try:
            Layout.from_mapping(row.content)
        except ValueError as error:
            yield f"The layout “{row.name}” is wrong. {error}"
    for code in lettering.locales:
        try:
            parse_locale(code)
        except ValueError as error:
            yield str(error)


def _title_of(model: type[Model], lettering: TypesetPlanner | PaintedTextPlanner) -> str:
    return _("%(what)s: %(layouts)s (%(locales)s)") % {
        "what": plural(model),
        "layouts": shorten(", ".join(row.name for row in lettering.layouts), LONGEST_LIST),
        "locales": shorten(", ".join(lettering.locales), LONGEST_LIST),
    }
