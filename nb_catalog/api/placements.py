"""``placements/``: published pictures, also for headless storefronts."""

from collections import defaultdict

from django.contrib.contenttypes.models import ContentType
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.permissions import SAFE_METHODS
from rest_framework.response import Response

from nb_catalog.api.fields import (
    CatalogObjectFilter,
    CatalogObjectSerializer,
    KeyListField,
    MomentField,
    NoBodySerializer,
    objects_of,
)
from nb_catalog.api.galleries import InGallerySerializer
from nb_catalog.api.operations import Operation
from nb_catalog.api.permissions import PublicReadPermission
from nb_catalog.api.views import CatalogReadViewSet
from nb_catalog.conf import settings
from nb_catalog.core.permissions import Action
from nb_catalog.exceptions import (
    InvalidTransition,
    NotRegistered,
    ObjectGone,
    PictureMissing,
    RequestRefused,
    StorageFailed,
)
from nb_catalog.models import Placement
from nb_catalog.models.generic import content_type_of, existing_keys
from nb_catalog.publishing import placements
from nb_catalog.publishing.galleries.lookups import deliveries_of
from nb_catalog.publishing.places import place_key
from nb_catalog.registry import is_registered, source_for
from nb_catalog.storefront import Picture, active_locale, fallbacks
from nb_catalog.storefront.alt_text import resolve_alt, written_alt
from nb_catalog.storefront.timeline import shown_at
from nb_catalog.storefront.visibility import visible_condition, visible_keys

OBJECT_STATES = ("visible", "hidden", "gone")


class SourceSerializer(serializers.Serializer):
    """One ``<source>`` of a ``<picture>``."""

    type = serializers.CharField()
    srcset = serializers.CharField()


class OriginSerializer(serializers.Serializer):
    """How a picture came about, for pages that declare it."""

    digital_source_type = serializers.CharField(allow_blank=True)
    schema_org = serializers.CharField(allow_blank=True)


class PlacementSerializer(CatalogObjectSerializer):
    """A published picture with all data for an ``<img>`` or ``<picture>`` element."""

    slot = serializers.CharField()
    locale = serializers.CharField()
    position = serializers.IntegerField()
    image = serializers.IntegerField(source="image_id")
    published_at = serializers.DateTimeField()
    stale_since = serializers.DateTimeField(allow_null=True)

    def to_representation(self, placement):
        picture = Picture(picture_data=placement.picture_data)
        key = (placement.content_type_id, placement.object_id)
        return {
            **super().to_representation(placement),
            "object_state": self.context["states"].get(key, "gone"),
            "shown_for": self.context["requested"].get(key) or [placement.object_id],
            "src": picture.src,
            "srcset": picture.srcset,
            "sources": [{"type": kind, "srcset": srcset} for kind, srcset in picture.sources],
            "width": picture.width,
            "height": picture.height,
            "alt": resolve_alt(
                getattr(placement, "written_alt", self.context["written"].get(placement.pk, "")),
                of_product=self.context["alts"].get(key, ""),
                overlay_text=placement.picture_data.get("overlay_text", ""),
            ),
            "origin": {
                "digital_source_type": picture.origin,
                "schema_org": picture.schema_org,
            },
            "galleries": InGallerySerializer(
                self.context["deliveries"].get(place_key(placement), ()), many=True
            ).data,
        }


class PublishedSerializer(PlacementSerializer):
    """The shape of what ``PlacementSerializer`` returns. ``shown_for`` are the keys that were asked for,
    ``galleries`` where it was delivered in the host's own models; empty for the public."""

    object_state = serializers.ChoiceField(choices=[(each, each) for each in OBJECT_STATES])
    shown_for = serializers.ListField(child=serializers.CharField())
    src = serializers.CharField()
    srcset = serializers.CharField(allow_blank=True)
    sources = SourceSerializer(many=True)
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    alt = serializers.CharField(allow_blank=True)
    origin = OriginSerializer()
    galleries = InGallerySerializer(many=True)


class ShownSerializer(PublishedSerializer):
    """What a place shows at a moment: a placement without what only a stored one has."""

    id = published_at = stale_since = object_state = galleries = None


class ShownAtSerializer(serializers.Serializer):
    """What objects show at a moment."""

    at = serializers.DateTimeField()
    places = ShownSerializer(many=True)


