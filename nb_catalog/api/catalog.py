"""``models/`` and ``scenes/``: the registered models and the available scenes."""

from collections import defaultdict
from typing import Any

from django.db.models import Count
from rest_framework import serializers

from nb_catalog.api.designs import (
    DesignWrites,
    SceneEditSerializer,
    SceneFiles,
    SceneFileSerializer,
    SceneWriteSerializer,
    design_operations,
)
from nb_catalog.api.drawings import ScenePictures, ScenePreviewSerializer, ThumbnailField
from nb_catalog.api.operations import Operation
from nb_catalog.api.views import CatalogReadViewSet
from nb_catalog.core.permissions import Action
from nb_catalog.core.states import ImageState
from nb_catalog.exceptions import NotRegistered
from nb_catalog.models import Placement, ProductImage, Scene
from nb_catalog.models.generic import content_type_of
from nb_catalog.models.images import ImageKind
from nb_catalog.registry import registered, source_for


class ModelSerializer(serializers.Serializer):
    """A registered model. ``images`` counts pictures by state."""

    label = serializers.CharField()
    verbose_name = serializers.CharField()
    verbose_name_plural = serializers.CharField()
    slots = serializers.ListField(child=serializers.CharField())
    objects = serializers.IntegerField()
    images = serializers.DictField(child=serializers.IntegerField())
    published = serializers.IntegerField()


class ModelViewSet(CatalogReadViewSet):
    """Models of the host project that are registered for pictures."""

    serializer_class = ModelSerializer
    read_permission = Action.VIEW_IMAGES
    lookup_field = "label"
    operations = {"retrieve": Operation(refuses=(NotRegistered,))}
    lookup_value_converter = "str"

    def get_queryset(self):
        return list(registered().values())

    def get_object(self):
        return source_for(self.kwargs["label"])

    def represent(self, row):
        return self.serialize_page([row])[0]

    def serialize_page(self, sources):
        types = {source: content_type_of(source.model).pk for source in sources}
        images = image_counts(types.values())
        placements = Placement.objects.filter(content_type__in=types.values()).order_by()
        published = dict(placements.values_list("content_type").annotate(Count("pk")))
        rows = [
            {
                "label": source.label,
                "verbose_name": source.model._meta.verbose_name,
                "verbose_name_plural": source.model._meta.verbose_name_plural,
                "slots": list(source.slot_table),
                "objects": source.model._default_manager.count(),
                "images": images[type_id],
                "published": published.get(type_id, 0),
            }
            for source, type_id in types.items()
        ]
        return self.get_serializer(rows, many=True).data


def image_counts(types):
    """Return the number of pictures by content type and state, using one query."""
    rows = ProductImage.objects.filter(content_type__in=types, kind=ImageKind.PICTURE)
    rows = rows.order_by().values_list("content_type", "state").annotate(Count("pk"))
    counts = defaultdict(lambda: dict.fromkeys(ImageState.values, 0))
    for type_id, state, number in rows:
        counts[type_id][state] = number
    return counts


class SceneSerializer(serializers.ModelSerializer):
    """``local``: whether the scene can be rendered without a model."""

    local = serializers.SerializerMethodField()
    thumbnail = ThumbnailField("scene", key="key", allow_null=True)

    class Meta:
        model = Scene
        fields = ("key", "name", "version", "position", "is_active", "local", "thumbnail")

    def get_local(self, scene) -> bool:
        return scene.is_local


class SceneDetailSerializer(SceneSerializer):
    """``backdrop``: the photo of the place, and where the product goes in it; null without one. Only those
    who may generate pictures get it, the prompts and the settings of the renderer."""

    optional_fields = frozenset({"prompt", "system", "renderer", "backdrop"})

    backdrop = serializers.SerializerMethodField()

    class Meta(SceneSerializer.Meta):
        fields = (*SceneSerializer.Meta.fields, "prompt", "system", "renderer", "backdrop")

    def get_backdrop(self, scene) -> dict[str, Any] | None:
        if not scene.backdrop_sha256:
            return None
        return {
            "sha256": scene.backdrop_sha256,
            "width": scene.backdrop_width,
            "height": scene.backdrop_height,
            "origin": scene.backdrop_origin,
            "place": scene.backdrop_place,
        }


class SceneViewSet(DesignWrites, SceneFiles, ScenePictures, CatalogReadViewSet):
    """Active scenes. Prompts are visible only to users who may generate pictures."""

    file_addresses = frozenset({"thumbnail"})
    read_permission = Action.VIEW_SCENES
    orderings = {
        "position": ("position", "name"),
        "name": ("name",),
        "key": ("key",),
        "created_at": (),
    }
    created_field = "created_at"
    lookup_field = "key"
    lookup_value_converter = "slug"
    action_permissions = {
        "create": Action.CREATE_SCENES,
        "partial_update": Action.CHANGE_SCENES,
        "destroy": Action.DELETE_SCENES,
        "file": Action.READ_SCENE_PROMPTS,
        "import_file": Action.CREATE_SCENES,
        **ScenePictures.picture_permissions,
    }
    serializer_classes = {
        "create": SceneWriteSerializer,
        "partial_update": SceneEditSerializer,
        "import_file": SceneFileSerializer,
        "preview": ScenePreviewSerializer,
    }
    operations = {
        "retrieve": Operation(returns=SceneDetailSerializer),
        **design_operations(SceneDetailSerializer),
        **SceneFiles.file_operations,
        **ScenePictures.picture_operations,
    }

    def get_queryset(self):
        rows = Scene.objects.all()
        return rows.filter(is_active=True) if self.action == "list" else rows

    def get_serializer_class(self):
        if self.described_action in self.serializer_classes:
            return super().get_serializer_class()
        detail = self.action == "retrieve" and self.user_may(Action.READ_SCENE_PROMPTS)
        return SceneDetailSerializer if detail else SceneSerializer
