"""``plans/``: what a request stands for and what it would cost. Writes nothing."""

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
    """A list of keys; in a form, one text with commas."""

    def __init__(self, *, most, **options):
        self.keys = KeyListField(max_length=most)
        super().__init__(**options)

    def to_internal_value(self, data):
        return self.keys.run_validation(data)

    def to_representation(self, value):
        return value

    def get_value(self, dictionary):
        if hasattr(dictionary, "getlist") and self.field_name in dictionary:
            given = ",".join(dictionary.getlist(self.field_name)).split(",")
            return [key.strip() for key in given if key.strip()]
        return super().get_value(dictionary)


class ObjectsField(KeysField):
    """ "all", or keys."""

    def to_internal_value(self, data):
        if data in (ALL, [ALL]):
            return ALL
        return super().to_internal_value(data)


class PlanOptionsSerializer(serializers.Serializer):
    """About which objects. ``key`` makes starting it idempotent: one key, one run."""

    model = serializers.CharField(help_text=_("A registered model, for example shop.product."))
    objects = ObjectsField(most=MOST_KEYS, help_text=_('"all", or object keys.'))
    key = serializers.CharField(default="", allow_blank=True, max_length=64)


class PlanRequestSerializer(PlanOptionsSerializer):
    """Pictures in scenes."""

    scenes = KeysField(most=100, help_text=_("Scene keys."))
    variants = serializers.IntegerField(default=1, min_value=1, max_value=MAX_VARIANTS)
    ratio = serializers.CharField(default="1:1", max_length=10)
    tier = serializers.CharField(default="draft", max_length=40)
    treatment = serializers.ChoiceField(default=Treatment.LOCKED, choices=Treatment.choices)
    mode = serializers.ChoiceField(default=RequestMode.DIRECT, choices=RequestMode.choices)


class TextPlanSerializer(PlanOptionsSerializer):
    """Words on pictures. Without ``locales`` in every one of the shop, without ``scenes`` on the newest
    picture of every scene, with ``slot`` only on what is published there; without ``deck`` the shop's
    own words. They are set, free of charge; with ``text`` "painted" the model of ``tier`` draws them."""

    layouts = KeysField(most=100, help_text=_("Layout keys."))
    locales = KeysField(most=200, required=False, help_text=_("Locales, for example de or pt-br."))
    scenes = KeysField(most=100, required=False, help_text=_("Scene keys."))
    slot = serializers.CharField(default="", allow_blank=True, max_length=40)
    deck = serializers.CharField(default="", allow_blank=True, max_length=60)
    text = serializers.ChoiceField(default=TextMethod.SET, choices=TextMethod.choices)
    tier = serializers.CharField(default="draft", max_length=40)
    mode = serializers.ChoiceField(default=RequestMode.DIRECT, choices=RequestMode.choices)

    def validate(self, attrs):
        # Written out, so that a key that comes back means the same request.
        given = list(dict.fromkeys(attrs.get("locales") or settings.LOCALES))
        return {**attrs, "locales": given, "scenes": attrs.get("scenes") or []}


def plan_from(asked, *, key):
    """The plan of a checked body. Raises ``PlanRefused``, ``NotRegistered``, ``ValidationError``."""
    return generation.plan_backgrounds(
        _objects(asked),
        scenes=asked["scenes"],
        variants=asked["variants"],
        ratio=asked["ratio"],
        tier=asked["tier"],
        treatment=asked["treatment"],
        mode=asked["mode"],
        key=key,
    )


def text_plan_from(asked, *, key):
    """The same for words on pictures."""
    named = ("layouts", "locales", "scenes", "slot", "deck", "text", "tier", "mode")
    wishes = {name: asked[name] for name in named}
    return generation.plan_texts(_objects(asked), **wishes, key=key)


def refresh_plan_from(asked, *, key):
    """The same for what is published and out of date."""
    return generation.plan_refresh(_objects(asked), key=key)


def _objects(asked):
    source = source_for(asked["model"])
    wanted = asked["objects"]
    return source.queryset().order_by("pk") if wanted == ALL else objects_of(source, wanted)


class ItemsPageSerializer(serializers.Serializer):
    """Which items of a plan the answer lists."""

    page = serializers.IntegerField(default=1, min_value=1, max_value=100_000)
    page_size = serializers.IntegerField(default=50, min_value=0, max_value=MOST_ITEMS)


class PlanViewSet(CatalogViewSet):
    """POST what is wanted; the answer says what of it exists and what the rest costs.

    ``page`` and ``page_size`` (at most 200) in the query string choose the items that are listed.
    """

    action_permissions = dict.fromkeys(
        ("create", "preview", "texts", "renewal"), Permission.GENERATE
    )
    read_permission = Permission.GENERATE
    serializer_class = PlanRequestSerializer
    serializer_classes = {"texts": TextPlanSerializer, "renewal": PlanOptionsSerializer}

    def create(self, request, *args, **kwargs):
        return self._planned(plan_from)

    @action(detail=False, methods=["post"])
    def texts(self, request, *args, **kwargs):
        """Words on the pictures that there are. It costs nothing."""
        return self._planned(text_plan_from)

    @action(detail=False, methods=["post"])
    def renewal(self, request, *args, **kwargs):
        """What is published, has words on it and is out of date. It costs nothing."""
        return self._planned(refresh_plan_from)

    def _planned(self, plan_of):
        paging = ItemsPageSerializer(data=self.request.query_params)
        paging.is_valid(raise_exception=True)
        asked = self.asked()
        return Response(_shown(plan_of(asked, key=asked["key"]), **paging.validated_data))

    @action(detail=False, methods=["post"])
    def preview(self, request, *args, **kwargs):
        """What would be sent, exactly: for the first product, a request a scene. Nothing is sent."""
        asked = self.asked()
        plan = plan_from(asked, key=asked["key"])
        return Response([_shown_sending(each) for each in generation.preview_requests(plan)])


def _shown_sending(sending):
    return {
        "object": sending.object_id,
        "scene": sending.scene,
        "provider": sending.provider,
        "model": sending.model,
        "treatment": sending.treatment,
        "prompt": sending.prompt,
        "system": sending.system,
        "body": sending.body,
        "photo_sent": sending.photo_sent,
        "problem": sending.problem,
    }


def _shown(plan, *, page, page_size):
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
        "items": [_shown_item(item) for item in items],
    }


def _shown_item(item):
    spec = item.spec
    return {
        "object": item.object_id,
        "scene": spec.scene if spec else None,
        "layout": spec.layout if spec else None,
        "locale": spec.locale if spec else None,
        "variant": spec.variant if spec else None,
        "status": item.status.value,
        "problem": item.problem,
    }
