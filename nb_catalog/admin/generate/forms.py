"""The form in which somebody says what pictures are wanted, and what it may offer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from nb_catalog.core.types import RequestMode, Treatment
from nb_catalog.exceptions import RequestRefused
from nb_catalog.generation.backgrounds import MAX_VARIANTS
from nb_catalog.models import Scene
from nb_catalog.providers import model_specs, provider, tiers

# The longer side of a drawn ratio, in the units of its SVG.
DRAWN: Final = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneChoice:
    """A scene to click. ``thumbnail`` is empty for scenes that only a model can make."""

    key: str
    name: str
    thumbnail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioChoice:
    """A ratio as a drawn shape: numbers of an SVG's rectangle."""

    name: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TierChoice:
    """A step of the ladder, with what its model can do. ``problem`` says why it is of no use."""

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
    """What ``plans.plan_backgrounds`` takes, plus a budget."""

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
        label=_("Treatment"), choices=Treatment.choices, initial=Treatment.LOCKED
    )
    mode = forms.ChoiceField(
        label=_("Processing"),
        choices=RequestMode.choices,
        initial=RequestMode.DIRECT,
        required=False,
    )
    budget_usd = budget_field()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.offered = list(Scene.objects.filter(is_active=True))
        self.fields["scenes"].choices = [(scene.key, scene.name) for scene in self.offered]
        self.tiers = tuple(tier_choices())
        self.fields["tier"].choices = [(tier.name, tier.name) for tier in self.tiers]
        self.fields["tier"].initial = self.tiers[0].name if self.tiers else ""

    def clean_mode(self) -> str:
        return self.cleaned_data["mode"] or RequestMode.DIRECT

    def plan(self, chosen: Selection, *, nonce: str) -> generation.Plan:
        """The plan of a valid form. Its key belongs to the opened page and to every wish on it:
        pressing twice starts one run, and a changed wish another.

        Raises ``PlanRefused``.
        """
        wishes = {name: self.cleaned_data[name] for name in self.fields if name != "budget_usd"}
        said = repr([nonce, chosen.token, chosen.label, sorted(wishes.items())])
        return generation.plan_backgrounds(
            chosen.products(), **wishes, key=sha256(said.encode()).hexdigest()
        )

    def scene_choices(self, *, site: AdminSite) -> list[SceneChoice]:
        return [
            SceneChoice(
                key=scene.key, name=scene.name, thumbnail=thumbnails.scene_url(scene, site=site)
            )
            for scene in self.offered
        ]


def tier_choices(*, references: int = 1, paints: bool = False) -> Iterator[TierChoice]:
    """The steps of the ladder, with the price of a picture that so many pictures go along with; with
    ``paints`` those alone that have a model."""
    for tier in tiers.tiers():
        if paints and provider(tier.provider).composites:
            continue
        try:
            model_spec = tier.model_spec
            each = model_spec.estimate(size=tier.size, references=references)
        except RequestRefused as refusal:
            yield TierChoice(name=tier.name, model=tier.model, size=tier.size, problem=str(refusal))
            continue
        yield TierChoice(
            name=tier.name,
            model=model_spec.name,
            size=tier.size,
            price=_price(each),
            treatments=tuple(str(each) for each in model_spec.treatments),
            ratios=tuple(model_spec.ratios),
            modes=tuple(_modes(model_spec)),
        )


def _modes(model_spec: model_specs.ModelSpec) -> Iterator[str]:
    yield RequestMode.DIRECT.value
    if model_spec.batch:
        yield RequestMode.BATCH.value


def _price(each: Decimal) -> str:
    if not each:
        return gettext("free")
    return gettext("up to %s each") % dollars(each)


def ratio_choices() -> Iterator[RatioChoice]:
    for name in model_specs.RATIOS:
        across, down = (int(part) for part in name.split(":"))
        scale = DRAWN / max(across, down)
        width, height = across * scale, down * scale
        yield RatioChoice(
            name=name,
            x=round((DRAWN - width) / 2 + 1, 2),
            y=round((DRAWN - height) / 2 + 1, 2),
            width=round(width, 2),
            height=round(height, 2),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPreview:
    """A plan as the page shows it: numbers, or the reasons why there is none."""

    objections: tuple[str, ...] = ()
    plan: generation.Plan | None = None
    summary: generation.Summary | None = None
    budget_usd: Decimal | None = None

    @property
    def costs_nothing(self) -> bool:
        """Whether there is something to make, and all of it for free."""
        return self.plan is not None and self.plan.is_free and any(self.plan.wanted())

    @property
    def can_start(self) -> bool:
        return self.summary is not None and self.summary.wanted > 0

    @property
    def wanted(self) -> int:
        # In a template ``summary.wanted`` would ask the summary for a status of that name.
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
    """A form whose wishes are a plan."""

    fields: Mapping[str, Any]
    cleaned_data: Mapping[str, Any]
    errors: Mapping[str, Any]

    def is_valid(self) -> bool: ...

    def plan(self, chosen: Selection, *, nonce: str) -> generation.Plan: ...

    def __getitem__(self, name: str) -> Any: ...


def requested_plan(form: PlanForm, chosen: Selection, *, nonce: str) -> PlanPreview:
    """The plan, not worked out yet; errors of the form and objections as sentences."""
    if not form.is_valid():
        return PlanPreview(objections=tuple(_sentences(form)))
    try:
        plan = form.plan(chosen, nonce=nonce)
    except RequestRefused as refusal:
        return PlanPreview(objections=refusal.objections)
    return PlanPreview(plan=plan, budget_usd=form.cleaned_data.get("budget_usd"))


def with_summary(preview: PlanPreview) -> PlanPreview:
    """``preview`` with its numbers: reads everything that was chosen."""
    return preview if preview.plan is None else replace(preview, summary=preview.plan.summary())


# Their errors say by themselves what is to be chosen.
_CHOICES: Final = frozenset({"scenes", "layouts", "locales"})


def _sentences(form: PlanForm) -> Iterator[str]:
    for name, errors in form.errors.items():
        for error in errors:
            yield error if name in _CHOICES else f"{form[name].label}: {error}"
