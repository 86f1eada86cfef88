"""``scenes/``, ``layouts/`` and ``decks/`` as something to write: what a person designs in the admin."""

from django.db.models import ProtectedError
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from nb_catalog.api.fields import checked
from nb_catalog.api.operations import Operation
from nb_catalog.conf import settings
from nb_catalog.core.permissions import Action
from nb_catalog.exceptions import PictureMissing, RequestRefused, StorageFailed
from nb_catalog.generation import scene_files
from nb_catalog.generation.scene_files import OnCollision
from nb_catalog.imaging.scenery import SceneRecipe
from nb_catalog.imaging.scenery.backdrop_photo import BackdropPlace
from nb_catalog.models import CopyDeck, Scene, TextLayout
from nb_catalog.typesetting.layouts import Layout

ZIP = "application/zip"
# What a copy takes over.
COPIED = ("prompt", "system", "renderer", "position", "is_active", "backdrop", *(
    f"backdrop_{name}" for name in ("sha256", "width", "height", "origin", "place")
))  # fmt: skip


class DesignWriteSerializer(serializers.ModelSerializer):
    """``key`` cannot be changed later: pictures refer to it."""

    position = serializers.IntegerField(min_value=0, max_value=32767, required=False)


class SceneWriteSerializer(DesignWriteSerializer):
    """``copy_of`` is the key of a scene whose content is taken over, photo included, unless it is sent, too.
    ``place`` is where the product goes in the photo; photos arrive with ``scenes/file/``."""

    renderer = serializers.DictField(
        required=False,
        help_text=gettext_lazy("Surface, wall, light and props. Empty: the scene needs a model."),
    )
    place = serializers.DictField(required=False)
    copy_of = serializers.SlugRelatedField(
        queryset=Scene.objects.all(), slug_field="key", required=False
    )

    class Meta:
        model = Scene
        fields = (
            "key", "name", "prompt", "system", "renderer", "place", "position", "is_active", "copy_of",
        )  # fmt: skip

    def validate_renderer(self, renderer):
        return checked(renderer, read=SceneRecipe.from_mapping) if renderer else {}

    def validate(self, data):
        source = data.pop("copy_of", None)
        taken = {} if source is None else {name: getattr(source, name) for name in COPIED}
        data = taken | data
        scene = self.instance or Scene()
        if "place" in data:
            place = data.pop("place")
            if not (data.get("backdrop_sha256") or scene.backdrop_sha256):
                raise serializers.ValidationError({"place": [_("This scene has no photo.")]})
            try:
                data["backdrop_place"] = BackdropPlace.from_mapping(place).as_dict()
            except ValueError as error:
                raise serializers.ValidationError({"place": [str(error)]}) from error
        has_photo = data.get("backdrop_sha256") or scene.backdrop_sha256
        if not (has_photo or data.get("prompt", scene.prompt)):
            message = _("Describe the scene for models, or upload a photo of it.")
            raise serializers.ValidationError({"prompt": [message]})
        return data


class SceneEditSerializer(SceneWriteSerializer):
    """What can be changed of a scene."""

    copy_of = None

    class Meta(SceneWriteSerializer.Meta):
        fields = ("name", "prompt", "system", "renderer", "place", "position", "is_active")


class LayoutWriteSerializer(DesignWriteSerializer):
    content = serializers.DictField(
        help_text=gettext_lazy("Places are shares of the picture, from the side where lines start.")
    )

    class Meta:
        model = TextLayout
        fields = ("key", "name", "content", "position", "is_active")

    def validate_content(self, content):
        return checked(content, read=Layout.from_mapping)


class LayoutEditSerializer(LayoutWriteSerializer):
    """What can be changed of a layout."""

    class Meta(LayoutWriteSerializer.Meta):
        fields = ("name", "content", "position", "is_active")


class DeckWriteSerializer(DesignWriteSerializer):
    class Meta:
        model = CopyDeck
        fields = ("key", "name", "locale", "position", "is_active")

    def validate_locale(self, locale):
        known = {*settings.LOCALES, *([self.instance.locale] if self.instance else ())}
        if locale not in known:
            message = _("The shop has no language “%(locale)s”. It has: %(known)s.")
            names = ", ".join(settings.LOCALES)
            raise serializers.ValidationError(message % {"locale": locale, "known": names})
        return locale


