"""``plans/``: what a request would generate and what it would cost. Generates nothing; photos that are new
are cut out, so that the next plan knows what is not possible."""

from decimal import Decimal

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from nb_catalog import generation
from nb_catalog.api.experiment_fields import ExperimentPlanSerializer, experiment_plan_from
from nb_catalog.api.finals import (
    FinalsSerializer,
    choice_from,
    images_of,
    labels_of,
    left_out_as_list,
)
from nb_catalog.api.idempotency import key_of
from nb_catalog.api.operations import Operation
from nb_catalog.api.plan_bodies import KeysField, PlanOptionsSerializer, objects_named
from nb_catalog.api.results import FinalsPlanSerializer, PlanSerializer, PreviewSerializer
from nb_catalog.api.views import CatalogViewSet
from nb_catalog.conf import settings
from nb_catalog.core.permissions import Action
from nb_catalog.core.types import SCENE_TREATMENTS, RequestMode, TextMethod, Treatment
from nb_catalog.exceptions import (
    NotRegistered,
    ObjectGone,
    PlanRefused,
    RequestRefused,
    StorageFailed,
)
from nb_catalog.generation.backgrounds import MAX_VARIANTS
from nb_catalog.generation.bundles import MOST_PARTS
from nb_catalog.models.cutouts import CutoutState
from nb_catalog.models.db.money import usd_text

MOST_ITEMS = 200


class PlanRequestSerializer(PlanOptionsSerializer):
    """Pictures of objects in scenes. They must fit ``slot``, whose ratio is the default, or any slot."""

    scenes = KeysField(most=100, help_text=_("Scene keys."))
    variants = serializers.IntegerField(default=1, min_value=1, max_value=MAX_VARIANTS)
    ratio = serializers.CharField(default="", allow_blank=True, max_length=10)
    slot = serializers.CharField(default="", allow_blank=True, max_length=40)
    tier = serializers.CharField(default="draft", max_length=40)
    treatment = serializers.ChoiceField(
        default=Treatment.LOCKED, choices=[(each.value, each.label) for each in SCENE_TREATMENTS]
    )
    mode = serializers.ChoiceField(default=RequestMode.DIRECT, choices=RequestMode.choices)
    bundles = serializers.BooleanField(
        default=False, help_text=_("Show objects that are bundles as their products together.")
    )
    parts = KeysField(
        most=MOST_PARTS,
        required=False,
        help_text=_(
            "2 to 6 objects shown together on pictures of the one object: keys, or model:key."
        ),
    )

    def validate(self, attrs):
        return {**attrs, "parts": attrs.get("parts") or []}


class PhotoPlanSerializer(PlanOptionsSerializer):
    """The objects' own photos as pictures, free of charge.

    ``ratio``, such as 4:5, crops them; with ``slot`` they must fit it, and its ratio is the default. The
    first photo of each object, or ``every`` one as a variant.
    """

    ratio = serializers.CharField(default="", allow_blank=True, max_length=10)
    slot = serializers.CharField(default="", allow_blank=True, max_length=40)
    every = serializers.BooleanField(default=False)


class TextPlanSerializer(PlanOptionsSerializer):
    """Text on pictures.

    Defaults: all shop locales, the newest picture of every scene (or, with ``slot``, what is
    published there), and the shop's own texts if no ``deck`` is given. Text is typeset free of
    charge; with ``text`` "painted", the model of ``tier`` draws it.
    """

    layouts = KeysField(most=100, help_text=_("Layout keys."))
    locales = KeysField(most=200, required=False, help_text=_("Locales, for example de or pt-br."))
    scenes = KeysField(
        most=100, required=False, help_text=_("Scene keys, and @photo for the objects' own photos.")
    )
    slot = serializers.CharField(default="", allow_blank=True, max_length=40)
    deck = serializers.CharField(default="", allow_blank=True, max_length=60)
    text = serializers.ChoiceField(default=TextMethod.SET, choices=TextMethod.choices)
    tier = serializers.CharField(default="draft", max_length=40)
    mode = serializers.ChoiceField(default=RequestMode.DIRECT, choices=RequestMode.choices)

    def validate(self, attrs):
        # Defaults are stored explicitly, so that a repeated key is compared with the same request.
        chosen = list(dict.fromkeys(attrs.get("locales") or settings.LOCALES))
        return {**attrs, "locales": chosen, "scenes": attrs.get("scenes") or []}


