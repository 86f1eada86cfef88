"""The form for generating pictures, its choices, and the preview of its plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final, Protocol

from django import forms
from django.contrib.admin import AdminSite
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog import generation
from nb_catalog.admin import thumbnails
from nb_catalog.admin.formatting import dollars
from nb_catalog.admin.generate.selection import Selection
from nb_catalog.core.types import SCENE_TREATMENTS, RequestMode, Treatment
from nb_catalog.exceptions import RequestRefused
from nb_catalog.generation.backgrounds import MAX_VARIANTS
from nb_catalog.generation.bundles import LEAST_PARTS, MOST_PARTS
from nb_catalog.models import Scene
from nb_catalog.providers import model_specs, provider, tiers
from nb_catalog.registry import CatalogSource

# Longer side of a ratio icon, in SVG units.
ICON_SIZE: Final = 28
# Fields whose error messages name the field themselves.
_CHOICE_FIELDS: Final = frozenset({"scenes", "layouts", "locales"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneChoice:
    """A selectable scene. ``thumbnail`` is empty for scenes that require a model."""

    key: str
    name: str
    thumbnail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioChoice:
    """A ratio with the SVG rectangle of its icon."""

    name: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TierChoice:
    """A tier with the abilities of its model. ``problem`` tells why it cannot be used."""

    name: str
    model: str = ""
    size: str = ""
    price: str = ""
    treatments: tuple[str, ...] = ()
    ratios: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    problem: str = ""


def budget_field() -> forms.DecimalField:
    return forms.DecimalField(
        label=_("Budget in US dollars"),
        min_value=Decimal(0),
        max_digits=12,
        decimal_places=6,
        required=False,
        help_text=_("Optional. The run pauses when the budget is reached; nothing is lost."),
    )


class GenerateForm(forms.Form):
    """The arguments of ``generation.plan_backgrounds``, plus a budget."""

    scenes = forms.MultipleChoiceField(
        label=_("Scenes"), error_messages={"required": _("Choose at least one scene.")}
    )
    variants = forms.IntegerField(
        label=_("Variants per product and scene"), min_value=1, max_value=MAX_VARIANTS, initial=1
    )
    ratio = forms.ChoiceField(
        label=_("Aspect ratio"), choices=[(r, r) for r in model_specs.RATIOS], initial="1:1"
    )
    tier = forms.ChoiceField(label=_("Tier"))
    treatment = forms.ChoiceField(
        label=_("Treatment"),
        choices=[(each.value, each.label) for each in SCENE_TREATMENTS],
        initial=Treatment.LOCKED,
    )
    mode = forms.ChoiceField(
        label=_("Processing"),
        choices=RequestMode.choices,
        initial=RequestMode.DIRECT,
        required=False,
    )
    bundles = forms.BooleanField(
        label=_("Show bundles as their products together"),
        required=False,
        initial=True,
        help_text=_("Otherwise their own photos are used, like those of other products."),
    )
    together = forms.ChoiceField(
        label=_("The selected products"),
        required=False,
        help_text=_(
            "One picture shows all of them, in proportion if their heights are known. It is kept under the "
            "product that you choose, which is seen whole."
        ),
    )
    budget_usd = budget_field()

    def __init__(self, *args: Any, chosen: Selection, **options: Any) -> None:
        super().__init__(*args, **options)
        # Each of the two choices is there only where it means something.
        if type(chosen.source).bundle is CatalogSource.bundle:
            del self.fields["bundles"]
        self.products = (
            list(chosen.products().iterator()) if LEAST_PARTS <= len(chosen) <= MOST_PARTS else []
        )
        if self.products:
            titles = [(str(each.pk), chosen.source.title(each)) for each in self.products]
            kept_under = gettext("One picture of all, kept under %s")
            self.fields["together"].choices = [
                ("", gettext("A picture of each")),
                *((key, kept_under % title) for key, title in titles),
            ]
        else:
            del self.fields["together"]
        self.scenes = list(Scene.objects.filter(is_active=True))
        self.fields["scenes"].choices = [(scene.key, scene.name) for scene in self.scenes]
        self.tiers = tuple(tier_choices())
        self.fields["tier"].choices = [(tier.name, tier.name) for tier in self.tiers]
        self.fields["tier"].initial = self.tiers[0].name if self.tiers else ""

    def clean_mode(self) -> str:
        return self.cleaned_data["mode"] or RequestMode.DIRECT

    def plan(self, chosen: Selection, *, nonce: str) -> generation.Plan:
        """Return the plan of a valid form. Raises ``RequestRefused``."""
        options = {name: self.cleaned_data[name] for name in self.fields if name != "budget_usd"}
        key = plan_key(chosen, options, nonce=nonce)
        kept_under = options.pop("together", "")
        if not kept_under:
            return generation.plan_backgrounds(chosen.products(), **options, key=key)
        # A stable sort: the product that it is kept under comes first, and is seen whole.
        parts = sorted(self.products, key=lambda each: str(each.pk) != kept_under)
        return generation.plan_backgrounds(parts[:1], **options, parts=parts, key=key)

    def scene_choices(self, *, site: AdminSite) -> list[SceneChoice]:
        return [
            SceneChoice(
                key=scene.key, name=scene.name, thumbnail=thumbnails.scene_url(scene, site=site)
            )
            for scene in self.scenes
        ]


def plan_key(chosen: Selection, options: Mapping[str, Any], *, nonce: str) -> str:
    """Return a key for the opened page (``nonce``) and all options on it.

    Submitting the same page twice starts one run; changing an option starts another.
    """
    content = repr([nonce, chosen.token, chosen.label, sorted(options.items())])
    return sha256(content.encode()).hexdigest()


def tier_choices(*, references: int = 1, paints: bool = False) -> Iterator[TierChoice]:
    """Yield the tiers, with the price of a picture made from this number of ``references``.

    With ``paints``, only tiers that use a model.
    """
    for tier in tiers.tiers():
        if paints and provider(tier.provider).composites:
            continue
        try:
            model_spec = tier.model_spec
            price = model_spec.estimate(size=tier.size, references=references)
        except RequestRefused as refusal:
            yield TierChoice(name=tier.name, model=tier.model, size=tier.size, problem=str(refusal))
            continue
        yield TierChoice(
            name=tier.name,
            model=model_spec.name,
            size=tier.size,
            price=gettext("up to %s each") % dollars(price) if price else gettext("free"),
            treatments=tuple(str(each) for each in model_spec.treatments),
            ratios=tuple(model_spec.ratios),
            modes=(
                RequestMode.DIRECT.value,
                *([RequestMode.BATCH.value] if model_spec.batch else []),
            ),
        )


def ratio_choices(names: Iterable[str] = model_specs.RATIOS) -> Iterator[RatioChoice]:
    for name in names:
        across, down = (float(part) for part in name.split(":"))
        scale = ICON_SIZE / max(across, down)
        width, height = across * scale, down * scale
        yield RatioChoice(
            name=name,
            x=round((ICON_SIZE - width) / 2 + 1, 2),
            y=round((ICON_SIZE - height) / 2 + 1, 2),
            width=round(width, 2),
            height=round(height, 2),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPreview:
    """A plan as shown on the page: its numbers, or the reasons why there is none."""

    objections: tuple[str, ...] = ()
    plan: generation.Plan | None = None
    summary: generation.Summary | None = None
    budget_usd: Decimal | None = None

    @property
    def costs_nothing(self) -> bool:
        """Whether there is something to generate, and all of it is free."""
        return self.plan is not None and self.plan.is_free and any(self.plan.wanted())

    @property
    def can_start(self) -> bool:
        return self.summary is not None and self.summary.wanted > 0

    @property
    def wanted(self) -> int:
        # In templates, ``summary.wanted`` would look up a status of that name.
        return self.summary.wanted

    @property
    def price(self) -> str:
        return dollars(self.summary.price_usd)

    @property
    def in_batch(self) -> bool:
        return self.plan.in_batch

    @property
    def price_each(self) -> str:
        return dollars(self.plan.price_each_usd)

    @property
    def counts(self) -> Mapping[str, int]:
        return {
            status.name.lower(): self.summary.count_of(status) for status in generation.ItemStatus
        }

    @property
    def budget_is_short(self) -> bool:
        budget = self.budget_usd
        return budget is not None and not self.plan.is_free and budget < self.summary.price_usd


class PlanForm(Protocol):
    """A form that describes a plan."""

    fields: Mapping[str, Any]
    cleaned_data: Mapping[str, Any]
    errors: Mapping[str, Any]

    def is_valid(self) -> bool: ...

    def plan(self, chosen: Selection, *, nonce: str) -> generation.Plan: ...

    def __getitem__(self, name: str) -> Any: ...


def requested_plan(form: PlanForm, chosen: Selection, *, nonce: str) -> PlanPreview:
    """Return the plan without its numbers, or form errors and objections as sentences."""
    if not form.is_valid():
        return PlanPreview(
            objections=tuple(
                error if name in _CHOICE_FIELDS else f"{form[name].label}: {error}"
                for name, errors in form.errors.items()
                for error in errors
            )
        )
    try:
        plan = form.plan(chosen, nonce=nonce)
    except RequestRefused as refusal:
        return PlanPreview(objections=refusal.objections)
    return PlanPreview(plan=plan, budget_usd=form.cleaned_data.get("budget_usd"))


def with_summary(preview: PlanPreview) -> PlanPreview:
    """Return ``preview`` with its numbers, which reads all selected objects."""
    return preview if preview.plan is None else replace(preview, summary=preview.plan.summary())
