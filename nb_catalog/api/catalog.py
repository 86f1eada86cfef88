"""``models/`` and ``scenes/``: what pictures can be made of, and in what surroundings."""

from collections import defaultdict

from django.db.models import Count
from rest_framework import serializers
from rest_framework.response import Response

from nb_catalog.api.views import CatalogReadViewSet
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Permission
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
    """The host's models that pictures can be made for."""

    serializer_class = ModelSerializer
    read_permission = "nb_catalog.view_productimage"
    lookup_field = "label"
    lookup_value_converter = "str"

    def get_queryset(self):
        return list(registered().values())

    def retrieve(self, request, *args, label, **kwargs):
        return Response(self.shown_list([source_for(label)])[0])

    def shown_list(self, sources):
        types = {source: content_type_of(source.model).pk for source in sources}
        images = _images_by_state(types.values())
        published = _published(types.values())
        rows = [
            {
                "label": source.label,
                "verbose_name": source.model._meta.verbose_name,
                "verbose_name_plural": source.model._meta.verbose_name_plural,
                "slots": source.slots,
                "objects": source.model._default_manager.count(),
                "images": images[type_id],
                "published": published.get(type_id, 0),
            }
            for source, type_id in types.items()
        ]
        return self.get_serializer(rows, many=True).data


def _images_by_state(types):
    rows = ProductImage.objects.filter(content_type__in=types, kind=ImageKind.PICTURE)
    counted = rows.order_by().values_list("content_type", "state").annotate(Count("pk"))
    found = defaultdict(lambda: dict.fromkeys(ImageState.values, 0))
    for type_id, state, number in counted:
        found[type_id][state] = number
    return found


def _published(types):
    rows = Placement.objects.filter(content_type__in=types).order_by()
    return dict(rows.values_list("content_type").annotate(Count("pk")))


class SceneSerializer(serializers.ModelSerializer):
    """``local``: whether the scene can be made without a model."""

    local = serializers.SerializerMethodField()

    class Meta:
        model = Scene
        fields = ("key", "name", "version", "position", "is_active", "local")

    def get_local(self, scene) -> bool:
        return bool(scene.renderer)


class SceneDetailSerializer(SceneSerializer):
    class Meta(SceneSerializer.Meta):
        fields = (*SceneSerializer.Meta.fields, "prompt", "system", "renderer")


class SceneViewSet(CatalogReadViewSet):
    """The scenes that are offered. Their words are shown to those who may generate."""

    read_permission = "nb_catalog.view_scene"
    lookup_field = "key"
    lookup_value_converter = "slug"

    def get_queryset(self):
        rows = Scene.objects.all()
        return rows.filter(is_active=True) if self.action == "list" else rows

    def get_serializer_class(self):
        detail = self.action == "retrieve" and self.request.user.has_perm(Permission.GENERATE)
        return SceneDetailSerializer if detail else SceneSerializer
