"""Creates series and changes their looks. A look is checked as a whole before anything is written.

A change is made on an unsaved copy, so that a plan of the copy shows which pictures become stale;
``save_look`` writes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from typing import Any, Final

from django.core.validators import slug_re
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from nb_catalog.core.iteration import blocks
from nb_catalog.core.schema import number, one_of, part
from nb_catalog.core.slots import Slot
from nb_catalog.core.specs import ARRANGEMENTS
from nb_catalog.core.text import nearest
from nb_catalog.core.types import SCENE_TREATMENTS, Treatment
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.imaging.scenery import SceneRecipe
from nb_catalog.imaging.scenery.recipe import FILL, FramingWish
from nb_catalog.models import CopyDeck, Scene, Series, TextLayout
from nb_catalog.models.generic import content_type_of
from nb_catalog.models.series import SeriesView
from nb_catalog.providers import provider
from nb_catalog.providers.model_specs import spec_for
from nb_catalog.providers.tiers import tier as tier_named
from nb_catalog.registry import height_of, source_for
from nb_catalog.typesetting.layouts import Layout

MAX_KEY_LENGTH: Final = 60
BLOCK: Final = 500
HEIGHTS_CM: Final = (0.1, 100_000)
# Parts of a recipe that a series may replace. Its camera and its framing are fields of its own.
OVERRIDABLE: Final = ("surface", "wall", "edge", "light", "props", "mood", "shadow")
# What ``with_changes`` accepts.
CHANGEABLE: Final = (
    "name", "position", "is_active", "slot", "ratio", "tier", "treatment", "framing", "overrides",
    "heights_cm", "bundles", "seed_number", "layout", "deck",
)  # fmt: skip


def create(
    *,
    key: str,
    name: str,
    model: type[models.Model] | str,
    scene: Scene | str,
    slot: str,
    ratio: str = "",
    tier: str = "draft",
    treatment: str = Treatment.LOCKED,
    view: str = SeriesView.FRONT,
    framing: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
    bundles: bool = False,
    seed_number: int = 1,
    layout: TextLayout | str | None = None,
    deck: CopyDeck | str | None = None,
) -> Series:
    """Create a series for products of ``model``, with the look of ``scene`` as it is now.

    ``slot`` is where it is published; its ratio is the default. ``view`` is one camera for all members,
    or "groups". ``framing`` is that of a recipe (``fill``, ``by``, ``place``, ``baseline``, ``room``); by
    default the product stands in the middle with as much room above as below. ``overrides`` replace parts of
    the scene's recipe, such as its light. ``layout`` puts text on its pictures in the shop's locales, with
    the words of ``deck``, or of the catalog source without one.

    Raises ``RequestRefused`` with every objection at once, ``NotRegistered`` for an unknown model.
    """
    source = source_for(model)
    row = scene if isinstance(scene, Scene) else Scene.objects.filter(key=scene).first()
    if row is None:
        known = Scene.objects.values_list("key", flat=True)
        raise RequestRefused(
            _("There is no scene %(name)r.") % {"name": scene} + nearest(str(scene), known)
        )
    if not ratio and slot in source.slot_table:
        ratio = source.slot(slot).ratio
    look = look_of(row)
    series = Series(
        key=key,
        name=name,
        content_type=content_type_of(source.model),
        scene=row,
        look=look,
        slot=slot,
        ratio=ratio or "1:1",
        treatment=treatment,
        view=view,
        framing=dict(_default_framing(look) if framing is None else framing),
        overrides=dict(overrides or {}),
        bundles=bundles,
        seed_number=seed_number,
    )
    objections = [
        *_key_objections(key),
        *_tier_objections(series, tier),
        *_set_texts(series, layout=layout, deck=deck),
        *look_objections(series),
    ]
    if objections:
        raise RequestRefused(*objections)
    try:
        with transaction.atomic():
            series.save(force_insert=True)
    except IntegrityError as error:
        raise RequestRefused(_taken(key)) from error
    return series


def with_changes(series: Series, **changes: Any) -> Series:
    """Return an unsaved copy of ``series`` with ``changes``, names from ``CHANGEABLE``.

    Raises ``RequestRefused`` with every objection.
    """
    unknown = [name for name in changes if name not in CHANGEABLE]
    if unknown:
        raise RequestRefused(
            *(
                _("A series has no field %(name)r that can be changed.") % {"name": name}
                + nearest(name, CHANGEABLE)
                for name in unknown
            )
        )
    changed = copy(series)
    tier = changes.pop("tier", None)
    texts = {name: changes.pop(name) for name in ("layout", "deck") if name in changes}
    for name, value in changes.items():
        setattr(changed, name, value)
    objections = [] if tier is None else _tier_objections(changed, tier)
    objections += _set_texts(changed, **texts)
    objections += look_objections(changed)
    if objections:
        raise RequestRefused(*objections)
    return changed


def with_current_scene(series: Series) -> Series:
    """Return an unsaved copy of ``series`` with its scene as it is today.

    Raises ``RequestRefused`` if the scene was deleted, or does not suit the series any more.
    """
    scene = Scene.objects.filter(pk=series.scene_id).first()
    if scene is None:
        raise RequestRefused(
            _(
                "The scene “%(scene)s” was deleted. The series keeps its look; there is no newer version "
                "to adopt."
            )
            % {"scene": series.look["name"]}
        )
    changed = copy(series)
    changed.look = look_of(scene)
    if objections := list(look_objections(changed)):
        raise RequestRefused(*objections)
    return changed


def with_real_sizes(series: Series) -> Series:
    """Return an unsaved copy of ``series`` that shows its members in proportion: the tallest one of each
    group fills the frame, and goes on to do so when taller ones are added.

    Reads every member. Raises ``RequestRefused`` if no height is known.
    """
    source, tallest = source_for(series.label), dict[str, float]()
    members = series.members.filter(removed_at=None)
    for block in blocks(members.values_list("object_id", "group").iterator(), size=BLOCK):
        groups = dict(block)
        for product in source.queryset().filter(pk__in=list(groups)):
            group, height = groups[str(product.pk)], height_of(product)
            if height is not None:
                tallest[group] = max(height, tallest.get(group, 0.0))
    if not tallest:
        raise RequestRefused(
            _(
                "The height of no member is known. Name a field with it: height_field of %(source)s, or "
                "override height_cm()."
            )
            % {"source": type(source).__name__}
        )
    changed = copy(series)
    changed.heights_cm = tallest
    if objections := list(look_objections(changed)):
        raise RequestRefused(*objections)
    return changed


def with_successor(series: Series) -> Series:
    """Return an unsaved copy of ``series`` that is made by the successor of its model.

    Raises ``RequestRefused`` if no successor is known that is not retired itself.
    """
    today, model_spec = timezone.now().date(), spec_for(series.model)
    passed = {model_spec.id}
    while model_spec.id == series.model or (
        model_spec.retired_on and today >= model_spec.retired_on
    ):
        if not model_spec.replaced_by or model_spec.replaced_by in passed:
            raise RequestRefused(
                _("No successor of %(model)s is known. Choose another tier for the series.")
                % {"model": series.model}
            )
        model_spec = spec_for(model_spec.replaced_by)
        passed.add(model_spec.id)
    changed = copy(series)
    changed.model, changed.provider = model_spec.id, model_spec.provider
    if series.thinking not in model_spec.thinking:
        changed.thinking = ""
    return changed


def save_look(changed: Series, *, version: int | None = None) -> None:
    """Write ``changed``, a copy of a series, provided that its look is still the one that was copied, or
    that of ``version``.

    Raises ``InvalidTransition`` if someone else changed the look meanwhile.
    """
    seen = changed.version if version is None else version
    with transaction.atomic():
        if not Series.objects.filter(pk=changed.pk, version=seen).update(version=seen):
            raise InvalidTransition(
                _(
                    "Someone else has changed the series “%(name)s” meanwhile. Look at it, and try again."
                )
                % {"name": changed.name}
            )
        changed.save(
            update_fields=["look", "provider", "model", "size", "thinking", "anchor", *CHANGEABLE]
        )


def look_of(scene: Scene) -> dict[str, Any]:
    """Return what a series keeps of ``scene``."""
    kept = {name: getattr(scene, name) for name in ("key", "name", "version", *Scene.CONTENT)}
    return {**kept, "backdrop": str(scene.backdrop) if scene.backdrop_sha256 else ""}


def _set_texts(series: Series, **chosen: TextLayout | CopyDeck | str | None) -> list[str]:
    """Give ``series`` the layout and the deck that are ``chosen``, rows or keys. Return which do not
    exist."""
    objections = []
    for name, value in chosen.items():
        model = TextLayout if name == "layout" else CopyDeck
        row = value
        if isinstance(value, str):
            row = model._default_manager.filter(key=value).first() if value else None
            if value and row is None:
                known = model._default_manager.values_list("key", flat=True)
                unknown = (
                    _("There is no layout %(name)r.")
                    if name == "layout"
                    else _("There is no copy deck %(name)r.")
                )
                objections.append(unknown % {"name": value} + nearest(value, known))
        setattr(series, name, row)
    return objections


def _text_objections(series: Series, slot: Slot) -> Iterator[str]:
    if series.layout is None:
        if series.deck is not None:
            yield _("A series with a copy deck needs a text layout. Choose one.")
        return
    if not slot.words:
        refusal = _("The slot %(slot)r takes no pictures with text.") % {"slot": series.slot}
        yield refusal + " " + _("Choose or declare a slot with words=True.")
    try:
        Layout.from_mapping(series.layout.content)
    except ValueError as error:
        yield (
            _("The layout “%(name)s” is invalid. %(error)s")
            % {"name": series.layout.name, "error": error}
        )


def look_objections(series: Series) -> Iterator[str]:
    """Yield every reason why ``series``, which need not be saved, cannot have its look. Raises
    ``NotRegistered``."""
    try:
        slot = source_for(series.label).slot(series.slot)
    except RequestRefused as refusal:
        yield from refusal.objections
    else:
        yield from _text_objections(series, slot)
    if series.treatment not in [each.value for each in SCENE_TREATMENTS]:
        yield (
            _("There is no treatment %(name)r.") % {"name": series.treatment}
            + nearest(series.treatment, [each.value for each in SCENE_TREATMENTS])
        )
    if not series.name.strip():
        yield _("A series needs a name.")
    if not 1 <= series.seed_number <= ARRANGEMENTS:
        yield (
            _("The arrangement must be between 1 and %(most)s, not %(number)s.")
            % {"most": ARRANGEMENTS, "number": series.seed_number}
        )
    for group, height in series.heights_cm.items():
        try:
            one_of(*series.groups)(group)
            number(*HEIGHTS_CM)(height)
        except ValueError as error:
            yield f"heights_cm: {error}"
    if series.view not in SeriesView.values:
        yield (
            _("There is no camera %(name)r.") % {"name": series.view}
            + nearest(series.view, SeriesView.values)
        )
    elif series.look["backdrop_sha256"]:
        yield from _photo_objections(series)
    elif series.look["renderer"]:
        yield from _recipe_objections(series)
    else:
        yield from _framing_objections(series)
        if series.overrides:
            yield (
                _(
                    "The scene “%(scene)s” has no recipe, so none of it can be replaced. Describe the light "
                    "in the scene's prompt."
                )
                % {"scene": series.look["name"]}
            )


def _photo_objections(series: Series) -> Iterator[str]:
    """Yield what cannot be chosen if the scene is a photo: it has its own camera, place and light."""
    scene = {"scene": series.look["name"]}
    view = series.look["backdrop_place"].get("view", "front")
    if (view == "top") != (series.view == SeriesView.TOP) or series.view == SeriesView.GROUPS:
        yield (
            _(
                "The scene “%(scene)s” is a photo with a camera of its own. Choose the camera %(view)r."
            )
            % {**scene, "view": "top" if view == "top" else "front"}
        )
    if series.framing or series.overrides:
        yield (
            _(
                "The scene “%(scene)s” is a photo: the product's place and the light in it are part of the "
                "scene. Leave framing and changes to the recipe empty."
            )
            % scene
        )


def _framing_objections(series: Series) -> Iterator[str]:
    try:
        wish = part(FramingWish, series.framing, path="framing")
    except ValueError as error:
        yield str(error)
        return
    if wish.place == "vary":
        yield _(
            "framing: a series needs the same place for all. Choose the place centre, left or right."
        )
    if wish.by == "area" and series.heights_cm:
        yield _(
            "framing: the members are shown in proportion, by their real heights. Choose by height, or show "
            "all of them equally large."
        )


def _recipe_objections(series: Series) -> Iterator[str]:
    yield from _framing_objections(series)
    unknown = [name for name in series.overrides if name not in OVERRIDABLE]
    for name in unknown:
        yield (
            _("A series cannot replace %(name)r of a recipe.") % {"name": name}
            + nearest(name, OVERRIDABLE)
        )
    if unknown:
        return
    for group in series.groups:
        try:
            SceneRecipe.from_mapping(series.recipe_for(group))
        except ValueError as error:
            yield str(error)
            return


def _tier_objections(series: Series, name: str) -> list[str]:
    """Give ``series`` what the tier ``name`` stands for. Return why it cannot make such pictures."""
    try:
        tier = tier_named(name)
    except RequestRefused as refusal:
        return list(refusal.objections)
    series.tier, series.provider, series.model = tier.name, tier.provider, tier.model
    series.size, series.thinking = tier.size, tier.thinking
    objections = list(
        tier.model_spec.objections(
            ratio=series.ratio,
            size=tier.size,
            references=0,
            treatment=series.treatment,
            thinking=tier.thinking,
        )
    )
    if provider(tier.provider).composites and not Scene(**series.look).is_local:
        objections.append(
            _(
                "The scene “%(scene)s” has no recipe for the local renderer and no photo. Add one, or "
                "choose a tier with a model."
            )
            % {"scene": series.look["name"]}
        )
    return objections


def _key_objections(key: str) -> Iterator[str]:
    if not slug_re.match(key) or len(key) > MAX_KEY_LENGTH:
        yield (
            _(
                "The key %(key)r is not valid: at most %(most)s letters, digits, hyphens and underscores."
            )
            % {"key": key, "most": MAX_KEY_LENGTH}
        )
    elif Series.objects.filter(key=key).exists():
        yield _taken(key)


def _taken(key: str) -> str:
    return _("There is already a series with the key %(key)r.") % {"key": key}


def _default_framing(look: Mapping[str, Any]) -> dict[str, Any]:
    """Return the framing of a new series: as large as in the scene, in the middle, on one baseline."""
    if look["backdrop_sha256"]:
        return {}
    recipe = look["renderer"]
    fill = recipe.get("framing", {}).get("fill", recipe.get("fill", FILL))
    return {"fill": fill, "place": "centre", "baseline": round((1 - fill) / 2, 3)}
