"""Fields and pieces of bodies that several endpoints share."""

from decimal import Decimal

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from nb_catalog.registry import source_for

CENT = Decimal("0.01")

# More keys than this belong into several requests: they travel as parameters of one query.
MOST_KEYS = 1000


class UsdField(serializers.Field):
    """US dollars as a decimal string: "0.0336", "20.00"; null where there is none."""

    def __init__(self, **options):
        super().__init__(read_only=True, **options)

    def to_representation(self, value):
        return usd_text(value)


def usd_text(value):
    """At least two decimals, and no digit lost."""
    amount = value.normalize()
    return format(amount.quantize(CENT) if amount.as_tuple().exponent > -2 else amount, "f")


class ModelLabelField(serializers.Field):
    """The model of a row's catalog object: "shop.product"."""

    def __init__(self, **options):
        super().__init__(read_only=True, source="content_type_id", **options)

    def to_representation(self, value):
        found = ContentType.objects.get_for_id(value)
        return f"{found.app_label}.{found.model}"


class KeyListField(serializers.ListField):
    """Keys of catalog objects: integers, UUIDs or text, as JSON numbers or strings."""

    child = serializers.CharField(max_length=128)

    def __init__(self, **options):
        super().__init__(**{"max_length": MOST_KEYS, "allow_empty": False} | options)


class CatalogObjectSerializer(serializers.Serializer):
    """A row about one catalog object."""

    id = serializers.IntegerField(read_only=True)
    model = ModelLabelField()
    object = serializers.CharField(source="object_id", read_only=True)


class CatalogObjectFilter(serializers.Serializer):
    """``?model=shop.product&object=1&object=2``. ``object`` needs ``model``: keys of two models
    may be equal."""

    model = serializers.CharField(required=False)
    object = KeyListField(required=False)

    def validate(self, data):
        if "object" in data and "model" not in data:
            raise serializers.ValidationError({"model": [_("Specify the model of these objects.")]})
        return data

    def narrow(self, rows):
        """Raises ``NotRegistered``."""
        given = self.validated_data
        if "model" not in given:
            return rows
        model = source_for(given["model"]).model
        if "object" in given:
            return rows.about_any(model, given["object"])
        return rows.filter(content_type=ContentType.objects.get_for_model(model))


def objects_of(source, keys, *, field="objects"):
    """Catalog objects by their keys, in one query; refuses a key that does not exist.

    Raises DRF's ``ValidationError``.
    """
    values = {key: _key_value(source.model, key, field=field) for key in dict.fromkeys(keys)}
    found = source.queryset().in_bulk(values.values())
    missing = [key for key, value in values.items() if value not in found]
    if missing:
        raise _no_such_objects(missing, field=field)
    return [found[value] for value in values.values()]


def _key_value(model, key, *, field):
    primary = model._meta.pk
    try:
        value = primary.to_python(key)
        primary.run_validators(value)
    except DjangoValidationError as error:
        raise _no_such_objects([key], field=field) from error
    return value


def _no_such_objects(keys, *, field):
    names = ", ".join(keys[:5]) + ("…" if len(keys) > 5 else "")
    return serializers.ValidationError(
        {field: [_("No objects exist with these keys: %(keys)s.") % {"keys": names}]}
    )