def placement_context(page, *, locale=None, requested=None, is_public=False):
    """Return the serializer context for ``page``: alternative texts and whether the objects exist.

    ``requested`` is that of ``CatalogReadViewSet``: the objects that were asked for describe their
    pictures themselves. One query for written texts and three per model; only one if ``is_public``,
    because then every object is visible.
    """
    locale = active_locale(locale)
    keys = defaultdict(set)
    for placement in page:
        keys[placement.content_type_id].add(placement.object_id)
    alts, states = {}, {}
    for type_id, object_ids in keys.items():
        model = ContentType.objects.get_for_id(type_id).model_class()
        existing = object_ids if is_public else existing_keys(type_id, object_ids)
        states |= {(type_id, key): "hidden" for key in existing}
        if model is None or not is_registered(model):
            continue
        source = source_for(model)
        rows = source.visible() if is_public else source.queryset()
        for product in rows.in_bulk(object_ids).values():
            alts[type_id, str(product.pk)] = source.alt(product, locale)
        visible = object_ids if is_public else visible_keys(source, object_ids)
        states |= {(type_id, key): "visible" for key in visible}
    asked = defaultdict(list)
    if requested is not None:
        source, subjects = requested
        for key, subject in subjects.items():
            asked[subject].append(key)
        # The first one that was asked for describes a picture that several show.
        own = content_type_of(source.model).pk
        firsts = {keys[0]: subject for subject, keys in asked.items() if subject != (own, keys[0])}
        if firsts:
            rows = source.visible() if is_public else source.queryset()
            for key, product in rows.in_bulk(list(firsts)).items():
                alts[firsts[str(key)]] = source.alt(product, locale)
    alt = written_alt(tuple(fallbacks(locale)))
    rows = Placement.objects.filter(pk__in=[placement.pk for placement in page])
    return {
        "alts": alts,
        "states": states,
        "requested": asked,
        "deliveries": {} if is_public else deliveries_of(page),
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

    def validate_search(self, value):
        # It would tell names of scenes and texts that nobody has published.
        if self.context["view"].is_public:
            raise serializers.ValidationError(_("Only who may view placements may search them."))
        return value

    def readable(self, source):
        return source.visible() if self.context["view"].is_public else None

    def filter_queryset(self, queryset):
        query = self.validated_data
        queryset = super().filter_queryset(queryset)
        if "slot" in query:
            queryset = queryset.filter(slot=query["slot"])
        if query["stale"] is not None:
            queryset = queryset.filter(stale_since__isnull=not query["stale"])
        return queryset.filter(shown_in(query["locale"])) if "locale" in query else queryset


class MomentQuery(CatalogObjectFilter):
    """Query string ``?model=shop.product&object=1&object=2&at=2026-12-24T00:00:00Z``. ``at`` is ISO 8601 with
    an offset; ``slot`` and ``locale`` are as in the list of placements."""

    search = None
    at = MomentField()
    model = serializers.CharField()
    object = KeyListField()
    slot = serializers.CharField(required=False)
    locale = serializers.CharField(required=False, allow_blank=True, max_length=20)


def _placements_at(keys, query):
    """Return unsaved placements for what the objects ``keys`` show at the moment of ``query``."""
    ranks = fallbacks(query["locale"]) if "locale" in query else None
    slots = [query["slot"]] if "slot" in query else None
    shown = shown_at(keys, moment=query["at"], slots=slots, locales=ranks and tuple(ranks))
    closest = {}
    for each in sorted(shown, key=lambda each: ranks[each.locale] if ranks else 0, reverse=True):
        place = each[:3] + ((each.position,) if ranks else (each.position, each.locale))
        values = each._asdict()
        alt = values.pop("alt")
        closest[place] = Placement(**values)
        if ranks:
            closest[place].written_alt = alt
    return [closest[place] for place in sorted(closest)]


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


class LocaleQuery(serializers.Serializer):
    """Query string of one placement: the locale of its alternative text."""

    locale = serializers.CharField(required=False, allow_blank=True, max_length=20)


class PlaceOfObjectSerializer(serializers.Serializer):
    """A place of one catalog object, which may be empty."""

    model = serializers.CharField()
    object = serializers.CharField(max_length=128)
    slot = serializers.CharField(max_length=40)
    locale = serializers.CharField(default="", allow_blank=True, max_length=20)
    position = serializers.IntegerField(default=0, min_value=0, max_value=32767)


class PlacementViewSet(CatalogReadViewSet):
    """Published pictures. Filter by ``model`` with ``object``, ``slot``, ``locale``.

    Public if ``NB_CATALOG["API_PUBLIC_PLACEMENTS"]`` is True: without the permission to view
    placements, only those of objects that their source's ``visible()`` returns.
    """

    permission_classes = (PublicReadPermission,)
    file_addresses = frozenset({"src", "srcset", "sources"})
    read_permission = Action.VIEW_PLACEMENTS
    action_permissions = {
        **dict.fromkeys(("withdraw", "roll_back", "roll_back_place"), Action.UNPUBLISH),
        "moment": Action.VIEW_PLACEMENTS,
    }
    orderings = {
        "object": ("content_type_id", "object_id", "slot", "position", "locale"),
        "published_at": ("published_at",),
    }
    created_field = "published_at"
    serializer_class = PlacementSerializer
    serializer_classes = {
        "withdraw": NoBodySerializer,
        "roll_back": NoBodySerializer,
        "roll_back_place": PlaceOfObjectSerializer,
    }
    operations = {
        "list": Operation(returns=PublishedSerializer),
        "retrieve": Operation(returns=PublishedSerializer),
        "moment": Operation(returns=ShownAtSerializer, refuses=(NotRegistered,)),
        "withdraw": Operation(
            status=status.HTTP_204_NO_CONTENT, refuses=(InvalidTransition, RequestRefused)
        ),
        **dict.fromkeys(
            ("roll_back", "roll_back_place"),
            Operation(
                returns=PublishedSerializer,
                also={status.HTTP_204_NO_CONTENT: None},
                refuses=(
                    InvalidTransition,
                    RequestRefused,
                    NotRegistered,
                    ObjectGone,
                    PictureMissing,
                    StorageFailed,
                ),
            ),
        ),
    }
    filter_class = PlacementFilter
    query_classes = {
        **dict.fromkeys(("retrieve", "roll_back", "roll_back_place"), LocaleQuery),
        "moment": MomentQuery,
    }

    def get_queryset(self):
        return Placement.objects.order_by(
            "content_type_id", "object_id", "slot", "position", "locale"
        )

    @property
    def is_public(self):
        """Whether the user sees only what the public may see."""
        return not self.user_may(self.read_permission)

    def filter_queryset(self, queryset):
        queryset = super().filter_queryset(queryset)
        # Objects that were asked for have been looked up: their pictures may be those of others.
        if self.is_public and self.requested is None and self.request.method in SAFE_METHODS:
            queryset = queryset.filter(visible_condition())
        return queryset

    def serialize_page(self, page):
        return self._serialize(page, many=True)

    def represent(self, row):
        return self._serialize(row)

    def cache_control(self):
        """Placements that are public are the same for everybody without credentials."""
        if settings.API_PUBLIC_PLACEMENTS and self.is_public and not self.request.auth:
            user = self.request.user
            if not getattr(user, "is_authenticated", False):
                return f"public, max-age={settings.API_PUBLIC_MAX_AGE}"
        return super().cache_control()

    @action(detail=False, url_path="at")
    def moment(self, request, *args, **kwargs):
        """Return what objects show at a moment, by the history or by what is scheduled. A picture that is
        scheduled and has no files yet is shown by its original."""
        # Others see the present only, also where placements are public.
        self.require(Action.VIEW_PLACEMENTS)
        query = self.query.validated_data
        self.query.filter_queryset(Placement.objects.none())
        rows = _placements_at(set(self.requested[1].values()), query)
        names = ShownSerializer().fields
        shown = [{name: each[name] for name in names} for each in self._serialize(rows, many=True)]
        return Response({"at": query["at"], "places": shown})

    @action(detail=True, methods=["post"])
    def withdraw(self, request, *args, **kwargs):
        """Remove a picture from the storefront."""
        placement = self.get_object()
        self.validated_body()
        placements.withdraw(placement, actor=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=True, methods=["post"], url_path="roll-back")
    def roll_back(self, request, *args, **kwargs):
        """Undo the last change of this place; 204 if it is empty afterwards."""
        placement = self.get_object()
        self.validated_body()
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
        context = placement_context(
            rows if many else [rows],
            locale=locale or None,
            requested=self.requested,
            is_public=self.is_public,
        )
        return PlacementSerializer(
            rows, many=many, context={**self.get_serializer_context(), **context}
        ).data
