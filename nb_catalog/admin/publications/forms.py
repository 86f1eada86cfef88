"""Forms about publications. Times are in the shop's time zone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings as django_settings
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog.exceptions import RequestRefused
from nb_catalog.models import ProductImage, Publication
from nb_catalog.models.generic import ObjectKey
from nb_catalog.operations.search import MAX_TERM, found_keys
from nb_catalog.registry import registered, source_for
from nb_catalog.storefront import parse_moment


class MomentField(forms.CharField):
    """A moment that the clocks of the shop show. Cleaned to an aware datetime, or None if it is empty."""

    kept: datetime | None = None
    """What the form shows: it stays as it is, to the second, while its text is not changed."""
    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def __init__(self, **options: Any) -> None:
        zone = django_settings.TIME_ZONE
        super().__init__(**{"required": False, "max_length": 40, "help_text": zone} | options)

    def prepare_value(self, value: Any) -> Any:
        return in_shop(value) if is_moment(value) else value

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        if self.kept is not None and text == f"{in_shop(self.kept):%Y-%m-%dT%H:%M}":
            return self.kept
        try:
            return parse_moment(text)
        except RequestRefused as error:
            raise forms.ValidationError(str(error)) from error


def is_moment(value: object) -> bool:
    return isinstance(value, datetime) and timezone.is_aware(value)


def in_shop(moment: datetime) -> datetime:
    """Return what the clocks of the shop show at ``moment``, whatever time zone is active."""
    return timezone.localtime(moment, timezone.get_default_timezone()).replace(tzinfo=None)


class TimesForm(forms.Form):
    """From when until when pictures are shown."""

    starts_at = MomentField(label=_("From"))
    ends_at = MomentField(label=_("Until"))

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in ("starts_at", "ends_at"):
            self.fields[name].kept = self.initial.get(name)


def times_of(publication: Publication) -> dict[str, datetime | None]:
    """Return what the form of ``publication`` shows."""
    return {"starts_at": publication.starts_at, "ends_at": publication.ends_at}


class PublishForm(TimesForm):
    """What is published where, and when."""

    slot = forms.ChoiceField(label=_("Slot"))
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=2000,
        help_text=_("Needed for pictures whose product differs from its photo."),
    )
    field_order = ("slot", "starts_at", "ends_at", "reason")

    def __init__(self, *args: Any, images: Iterable[ProductImage], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["starts_at"].help_text = gettext("%(zone)s. Empty: as soon as possible.") % {
            "zone": django_settings.TIME_ZONE
        }
        self.fields["ends_at"].help_text = gettext(
            "%(zone)s. Then the places show again what they did before. Empty: for good."
        ) % {"zone": django_settings.TIME_ZONE}
        models = {image.content_type.model_class() for image in images}
        slots = [set(source_for(model).slot_table) for model in models if model is not None]
        common = sorted(set.intersection(*slots)) if slots else []
        self.fields["slot"].choices = [(slot, slot) for slot in common]


class MomentForm(forms.Form):
    """A moment, and optionally one slot and, unless they are chosen already (``has_chosen``), products.

    The products are cleaned to the keys that the search finds, or None if it is empty.
    """

    at = MomentField(label=_("Moment"), required=True)
    slot = forms.ChoiceField(label=_("Slot"), required=False)
    products = forms.CharField(
        label=_("Products"),
        required=False,
        max_length=MAX_TERM,
        widget=forms.TextInput(attrs={"type": "search"}),
        help_text=_("Only those that a search finds, such as a category. Empty: all."),
    )

    def __init__(self, *args: Any, has_chosen: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        if has_chosen:
            del self.fields["products"]
        slots = {slot for source in registered().values() for slot in source.slot_table}
        self.fields["slot"].choices = [
            ("", gettext("all")),
            *((slot, slot) for slot in sorted(slots)),
        ]

    def clean_products(self) -> frozenset[ObjectKey] | None:
        term = self.cleaned_data["products"]
        try:
            return found_keys(term) if term else None
        except RequestRefused as error:
            raise forms.ValidationError(str(error)) from error
