"""Checks requests for pictures as a whole and turns them into plans."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from django.db.models import Model
from django.utils.translation import gettext as _

from nb_catalog.conf import settings
from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.text import nearest, shorten
from nb_catalog.core.types import OWN_PHOTO, RequestMode, TextMethod, Treatment
from nb_catalog.exceptions import PlanRefused
from nb_catalog.generation.arguments import choice_of, rows_named
from nb_catalog.generation.backgrounds import BackgroundPlanner
from nb_catalog.generation.bundles import BundlePlanner, chosen_parts
from nb_catalog.generation.edit_planning import plan_adjustments, plan_moved_texts
from nb_catalog.generation.escalation import EscalationPlanner
from nb_catalog.generation.final_texts import FinalTextPlanner
from nb_catalog.generation.own_photos import PhotoPlanner
from nb_catalog.generation.painted_text import PaintedTextPlanner
from nb_catalog.generation.plan import Plan
from nb_catalog.generation.plan_parts import images_of, make_plan, products_of
from nb_catalog.generation.planners import PaidPlanner, Planner
from nb_catalog.generation.refresh import RefreshPlanner, ReplacePaintedText
from nb_catalog.generation.series import MemberProducts, SeriesPlanner
from nb_catalog.generation.series_texts import SeriesTextPlanner
from nb_catalog.generation.subjects import Products, source_of
from nb_catalog.generation.text_overlays import DesignCache, TypesetPlanner
from nb_catalog.models import CopyDeck, ProductImage, Scene, Series, SeriesMember, TextLayout
from nb_catalog.providers.tiers import tier as tier_named
from nb_catalog.series import with_successor


def plan_backgrounds(
    products: Products,
    *,
    scenes: Sequence[str | Scene],
    variants: int = 1,
    ratio: str = "",
    slot: str = "",
    tier: str = "draft",
    treatment: str = Treatment.LOCKED,
    mode: str = RequestMode.DIRECT,
    bundles: bool = False,
    parts: Sequence[Model | Sequence[str]] = (),
    key: str = "",
) -> Plan:
    """Plan pictures of ``products`` in each of ``scenes`` (keys or rows).

    ``slot`` is where they are to be published: they must fit it, and without ``ratio`` they have the
    slot's own. Without ``slot`` they must fit one slot of the model; the default ratio is 1:1.
    With ``mode`` "batch" they cost half and arrive when the provider has capacity. With ``bundles``,
    products whose source names the parts of a ``bundle()`` are shown as these together. ``parts`` are
    shown together on pictures that are kept under the one product of ``products``: objects, or (model's
    label, key) of them. ``key`` identifies the request if the caller has an idempotency key of its own.

    Raises ``PlanRefused`` with every objection at once, ``NotRegistered`` for an unknown model.
    """
    source = source_of(products)
    if slot and slot in source.slot_table:
        ratio = ratio or source.slot(slot).ratio
    options: dict[str, Any] = {
        "source": source,
        "tier": tier_named(tier),
        "scenes": rows_named(Scene, scenes),
        "variants": variants,
        "ratio": ratio or "1:1",
        "slot": slot,
        "treatment": choice_of(Treatment, treatment, name="treatment"),
        "mode": choice_of(RequestMode, mode, name="mode"),
    }
    planner = BackgroundPlanner(**options)
    if parts:
        planner = BundlePlanner(**options, chosen=chosen_parts(products, parts))
    elif bundles:
        planner = BundlePlanner(**options)
    return make_plan(planner, products, key=key, with_photos=True)


def plan_photos(
    products: Products, *, ratio: str = "", slot: str = "", every: bool = False, key: str = ""
) -> Plan:
    """Plan the first photo of each of ``products`` as a picture, or ``every`` photo as a variant.

    Nothing is generated, and it is free. ``ratio``, such as "4:5", crops the photos around the product;
    with ``slot`` they must fit it, and get the slot's own ratio without another. Otherwise photos stay
    whole.

    Raises ``PlanRefused`` with every objection at once, ``NotRegistered`` for an unknown model.
    """
    source = source_of(products)
    if slot and slot in source.slot_table:
        ratio = ratio or source.slot(slot).ratio
    planner = PhotoPlanner(source=source, ratio=ratio, slot=slot, every=every)
    return make_plan(planner, products, key=key, with_photos=True)


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
    (default: every scene that there is a picture of, and the product's own photo if it is one);
    ``types.OWN_PHOTO`` among them names that photo. With ``slot``, only pictures published there.
    Texts come from ``deck`` (its key or row), and from the source's ``copy()`` for roles that the
    deck does not have. Typesetting is free.

    With ``text`` "painted" the model of ``tier`` paints the texts into the scene, about where the
    layout places them. That is paid for, and OCR compares the result with what was requested.

    Raises ``PlanRefused`` with every objection at once, ``NotRegistered`` for an unknown model.
    """
    own_photo = (OWN_PHOTO,) if OWN_PHOTO in scenes else ()
    others = [each for each in scenes if each != OWN_PHOTO]
    options: dict[str, Any] = {
        "source": source_of(products),
        "layouts": rows_named(TextLayout, layouts),
        "locales": tuple(dict.fromkeys(locales or settings.LOCALES)),
        "scenes": (*own_photo, *(scene.key for scene in rows_named(Scene, others))),
        "slot": slot,
        "deck": None,
    }
    if deck:
        row = deck if isinstance(deck, CopyDeck) else CopyDeck.objects.filter(key=deck).first()
        if row is None:
            known = CopyDeck.objects.values_list("key", flat=True)
            raise PlanRefused(
                _("There is no copy deck %(name)r.") % {"name": deck} + nearest(str(deck), known)
            )
        options["deck"] = row
    if choice_of(TextMethod, text, name="text method") == TextMethod.SET:
        return make_plan(TypesetPlanner(**options), products, key=key)
    planner = PaintedTextPlanner(
        **options, tier=tier_named(tier), mode=choice_of(RequestMode, mode, name="mode")
    )
    return make_plan(planner, products, key=key, with_photos=True)