def plan_from(body, *, key):
    """Return the plan of a validated body.

    Raises ``RequestRefused``, ``NotRegistered`` and ``ValidationError``.
    """
    named = ("scenes", "variants", "ratio", "slot", "tier", "treatment", "mode", "bundles")
    options = {name: body[name] for name in named}
    return generation.plan_backgrounds(
        objects_named(body), **options, parts=parts_of(body), key=key
    )


def parts_of(body):
    """Return (model's label, key) of each part that a body names; keys alone are of its own model."""
    named = [part.partition(":") for part in body.get("parts", [])]
    return [
        (label, key) if "." in label and key else (body["model"], label + colon + key)
        for label, colon, key in named
    ]


def models_of(body):
    """Return the labels of the models that a body is about."""
    return {body["model"], *(label for label, _key in parts_of(body))}


def photo_plan_from(body, *, key):
    """Return the plan for the objects' own photos; raises as ``plan_from`` does."""
    options = {name: body[name] for name in ("ratio", "slot", "every")}
    return generation.plan_photos(objects_named(body), **options, key=key)


def text_plan_from(body, *, key):
    """Return the plan for text on pictures; raises as ``plan_from`` does."""
    named = ("layouts", "locales", "scenes", "slot", "deck", "text", "tier", "mode")
    options = {name: body[name] for name in named}
    return generation.plan_texts(objects_named(body), **options, key=key)


def refresh_plan_from(body, *, key):
    """Return the plan for published pictures that are out of date; raises as ``plan_from`` does."""
    return generation.plan_refresh(objects_named(body), key=key)


PLAN_REFUSALS = (RequestRefused, PlanRefused, NotRegistered, ObjectGone, StorageFailed)
"""What all plans may be refused with, and so whatever starts one."""


class ItemsPageSerializer(serializers.Serializer):
    """Pagination of a plan's items."""

    page = serializers.IntegerField(default=1, min_value=1, max_value=100_000)
    page_size = serializers.IntegerField(default=50, min_value=0, max_value=MOST_ITEMS)


