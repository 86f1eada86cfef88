"""How lists are sorted and restricted to a time, the same for all of them."""

from functools import cache

from django.utils.translation import gettext as _
from rest_framework import serializers

from nb_catalog.api.fields import MomentField
from nb_catalog.core.text import nearest

CREATED = ("created_after", "created_before")
COMMON = ("ordering", *CREATED)


class OrderingField(serializers.CharField):
    """A name of ``orderings``, with “-” before it in the opposite order."""

    def __init__(self, *, orderings, **options):
        self.names = [sign + name for name in orderings for sign in ("", "-")]
        super().__init__(**options)

    def openapi_schema(self):
        """Return the JSON schema of a value."""
        return {"type": "string", "enum": self.names}

    def to_internal_value(self, data):
        name = super().to_internal_value(data)
        if name not in self.names:
            message = _("This list is not sorted by “%(name)s”.") % {"name": name}
            raise serializers.ValidationError(f"{message}{nearest(name, self.names)}")
        return name


@cache
def list_query(view_class):
    """Return the serializer of the query string of a view set's list: its own filters, and what all have."""
    own = view_class.filter_class
    fields = {"__doc__": own.__doc__ if own else None, "__module__": __name__}
    if view_class.orderings:
        fields["ordering"] = OrderingField(orderings=view_class.orderings, required=False)
    if view_class.created_field:
        for name in CREATED:
            fields[name] = MomentField(required=False)
    bases = (own,) if own else (serializers.Serializer,)
    return type(f"{view_class.__name__}Query", bases, fields)


def arranged(queryset, query, *, view_class):
    """Return ``queryset`` in the order and of the time that the validated ``query`` asks for.

    Rows that are equal in the order are sorted by the key, newest first where the order is descending.
    """
    bounds = zip(CREATED, ("gte", "lt"), strict=True)
    times = {
        f"{view_class.created_field}__{comparison}": query[name]
        for name, comparison in bounds
        if name in query
    }
    if times:
        queryset = queryset.filter(**times)
    if (name := query.get("ordering")) is None:
        return queryset
    sign = "-" if name.startswith("-") else ""
    columns = view_class.orderings[name.removeprefix("-")]
    return queryset.order_by(*(f"{sign}{column}" for column in (*columns, "pk")))