def plan_replacement(images: Sequence[ProductImage], *, key: str = "") -> Plan:
    """Plan typesetting the text of ``images``, which a model painted.

    The text is set in the same layouts on the same base images. It is free.

    Raises ``PlanRefused`` for an image without painted text, for images of several models and when
    a product no longer exists, ``NotRegistered`` for an unknown model.
    """
    products = products_of(images)
    for image in images:
        if not ImageSpec.of_image(image.spec).paints_text:
            raise PlanRefused(
                _("Picture %(pk)s has no text that a model painted.") % {"pk": image.pk}
            )
    designs = DesignCache(source_of(products))
    return make_plan(ReplacePaintedText(designs=designs, images=images), products, key=key)


def plan_escalation(
    images: Sequence[ProductImage],
    *,
    tier: str = "premium",
    candidates: int = 2,
    treatment: str = "",
    mode: str = RequestMode.DIRECT,
    key: str = "",
) -> Plan:
    """Plan finals of ``images``: the same pictures on a higher tier, from their own specs.

    A model gets the draft along, so that the composition stays, and makes ``candidates`` to choose from; a
    tier that renders makes one, free of charge, at its own size. ``treatment`` is another one than the drafts
    have. Pictures that cannot have a final are items of the plan with the reason.

    Raises ``PlanRefused`` with every objection at once, for images of several models and when a product no
    longer exists, ``NotRegistered`` for an unknown model.
    """
    products = products_of(images)
    planner = EscalationPlanner(
        source=source_of(products),
        images=tuple(images),
        tier=tier_named(tier),
        candidates=candidates,
        treatment=choice_of(Treatment, treatment, name="treatment") if treatment else None,
        mode=choice_of(RequestMode, mode, name="mode"),
    )
    return make_plan(planner, products, key=key, with_photos=True)


