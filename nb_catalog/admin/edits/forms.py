"""The forms of the page on which a picture is edited."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog.admin.formatting import dollars
from nb_catalog.admin.generate.forms import budget_field
from nb_catalog.core.types import RequestMode
from nb_catalog.exceptions import RequestRefused
from nb_catalog.generation.edit_sessions import REFERENCES_OF_A_STEP, previous_session
from nb_catalog.generation.instructed_edits import MAX_CANDIDATES, references_of
from nb_catalog.generation.prompts.edit import LONGEST_INSTRUCTION
from nb_catalog.imaging.adjust.kinds import ALL, BACKGROUND, MOST_DEGREES, MOST_STOPS
from nb_catalog.models import ProductImage
from nb_catalog.providers import provider, tiers

RATIOS: Final = ("1:1", "4:5", "3:4", "2:3", "9:16", "5:4", "4:3", "3:2", "16:9")


class EditTier(NamedTuple):
    """A tier with a model, and what one edit costs without and with a mask, or the ``problem`` with it.

    If its provider stores sessions, ``session`` says which way one goes, and what it costs is given too.
    """

    name: str
    model: str
    price: str
    price_usd: str
    masked_usd: str
    problem: str = ""
    session: str = ""
    session_usd: str = ""
    session_masked_usd: str = ""


def edit_tiers(image: ProductImage) -> Iterator[EditTier]:
    """Yield the tiers whose provider understands words, cheapest first."""
    for tier in tiers.tiers():
        maker = provider(tier.provider)
        if maker.composites:
            continue
        previous = previous_session(image, tier=tier) if maker.keeps_sessions else None
        try:
            spec = tier.model_spec
            further = [0, REFERENCES_OF_A_STEP * previous.steps] if previous else [0]
            prices = [
                spec.estimate(size=tier.size, references=references_of(image) + with_mask + more)
                for more in further
                for with_mask in (0, 1)
            ]
        except RequestRefused as refusal:
            yield EditTier(tier.name, tier.model, "", "", "", str(refusal))
            continue
        yield EditTier(
            tier.name,
            f"{spec.name} {tier.size}",
            gettext("up to %s each") % dollars(max(prices)) if max(prices) else gettext("free"),
            *map(str, prices[:2]),
            "",
            previous.sentence if previous else "",
            *map(str, prices[2:]),
        )


class InstructionForm(forms.Form):
    """An instruction for a model. A mask may come as a file."""

    instruction = forms.CharField(
        label=_("What is to change?"),
        widget=forms.Textarea(
            attrs={
                "rows": 2,
                "maxlength": LONGEST_INSTRUCTION,
                "placeholder": _("For example: warmer light, or: add a drop shadow"),
            }
        ),
        # Lengths are the plan's matter, whose message says what to do.
        required=False,
    )
    tier = forms.ChoiceField(label=_("Tier"))
    candidates = forms.TypedChoiceField(
        label=_("Pictures"),
        coerce=int,
        choices=[(number, number) for number in range(1, MAX_CANDIDATES + 1)],
        initial=1,
    )
    mode = forms.ChoiceField(
        label=_("When"), choices=RequestMode.choices, initial=RequestMode.DIRECT
    )
    mask = forms.FileField(
        label=_("Mask as a file"),
        required=False,
        help_text=_("A picture of the same size, white where it is to change."),
    )
    session = forms.BooleanField(
        label=_("In a session that the service stores"),
        required=False,
        help_text=_(
            "The service keeps pictures and instructions; the next edit can go on from there."
        ),
    )
    budget_usd = budget_field()

    def __init__(self, *args: Any, image: ProductImage, **options: Any) -> None:
        super().__init__(*args, prefix="ask", label_suffix="", **options)
        self.tiers = tuple(edit_tiers(image))
        # Where no service stores any, nobody has to know of them.
        if not any(each.session for each in self.tiers):
            del self.fields["session"]
        self.fields["tier"].choices = [(each.name, each.name) for each in self.tiers]


class AdjustmentForm(forms.Form):
    """Adjustments without a model. Empty fields and zeros leave the picture as it is."""

    extend = forms.ChoiceField(label=_("Extend the ground to"), required=False)
    straighten = forms.FloatField(label=_("Straighten (degrees)"), required=False)
    crop = forms.ChoiceField(label=_("Crop to"), required=False)
    exposure = forms.FloatField(label=_("Exposure (stops)"), required=False)
    temperature = forms.FloatField(label=_("Temperature"), required=False)
    tint = forms.FloatField(label=_("Tint"), required=False)
    sharpen = forms.FloatField(label=_("Sharpness"), required=False)
    area = forms.ChoiceField(
        label=_("Light, colours and sharpness of"),
        choices=[(ALL, _("the whole picture")), (BACKGROUND, _("the background only"))],
    )
    has_background = forms.BooleanField(label=_("Background in one colour"), required=False)
    background = forms.CharField(
        label=_("Colour of the background"),
        initial="#ffffff",
        required=False,
        widget=forms.TextInput(attrs={"type": "color"}),
    )
    width = forms.IntegerField(label=_("Width in pixels"), required=False)
    enlarge = forms.BooleanField(label=_("Enlarge if it is smaller"), required=False)

    SLIDERS: Final = {
        "straighten": (-MOST_DEGREES, MOST_DEGREES, 0.1),
        "exposure": (-MOST_STOPS, MOST_STOPS, 0.05),
        "temperature": (-100, 100, 1),
        "tint": (-100, 100, 1),
        "sharpen": (0, 2, 0.05),
    }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, prefix="adjust", label_suffix="", **options)
        keep = [("", _("as it is"))]
        for name in ("extend", "crop"):
            self.fields[name].choices = keep + [(ratio, ratio) for ratio in RATIOS]
        for name, (low, high, step) in self.SLIDERS.items():
            attributes = {"type": "range", "min": low, "max": high, "step": step}
            self.fields[name].widget = forms.NumberInput(attrs=attributes)
            self.fields[name].widget.input_type = "range"
            self.fields[name].initial = 0

    def adjustments(self) -> list[dict[str, Any]]:
        """Return the chosen adjustments in the order in which they are made. Requires a valid form."""
        values = self.cleaned_data
        area = {"area": values["area"]}
        chosen: list[dict[str, Any]] = []
        if values["extend"]:
            chosen.append({"kind": "extend", "ratio": values["extend"]})
        if values["straighten"]:
            chosen.append({"kind": "straighten", "degrees": values["straighten"]})
        if values["crop"]:
            chosen.append({"kind": "crop", "ratio": values["crop"]})
        if values["exposure"]:
            chosen.append({"kind": "exposure", "stops": values["exposure"], **area})
        if values["temperature"] or values["tint"]:
            balance = {name: values[name] or 0.0 for name in ("temperature", "tint")}
            chosen.append({"kind": "white_balance", **balance, **area})
        if values["sharpen"]:
            chosen.append({"kind": "sharpen", "amount": values["sharpen"], **area})
        if values["has_background"]:
            chosen.append({"kind": "background", "colour": values["background"]})
        if values["width"]:
            chosen.append(
                {"kind": "resize", "width": values["width"], "enlarge": values["enlarge"]}
            )
        return chosen