class DeckEditSerializer(DeckWriteSerializer):
    """What can be changed of a deck."""

    class Meta(DeckWriteSerializer.Meta):
        fields = ("name", "locale", "position", "is_active")


def design_operations(detail):
    """Return the operations of a view set with ``DesignWrites`` whose rows are returned by ``detail``."""
    return {
        "create": Operation(returns=detail, status=status.HTTP_201_CREATED),
        "partial_update": Operation(returns=detail),
        "destroy": Operation(status=status.HTTP_204_NO_CONTENT, refuses=(RequestRefused,)),
    }


class DesignWrites:
    """Creates, changes and deletes rows of a view set."""

    def create(self, request, *args, **kwargs):
        """Add one."""
        row = self.get_queryset().model(**self.validated_body())
        row.save()
        return Response(self.represent(row), status=status.HTTP_201_CREATED)

    def partial_update(self, request, *args, **kwargs):
        """Change the values that are sent. A change of the content gives it another version."""
        self.changed = row = self.get_object()
        before = row.version
        for name, value in self.validated_body().items():
            setattr(row, name, value)
        row.save()
        return Response(self.represent_changed(row, before=before))

    def represent_changed(self, row, *, before):
        """Return the representation of a row that had the version ``before``."""
        return self.represent(row)

    def destroy(self, request, *args, **kwargs):
        """Delete one. Pictures that were made with it stay."""
        row = self.get_object()
        try:
            row.delete()
        except ProtectedError as error:
            users = ", ".join(sorted(map(str, error.protected_objects)))
            message = _("“%(name)s” is used by: %(users)s. Choose another one there first.")
            raise RequestRefused(message % {"name": row, "users": users}) from error
        return Response(status=status.HTTP_204_NO_CONTENT)

    def get_serializer(self, *args, **kwargs):
        if self.action == "partial_update" and "data" in kwargs:
            kwargs |= {"partial": True, "instance": self.changed}
        return super().get_serializer(*args, **kwargs)


class SceneFileSerializer(serializers.Serializer):
    """A ZIP of scenes, as ``multipart/form-data``. ``on_collision`` is for keys that exist with another
    content. With ``dry_run`` nothing is written."""

    file = serializers.FileField()
    on_collision = serializers.ChoiceField(
        choices=[(each.value, each.value) for each in OnCollision], default=OnCollision.SKIP.value
    )
    dry_run = serializers.BooleanField(
        default=False, help_text=gettext_lazy("Return what would change, and write nothing.")
    )


class SceneChangeSerializer(serializers.Serializer):
    """What becomes of one scene; ``key`` is the one that it gets here, ``differences`` names its parts
    that are different here."""

    key = serializers.CharField()
    name = serializers.CharField(source="scene.name")
    action = serializers.ChoiceField(
        choices=[(each.value, each.value) for each in scene_files.Action]
    )
    differences = serializers.ListField(child=serializers.CharField())


class SceneImportSerializer(serializers.Serializer):
    dry_run = serializers.BooleanField()
    changes = SceneChangeSerializer(many=True)


class SceneFiles:
    """Scenes as a file, for the view set of scenes."""

    file_operations = {
        "file": Operation(media_types=(ZIP,), refuses=(StorageFailed, PictureMissing)),
        "import_file": Operation(
            returns=SceneImportSerializer, refuses=(RequestRefused, StorageFailed)
        ),
    }

    @action(detail=False, methods=["get"])
    def file(self, request, *args, **kwargs):
        """Return all scenes with their photos as a ZIP file."""
        data = scene_files.export(Scene.objects.all())
        return HttpResponse(data, content_type=ZIP)

    @file.mapping.post
    def import_file(self, request, *args, **kwargs):
        """Import a file of scenes, or with ``dry_run`` return what it would change."""
        self.require(Action.CHANGE_SCENES)
        body = self.validated_body()
        scenes = scene_files.read(body["file"].read(scene_files.MAX_BYTES + 1))
        changes = scene_files.plan(scenes, choices={}, default=OnCollision(body["on_collision"]))
        if not body["dry_run"]:
            scene_files.apply(changes)
        data = {"dry_run": body["dry_run"], "changes": changes}
        return Response(SceneImportSerializer(data).data)

    def get_parsers(self):
        is_file = getattr(self, "action_map", {}).get("post") == "import_file"
        return [MultiPartParser()] if is_file else super().get_parsers()
