"""Which pictures the review page shows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from nb_catalog.admin import thumbnails
from nb_catalog.core.states import ImageState
from nb_catalog.models import ProductImage, Run, Scene
from nb_catalog.models.generic import content_type_of
from nb_catalog.models.images import ImageKind
from nb_catalog.registry import registered, source_for

RUNS_OFFERED: Final = 50
# What a database takes for a big integer, whatever somebody sends.
LOOKS_LIKE_A_KEY: Final = re.compile(r"[0-9]{1,18}")


def pictures() -> QuerySet:
    """Pictures of products, with what their cards need."""
    rows = ProductImage.objects.filter(kind=ImageKind.PICTURE)
    return rows.prefetch_related(thumbnails.RENDITIONS, "placements")


class FilterForm(forms.Form):
    """Which pictures to look at. ``product`` is a key; it needs a model."""

    state = forms.ChoiceField(label=_("State"), required=False)
    run = forms.ChoiceField(label=_("Run"), required=False)
    model = forms.ChoiceField(label=_("Model"), required=False)
    product = forms.CharField(label=_("Product key"), required=False, max_length=128)
    scene = forms.ChoiceField(label=_("Scene"), required=False)
    picture = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, given: Mapping[str, str]) -> None:
        super().__init__({"state": ImageState.PENDING, **given})
        every = ("", _("All"))
        states = [(state.value, state.label) for state in ImageState]
        models = [(s.label, m._meta.verbose_name_plural) for m, s in registered().items()]
        self.fields["state"].choices = [*states, ("all", _("All"))]
        self.fields["run"].choices = [every, *_runs(given.get("run", ""))]
        self.fields["model"].choices = [every, *models]
        self.fields["scene"].choices = [every, *Scene.objects.values_list("key", "name")]

    def chosen(self) -> QuerySet:
        """The pictures; a value that is not offered is left out, as if nothing was said."""
        self.is_valid()
        said = self.cleaned_data
        if said.get("picture"):
            return pictures().filter(pk=said["picture"])
        rows = pictures()
        if said.get("state", ImageState.PENDING) != "all":
            rows = rows.filter(state=said.get("state") or ImageState.PENDING)
        if said.get("run"):
            rows = rows.filter(job__run=said["run"])
        if said.get("model"):
            rows = rows.filter(content_type=content_type_of(source_for(said["model"]).model))
        if said.get("product"):
            rows = rows.filter(object_id=said["product"])
        return rows.filter(scene=said["scene"]) if said.get("scene") else rows


def _runs(chosen: str) -> list[tuple[str, str]]:
    rows = list(Run.objects.values_list("pk", "title", "created_at")[:RUNS_OFFERED])
    if LOOKS_LIKE_A_KEY.fullmatch(chosen) and int(chosen) not in {pk for pk, _title, _at in rows}:
        rows += Run.objects.filter(pk=chosen).values_list("pk", "title", "created_at")
    return [(str(pk), f"#{pk} {title}") for pk, title, _at in rows]
