"""Pictures of rows as files: thumbnails, and previews of scenes and layouts that are not saved."""

from dataclasses import replace

from django.http import HttpResponse
from django.utils.http import quote_etag
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.reverse import reverse

from nb_catalog.api import conditional
from nb_catalog.api.fields import checked
from nb_catalog.api.operations import Operation
from nb_catalog.core import locales
from nb_catalog.core.permissions import Action
from nb_catalog.cutouts.previews import SMALL
from nb_catalog.exceptions import (
    CharacterMissing,
    ContrastTooLow,
    CutoutRefused,
    NotRegistered,
    PictureMissing,
    PictureTooLarge,
    PictureUnreadable,
    RequestRefused,
    StorageFailed,
    TextDoesNotFit,
)
from nb_catalog.generation import drawings
from nb_catalog.models import Scene
from nb_catalog.typesetting.layouts import Layout

UNREADABLE = (PictureMissing, PictureUnreadable, PictureTooLarge, StorageFailed)
THUMBNAIL = Operation(media_types=(drawings.MIME_TYPE,), also={304: None}, refuses=UNREADABLE)
PREVIEW = Operation(media_types=(drawings.MIME_TYPE,))


def picture_response(request, preview):
    """Return a picture that its user alone may store, or 304 to a client that has it."""
    response = HttpResponse(content_type=preview.mime_type)
    response["ETag"] = quote_etag(preview.digest)
    response["Cache-Control"] = "private, no-cache"
    response["X-Content-Type-Options"] = "nosniff"
    not_modified = conditional.not_modified(request, response)
    if not_modified is not None:
        return not_modified
    response.content = preview.read()
    return response


class ThumbnailField(serializers.CharField):
    """The address of a row's small picture; ``name`` is that of the URL, ``key`` the row's own."""

    def __init__(self, name, *, key="pk", **options):
        help_text = gettext_lazy("The address of a small picture.")
        super().__init__(read_only=True, source="*", help_text=help_text, **options)
        self.name, self.key = name, key

    def to_representation(self, row):
        if isinstance(row, Scene) and not (row.backdrop_sha256 or row.renderer):
            return None
        request = self.context["request"]
        name = f"{request.resolver_match.namespace}:{self.name}-thumbnail"
        return reverse(name, kwargs={self.key: getattr(row, self.key)}, request=request)


class SentPictures:
    """Mixin of view sets that send pictures as files, whatever renderers the host has."""

    sent_pictures = frozenset({"thumbnail"})

    def perform_content_negotiation(self, request, force=False):
        sends_picture = self.action in self.sent_pictures
        return super().perform_content_negotiation(request, force=force or sends_picture)


class ThumbnailQuery(serializers.Serializer):
    """Query string ``?width=960``, in pixels."""

    width = serializers.ChoiceField(choices=drawings.WIDTHS, default=SMALL)


class LocaleQuery(serializers.Serializer):
    """Query string ``?locale=de``: the language of the sample texts, by default the shop's first."""

    locale = serializers.CharField(default="", max_length=20)

    def validate_locale(self, locale):
        return checked(locale, read=locales.parse_locale) if locale else ""


class ScenePreviewSerializer(serializers.Serializer):
    """A recipe as in ``renderer`` of a scene, with a product or without; or ``place`` with a product in the
    photo of the saved ``scene``."""

    renderer = serializers.DictField(required=False)
    scene = serializers.SlugRelatedField(
        queryset=Scene.objects.exclude(backdrop_sha256=""), slug_field="key", required=False
    )
    place = serializers.DictField(required=False)
    model = serializers.CharField(required=False, max_length=200)
    object = serializers.CharField(required=False, max_length=128)
    ratio = serializers.ChoiceField(choices=tuple(drawings.RATIOS), default="1:1")

    def validate(self, data):
        if ("renderer" in data) == ("scene" in data):
            message = _("Send a renderer, or a scene with a photo: not both.")
            raise serializers.ValidationError({"renderer": [message]})
        needed = ("place", "model", "object") if "scene" in data else ()
        if "model" in data or "object" in data:
            needed = (*needed, "model", "object")
        missing = {name: [_("Send this, too.")] for name in needed if name not in data}
        if missing:
            raise serializers.ValidationError(missing)
        return data


