"""``placements/``: published pictures, also for headless storefronts."""

from collections import defaultdict

from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, OuterRef, Q
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.response import Response

from nb_catalog.api.fields import CatalogObjectFilter, CatalogObjectSerializer, objects_of
from nb_catalog.api.permissions import PublicReadPermission
from nb_catalog.api.views import CatalogReadViewSet
from nb_catalog.core.types import Permission
from nb_catalog.models import Placement
from nb_catalog.publishing import placements
from nb_catalog.registry import is_registered, source_for
from nb_catalog.storefront import Picture, active_locale, fallbacks
from nb_catalog.storefront.alt_text import resolve_alt, written_alt


class PlacementSerializer(CatalogObjectSerializer):
    """A published picture with all data for an ``<img>`` or ``<picture>`` element."""

    slot = serializers.CharField()
    locale = serializers.CharField()
    position = serializers.IntegerField()
    image = serializers.IntegerField(source="image_id")
    published_at = serializers.DateTimeField()
    stale_since = serializers.DateTimeField()

    def to_representation(self, placement):
        picture = Picture(picture_data=placement.picture_data)
        key = (placement.content_type_id, placement.object_id)
        return {
            **super().to_representation(placement),
            "src": picture.src,
            "srcset": picture.srcset,
            "sources": [{"type": kind, "srcset": srcset} for kind, srcset in picture.sources],
            "width": picture.width,
            "height": picture.height,
            "alt": resolve_alt(
                self.context["written"].get(placement.pk, ""),
                of_product=self.context["alts"].get(key, ""),
                overlay_text=placement.picture_data.get("overlay_text", ""),
            ),
            "origin": {
                "digital_source_type": picture.origin,
                "schema_org": picture.schema_org,
            },
        }


def placement_context(page, *, locale=None):
    """Return the serializer context for ``page``: alternative texts, in one query plus one per model."""
    locale = active_locale(locale)
    keys = defaultdict(set)
    for placement in page:
        keys[placement.content_type_id].add(placement.object_id)
    alts = {}
    for type_id, object_ids in keys.items():
        model = ContentType.objects.get_for_id(type_id).model_class()
        if model is None or not is_registered(model):
            continue
        source = source_for(model)
        for product in source.queryset().in_bulk(object_ids).values():
            alts[type_id, str(product.pk)] = source.alt(product, locale)
    alt = written_alt(tuple(fallbacks(locale)))
    rows = Placement.objects.filter(pk__in=[placement.pk for placement in page])
    return {
        "alts": alts,
        "written": dict(rows.annotate(alt=alt).order_by().values_list("pk", "alt")),
    }


class PlacementFilter(CatalogObjectFilter):
    """Query string ``?model=shop.product&object=1&object=2&slot=hero&locale=de-at&stale=true``.

    ``locale`` finds, for each slot and position, the one picture that a page in that language
    shows: the language's own, otherwise the one for all languages. An empty ``locale`` finds only
    pictures for all languages.
    """

    slot = serializers.CharField(required=False)
    locale = serializers.CharField(required=False, allow_blank=True, max_length=20)
    stale = serializers.BooleanField(required=False, allow_null=True, default=None)

    def filter_queryset(self, queryset):
        query = self.validated_data
        queryset = super().filter_queryset(queryset)
        if "slot" in query:
            queryset = queryset.filter(slot=query["slot"])
        if query["stale"] is not None:
            queryset = queryset.filter(stale_since__isnull=not query["stale"])
        return queryset.filter(shown_in(query["locale"])) if "locale" in query else queryset


def shown_in(locale):
    """Match placements that a page in ``locale`` shows: none in a closer language shares the place."""
    same = {
        name: OuterRef(name) for name in ("content_type_id", "object_id", "slot", "position")
    }  # fmt: skip
    condition = Q(pk__in=[])
    closer = []
    for each in fallbacks(locale):
        condition |= Q(locale=each) & ~Exists(Placement.objects.filter(locale__in=closer, **same))
        closer = [*closer, each]
    return condition


class PlaceOfObjectSerializer(serializers.Serializer):
    """A place of one catalog object, which may be empty."""

    model = serializers.CharField()
    object = serializers.CharField(max_length=128)
    slot = serializers.CharField(max_length=40)
    locale = serializers.CharField(default="", allow_blank=True, max_length=20)
    position = serializers.IntegerField(default=0, min_value=0, max_value=32767)


class PlacementViewSet(CatalogReadViewSet):
    """Published pictures. Filter by ``model`` with ``object``, ``slot``, ``locale``.

    Public if ``NB_CATALOG["API_PUBLIC_PLACEMENTS"]`` is True.
    """

    permission_classes = (PublicReadPermission,)
    read_permission = "nb_catalog.view_placement"
    action_permissions = dict.fromkeys(
        ("withdraw", "roll_back", "roll_back_place"), Permission.PUBLISH
    )
    serializer_class = PlacementSerializer
    serializer_classes = {
        "withdraw": serializers.Serializer,
        "roll_back": serializers.Serializer,
        "roll_back_place": PlaceOfObjectSerializer,
    }
    filter_class = PlacementFilter

    def get_queryset(self):
        return Placement.objects.order_by(
            "content_type_id", "object_id", "slot", "position", "locale"
        )

    def serialize_page(self, page):
        return self._serialize(page, many=True)

    def retrieve(self, request, *args, **kwargs):
        return Response(self._serialize(self.get_object()))

    @action(detail=True, methods=["post"])
    def withdraw(self, request, *args, **kwargs):
        """Remove a picture from the storefront."""
        placements.withdraw(self.get_object(), actor=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=True, methods=["post"], url_path="roll-back")
    def roll_back(self, request, *args, **kwargs):
        """Undo the last change of this place; 204 if it is empty afterwards."""
        placement = self.get_object()
        product = placement.catalog_object
        if product is None:
            raise NotFound
        return self._roll_back(product, place=placement)

    @action(detail=False, methods=["post"], url_path="roll-back")
    def roll_back_place(self, request, *args, **kwargs):
        """Undo the last change of a place that may be empty now; 204 if it is empty afterwards."""
        body = self.validated_body()
        [product] = objects_of(source_for(body["model"]), [body["object"]], field="object")
        place = Placement(**{name: body[name] for name in ("slot", "locale", "position")})
        return self._roll_back(product, place=place)

    def _roll_back(self, product, *, place):
        restored = placements.roll_back(
            product,
            slot=place.slot,
            locale=place.locale,
            position=place.position,
            actor=self.request.user,
        )
        if restored is None:
            return Response(status=status.HTTP_204_NO_CONTENT)
        return Response(self._serialize(restored))

    def _serialize(self, rows, *, many=False):
        locale = self.request.query_params.get("locale")
        context = placement_context(rows if many else [rows], locale=locale or None)
        return PlacementSerializer(
            rows, many=many, context={**self.get_serializer_context(), **context}
        ).data
