"""``cutouts/``: the masks of the host's photos: listed, looked at, corrected and requested."""

from django.core.files.base import ContentFile
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.response import Response

from nb_catalog import cutouts, tasks
from nb_catalog.api import idempotency
from nb_catalog.api.drawings import SentPictures, picture_response
from nb_catalog.api.fields import (
    MOST_KEYS,
    CatalogObjectFilter,
    CatalogObjectSerializer,
    KeyListField,
    NoBodySerializer,
    objects_of,
)
from nb_catalog.api.idempotency import KeyField
from nb_catalog.api.operations import Operation
from nb_catalog.api.results import ChangedSerializer, RequestedSerializer
from nb_catalog.api.views import CatalogReadViewSet
from nb_catalog.conf import settings
from nb_catalog.core.permissions import Action
from nb_catalog.core.types import PhotoKind
from nb_catalog.cutouts import previews
from nb_catalog.cutouts.access import may_each, visible_to
from nb_catalog.cutouts.decisions import confirm, mark_unusable, replace_mask
from nb_catalog.cutouts.photos import request_for_products
from nb_catalog.exceptions import (
    CutoutRefused,
    InvalidTransition,
    NotRegistered,
    ObjectGone,
    PictureMissing,
    PictureTooLarge,
    PictureUnreadable,
    RequestRefused,
    StorageFailed,
)
from nb_catalog.models import PhotoCutout, Scene
from nb_catalog.models.cutouts import CutoutState
from nb_catalog.registry import source_for

MOST_VERSIONS = 2**31 - 1


class CutoutSerializer(CatalogObjectSerializer):
    """A photo as a source of pictures. ``kind`` is a person's decision, or ""; ``mask`` the URL of its file.

    ``reasons`` are codes of doubts; ``score`` is from 0 to 1.
    """

    photo = serializers.CharField(source="name")
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    state = serializers.ChoiceField(choices=CutoutState.choices)
    kind = serializers.ChoiceField(choices=PhotoKind.choices, allow_blank=True)
    suggested_kind = serializers.ChoiceField(choices=PhotoKind.choices, allow_blank=True)
    method = serializers.CharField()
    maker = serializers.CharField()
    score = serializers.FloatField(allow_null=True)
    reasons = serializers.ListField(child=serializers.CharField())
    problem = serializers.CharField()
    by_person = serializers.BooleanField()
    version = serializers.IntegerField()
    requested_at = serializers.DateTimeField(allow_null=True)
    made_at = serializers.DateTimeField(allow_null=True)
    mask = serializers.SerializerMethodField()

    def get_mask(self, cutout) -> str | None:
        return cutout.mask.url if cutout.mask.name else None


class CutoutEventSerializer(serializers.Serializer):
    """One decision."""

    id = serializers.IntegerField()
    move = serializers.CharField()
    actor = serializers.CharField(source="actor.get_username", default=None, allow_null=True)
    at = serializers.DateTimeField()


class CutoutDetailSerializer(CutoutSerializer):
    history = CutoutEventSerializer(source="events.all", many=True)


class CutoutFilter(CatalogObjectFilter):
    """Query string ``?state=doubtful&kind=packshot``, and by object. An empty ``kind`` is undecided."""

    state = serializers.MultipleChoiceField(required=False, choices=CutoutState.choices)
    kind = serializers.ChoiceField(required=False, choices=PhotoKind.choices, allow_blank=True)
    suggested_kind = serializers.ChoiceField(required=False, choices=PhotoKind.choices)

    def filter_queryset(self, queryset):
        query = self.validated_data
        queryset = super().filter_queryset(queryset)
        if query.get("state"):
            queryset = queryset.filter(state__in=query["state"])
        for name in ("kind", "suggested_kind"):
            if name in query:
                queryset = queryset.filter(**{name: query[name]})
        return queryset


class PreviewQuery(serializers.Serializer):
    """Query string of ``preview.webp``: without ``scene``, the product alone on transparency."""

    scene = serializers.SlugField(required=False)
    side = serializers.ChoiceField(default=previews.LARGE, choices=previews.SIDES[:2])


class CutoutsSerializer(serializers.Serializer):
    """The keys of cut-outs, at most 1,000."""

    cutouts = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=2**63 - 1),
        allow_empty=False,
        max_length=MOST_KEYS,
    )
    key = KeyField()


class KindSerializer(CutoutsSerializer):
    """What the photos are; "" leaves it to the shop's source."""

    kind = serializers.ChoiceField(choices=PhotoKind.choices, allow_blank=True)


class RequestSerializer(serializers.Serializer):
    """Objects whose photos are to be cut out."""

    model = serializers.CharField(
        help_text=gettext_lazy("A registered model, for example shop.product.")
    )
    objects = KeyListField(max_length=MOST_KEYS)
    key = KeyField()