def plan_refresh(
    products: Products, *, placements: Collection[int] | None = None, key: str = ""
) -> Plan:
    """Plan outdated published pictures with text of ``products`` again, and nothing else.

    With ``placements``, only those with these primary keys. Layouts and base images stay the same. It
    is free. Raises ``NotRegistered`` for an unknown model.
    """
    planner = RefreshPlanner(designs=DesignCache(source_of(products)), placements=placements)
    return make_plan(planner, products, key=key)


def plan_final_texts(
    products: Products, *, placements: Collection[int] | None = None, key: str = ""
) -> Plan:
    """Plan the text of published pictures of ``products`` on the finals that they wait for. It is free.

    With ``placements``, only those with these primary keys. Raises ``NotRegistered`` for an unknown model.
    """
    chosen = None if placements is None else frozenset(placements)
    planner = FinalTextPlanner(designs=DesignCache(source_of(products)), placements=chosen)
    return make_plan(planner, products, key=key)


def plan_series(
    series: Series | str,
    *,
    products: Sequence[Model] | None = None,
    members: Sequence[str] | None = None,
    mode: str = RequestMode.DIRECT,
    key: str = "",
) -> Plan:
    """Plan what is missing of the pictures of ``series`` (a row or a key), with its look.

    All members, or only ``products`` with their variants, or only ``members`` by their ``SeriesMember.key``.
    Of a copy with another look (``series.with_changes`` and the like) the plan shows which pictures become
    stale; start it only after ``series.save_look``.

    Raises ``PlanRefused`` with every objection at once.
    """
    row = _series_named(series)
    planner = SeriesPlanner.of(row, mode=choice_of(RequestMode, mode, name="mode"))
    is_whole = products is None and members is None
    members_of_row = SeriesMember.objects.filter(series=row, removed_at=None).order_by(
        "position", "pk"
    )
    if products is not None:
        members_of_row = members_of_row.filter(object_id__in=[str(each.pk) for each in products])
    rows = list(members_of_row.values_list("object_id", "variant"))
    objections = list(planner.objections())
    if members is not None:
        by_key = {SeriesMember.key_of(*each): each for each in rows}
        if strangers := [each for each in members if each not in by_key and products is None]:
            objections.append(
                _("These are not members of the series: %(keys)s.")
                % {"keys": shorten(", ".join(strangers))}
            )
        rows = [by_key[each] for each in members if each in by_key]
    number = len(rows)
    if products is None:
        keys = dict.fromkeys(object_id for object_id, _variant in rows)
        products = MemberProducts(planner.source, list(keys))
    elif members is None:
        # Products that are not members are planned as if they were.
        number = max(number, len(products))
    if not products:
        objections.append(
            _("The series “%(name)s” has no members. Add products.") % {"name": row.name}
        )
    elif number > 1 and planner.needs_anchor:
        objections.append(
            _(
                "The series “%(name)s” has no anchor, and a model gives products painted without one no "
                "common look. Plan one product, approve its picture and make it the anchor."
            )
            % {"name": row.name}
        )
    if objections:
        raise PlanRefused(*objections)
    planner = replace(planner, only=tuple(members or ()), has_one_member=is_whole and number == 1)
    return Plan(
        key=key or uuid4().hex,
        title=planner.title(),
        source=planner.source,
        products=products,
        planner=planner,
        request=planner.as_request(),
    )


def plan_series_texts(
    series: Series | str, *, products: Sequence[Model] | None = None, key: str = ""
) -> Plan:
    """Plan the text of ``series`` (a row or a key) on the pictures that its members have now, in the shop's
    locales: what is missing, or out of date because of another layout, deck, text or picture below.

    All members, or only those of ``products``. It is free. Members whose picture does not exist yet are not
    possible: the pictures come first. Raises ``PlanRefused``, and ``RequestRefused`` without a layout.
    """
    row = _series_named(series)
    planner = SeriesTextPlanner.of(row)
    if products is None:
        members = row.members.filter(removed_at=None).order_by("position", "pk")
        keys = dict.fromkeys(members.values_list("object_id", flat=True))
        products = MemberProducts(planner.source, list(keys))
    return make_plan(planner, products, key=key)


