"""What bodies of plans have in common: the objects and keys that they name."""

from collections import Counter

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from nb_catalog.api.fields import KEY_SCHEMA, MOST_KEYS, KeyListField, objects_of
from nb_catalog.api.idempotency import KeyField
from nb_catalog.core.text import shorten
from nb_catalog.registry import source_for

ALL = "all"


class KeysField(serializers.Field):
    """A list of keys; in form data, one comma-separated text."""

    may_repeat = False

    def __init__(self, *, most, **options):
        self.keys = KeyListField(max_length=most)
        super().__init__(**options)

    def openapi_schema(self):
        """Return the JSON schema of a value."""
        return {
            "type": "array",
            "items": KEY_SCHEMA,
            "minItems": 1,
            "maxItems": self.keys.max_length,
        }

    def to_internal_value(self, data):
        keys = self.keys.run_validation(data)
        twice = [key for key, number in Counter(keys).items() if number > 1]
        if twice and not self.may_repeat:
            message = _("Name each only once. Named twice: %(keys)s.")
            raise serializers.ValidationError(message % {"keys": shorten(", ".join(twice))})
        return keys

    def to_representation(self, value):
        return value

    def get_value(self, dictionary):
        if hasattr(dictionary, "getlist") and self.field_name in dictionary:
            keys = ",".join(dictionary.getlist(self.field_name)).split(",")
            return [key.strip() for key in keys if key.strip()]
        return super().get_value(dictionary)


class ObjectsField(KeysField):
    """The word "all", or keys. An object that is named twice counts once."""

    may_repeat = True

    def openapi_schema(self):
        return {"anyOf": [{"type": "string", "enum": [ALL]}, super().openapi_schema()]}

    def to_internal_value(self, data):
        if data in (ALL, [ALL]):
            return ALL
        return super().to_internal_value(data)


class PlanOptionsSerializer(serializers.Serializer):
    """Objects of a plan. ``key`` makes starting it idempotent: one key, one run."""

    model = serializers.CharField(help_text=_("A registered model, for example shop.product."))
    objects = ObjectsField(most=MOST_KEYS, help_text=_('"all", or object keys.'))
    key = KeyField()


def objects_named(body):
    """Return the objects that a validated body names. Raises ``NotRegistered`` and ``ValidationError``."""
    source = source_for(body["model"])
    keys = body["objects"]
    return source.queryset().order_by("pk") if keys == ALL else objects_of(source, keys)
