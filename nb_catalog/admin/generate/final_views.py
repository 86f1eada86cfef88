"""The page that makes chosen pictures final: live plan with its price, and start."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from nb_catalog import generation
from nb_catalog.admin import thumbnails
from nb_catalog.admin.changelists import INTEGER_KEY, key_in
from nb_catalog.admin.generate import forms as generate_forms
from nb_catalog.admin.generate.forms import PlanPreview, budget_field
from nb_catalog.admin.generate.selection import Selection
from nb_catalog.admin.generate.views import GenerateViews, nonce_of, plan_context
from nb_catalog.core.permissions import Action, may
from nb_catalog.core.types import SCENE_TREATMENTS, RequestMode
from nb_catalog.exceptions import RequestRefused
from nb_catalog.generation.escalation import MAX_CANDIDATES
from nb_catalog.models import ProductImage, Series
from nb_catalog.models.images import ImageKind
from nb_catalog.registry import is_registered, source_for

# Pictures of one page: their keys are in its address.
MAX_IMAGES: Final = 200
MAX_SHOWN: Final = 12
IMAGES: Final = "images"


class FinalForm(forms.Form):
    """The arguments of ``generation.plan_escalation``; with a budget, those of ``plan_escalations``."""

    images = forms.RegexField(
        rf"^\d{{1,18}}(,\d{{1,18}}){{0,{MAX_IMAGES - 1}}}$", widget=forms.HiddenInput
    )
    tier = forms.ChoiceField(label=_("Tier"))
    candidates = forms.IntegerField(
        label=_("Candidates for each picture"),
        min_value=1,
        max_value=MAX_CANDIDATES,
        help_text=_(
            "You choose one of them; the others are retired. A tier that renders makes one."
        ),
    )
    treatment = forms.ChoiceField(
        label=_("Treatment"),
        required=False,
        choices=[("", _("As the draft")), *((each.value, each.label) for each in SCENE_TREATMENTS)],
    )
    mode = forms.ChoiceField(label=_("Processing"), choices=RequestMode.choices, required=False)
    budget_usd = budget_field()

    def __init__(self, *args: Any, pictures: list[ProductImage], **options: Any) -> None:
        super().__init__(*args, **options)
        self.pictures = pictures
        self.left_out: tuple[generation.LeftOut, ...] = ()
        self.tiers = tuple(generate_forms.tier_choices(references=2))
        self.fields["tier"].choices = [(tier.name, tier.name) for tier in self.tiers]
        self.fields["budget_usd"].help_text = _(
            "Optional. With a budget, the pictures of the most valuable products are chosen."
        )

    @property
    def has_batches(self) -> bool:
        return any(RequestMode.BATCH.value in tier.modes for tier in self.tiers)

    def plan(self, chosen: Selection, *, nonce: str) -> generation.Plan:
        """Return the plan of a valid form. Raises ``RequestRefused``, also if nothing is within the
        budget."""
        data = self.cleaned_data
        options = {name: data[name] for name in ("tier", "candidates", "treatment")}
        options["mode"] = data["mode"] or RequestMode.DIRECT.value
        content = {**options, IMAGES: data[IMAGES], "budget": str(data["budget_usd"])}
        options["key"] = generate_forms.plan_key(chosen, content, nonce=nonce)
        if data["budget_usd"] is None:
            return generation.plan_escalation(self.pictures, **options)
        choice = generation.plan_escalations(
            self.pictures, budget_usd=data["budget_usd"], **options
        )
        self.left_out = choice.left_out
        if choice.plan is None:
            raise RequestRefused(*dict.fromkeys(each.reason for each in choice.left_out))
        return choice.plan


class FinalViews(GenerateViews):
    """The page and its plan, as additional pages of ``RunAdmin``."""

    def final_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "finals/", self.finals, name="finals", action=Action.MAKE_FINAL, api="run_finals"
            ),
            self.page(
                "finals/plan/",
                require_POST(self.finals_plan),
                name="finals_plan",
                action=Action.PLAN_FINALS,
                api="plan_finals",
            ),
        ]

    def finals(self, request: HttpRequest) -> HttpResponse:
        """GET shows the form and its plan; POST updates the plan or starts it. Requires the permissions to
        generate, and to view pictures and their products."""
        pictures, chosen = self._drafts(request)
        if request.method != "POST":
            usable = [tier.name for tier in generate_forms.tier_choices() if not tier.problem]
            data = {
                IMAGES: ",".join(str(image.pk) for image in pictures),
                "tier": usable[-1] if usable else "",
                "candidates": 2 if len(pictures) == 1 else 1,
                "mode": RequestMode.DIRECT.value,
            }
            form = FinalForm(data, pictures=pictures)
            nonce = uuid4().hex
            preview = generate_forms.requested_plan(form, chosen, nonce=nonce)
            return self._finals_page(
                request,
                chosen,
                form=form,
                nonce=nonce,
                preview=generate_forms.with_summary(preview),
            )
        form = FinalForm(request.POST, pictures=pictures)
        return self.confirm_or_start(
            request,
            chosen,
            form=form,
            page=self._finals_page,
            name="finals",
        )

    def finals_plan(self, request: HttpRequest) -> HttpResponse:
        """Return the plan of the posted form, as an HTML fragment."""
        pictures, chosen = self._drafts(request)
        form = FinalForm(request.POST, pictures=pictures)
        preview = generate_forms.requested_plan(form, chosen, nonce=nonce_of(request))
        context = plan_context(generate_forms.with_summary(preview), site=self.admin_site)
        context["left_out"] = form.left_out
        return TemplateResponse(request, "admin/nb_catalog/run/plan.html", context)

    def _drafts(self, request: HttpRequest) -> tuple[list[ProductImage], Selection]:
        """Return the pictures that the request names, by their keys or as those of a series, and their
        products.

        404 if there are none of one model, ``PermissionDenied`` unless the user may see and make them.
        """
        data = request.POST if request.method == "POST" else request.GET
        if series_key := key_in(data, "series"):
            series = Series.objects.select_related("anchor").filter(pk=series_key).first()
            if series is None:
                raise Http404(gettext("There is no such series."))
            # The current ones that are not finals yet.
            pictures = [
                each.image
                for each in generation.member_pictures(series)
                if each.is_current and each.image is not None and each.image.draft_id is None
            ][:MAX_IMAGES]
            if not pictures:
                raise Http404(gettext("There is no picture of this series to make final."))
        else:
            named = [key for key in data.get(IMAGES, "").split(",") if INTEGER_KEY.fullmatch(key)]
            keys = list(dict.fromkeys(map(int, named[:MAX_IMAGES])))
            found = ProductImage.objects.filter(kind=ImageKind.PICTURE).in_bulk(keys)
            pictures = [found[key] for key in keys if key in found]
        # A plan is about one model: that of the first.
        pictures = [
            each for each in pictures if each.content_type_id == pictures[0].content_type_id
        ]
        model = pictures[0].content_type.model_class() if pictures else None
        if model is None or not is_registered(model):
            raise Http404
        prefetch_related_objects(pictures[:MAX_SHOWN], thumbnails.RENDITIONS)
        source = source_for(model)
        if not may(request.user, Action.PLAN, model=source.model):
            raise PermissionDenied
        objects = tuple(dict.fromkeys(image.object_id for image in pictures))
        return pictures, Selection(token="", label=source.label, keys=objects)

    def _finals_page(
        self,
        request: HttpRequest,
        chosen: Selection,
        *,
        form: FinalForm,
        nonce: str,
        preview: PlanPreview | None = None,
    ) -> HttpResponse:
        shown = [
            {
                "pk": image.pk,
                "url": thumbnails.thumbnail_url(image, site=self.admin_site),
                "original": thumbnails.original_url(image, site=self.admin_site),
                "tier": image.tier,
            }
            for image in form.pictures[:MAX_SHOWN]
        ]
        count = len(form.pictures)
        title = ngettext("Make a picture final", "Make %(count)s pictures final", count)
        context = self.page_context(
            request,
            title=title % {"count": count} if count > 1 else title,
            form=form,
            nonce=nonce,
            drafts=shown,
            further_drafts=max(0, count - MAX_SHOWN),
            left_out=form.left_out,
            **self._chosen_context(chosen),
            **plan_context(preview, site=self.admin_site),
        )
        return TemplateResponse(request, "admin/nb_catalog/run/finals.html", context)