class LayoutPreviewSerializer(LocaleQuery):
    """A layout as in ``content`` of one, with sample texts of ``locale``, by default the shop's first."""

    content = serializers.DictField()

    def validate_content(self, content):
        return checked(content, read=Layout.from_mapping)


class ImagePictures(SentPictures):
    """The small picture of a picture. Its address ends in ``thumbnail.webp``."""

    sent_pictures = frozenset({"thumbnail", "preview_adjust"})

    def thumbnail(self, request, *args, **kwargs):
        """Return a picture of 320 or, with ``?width=960``, 960 pixels, whether it is published or not."""
        width = self.query.validated_data["width"]
        return picture_response(request, drawings.thumbnail_of(self.get_object(), width=width))


class DesignPictures(SentPictures):
    """The small picture of a saved scene or layout. Its address ends in ``thumbnail.webp``."""

    sent_pictures = frozenset({"thumbnail", "preview"})

    def thumbnail(self, request, *args, **kwargs):
        """Return the small picture of one that is saved: 320 pixels."""
        try:
            preview = drawings.drawing_of(self.get_object(), **self.query.validated_data)
        except ValueError as error:
            # Saved without the form.
            raise RequestRefused(str(error)) from error
        if preview is None:
            raise NotFound(_("A scene without a photo or a recipe has no picture."))
        return picture_response(request, preview)


class ScenePictures(DesignPictures):
    picture_permissions = {
        "thumbnail": Action.VIEW_SCENE_PICTURES,
        "preview": Action.PREVIEW_SCENES,
    }
    picture_operations = {
        "thumbnail": replace(THUMBNAIL, refuses=(*UNREADABLE, RequestRefused)),
        "preview": replace(
            PREVIEW, refuses=(*UNREADABLE, CutoutRefused, RequestRefused, NotRegistered)
        ),
    }

    @action(detail=False, methods=["post"])
    def preview(self, request, *args, **kwargs):
        """Return a picture of a scene that is not saved. Nothing is stored."""
        body = self.validated_body()
        scene = body.get("scene")
        if scene is not None:
            self.require(Action.CHANGE_SCENES)
        product = None
        if "model" in body:
            product = drawings.product_for(body["model"], body["object"], user=request.user)
        try:
            if product is None:
                preview = drawings.scene_drawing(body["renderer"])
            else:
                preview = drawings.product_in_scene(
                    product,
                    ratio=body["ratio"],
                    recipe=body.get("renderer"),
                    place=body.get("place"),
                    scene=scene,
                )
        except ValueError as error:
            field = "renderer" if scene is None else "place"
            raise serializers.ValidationError({field: [str(error)]}) from error
        return HttpResponse(preview.read(), content_type=preview.mime_type)


class LayoutPictures(DesignPictures):
    picture_permissions = {
        "thumbnail": Action.VIEW_LAYOUT_PICTURES,
        "preview": Action.PREVIEW_LAYOUTS,
    }
    picture_operations = {
        "thumbnail": replace(THUMBNAIL, refuses=(RequestRefused,)),
        "preview": replace(PREVIEW, refuses=(CharacterMissing, TextDoesNotFit, ContrastTooLow)),
    }

    @action(detail=False, methods=["post"])
    def preview(self, request, *args, **kwargs):
        """Return a layout that is not saved, on a sample picture with sample texts. Nothing is stored."""
        body = self.validated_body()
        preview = drawings.layout_drawing(body["content"], locale=body["locale"], is_saved=False)
        return HttpResponse(preview.read(), content_type=preview.mime_type)
