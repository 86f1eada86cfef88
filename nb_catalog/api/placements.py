"""``placements/``: what is published, for headless storefronts too."""

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
    """A published picture with everything that an ``<img>`` or ``<picture>`` needs."""

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
            "alt": self._alt(placement, self.context["alts"].get(key, "")),
            "origin": {
                "digital_source_type": picture.origin,
                "schema_org": picture.schema_org,
            },
        }

    def _alt(self, placement, of_product):
        own = self.context["written"].get(placement.pk, "")
        text = placement.picture_data.get("overlay_text", "")
        return resolve_alt(own, of_product=of_product, overlay_text=text)


def placement_context(page, *, locale=None):
    """What the serializer needs besides the rows: alternative texts, one query and one more a model."""
    keys = defaultdict(set)
    for placement in page:
        keys[placement.content_type_id].add(placement.object_id)
    alts = {}
    for type_id, wanted in keys.items():
        alts.update(_alts(type_id, wanted, locale=active_locale(locale)))
    alt = written_alt(tuple(fallbacks(active_locale(locale))))
    shown = Placement.objects.filter(pk__in=[placement.pk for placement in page])
    return {
        "alts": alts,
        "written": dict(shown.annotate(alt=alt).order_by().values_list("pk", "alt")),
    }


def _alts(type_id, keys, *, locale):
    model = ContentType.objects.get_for_id(type_id).model_class()
    if model is None or not is_registered(model):
        return
    source = source_for(model)
    for product in source.queryset().in_bulk(keys).values():
        yield (type_id, str(product.pk)), source.alt(product, locale)


class PlacementFilter(CatalogObjectFilter):
    """``?model=shop.product&object=1&object=2&slot=hero&locale=de-at&stale=true``.

    ``locale`` finds for each place the one picture that a page in that language shows: the
    language's own, else the one for all. An empty one finds only those for all languages.
    """

    slot = serializers.CharField(required=False)
    locale = serializers.CharField(required=False, allow_blank=True, max_length=20)
    stale = serializers.BooleanField(required=False, allow_null=True, default=None)

    def narrow(self, rows):
        given = self.validated_data
        rows = super().narrow(rows)
        if "slot" in given:
            rows = rows.filter(slot=given["slot"])
        if given["stale"] is not None:
            rows = rows.filter(stale_since__isnull=not given["stale"])
        return rows.filter(_serving(given["locale"])) if "locale" in given else rows


def _serving(locale):
    """No row of a closer language stands in the same place."""
    same = {
        name: OuterRef(name) for name in ("content_type_id", "object_id", "slot", "position")
    }  # fmt: skip
    found = Q(pk__in=[])
    closer = []
    for each in fallbacks(locale):
        found |= Q(locale=each) & ~Exists(Placement.objects.filter(locale__in=closer, **same))
        closer = [*closer, each]
    return found


class PlaceOfObjectSerializer(serializers.Serializer):
    """A place of one catalog object, whether or not something stands there."""

    model = serializers.CharField()
    object = serializers.CharField(max_length=128)
    slot = serializers.CharField(max_length=40)
    locale = serializers.CharField(default="", allow_blank=True, max_length=20)
    position = serializers.IntegerField(default=0, min_value=0, max_value=32767)


class PlacementViewSet(CatalogReadViewSet):
    """Published pictures. Filter by ``model`` with ``object``, ``slot``, ``locale``.

    Anybody may read them where ``NB_CATALOG["API_PUBLIC_PLACEMENTS"]`` is True.
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

    def shown_list(self, page):
        return self._shown(page, many=True)

    def retrieve(self, request, *args, **kwargs):
        return Response(self._shown(self.get_object()))

    @action(detail=True, methods=["post"])
    def withdraw(self, request, *args, **kwargs):
        """Take a picture out of the storefront."""
        placements.withdraw(self.get_object(), actor=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=True, methods=["post"], url_path="roll-back")
    def roll_back(self, request, *args, **kwargs):
        """Undo the last change of this place; 204 when it is empty then."""
        standing = self.get_object()
        product = standing.catalog_object
        if product is None:
            raise NotFound
        return self._roll_back(product, place=standing)

    @action(detail=False, methods=["post"], url_path="roll-back")
    def roll_back_place(self, request, *args, **kwargs):
        """Undo the last change of a place that may be empty now; 204 when it is empty then."""
        asked = self.asked()
        [product] = objects_of(source_for(asked["model"]), [asked["object"]], field="object")
        place = Placement(**{name: asked[name] for name in ("slot", "locale", "position")})
        return self._roll_back(product, place=place)

    def _roll_back(self, product, *, place):
        standing = placements.roll_back(
            product,
            slot=place.slot,
            locale=place.locale,
            position=place.position,
            actor=self.request.user,
        )
        if standing is None:
            return Response(status=status.HTTP_204_NO_CONTENT)
        return Response(self._shown(standing))

    def _shown(self, rows, *, many=False):
        asked = self.request.query_params.get("locale")
        context = placement_context(rows if many else [rows], locale=asked or None)
        return PlacementSerializer(
            rows, many=many, context={**self.get_serializer_context(), **context}
        ).data