def _series_named(series: Series | str) -> Series:
    if not isinstance(series, str):
        return series
    rows = Series.objects.select_related("anchor", "layout", "deck").filter(key=series)
    row: Series | None = rows.first()
    if row is None:
        known = Series.objects.values_list("key", flat=True)
        raise PlanRefused(
            _("There is no series %(name)r.") % {"name": series} + nearest(series, known)
        )
    return row


def plan_trial(series: Series, *, key: str = "") -> Plan:
    """Plan one member of ``series`` with the successor of its model, to be compared with the anchor.

    It is the product that the anchor shows, if that is a member, otherwise the first one.
    ``series.save_look(series.with_successor(…))`` then accepts the successor for the whole series. Raises
    ``PlanRefused``, and ``RequestRefused`` without a successor.
    """
    rows = series.members.filter(removed_at=None).order_by("position", "pk")
    anchor = series.anchor
    shown = rows.none()
    if anchor is not None:
        shown = rows.filter(object_id=anchor.object_id, variant=anchor.variant)
    return plan_series(
        with_successor(series), members=[each.key for each in (shown or rows)[:1]], key=key
    )


def stored_request(planner: Planner) -> dict[str, Any]:
    """Return plain data from which ``plan_again`` makes an equal planner.

    ``made_by`` is what a tier stood for when its price was confirmed.
    """
    return {**planner.as_request(), "kind": planner.kind, "made_by": _made_by(planner)}


def plan_again(request: Mapping[str, Any], products: Sequence[Model]) -> Plan:
    """Plan ``request``, as ``stored_request`` returned it, for ``products``. Photos are not read: they
    are when their pictures are made.

    Raises ``PlanRefused`` if it is not possible any more, or a tier has changed since.
    """
    about = ("kind", "made_by", "model", "renewal", "exact")
    options = {name: value for name, value in request.items() if name not in about}
    match request["kind"]:
        case "backgrounds":
            plan = plan_backgrounds(products, **options)
        case "photos":
            plan = plan_photos(products, **options)
        case "texts":
            plan = plan_texts(products, **options)
        case "refresh":
            plan = plan_refresh(products, **options)
        case "final_texts":
            plan = plan_final_texts(products, **options)
        case "series" | "series_texts":
            version, name = options.pop("version"), options.pop("series")
            again = plan_series if request["kind"] == "series" else plan_series_texts
            plan = again(name, products=products, **options)
            if plan.request["version"] != version:
                raise PlanRefused(
                    _(
                        "The look of the series “%(name)s” was changed after this run was confirmed. Cancel "
                        "the run, and plan the series again."
                    )
                    % {"name": name}
                )
        case "escalation":
            images = images_of(products, options.pop("images"))
            plan = plan_escalation(images, **options)
        case "adjustments":
            images = images_of(products, request["images"])
            plan = plan_adjustments(images, request["adjustments"])
        case "moved_texts":
            plan = plan_moved_texts(ProductImage.objects.get(pk=request["image"]))
        case _:
            images = images_of(products, request["exact"])
            designs = DesignCache(source_of(products))
            plan = make_plan(ReplacePaintedText(designs=designs, images=images), products, key="")
    if _made_by(plan.planner) != request["made_by"]:
        raise PlanRefused(
            _(
                "The tier %(tier)r was changed after this run was confirmed: from %(before)s to %(now)s. "
                "Cancel the run, and plan the pictures that it lacks again."
            )
            % {
                "tier": plan.tier,
                "before": " ".join(request["made_by"]),
                "now": " ".join(_made_by(plan.planner)),
            }
        )
    if isinstance(plan.planner, PaidPlanner):
        plan.planner.photo_reader.seconds_left = 0
    elif isinstance(plan.planner, PhotoPlanner):
        plan = replace(plan, planner=replace(plan.planner, photo_seconds=0.0))
    return plan


def _made_by(planner: Planner) -> list[str]:
    """Return provider, model and size of the planner's tier."""
    if not isinstance(planner, PaidPlanner):
        return []
    return [planner.tier.provider, planner.tier.model, planner.tier.size]
