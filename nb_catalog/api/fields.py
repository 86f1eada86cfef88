"""Fields, serializers and filters shared by several endpoints."""

from collections.abc import Mapping

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from nb_catalog.core.text import nearest
from nb_catalog.exceptions import RequestRefused
from nb_catalog.models.db.money import usd_text
from nb_catalog.models.generic import content_type_of, fetch_subjects, object_key
from nb_catalog.operations.search import Search
from nb_catalog.registry import CatalogSource, source_for
from nb_catalog.storefront.moments import shop_moment

# The keys become parameters of one SQL query, whose number databases limit.
MOST_KEYS = 1000
MOST_KEY = 128
KEY_SCHEMA = {
    "anyOf": [{"type": "string", "minLength": 1, "maxLength": MOST_KEY}, {"type": "integer"}]
}


class NoBodySerializer(serializers.Serializer):
    """A request without values."""


class UsdField(serializers.CharField):
    """US dollars as a decimal string such as "0.0336" or "20.00"; null if there is no amount."""

    def __init__(self, **options):
        super().__init__(read_only=True, allow_null=True, **options)

    def to_representation(self, value):
        return usd_text(value)


class MomentField(serializers.DateTimeField):
    """A time of a request: ISO 8601 with an offset, or as the clocks of the shop show it once."""

    def enforce_timezone(self, value):
        if timezone.is_aware(value):
            return super().enforce_timezone(value)
        try:
            return shop_moment(value)
        except RequestRefused as error:
            raise serializers.ValidationError(str(error)) from error
        except OverflowError:
            self.fail("overflow")


class ModelLabelField(serializers.CharField):
    """Model label of a row's catalog object, such as "shop.product"."""

    def __init__(self, **options):
        super().__init__(read_only=True, source="content_type_id", **options)

    def to_representation(self, value):
        content_type = ContentType.objects.get_for_id(value)
        return f"{content_type.app_label}.{content_type.model}"


class KeyListField(serializers.ListField):
    """Keys of catalog objects (integers, UUIDs or text) as JSON numbers or strings."""

    child = serializers.CharField(max_length=MOST_KEY)

    def openapi_schema(self):
        """Return the JSON schema of a value."""
        return {
            "type": "array",
            "items": KEY_SCHEMA,
            "minItems": 1,
            "maxItems": self.max_length,
        }

    def __init__(self, **options):
        super().__init__(**{"max_length": MOST_KEYS, "allow_empty": False} | options)


class CatalogObjectSerializer(serializers.Serializer):
    """Base for rows that belong to one catalog object."""

    id = serializers.IntegerField(read_only=True)
    model = ModelLabelField()
    object = serializers.CharField(source="object_id", read_only=True)


class SearchFilter(serializers.Serializer):
    """Query string ``?search=oak``: rows of products with this name, in this scene, with this text on them,
    and what else the search field of the same list in the admin finds."""

    # As in ``admin.base.SearchableAdmin``.
    keys_of = None
    search = serializers.CharField(required=False, max_length=200)

    def filter_queryset(self, queryset):
        """Return ``queryset`` restricted to the validated query. Raises ``NotRegistered``."""
        term = self.validated_data.get("search", "")
        if not term:
            return queryset
        rows = queryset if self.keys_of is None else self.keys_of._default_manager.all()
        return queryset.filter(Search(term=term, rows=rows).condition(queryset.model))