class PlanViewSet(CatalogViewSet):
    """POST a request; the response reports which pictures exist and what the others cost.

    ``page`` and ``page_size`` (at most 200) in the query string select the listed items.
    """

    action_permissions = {
        **dict.fromkeys(("create", "preview", "photos", "texts", "renewal"), Action.PLAN),
        "finals": Action.PLAN_FINALS,
        "experiments": Action.PLAN_EXPERIMENT,
    }
    read_permission = Action.PLAN
    query_classes = dict.fromkeys(
        ("create", "photos", "texts", "renewal", "finals", "experiments"), ItemsPageSerializer
    )
    operations = {
        **dict.fromkeys(
            ("create", "photos", "texts", "renewal", "experiments"),
            Operation(returns=PlanSerializer, refuses=PLAN_REFUSALS),
        ),
        "finals": Operation(returns=FinalsPlanSerializer, refuses=PLAN_REFUSALS),
        "preview": Operation(returns=PreviewSerializer(many=True), refuses=PLAN_REFUSALS),
    }
    serializer_class = PlanRequestSerializer
    serializer_classes = {
        "photos": PhotoPlanSerializer,
        "texts": TextPlanSerializer,
        "renewal": PlanOptionsSerializer,
        "finals": FinalsSerializer,
        "experiments": ExperimentPlanSerializer,
    }

    def create(self, request, *args, **kwargs):
        return self._plan_response(plan_from)

    @action(detail=False, methods=["post"])
    def photos(self, request, *args, **kwargs):
        """Plan pictures of the objects' own photos. Nothing is generated."""
        return self._plan_response(photo_plan_from)

    @action(detail=False, methods=["post"])
    def texts(self, request, *args, **kwargs):
        """Plan text on existing pictures. Planning is free."""
        return self._plan_response(text_plan_from)

    @action(detail=False, methods=["post"])
    def renewal(self, request, *args, **kwargs):
        """Plan new versions of published pictures whose text is out of date. Free of charge."""
        return self._plan_response(refresh_plan_from)

    @action(detail=False, methods=["post"])
    def finals(self, request, *args, **kwargs):
        """Plan finals of pictures on a higher tier. With ``budget_usd``, ``left_out`` has those that are not
        worth it or too dear, and ``key`` is null if none is left."""
        body = self.validated_body()
        images = images_of(body)
        self.require_plan(*labels_of(images))
        plan, left_out = choice_from(body, images, key=key_of(self, body))
        shown = (
            {"key": None, "price_usd": usd_text(Decimal(0)), "items": []}
            if plan is None
            else plan_as_dict(plan, **self.query.validated_data)
        )
        return Response({**shown, "left_out": left_out_as_list(left_out)})

    @action(detail=False, methods=["post"])
    def experiments(self, request, *args, **kwargs):
        """Plan an experiment: the pictures of a sample of objects in two scenes or with two prompts."""
        return self._plan_response(experiment_plan_from)

    def _plan_response(self, make_plan):
        body = self.validated_body()
        self.require_plan(*models_of(body))
        plan = make_plan(body, key=key_of(self, body))
        response = plan_as_dict(plan, **self.query.validated_data)
        generation.request_cutouts(plan)
        return Response(response)

    @action(detail=False, methods=["post"])
    def preview(self, request, *args, **kwargs):
        """Return the requests for the first product, one per scene, exactly as they would be sent.

        Nothing is sent.
        """
        body = self.validated_body()
        self.require_plan(*models_of(body))
        requests = generation.preview_requests(plan_from(body, key=key_of(self, body)))
        shown = ("scene", "provider", "model", "treatment", "prompt", "system", "body",
                 "photo_sent", "problem")  # fmt: skip
        return Response(
            [
                {"object": each.object_id, **{name: getattr(each, name) for name in shown}}
                for each in requests
            ]
        )


def _with_page(items, page, page_size, *, into):
    """Yield all ``items``, and append those of one page to ``into``: a plan is computed once."""
    first = (page - 1) * page_size
    for number, item in enumerate(items):
        if first <= number < first + page_size:
            into.append(item)
        yield item


def plan_as_dict(plan, *, page, page_size):
    """Return ``plan`` with its summary, price and one page of items."""
    items = []
    summary = plan.summary(_with_page(plan.items(), page, page_size, into=items))
    photos = None
    if summary.photos is not None:
        # The cut-outs that need a person are the first ones alone.
        photos = {
            **{state: summary.photos.counts[state] for state in CutoutState.values},
            "cutouts": [*summary.photos.refused, *summary.photos.doubtful],
        }
    return {
        "key": plan.key,
        "title": plan.title,
        "request": plan.request,
        "summary": {
            "total": summary.total,
            "wanted": summary.wanted,
            **{status: summary.count_of(status) for status in generation.ItemStatus.values},
        },
        "problems": [
            {"problem": sentence, "count": number} for sentence, number in summary.problems.items()
        ],
        "warnings": [
            {"warning": sentence, "count": number} for sentence, number in summary.warnings.items()
        ],
        "photos": photos,
        "price_usd": usd_text(summary.price_usd),
        "price_each_usd": usd_text(plan.price_each_usd),
        "is_free": plan.is_free,
        "seconds": summary.seconds,
        "page": page,
        "page_size": page_size,
        "items": [
            {
                "object": item.object_id,
                "product_variant": item.variant,
                "scene": item.spec.scene if item.spec else None,
                "layout": item.spec.layout if item.spec else None,
                "locale": item.spec.locale if item.spec else None,
                "variant": item.spec.variant if item.spec else None,
                "status": item.status.value,
                "problem": item.problem,
            }
            for item in items
        ],
    }