class MaskSerializer(serializers.Serializer):
    """A mask, or the photo cut out. ``version`` is the one that was seen, also as ``If-Match``."""

    mask = serializers.FileField()
    version = serializers.IntegerField(required=False, min_value=0, max_value=MOST_VERSIONS)


class StrokesSerializer(serializers.Serializer):
    """Strokes over the photo: ``{"keep": true, "size": 0.02, "points": [[0.5, 0.4], …]}``, as shares of its
    sides. With ``from_mask`` they change the stored mask."""

    strokes = serializers.ListField(child=serializers.DictField(child=serializers.JSONField()))
    from_mask = serializers.BooleanField(default=True)


class PictureParser(BaseParser):
    """A picture file as the whole body."""

    media_type = "image/*"

    def parse(self, stream, media_type=None, parser_context=None):
        data = stream.read(settings.MAX_PICTURE_BYTES + 1)
        return {"mask": ContentFile(data, name="mask")}


PREVIEW_REFUSALS = (
    RequestRefused, InvalidTransition, ObjectGone, PictureMissing, PictureUnreadable, PictureTooLarge,
    CutoutRefused, StorageFailed,
)  # fmt: skip
MASK_REFUSALS = (*PREVIEW_REFUSALS, NotRegistered)


class CutoutViewSet(SentPictures, CatalogReadViewSet):
    """Cut-outs. Filter by ``model`` with ``object``, ``state``, ``kind``."""

    sent_pictures = frozenset({"mask_picture", "preview", "solve"})
    file_addresses = frozenset({"mask"})
    own_order = frozenset({"mask", "solve"})
    read_permission = Action.VIEW_CUTOUTS
    action_permissions = {
        **dict.fromkeys(("mask_picture", "preview"), Action.VIEW_CUTOUTS),
        **dict.fromkeys(
            ("mask", "solve", "undo", "confirm", "kind", "refuse"), Action.DECIDE_CUTOUTS
        ),
        "cut_again": Action.CUT_AGAIN,
        "request_cutouts": Action.REQUEST_CUTOUTS,
    }
    operations = {
        "mask": Operation(returns=CutoutDetailSerializer, refuses=MASK_REFUSALS),
        "undo": Operation(
            returns=CutoutDetailSerializer, refuses=(InvalidTransition, RequestRefused)
        ),
        "solve": Operation(media_types=("image/png",), refuses=MASK_REFUSALS),
        **dict.fromkeys(
            ("confirm", "kind", "refuse"),
            Operation(
                returns=ChangedSerializer, refuses=(InvalidTransition, RequestRefused), once=True
            ),
        ),
        "cut_again": Operation(
            returns=ChangedSerializer, status=status.HTTP_202_ACCEPTED, once=True
        ),
        "request_cutouts": Operation(
            returns=RequestedSerializer,
            status=status.HTTP_202_ACCEPTED,
            refuses=(NotRegistered,),
            once=True,
        ),
        "mask_picture": Operation(
            media_types=("image/png",), also={304: None}, refuses=PREVIEW_REFUSALS
        ),
        "preview": Operation(
            media_types=("image/webp",), also={304: None}, refuses=PREVIEW_REFUSALS
        ),
    }
    orderings = {"created_at": (), "object": ("content_type_id", "object_id")}
    created_field = "created_at"
    serializer_class = CutoutSerializer
    serializer_classes = {
        "retrieve": CutoutDetailSerializer,
        "mask": MaskSerializer,
        "solve": StrokesSerializer,
        "undo": NoBodySerializer,
        "kind": KindSerializer,
        "request_cutouts": RequestSerializer,
        **dict.fromkeys(("confirm", "refuse", "cut_again"), CutoutsSerializer),
    }
    filter_class = CutoutFilter
    query_classes = {"preview": PreviewQuery}

    def get_queryset(self):
        if self.action == "list":
            return visible_to(self.request.user).order_by("-pk")
        rows = PhotoCutout.objects.all()
        if self.action == "retrieve":
            rows = rows.prefetch_related("events__actor")
        return rows

    def check_object_permissions(self, request, obj):
        super().check_object_permissions(request, obj)
        self._require_each([obj])

    @action(detail=True, methods=["put"], parser_classes=[MultiPartParser, PictureParser])
    def mask(self, request, *args, **kwargs):
        """Store the mask that a person made: PNG, or the photo cut out, as the body or as ``mask`` of a form.

        The version that the person has seen is in the body or in ``If-Match``; 409 if it is not the current
        one.
        """
        cutout, body = self.get_object(), self.validated_body()
        if "version" in body:
            version = body["version"]
        elif "If-Match" in request.headers:
            # Which has been compared with this row, whose mask is replaced only while it has this version.
            version = cutout.version
        else:
            message = _("Send the version of the cut-out that you have seen, here or as If-Match.")
            raise serializers.ValidationError({"version": [message]})
        data = body["mask"].read(settings.MAX_PICTURE_BYTES + 1)
        replace_mask(cutout, data, actor=request.user, version=version)
        return self._respond(cutout)

    @action(detail=True, methods=["post"])
    def undo(self, request, *args, **kwargs):
        """Undo the last decision that was not undone."""
        cutout = self.get_object()
        self.validated_body()
        cutouts.undo(cutout, actor=request.user)
        return self._respond(cutout)

    @action(detail=True, methods=["post"])
    def solve(self, request, *args, **kwargs):
        """Return the mask that strokes draw, as a PNG file. Nothing is stored: PUT it to ``mask/``."""
        cutout, body = self.get_object(), self.validated_body()
        present = None
        if body["from_mask"]:
            present = previews.mask_preview(cutout).read()
        return HttpResponse(
            previews.solve(cutout, body["strokes"], mask=present), content_type="image/png"
        )

    @action(detail=False, methods=["post"])
    def confirm(self, request, *args, **kwargs):
        """Confirm doubtful cut-outs; ``changed`` is how many were doubtful."""
        return self._decide(lambda rows, body: confirm(rows, actor=request.user))

    @action(detail=False, methods=["post"])
    def kind(self, request, *args, **kwargs):
        """Decide what kind of photos they are."""
        return self._decide(
            lambda rows, body: cutouts.set_kind(rows, body["kind"], actor=request.user)
        )

    @action(detail=False, methods=["post"])
    def refuse(self, request, *args, **kwargs):
        """Decide that the photos cannot be used."""
        return self._decide(lambda rows, body: mark_unusable(rows, actor=request.user))

    @action(detail=False, methods=["post"], url_path="cut-again")
    def cut_again(self, request, *args, **kwargs):
        """Have photos cut out again by a worker; masks that people made are given up, and can be undone."""

        def again(rows, body):
            count = cutouts.cut_again(rows, actor=request.user)
            tasks.wake_up()
            return count

        return self._decide(again, status=status.HTTP_202_ACCEPTED)

    @action(detail=False, methods=["post"], url_path="request", url_name="request")
    def request_cutouts(self, request, *args, **kwargs):
        """Have a worker cut out the photos of objects; ``requested`` is how many had not been yet."""
        body = self.validated_body()
        source = source_for(body["model"])
        self.require(Action.REQUEST_CUTOUTS, model=source.model)
        products = objects_of(source, body["objects"])

        def start():
            count = request_for_products(products)
            if count:
                tasks.wake_up()
            return Response({"requested": count}, status=status.HTTP_202_ACCEPTED)

        return idempotency.once(self, body, start)

    def mask_picture(self, request, *args, **kwargs):
        """Return the mask as a grey PNG file, at most 2,048 pixels long."""
        return picture_response(request, previews.mask_preview(self.get_object()))

    def preview(self, request, *args, **kwargs):
        """Return the product alone, or in a scene as the local provider makes it."""
        cutout, query = self.get_object(), self.query.validated_data
        if "scene" not in query:
            return picture_response(request, previews.cut_preview(cutout, side=query["side"]))
        scene = Scene.objects.filter(key=query["scene"], is_active=True).first()
        if scene is None:
            raise NotFound(_("There is no scene “%(key)s”.") % {"key": query["scene"]})
        return picture_response(request, previews.scene_preview(cutout, scene, side=query["side"]))

    def max_body_bytes(self):
        """Return how large a body may be: a picture's file is allowed to be larger than a form."""
        return settings.MAX_PICTURE_BYTES if self.action == "mask" else super().max_body_bytes()

    def _decide(self, decision, *, status=status.HTTP_200_OK):
        body = self.validated_body()
        rows = list(PhotoCutout.objects.filter(pk__in=body["cutouts"]).order_by("-pk"))
        missing = sorted(set(body["cutouts"]) - {row.pk for row in rows})
        if missing:
            message = _("There are no cut-outs with these keys: %(keys)s.")
            keys = ", ".join(map(str, missing[:5]))
            raise serializers.ValidationError({"cutouts": [message % {"keys": keys}]})
        self._require_each(rows)
        return idempotency.once(
            self, body, lambda: Response({"changed": decision(rows, body)}, status=status)
        )

    def _require_each(self, rows):
        """Raise ``PermissionDenied`` unless the user may view the products of all ``rows``."""
        needed = self.needed_permission()
        if needed is not None and not may_each(self.request.user, needed, rows):
            raise PermissionDenied

    def _respond(self, cutout):
        cutout = PhotoCutout.objects.prefetch_related("events__actor").get(pk=cutout.pk)
        return Response(CutoutDetailSerializer(cutout, context=self.get_serializer_context()).data)
