"""The form that plans an experiment, and the preview of its plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog import generation
from nb_catalog.admin.generate import forms as generate_forms
from nb_catalog.admin.generate.forms import PlanPreview, budget_field
from nb_catalog.admin.generate.selection import Selection
from nb_catalog.core.types import SCENE_TREATMENTS, Treatment
from nb_catalog.generation.experiments import MOST_PRODUCTS
from nb_catalog.models import Scene
from nb_catalog.providers import model_specs
from nb_catalog.registry import CatalogSource


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentPreview(PlanPreview):
    """A plan that can be started also if all of its pictures are there."""

    @classmethod
    def of(cls, preview: PlanPreview) -> ExperimentPreview:
        return cls(**{each.name: getattr(preview, each.name) for each in fields(preview)})

    @property
    def can_start(self) -> bool:
        impossible = generation.ItemStatus.IMPOSSIBLE
        return self.summary is not None and self.summary.total > self.summary.count_of(impossible)


class ExperimentForm(forms.Form):
    """The arguments of ``generation.plan_experiment``, plus a name and a budget. ``models`` are offered if no
    products were selected."""

    name = forms.CharField(
        label=_("Name"), max_length=80, required=False, help_text=_("Voters see it. Name no scene.")
    )
    model = forms.ChoiceField(label=_("Products"))
    sample = forms.IntegerField(
        label=_("Products to draw"),
        min_value=1,
        max_value=MOST_PRODUCTS,
        required=False,
        help_text=_("Drawn at random. Without a number, all selected products are shown."),
    )
    seed = forms.IntegerField(
        label=_("Number of the draw"),
        min_value=0,
        max_value=2**31 - 1,
        required=False,
        help_text=_("The same number draws the same products."),
    )
    scene_a = forms.ChoiceField(label=_("Scene"))
    scene_b = forms.ChoiceField(
        label=_("Compared with"),
        required=False,
        help_text=_("Another scene, or the same one with the prompt below."),
    )
    prompt = forms.CharField(
        label=_("Prompt to try"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "class": "vLargeTextField"}),
        help_text=_("Not saved in the scene unless it wins and you save it then."),
    )
    ratio = forms.ChoiceField(
        label=_("Aspect ratio"), choices=[(each, each) for each in model_specs.RATIOS]
    )
    tier = forms.ChoiceField(label=_("Tier"))
    treatment = forms.ChoiceField(
        label=_("Treatment"),
        choices=[(each.value, each.label) for each in SCENE_TREATMENTS],
        initial=Treatment.LOCKED,
    )
    budget_usd = budget_field()

    def __init__(
        self, *args: Any, sources: Sequence[CatalogSource], is_selected: bool, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        if is_selected:
            del self.fields["model"]
        else:
            self.fields["model"].choices = [
                (each.label, str(each.model._meta.verbose_name_plural)) for each in sources
            ]
            self.fields["sample"].required = True
        self.scenes = list(Scene.objects.filter(is_active=True))
        choices = [(scene.key, scene.name) for scene in self.scenes]
        self.fields["scene_a"].choices = choices
        self.fields["scene_b"].choices = [
            ("", gettext("The same scene with another prompt")),
            *choices,
        ]
        self.tiers = tuple(generate_forms.tier_choices())
        self.fields["tier"].choices = [(tier.name, tier.name) for tier in self.tiers]

    def current_prompt(self) -> str:
        """Return the saved prompt of the scene that is chosen."""
        chosen = self["scene_a"].value()
        return next((scene.prompt for scene in self.scenes if scene.key == chosen), "")

    def plan(self, chosen: Selection, *, nonce: str) -> generation.Plan:
        """Return the plan of a valid form. Raises ``RequestRefused``."""
        data = self.cleaned_data
        named = ("sample", "prompt", "ratio", "tier", "treatment")
        options = {name: data[name] for name in named}
        options["scenes"] = [each for each in (data["scene_a"], data["scene_b"]) if each]
        options["seed"] = data["seed"] or 0
        # With two scenes, what was typed as a prompt for one of them is left out.
        if data["scene_b"]:
            options["prompt"] = ""
        key = generate_forms.plan_key(chosen, options, nonce=nonce)
        return generation.plan_experiment(chosen.products(), **options, key=key)
