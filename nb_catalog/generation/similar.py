"""Make one like this: the plan of pictures like one that exists, and what of it is different today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext as _

from nb_catalog.conf import settings
from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.types import OWN_PHOTO, SCENE_TREATMENTS, TextMethod, Treatment
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.generation.backgrounds import MAX_VARIANTS
from nb_catalog.generation.lookups import ancestors_of
from nb_catalog.models import CopyDeck, ProductImage, Scene, TextLayout
from nb_catalog.providers import tiers
from nb_catalog.registry import source_for


class PlanKind(TextChoices):
    """Which plan it is: of ``plan_backgrounds``, ``plan_texts`` or ``plan_photos``."""

    BACKGROUNDS = "backgrounds"
    TEXTS = "texts"
    PHOTOS = "photos"


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarPlan:
    """``arguments`` of a plan by their names, without products. ``changes`` are sentences about what of the
    picture no longer exists, is different today, or is not part of such a plan.

    ``further_variants`` is the number of variants with which the same product gets one more picture.
    """

    kind: PlanKind
    arguments: Mapping[str, Any]
    changes: tuple[str, ...] = ()
    further_variants: int = 1


@dataclass(slots=True)
class _Draft:
    """Arguments and sentences, as they are collected."""

    arguments: dict[str, Any] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)


def similar_plan(image: ProductImage) -> SimilarPlan:
    """Return the plan of pictures like ``image``: scene, ratio, tier and treatment, or layout, language and
    deck. At most five queries.

    Of an edit, it is that of the picture which its edits began with.
    """
    spec = ImageSpec.of_image(image.spec)
    draft = _Draft()
    tier = image.tier
    if spec.edit:
        draft.changes.append(
            _("The edits of picture %(pk)s are not repeated: edit the new picture.")
            % {"pk": image.pk}
        )
        path = ancestors_of(image)
        rows = ProductImage.objects.only("spec", "tier", "kind").in_bulk(path)
        above = (rows[key] for key in path if key in rows)
        original = next((each for each in above if not each.spec.get("edit")), None)
        if original is not None:
            spec, tier = ImageSpec.of_image(original.spec), original.tier
    if spec.is_own_photo:
        draft.arguments = {"ratio": spec.ratio}
        return _finished(PlanKind.PHOTOS, draft, spec)
    if spec.base:
        _add_text(draft, spec, tier=tier)
        return _finished(PlanKind.TEXTS, draft, spec)
    _add_background(draft, spec, tier=tier)
    return _finished(PlanKind.BACKGROUNDS, draft, spec)


def _finished(kind: PlanKind, draft: _Draft, spec: ImageSpec) -> SimilarPlan:
    return SimilarPlan(
        kind=kind,
        arguments=draft.arguments,
        changes=tuple(draft.changes),
        further_variants=min(spec.variant + 1, MAX_VARIANTS),
    )


def _add_background(draft: _Draft, spec: ImageSpec, *, tier: str) -> None:
    scenes = list(_scene_named(draft, spec))
    draft.arguments = {"scenes": scenes, "variants": 1, "ratio": spec.ratio}
    _add_tier(draft, spec, tier=tier)
    _add_treatment(draft, spec)
    if spec.parts:
        draft.arguments["parts"] = [(part.object_type, part.object_id) for part in spec.part_specs]
        draft.changes.append(
            _("The picture shows %(number)d products together: choose those of the new one.")
            % {"number": len(spec.parts)}
        )
    if spec.series:
        draft.changes.append(
            _(
                "The picture belongs to the series “%(series)s”, whose light, camera and framing are not "
                "part of this plan. To have them, add the product to the series."
            )
            % {"series": spec.series}
        )
    if spec.draft:
        draft.changes.append(
            _("The picture is the final of a draft. The new one is made without a draft.")
        )


def _scene_named(draft: _Draft, spec: ImageSpec) -> Iterator[str]:
    scene = Scene.objects.filter(key=spec.scene).first()
    names = {"scene": spec.scene if scene is None else scene.name}
    if scene is None:
        draft.changes.append(_("The scene “%(scene)s” was deleted. Choose another one.") % names)
        return
    if not scene.is_active:
        draft.changes.append(
            _("The scene “%(scene)s” is not in use any more. Choose another one, or activate it.")
            % names
        )
        return
    if scene.version != spec.scene_version:
        draft.changes.append(
            _(
                "The scene “%(scene)s” was changed since: version %(now)s instead of %(then)s. The new "
                "picture gets it as it is today."
            )
            % {**names, "now": scene.version, "then": spec.scene_version}
        )
    yield scene.key


def _add_tier(draft: _Draft, spec: ImageSpec, *, tier: str) -> None:
    """Choose the tier of the picture, otherwise one with its model, otherwise the first."""
    known = {each.name: each for each in tiers.tiers()}
    same_model = [
        each
        for each in known.values()
        if (each.provider, each.model) == (spec.provider, spec.model)
    ]
    found = known.get(tier) or next(iter([*same_model, *known.values()]), None)
    if found is None:
        draft.changes.append(_("There is no tier any more. Add one to TIERS in the settings."))
        return
    draft.arguments["tier"] = found.name
    now = {"tier": found.name, "model": found.model, "size": found.size}
    then = {"then": spec.model, "then_size": spec.size}
    if found.name != tier:
        text = _(
            "There is no tier “%(gone)s” any more. “%(tier)s” is chosen instead: %(model)s, %(size)s."
        )
        draft.changes.append(text % {**now, "gone": tier})
    elif (found.provider, found.model, found.size) != (spec.provider, spec.model, spec.size):
        text = _(
            "The tier “%(tier)s” is %(model)s, %(size)s today. The picture was made with %(then)s, "
            "%(then_size)s."
        )
        draft.changes.append(text % {**now, **then})


def _add_treatment(draft: _Draft, spec: ImageSpec) -> None:
    """Choose the picture's treatment if shop and tier allow it, otherwise one that both do."""
    possible: list[str] = [each.value for each in SCENE_TREATMENTS]
    try:
        source = source_for(spec.object_type)
        possible = [each for each in possible if each in source.treatments]
        if tier := draft.arguments.get("tier"):
            offered = tiers.tier(tier).model_spec.treatments
            possible = [each for each in possible if each in offered]
    except NBCatalogError:
        # What is wrong with the tier is shown beside it, and a model that is not registered has no page.
        pass
    if spec.treatment in possible:
        draft.arguments["treatment"] = spec.treatment
        return
    label = Treatment(spec.treatment).label
    if possible:
        draft.arguments["treatment"] = possible[0]
    text = _("The treatment “%(treatment)s” is not possible any more. Choose another one.")
    draft.changes.append(text % {"treatment": label})


