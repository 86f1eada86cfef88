"""The form of a series: its look, checked and written as a whole by the services."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.db.models import Q
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from nb_catalog import series as catalog_series
from nb_catalog.admin.design_base import PrettyJSON
from nb_catalog.admin.generate.forms import tier_choices
from nb_catalog.admin.series.effects import titles_becoming_stale
from nb_catalog.core.permissions import may_view
from nb_catalog.core.types import Treatment
from nb_catalog.exceptions import InvalidTransition, NotRegistered, RequestRefused
from nb_catalog.imaging.scenery.recipe import FILLS, ROOMS
from nb_catalog.models import CopyDeck, Scene, Series, TextLayout
from nb_catalog.models.series import SeriesView
from nb_catalog.providers import model_specs
from nb_catalog.registry import registered

# Titles of products that a message names.
MOST_NAMED: Final = 10
PLACES: Final = (("centre", _("Centre")), ("left", _("Left")), ("right", _("Right")))
BY_NAMES: Final = (("height", _("The same height or width")), ("area", _("The same area")))
ROOM_NAMES: Final = {
    "none": _("None"), "above": _("Above"), "left": _("Left"), "right": _("Right"),
}  # fmt: skip
BASELINES: Final = (0.02, 0.6)
FRAMING: Final = ("fill", "by", "place", "baseline", "room")
# Fields that ``with_changes`` takes as they are.
PLAIN: Final = (
    "name", "position", "is_active", "slot", "ratio", "treatment", "bundles", "seed_number",
    "overrides", "layout", "deck",
)  # fmt: skip


def share_field(label: Any, *, between: tuple[float, float], help_text: Any) -> forms.FloatField:
    return forms.FloatField(
        label=label, required=False, min_value=between[0], max_value=between[1],
        help_text=help_text, widget=forms.NumberInput(attrs={"step": "0.01"}),
    )  # fmt: skip


class SeriesForm(forms.ModelForm):
    """A new series, or changes of one. A valid form is already written: the services check it as a whole.

    ``user`` is set by the admin, which calls it in a transaction.
    """

    model = forms.ChoiceField(label=_("Products"))
    scene = forms.ModelChoiceField(label=_("Scene"), queryset=Scene.objects.none())
    adopt_scene = forms.BooleanField(
        label=_("Adopt the scene as it is today"),
        required=False,
        help_text=_("Otherwise the series keeps the version that it has adopted."),
    )
    take_sizes = forms.BooleanField(
        label=_("Show the members in proportion"),
        required=False,
        help_text=_("By their heights as they are known today: the tallest one fills the frame."),
    )
    equal_sizes = forms.BooleanField(
        label=_("Show all members equally large again"), required=False
    )
    slot = forms.ChoiceField(label=_("Slot"))
    ratio = forms.ChoiceField(
        label=_("Aspect ratio"), required=False,
        choices=[("", _("As the slot")), *((each, each) for each in model_specs.RATIOS)],
    )  # fmt: skip
    tier = forms.ChoiceField(label=_("Tier"))
    view = forms.ChoiceField(
        label=_("Camera"), choices=SeriesView.choices, initial=SeriesView.FRONT,
        help_text=_("It is chosen once: another camera is another look."),
    )  # fmt: skip
    fill = share_field(
        _("Size of the product"), between=FILLS,
        help_text=_("Share of the frame that it takes, such as 0.6. Empty: as in the scene."),
    )  # fmt: skip
    by = forms.ChoiceField(
        label=_("Equally large means"), choices=BY_NAMES, required=False,
        help_text=_(
            "By area, slim and wide products look equally large; none is larger than its size allows."
        ),
    )  # fmt: skip
    place = forms.ChoiceField(label=_("Place of the product"), choices=PLACES, required=False)
    baseline = share_field(
        _("Baseline"), between=BASELINES,
        help_text=_("Share of the frame below the foot of the product, such as 0.18."),
    )  # fmt: skip
    room = forms.ChoiceField(
        label=_("Room for text"), required=False, choices=[(each, ROOM_NAMES[each]) for each in
                                                           ("none", *(r for r in ROOMS if r != "none"))],
    )  # fmt: skip
    overrides = forms.JSONField(
        label=_("Changes to the scene's recipe"), required=False, initial=dict, encoder=PrettyJSON,
        help_text=_("Parts that the series replaces, such as {\"light\": {\"side\": \"left\"}}."),
        widget=forms.Textarea(attrs={"rows": 5, "class": "vLargeTextField", "spellcheck": "false"}),
    )  # fmt: skip
    layout = forms.ModelChoiceField(
        label=_("Text layout"), queryset=TextLayout.objects.none(), required=False,
        help_text=_("Puts text on the pictures, in every language of the shop. Empty: no text."),
    )  # fmt: skip
    deck = forms.ModelChoiceField(
        label=_("Copy deck"), queryset=CopyDeck.objects.none(), required=False,
        help_text=_("Empty: the texts that the shop has for each product."),
    )  # fmt: skip
    seen_version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    accept_stale = forms.BooleanField(
        label=_("Change the look although these pictures become out of date"), required=False
    )

    user: Any = None
    site: Any = None

    class Meta:
        model = Series
        fields = (
            "name", "key", "position", "is_active", "treatment", "bundles", "seed_number",
        )  # fmt: skip

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # What is chosen once, and what only a change can do.
        fixed = ("model", "scene", "view")
        changing = ("adopt_scene", "take_sizes", "equal_sizes", "seen_version", "accept_stale")
        for name in fixed if self.instance.pk else changing:
            self.fields.pop(name, None)
        models = {
            model: source
            for model, source in registered().items()
            if self.user is None or may_view(self.user, model)
        }
        self._choose("model", [(s.label, m._meta.verbose_name_plural) for m, s in models.items()])
        slots = dict.fromkeys(slot for source in models.values() for slot in source.slot_table)
        self._choose("slot", [(slot, slot) for slot in slots])
        self._choose("tier", [(tier.name, tier.name) for tier in tier_choices()])
        if "scene" in self.fields:
            self.fields["scene"].queryset = Scene.objects.filter(is_active=True)
        if "layout" in self.fields:
            chosen = {name: getattr(self.instance, f"{name}_id") for name in ("layout", "deck")}
            self.fields["layout"].queryset = TextLayout.objects.filter(
                Q(is_active=True) | Q(pk=chosen["layout"])
            )
            self.fields["deck"].queryset = CopyDeck.objects.all()
            self.initial |= chosen
        if "treatment" in self.fields:
            self.fields["treatment"].initial = Treatment.LOCKED
        if self.instance.pk:
            series = self.instance
            self.initial |= {name: series.framing.get(name) for name in FRAMING}
            self.initial |= {
                name: getattr(series, name) for name in ("slot", "ratio", "tier", "overrides")
            }
            self.initial["seen_version"] = series.version
            if not series.heights_cm:
                self.fields.pop("equal_sizes", None)
            elif "take_sizes" in self.fields:
                largest = ", ".join(f"{height:g} cm" for height in series.heights_cm.values())
                self.fields["take_sizes"].label = _("Take the real sizes of the members again")
                self.fields["take_sizes"].help_text = gettext(
                    "A product of %(height)s fills the frame now. Take the sizes again if members or their "
                    "heights have changed."
                ) % {"height": largest}
            # A tier that the settings do not name any more stays until another one is chosen.
            if "tier" in self.fields and series.tier not in dict(self.fields["tier"].choices):
                self.fields["tier"].choices = [
                    (series.tier, series.tier),
                    *self.fields["tier"].choices,
                ]

    def _choose(self, name: str, choices: list[tuple[str, Any]]) -> None:
        if name in self.fields:
            self.fields[name].choices = choices

    def clean_overrides(self) -> Any:
        overrides = self.cleaned_data["overrides"]
        if overrides in (None, ""):
            return {}
        if not isinstance(overrides, dict):
            raise forms.ValidationError(
                gettext("Write an object: names of parts and their values.")
            )
        return overrides

    def _post_clean(self) -> None:
        """Create or change the series, instead of what Django checks field by field."""
        if self.errors:
            return
        try:
            if self.instance.pk:
                self._change()
            else:
                data = self.cleaned_data
                names = (
                    "key", "name", "model", "scene", "slot", "ratio", "tier", "treatment", "view",
                    "overrides", "bundles", "seed_number", "layout", "deck",
                )  # fmt: skip
                series = catalog_series.create(
                    **{name: data[name] for name in names}, framing=self._framing() or None
                )
                series = catalog_series.with_changes(
                    series, position=data["position"], is_active=data["is_active"]
                )
                catalog_series.save_look(series)
                self.instance = series
        except RequestRefused as refusal:
            for objection in refusal.objections:
                self.add_error(None, objection)
        except (InvalidTransition, NotRegistered) as error:
            self.add_error(None, str(error))

    def _change(self) -> None:
        data, series = self.cleaned_data, Series.objects.get(pk=self.instance.pk)
        names = [name for name in PLAIN if name in self.fields]
        changes = {name: data[name] for name in names}
        if "ratio" in changes and not changes["ratio"]:
            changes["ratio"] = series.ratio
        if data["tier"] != series.tier:
            changes["tier"] = data["tier"]
        if data.get("equal_sizes"):
            changes["heights_cm"] = {}
        framing = self._framing()
        # What nobody has chosen stays as it was, "centre" for example.
        if {**_NO_FRAMING, **framing} != {**_NO_FRAMING, **series.framing}:
            changes["framing"] = framing
        changed = catalog_series.with_changes(series, **changes)
        if data.get("adopt_scene"):
            changed = catalog_series.with_current_scene(changed)
        if data.get("take_sizes"):
            changed = catalog_series.with_real_sizes(changed)
        if any(getattr(changed, name) != getattr(series, name) for name in Series.CONTENT):
            stale = titles_becoming_stale(series, changed, site=self.site)
            if stale and not data["accept_stale"]:
                self.add_error("accept_stale", stale_message(stale))
                return
        catalog_series.save_look(changed, version=data["seen_version"])
        self.instance = changed

    def _framing(self) -> dict[str, Any]:
        values = {name: self.cleaned_data.get(name) for name in FRAMING}
        framing = {name: value for name, value in values.items() if value not in (None, "")}
        # Choices always have a value; alone, they do not ask for anything.
        is_chosen = any(framing.get(name) != _NO_FRAMING.get(name) for name in framing)
        return framing if is_chosen else {}

    def save(self, commit: bool = True) -> Series:
        self.save_m2m = lambda: None
        series: Series = self.instance
        return series


_NO_FRAMING: Final = {"by": "height", "place": "centre", "room": "none"}


def stale_message(titles: list[str]) -> str:
    """Return which pictures a change of the look makes stale, as a sentence."""
    named = ", ".join(titles[:MOST_NAMED]) + (", …" if len(titles) > MOST_NAMED else "")
    message = ngettext(
        "%(number)d picture becomes out of date: %(titles)s.",
        "%(number)d pictures become out of date: %(titles)s.",
        len(titles),
    )
    return message % {"number": len(titles), "titles": named}
