"""Requests, checked as a whole before anything is worked out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar
from uuid import uuid4

from django.db.models import Model, QuerySet, TextChoices, prefetch_related_objects
from django.utils.translation import gettext as _

from nb_catalog.conf import nearest, settings
from nb_catalog.exceptions import PlanRefused, RequestRefused, shortened
from nb_catalog.layouts import Layout
from nb_catalog.locales import parsed
from nb_catalog.models import CopyDeck, Scene, TextLayout
from nb_catalog.plans.kitchen import Kitchen
from nb_catalog.plans.lettering import Lettering
from nb_catalog.plans.plan import Plan
from nb_catalog.plans.renewal import Renewal
from nb_catalog.registry import source_for
from nb_catalog.tiers import tier as tier_named
from nb_catalog.types import Delivery, Treatment

MOST_VARIANTS: Final = 12
# Characters that a list of names has in a title.
LONGEST_LIST: Final = 120

C = TypeVar("C", bound=TextChoices)


def plan_backgrounds(
    products: QuerySet[Model] | Sequence[Model],
    *,
    scenes: Sequence[str | Scene],
    variants: int = 1,
    ratio: str = "1:1",
    tier: str = "draft",
    treatment: str = Treatment.LOCKED,
    delivery: str = Delivery.DIRECT,
    key: str = "",
) -> Plan:
    """Plan pictures of ``products`` in each of ``scenes`` (keys or rows).

    With ``delivery`` "batch" they cost half and come when the provider has time.

    ``key`` identifies the request, when the caller has an idempotency key of its own. Raises
    ``PlanRefused`` with every objection at once, ``NotRegistered`` for an unknown model.
    """
    model = products.model if isinstance(products, QuerySet) else _model_of(products)
    source = source_for(model)
    step = tier_named(tier)
    kitchen = Kitchen(
        source=source,
        scenes=tuple(_scenes(scenes)),
        variants=variants,
        ratio=ratio,
        tier=step,
        treatment=_one_of(Treatment, treatment),
        delivery=_one_of(Delivery, delivery),
    )
    objections = tuple(_objections(kitchen))
    if objections:
        raise PlanRefused(*objections)
    return Plan(
        key=key or uuid4().hex,
        title=_title(model, kitchen),
        source=source,
        products=_with_photos(products, lookups=source.photo_lookups()),
        kitchen=kitchen,
        request=_request(kitchen),
    )


def plan_texts(
    products: QuerySet[Model] | Sequence[Model],
    *,
    layouts: Sequence[str | TextLayout],
    locales: Sequence[str] = (),
    scenes: Sequence[str | Scene] = (),
    slot: str = "",
    deck: str | CopyDeck = "",
    key: str = "",
) -> Plan:
    """Plan words on the pictures of ``products``: each of ``layouts`` (keys or rows) in each of
    ``locales`` (none: every locale of the shop), on the newest picture in each of ``scenes`` (none:
    in every scene that there is a picture of), with ``slot`` only on what is published there. The
    words are those of ``deck`` (its key or row), and the source's ``copy()`` for roles that it does not
    have. It costs nothing.

    Raises ``PlanRefused`` with every objection at once, ``NotRegistered`` for an unknown model.
    """
    model = products.model if isinstance(products, QuerySet) else _model_of(products)
    chosen = tuple(dict.fromkeys(locales or settings.LOCALES))
    lettering = Lettering(
        source=source_for(model),
        layouts=tuple(_layouts(layouts)),
        locales=chosen,
        scenes=tuple(scene.key for scene in _scenes(scenes)) if scenes else (),
        slot=slot,
        deck=_deck(deck) if deck else None,
    )
    objections = tuple(_objections_to(lettering))
    if objections:
        raise PlanRefused(*objections)
    return Plan(
        key=key or uuid4().hex,
        title=_title_of(model, lettering),
        source=lettering.source,
        products=products,
        kitchen=lettering,
        request={
            "model": lettering.source.label,
            "layouts": [row.key for row in lettering.layouts],
            "locales": list(chosen),
            "scenes": list(lettering.scenes),
            "slot": slot,
            "deck": lettering.deck.key if lettering.deck else "",
        },
    )


def plan_renewal(products: QuerySet[Model] | Sequence[Model], *, key: str = "") -> Plan:
    """Plan anew the published pictures of ``products`` whose words are out of date, and nothing else:
    the same layouts on the same pictures. It costs nothing.

    Raises ``NotRegistered`` for an unknown model.
    """
    model = products.model if isinstance(products, QuerySet) else _model_of(products)
    renewal = Renewal.of(source_for(model))
    what = str(model._meta.verbose_name_plural)
    return Plan(
        key=key or uuid4().hex,
        title=_("%(what)s: what is out of date") % {"what": what[:1].upper() + what[1:]},
        source=renewal.source,
        products=products,
        kitchen=renewal,
        request={"model": renewal.source.label, "renewal": True},
    )


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


def _objections_to(lettering: Lettering) -> Iterator[str]:
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
            parsed(code)
        except ValueError as error:
            yield str(error)


def _title_of(model: type[Model], lettering: Lettering) -> str:
    what = str(model._meta.verbose_name_plural)
    return _("%(what)s: %(layouts)s (%(locales)s)") % {
        "what": what[:1].upper() + what[1:],
        "layouts": shortened(", ".join(row.name for row in lettering.layouts), LONGEST_LIST),
        "locales": shortened(", ".join(lettering.locales), LONGEST_LIST),
    }


def _model_of(products: Sequence[Model]) -> type[Model]:
    models = {type(product) for product in products}
    if not models:
        raise PlanRefused("No products were given.")
    if len(models) > 1:
        names = ", ".join(sorted(model.__name__ for model in models))
        raise PlanRefused(f"One plan is about one model; these are {names}. Make a plan for each.")
    return models.pop()


def _with_photos(
    products: QuerySet[Model] | Sequence[Model], *, lookups: tuple[str, ...]
) -> QuerySet[Model] | Sequence[Model]:
    if isinstance(products, QuerySet):
        return products.prefetch_related(*lookups) if lookups else products
    prefetch_related_objects(list(products), *lookups)
    return products


def _scenes(given: Sequence[str | Scene]) -> Iterator[Scene]:
    rows = {scene.key: scene for scene in Scene.objects.all()}
    for each in given:
        if isinstance(each, Scene):
            yield each
        elif each in rows:
            yield rows[each]
        elif not rows:
            raise PlanRefused(
                "There are no scenes yet. Load the starter set: manage.py loaddata nb_catalog_scenes"
            )
        else:
            raise PlanRefused(f"There is no scene {each!r}.{nearest(each, rows)}")


def _one_of(choices: type[C], given: str) -> C:
    try:
        return choices(given)
    except ValueError as error:
        what = choices.__name__.lower()
        raise PlanRefused(
            f"There is no {what} {given!r}.{nearest(given, choices.values)}"
        ) from error


def _objections(kitchen: Kitchen) -> Iterator[str]:
    if not kitchen.scenes:
        yield "No scene was chosen. Choose at least one."
    if not 1 <= kitchen.variants <= MOST_VARIANTS:
        yield f"Variants must be between 1 and {MOST_VARIANTS}, not {kitchen.variants}."
    yield from kitchen.objections()
    try:
        kitchen.price_usd()
    except RequestRefused as refusal:
        yield from refusal.objections


def _title(model: type[Model], kitchen: Kitchen) -> str:
    names = shortened(", ".join(scene.name for scene in kitchen.scenes), LONGEST_LIST)
    what = str(model._meta.verbose_name_plural)
    return _("%(what)s: %(scenes)s (%(tier)s)") % {
        "what": what[:1].upper() + what[1:],
        "scenes": names,
        "tier": kitchen.tier.name,
    }


def _request(kitchen: Kitchen) -> dict[str, object]:
    return {
        "model": kitchen.source.label,
        "scenes": [scene.key for scene in kitchen.scenes],
        "variants": kitchen.variants,
        "ratio": kitchen.ratio,
        "tier": kitchen.tier.name,
        "treatment": kitchen.treatment.value,
        "delivery": kitchen.delivery.value,
    }