class CatalogObjectFilter(SearchFilter):
    """Query string ``?model=shop.product&object=1&object=2``.

    ``object`` requires ``model``, because two models may use the same keys.
    """

    model = serializers.CharField(required=False)
    object = KeyListField(required=False)

    def validate(self, data):
        if "object" in data and "model" not in data:
            raise serializers.ValidationError({"model": [_("Specify the model of these objects.")]})
        return data

    def filter_queryset(self, queryset):
        """Return ``queryset`` restricted to the validated query. Raises ``NotRegistered``."""
        query, queryset = self.validated_data, super().filter_queryset(queryset)
        if "model" not in query:
            return queryset
        source = source_for(query["model"])
        if "object" in query:
            subjects = requested_keys(source, query["object"], rows=self.readable(source))
            self.context["view"].requested = (source, subjects)
            return queryset.about_keys(set(subjects.values()))
        return queryset.filter(content_type=content_type_of(source.model))

    def readable(self, source):
        """Return the catalog objects that the user may ask for; None for all, also for deleted ones."""
        return None


def requested_keys(source, keys, *, rows):
    """Return, for each of ``keys``, the (content type, key) under which its pictures are kept.

    Only ``rows`` may be asked for; with None all, and keys without an object stand for themselves. At
    most one query for the objects and one per relation that ``subject()`` follows.
    """
    own = content_type_of(source.model).pk
    if rows is None and type(source).subject is CatalogSource.subject:
        return {key: (own, key) for key in keys}
    values = {key: value for key in keys if (value := valid_key(source, key)) is not None}
    existing = source.model._base_manager.all() if rows is None else rows
    objects = {str(row.pk): row for row in existing.filter(pk__in=set(values.values()))}
    fetch_subjects(list(objects.values()))
    return {
        key: object_key(objects[str(values[key])])
        if key in values and str(values[key]) in objects
        else (own, key)
        for key in keys
        if rows is None or (key in values and str(values[key]) in objects)
    }


def valid_key(source, key):
    """Return ``key`` as a value of the model's primary key; None if it cannot be one."""
    primary = source.model._meta.pk
    try:
        value = primary.to_python(key)
        primary.run_validators(value)
    except DjangoValidationError:
        return None
    return value


def checked(value, *, read):
    """Return ``value`` if ``read`` accepts it; otherwise its sentences are the errors of the field."""
    try:
        read(value)
    except ValueError as error:
        raise serializers.ValidationError([str(error)]) from error
    return value


def check_names(sent, *, known, also=()):
    """Raise ``ValidationError`` for names in ``sent`` that are not ``known``; ``also`` are not suggested."""
    wrong = [name for name in sent if name not in known and name not in also]
    if wrong:
        unknown = gettext("There is no such parameter.")
        raise serializers.ValidationError(
            {name: [f"{unknown}{nearest(name, known)}"] for name in wrong}
        )


def check_fields(data, *, serializer, also=()):
    """Raise ``ValidationError`` for fields of ``data`` that ``serializer`` does not have, also further in."""
    if isinstance(serializer, serializers.ListSerializer):
        for each in data if isinstance(data, list) else ():
            check_fields(each, serializer=serializer.child)
    elif isinstance(serializer, serializers.Serializer) and isinstance(data, Mapping):
        check_names(data, known=serializer.fields, also=also)
        for name, field in serializer.fields.items():
            try:
                check_fields(data.get(name), serializer=field)
            except serializers.ValidationError as error:
                raise serializers.ValidationError({name: error.detail}) from error


def objects_of(source, keys, *, field="objects"):
    """Return the catalog objects with these keys, in their order, using one query.

    Raises DRF's ``ValidationError`` for ``field`` if a key is malformed or does not exist.
    """
    values = {}
    for key in dict.fromkeys(keys):
        values[key] = valid_key(source, key)
        if values[key] is None:
            raise _missing_objects([key], field=field)
    objects = source.queryset().in_bulk(values.values())
    missing = [key for key, value in values.items() if value not in objects]
    if missing:
        raise _missing_objects(missing, field=field)
    return [objects[value] for value in values.values()]


def _missing_objects(keys, *, field):
    names = ", ".join(keys[:5]) + ("…" if len(keys) > 5 else "")
    return serializers.ValidationError(
        {field: [_("No objects exist with these keys: %(keys)s.") % {"keys": names}]}
    )
