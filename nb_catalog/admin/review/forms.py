"""The filters of the review page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from nb_catalog.admin import thumbnails
from nb_catalog.admin.changelists import INTEGER_KEY
from nb_catalog.admin.search import Search
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import OWN_PHOTO, Treatment
from nb_catalog.models import ProductImage, ReviewDecision, Run, Scene, Series
from nb_catalog.models.generic import content_type_of
from nb_catalog.models.images import ImageKind
from nb_catalog.registry import registered, source_for

MAX_RUNS: Final = 50
# Only what a reviewer has claimed, or claims by looking at it.
MINE: Final = "mine"


def pictures() -> QuerySet:
    """Return the pictures of products, with the related rows that their cards need."""
    rows = ProductImage.objects.filter(kind=ImageKind.PICTURE)
    return rows.prefetch_related(thumbnails.RENDITIONS, "placements", "comments__author")


class FilterForm(forms.Form):
    """Filters for pictures. ``product`` is an object key and requires ``model``."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"placeholder": _("Product, scene, layout")}),
    )
    state = forms.ChoiceField(label=_("State"), required=False)
    run = forms.ChoiceField(label=_("Run"), required=False)
    model = forms.ChoiceField(label=_("Model"), required=False)
    product = forms.CharField(label=_("Product key"), required=False, max_length=128)
    scene = forms.ChoiceField(label=_("Scene"), required=False)
    series = forms.ChoiceField(label=_("Series"), required=False)
    by = forms.ChoiceField(
        label=_("Order"),
        required=False,
        choices=[("", _("By product")), ("run", _("By run")), ("series", _("By series"))],
    )
    queue = forms.ChoiceField(
        label=_("Queue"), required=False, choices=[("", _("All")), (MINE, _("Mine"))]
    )
    picture = forms.IntegerField(required=False, widget=forms.HiddenInput)
    draft = forms.IntegerField(required=False, widget=forms.HiddenInput)
    batch = forms.UUIDField(required=False, widget=forms.HiddenInput)

    search: Search | None = None

    def __init__(self, data: Mapping[str, str]) -> None:
        super().__init__({"state": ImageState.PENDING, **data})
        every = ("", _("All"))
        states = [(state.value, state.label) for state in ImageState]
        models = [(s.label, m._meta.verbose_name_plural) for m, s in registered().items()]
        runs = list(Run.objects.values_list("pk", "title")[:MAX_RUNS])
        run = data.get("run", "")
        if INTEGER_KEY.fullmatch(run) and int(run) not in dict(runs):
            runs += Run.objects.filter(pk=run).values_list("pk", "title")
        self.fields["state"].choices = [*states, ("all", _("All"))]
        self.fields["run"].choices = [every, *((str(pk), f"#{pk} {title}") for pk, title in runs)]
        self.fields["model"].choices = [every, *models]
        own_photo = (OWN_PHOTO, Treatment.PHOTO.label)
        scenes = Scene.objects.values_list("key", "name")
        self.fields["scene"].choices = [every, own_photo, *scenes]
        series = Series.objects.order_by("name").values_list("key", "name")
        self.fields["series"].choices = [every, *series]

    def get_queryset(self) -> QuerySet:
        """Return the matching pictures. Invalid values are ignored, as if they were not given."""
        self.is_valid()
        query = self.cleaned_data
        rows = pictures()
        if query.get("picture"):
            return rows.filter(pk=query["picture"])
        if query.get("draft"):
            # A draft beside all its finals, whatever became of them.
            return rows.filter(Q(pk=query["draft"]) | Q(draft=query["draft"]))
        if query.get("batch"):
            decided = ReviewDecision.objects.filter(batch=query["batch"], undone_at=None)
            rows = rows.filter(pk__in=decided.values("image"))
        if query.get("state", ImageState.PENDING) != "all":
            rows = rows.filter(state=query.get("state") or ImageState.PENDING)
        if query.get("q"):
            self.search = Search(term=query["q"], rows=ProductImage.objects)
            rows = rows.filter(self.search.images())
        if query.get("run"):
            rows = rows.filter(job__run=query["run"])
        if query.get("model"):
            rows = rows.filter(content_type=content_type_of(source_for(query["model"]).model))
        if query.get("product"):
            rows = rows.filter(object_id=query["product"])
        if query.get("series"):
            rows = rows.filter(series=query["series"])
        if scene := query.get("scene"):
            rows = rows.filter(scene="" if scene == OWN_PHOTO else scene)
        return rows
