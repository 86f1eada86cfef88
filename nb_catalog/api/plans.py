"""``plans/``: what a request would generate and what it would cost. Writes nothing."""

from itertools import islice

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from nb_catalog import generation
from nb_catalog.api.fields import MOST_KEYS, KeyListField, objects_of, usd_text
from nb_catalog.api.views import CatalogViewSet
from nb_catalog.conf import settings
from nb_catalog.core.types import Permission, RequestMode, TextMethod, Treatment
from nb_catalog.generation.backgrounds import MAX_VARIANTS
from nb_catalog.registry import source_for

ALL = "all"
MOST_ITEMS = 200


class KeysField(serializers.Field):
    """A list of keys; in form data, one comma-separated text."""

    def __init__(self, *, most, **options):
        self.keys = KeyListField(max_length=most)
        super().__init__(**options)

    def to_internal_value(self, data):
        return self.keys.run_validation(data)

    def to_representation(self, value):
        return value

    def get_value(self, dictionary):
        if hasattr(dictionary, "getlist") and self.field_name in dictionary:
            keys = ",".join(dictionary.getlist(self.field_name)).split(",")
            return [key.strip() for key in keys if key.strip()]
        return super().get_value(dictionary)


class ObjectsField(KeysField):
    """The word "all", or keys."""

    def to_internal_value(self, data):
        if data in (ALL, [ALL]):
            return ALL
        return super().to_internal_value(data)


class PlanOptionsSerializer(serializers.Serializer):
    """Objects of a plan. ``key`` makes starting it idempotent: one key, one run."""

    model = serializers.CharField(help_text=_("A registered model, for example shop.product."))
    objects = ObjectsField(most=MOST_KEYS, help_text=_('"all", or object keys.'))
    key = serializers.CharField(default="", allow_blank=True, max_length=64)


class PlanRequestSerializer(PlanOptionsSerializer):
    """Pictures of objects in scenes."""

    scenes = KeysField(most=100, help_text=_("Scene keys."))
    variants = serializers.IntegerField(default=1, min_value=1, max_value=MAX_VARIANTS)
    ratio = serializers.CharField(default="1:1", max_length=10)
    tier = serializers.CharField(default="draft", max_length=40)
    treatment = serializers.ChoiceField(default=Treatment.LOCKED, choices=Treatment.choices)
    mode = serializers.ChoiceField(default=RequestMode.DIRECT, choices=RequestMode.choices)


class TextPlanSerializer(PlanOptionsSerializer):
    """Text on pictures.

    Defaults: all shop locales, the newest picture of every scene (or, with ``slot``, what is
    published there), and the shop's own texts if no ``deck`` is given. Text is typeset free of
    charge; with ``text`` "painted", the model of ``tier`` draws it.
    """

    layouts = KeysField(most=100, help_text=_("Layout keys."))
    locales = KeysField(most=200, required=False, help_text=_("Locales, for example de or pt-br."))
    scenes = KeysField(most=100, required=False, help_text=_("Scene keys."))
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
    named = ("scenes", "variants", "ratio", "tier", "treatment", "mode")
    options = {name: body[name] for name in named}
    return generation.plan_backgrounds(_objects(body), **options, key=key)


def text_plan_from(body, *, key):
    """Return the plan for text on pictures; raises as ``plan_from`` does."""
    named = ("layouts", "locales", "scenes", "slot", "deck", "text", "tier", "mode")
    options = {name: body[name] for name in named}
    return generation.plan_texts(_objects(body), **options, key=key)


def refresh_plan_from(body, *, key):
    """Return the plan for published pictures that are out of date; raises as ``plan_from`` does."""
    return generation.plan_refresh(_objects(body), key=key)


def _objects(body):
    source = source_for(body["model"])
    keys = body["objects"]
    return source.queryset().order_by("pk") if keys == ALL else objects_of(source, keys)


class ItemsPageSerializer(serializers.Serializer):
    """Pagination of a plan's items."""

    page = serializers.IntegerField(default=1, min_value=1, max_value=100_000)
    page_size = serializers.IntegerField(default=50, min_value=0, max_value=MOST_ITEMS)


class PlanViewSet(CatalogViewSet):
    """POST a request; the response reports which pictures exist and what the others cost.

    ``page`` and ``page_size`` (at most 200) in the query string select the listed items.
    """

    action_permissions = dict.fromkeys(
        ("create", "preview", "texts", "renewal"), Permission.GENERATE
    )
    read_permission = Permission.GENERATE
    serializer_class = PlanRequestSerializer
    serializer_classes = {"texts": TextPlanSerializer, "renewal": PlanOptionsSerializer}

    def create(self, request, *args, **kwargs):
        return self._plan_response(plan_from)

    @action(detail=False, methods=["post"])
    def texts(self, request, *args, **kwargs):
        """Plan text on existing pictures. Planning is free."""
        return self._plan_response(text_plan_from)

    @action(detail=False, methods=["post"])
    def renewal(self, request, *args, **kwargs):
        """Plan new versions of published pictures whose text is out of date. Free of charge."""
        return self._plan_response(refresh_plan_from)

    def _plan_response(self, make_plan):
        paging = ItemsPageSerializer(data=self.request.query_params)
        paging.is_valid(raise_exception=True)
        body = self.validated_body()
        return Response(plan_as_dict(make_plan(body, key=body["key"]), **paging.validated_data))

    @action(detail=False, methods=["post"])
    def preview(self, request, *args, **kwargs):
        """Return the requests for the first product, one per scene, exactly as they would be sent.

        Nothing is sent.
        """
        body = self.validated_body()
        requests = generation.preview_requests(plan_from(body, key=body["key"]))
        shown = ("scene", "provider", "model", "treatment", "prompt", "system", "body",
                 "photo_sent", "problem")  # fmt: skip
        return Response(
            [
                {"object": each.object_id, **{name: getattr(each, name) for name in shown}}
                for each in requests
            ]
        )


def plan_as_dict(plan, *, page, page_size):
    """Return ``plan`` with its summary, price and one page of items."""
    summary = plan.summary()
    start = (page - 1) * page_size
    items = islice(plan.items(), start, start + page_size) if page_size else ()
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
        "price_usd": usd_text(summary.price_usd),
        "price_each_usd": usd_text(plan.price_each_usd),
        "is_free": plan.is_free,
        "seconds": summary.seconds,
        "page": page,
        "page_size": page_size,
        "items": [
            {
                "object": item.object_id,
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