def _add_text(draft: _Draft, spec: ImageSpec, *, tier: str) -> None:
    layouts = list(_layout_named(draft, spec))
    draft.arguments = {"layouts": layouts, "locales": [], "deck": ""}
    if spec.locale in settings.LOCALES:
        draft.arguments["locales"] = [spec.locale]
    else:
        draft.changes.append(
            _("The shop does not have the language “%(locale)s” any more. Choose another one.")
            % {"locale": spec.locale}
        )
    if spec.deck:
        deck = CopyDeck.objects.filter(key=spec.deck, is_active=True).first()
        if deck is None:
            draft.changes.append(
                _(
                    "The copy deck “%(deck)s” does not exist any more, or is not in use. The shop’s own "
                    "texts are chosen."
                )
                % {"deck": spec.deck}
            )
        else:
            draft.arguments["deck"] = deck.key
            if deck.version != spec.deck_version:
                draft.changes.append(
                    _(
                        "The copy deck “%(deck)s” was changed since. The new picture gets its texts of today."
                    )
                    % {"deck": deck.name}
                )
    if not spec.scene:
        draft.arguments["scenes"] = [OWN_PHOTO]
    elif Scene.objects.filter(key=spec.scene, is_active=True).exists():
        draft.arguments["scenes"] = [spec.scene]
    if spec.paints_text:
        draft.arguments["text"] = TextMethod.PAINTED.value
        _add_tier(draft, spec, tier=tier)


def _layout_named(draft: _Draft, spec: ImageSpec) -> Iterator[str]:
    layout = TextLayout.objects.filter(key=spec.layout, is_active=True).first()
    if layout is None:
        draft.changes.append(
            _(
                "The layout “%(layout)s” does not exist any more, or is not in use. Choose another one."
            )
            % {"layout": spec.layout}
        )
        return
    if layout.version != spec.layout_version:
        draft.changes.append(
            _("The layout “%(layout)s” was changed since. The new picture gets it as it is today.")
            % {"layout": layout.name}
        )
    yield layout.key
