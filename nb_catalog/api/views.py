"""Base view sets. Authentication, throttling and rendering come from the host project."""

from functools import partial

from django.conf import settings as django_settings
from django.core.exceptions import SuspiciousOperation
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _
from rest_framework import exceptions as drf
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.viewsets import GenericViewSet

from nb_catalog.api import errors, idempotency
from nb_catalog.api.border import BorderView
from nb_catalog.api.fields import check_fields, check_names
from nb_catalog.api.operations import DEFAULT
from nb_catalog.api.ordering import COMMON, arranged, list_query
from nb_catalog.api.pagination import CatalogPagination
from nb_catalog.api.permissions import CatalogPermission
from nb_catalog.api.schema import SchemaOfHost
from nb_catalog.core.permissions import COSTS, Action, may
from nb_catalog.registry import source_for

# What a browser's form sends beside the values.
FORM_FIELDS = ("csrfmiddlewaretoken",)


class CatalogViewSet(BorderView, GenericViewSet):
    """``serializer_classes``, ``query_classes``, ``action_permissions``, ``operations``: by action.

    ``action_permissions`` and ``read_permission`` are actions of ``core.permissions``, ``query_classes``
    serializers of the query string, ``serializer_classes`` those of the body, and ``operations`` what is
    returned and refused.
    """

    schema = SchemaOfHost()

    permission_classes = (CatalogPermission,)
    pagination_class = CatalogPagination
    filter_backends = ()
    lookup_value_converter = "int"
    read_permission = None
    action_permissions = {}
    serializer_classes = {}
    query_classes = {}
    operations = {}
    paged_actions = ("list",)
    # Actions that make files, or lock places before the row of the address, which is the order of all: their
    # ``If-Match`` is compared before, and the state or version that they need again when they write.
    own_order = frozenset()
    seen = None

    @property
    def operation(self):
        """What the current action returns and refuses."""
        return self.operations.get(self.action, DEFAULT)

    @property
    def throttle_scope(self):
        """The scope of the host's throttles that the current action belongs to."""
        return COSTS.get(self.needed_permission(), "")

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        self.idempotency_key = idempotency.header_key(request)
        if self.action in (None, "metadata"):
            return
        # Unknown, repeated and empty parameters are errors.
        query_class, sent = self.get_query_class(), self.request.query_params
        query = (query_class or serializers.Serializer)(data=sent, context={"view": self})
        paging = self.pagination_class.query_parameters if self.action in self.paged_actions else ()
        check_names(sent, known=(*query.fields, *paging), also=(api_settings.URL_FORMAT_OVERRIDE,))
        wrong = {}
        for name in sent:
            field, values = query.fields.get(name), sent.getlist(name)
            is_list = isinstance(field, serializers.ListField | serializers.MultipleChoiceField)
            if len(values) > 1 and not is_list:
                wrong[name] = [_("Give this parameter once.")]
            elif field is not None and "" in values and not getattr(field, "allow_blank", False):
                wrong[name] = [_("Give this parameter a value, or leave it out.")]
        if wrong:
            raise serializers.ValidationError(wrong)
        query.is_valid(raise_exception=True)
        self.query = query
        if self.is_conditional() and not self.operation.once and self.action not in self.own_order:
            name = request.method.lower()
            setattr(self, name, partial(self._as_one, getattr(self, name)))

    @property
    def described_action(self):
        """The current action; while OPTIONS describes what each method takes, that of the method."""
        if self.action != "metadata":
            return self.action
        return self.action_map.get(self.request.method.lower(), self.action)

    def needed_permission(self):
        """Return the permission required by the current action; None for an unknown action."""
        action = self.described_action
        if action in self.action_permissions:
            return self.action_permissions[action]
        if action == "metadata" and self.read_permission is None:
            # Who may do something here may ask what it takes.
            actions = [self.action_permissions[each] for each in self.action_map.values()]
            return next(filter(self.user_may, actions), actions[0])
        return self.read_permission if action in READS else None

    def get_serializer_class(self):
        return self.serializer_classes.get(self.described_action, self.serializer_class)

    def get_query_class(self):
        """Return the serializer of the query string; None if the action takes no parameters."""
        return self.query_classes.get(self.action)

    def get_object(self):
        """Return the row of the address, provided that ``If-Match`` does not speak against it.

        What is carried out ``once`` looks for an earlier response first, and then compares.
        """
        row = super().get_object()
        if self.is_conditional() and self.operation.once:
            self.seen = row
        else:
            self.check_precondition(row)
        return row

    def is_conditional(self):
        """Return whether the request changes the row of its address under ``If-Match``."""
        return (
            "If-Match" in self.request.headers
            and self.request.method not in SAFE_METHODS
            and (self.lookup_url_kwarg or self.lookup_field) in self.kwargs
        )

    def as_seen(self, respond):
        """Return ``respond()``; under ``If-Match``, in one transaction with locking and comparing the row."""
        if self.seen is None:
            return respond()
        with transaction.atomic():
            self._lock_row()
            self.check_precondition(super().get_object())
            self.seen.refresh_from_db()
            return respond()

    def _as_one(self, handler, request, *args, **kwargs):
        with transaction.atomic():
            self._lock_row()
            return handler(request, *args, **kwargs)

    def _lock_row(self):
        """Lock the row of the address. Call it as the first statement of a transaction."""
        key = self.kwargs[self.lookup_url_kwarg or self.lookup_field]
        model = self.get_queryset().model
        rows = model._base_manager.filter(**{self.lookup_field: key})
        if connection.features.has_select_for_update:
            list(rows.select_for_update().values_list("pk"))
        else:
            # SQLite locks nothing while it reads.
            rows.update(**{model._meta.pk.attname: F("pk")})

    def require(self, action, **about):
        """Raise ``PermissionDenied`` unless the user may do ``action``; ``about`` as in ``may``."""
        if not may(self.request.user, action, **about):
            raise PermissionDenied

    def require_plan(self, *labels):
        """Raise ``PermissionDenied`` unless the user may plan pictures of these models' products."""
        for label in labels:
            self.require(Action.PLAN, model=source_for(label).model)

    def user_may(self, action):
        """Return whether the user may do ``action``; False without one: schemas have no request."""
        user = getattr(self.request, "user", None)
        return bool(user and may(user, action))

    def validated_body(self):
        """Return the validated request body. Raises ``ValidationError``, also for unknown fields."""
        most, length = self.max_body_bytes(), self.request.META.get("CONTENT_LENGTH")
        # DRF's parsers read the whole body into memory without looking at Django's limit.
        if most is not None and str(length).isdecimal() and int(str(length)[:18]) > most:
            raise errors.too_large(most)
        try:
            data = self.request.data
        except (drf.APIException, SuspiciousOperation):
            raise
        except Exception as error:  # noqa: BLE001 - the codecs and parsers of others: any error
            # Whatever they stumble over is the client's.
            kind = type(error).__name__
            raise drf.ParseError(
                _("The body cannot be read (%(kind)s).") % {"kind": kind}
            ) from error
        serializer = self.get_serializer(data=data)
        check_fields(data, serializer=serializer, also=FORM_FIELDS)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def max_body_bytes(self):
        """Return how large a body may be; None if it may have any size."""
        return django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE


class CatalogReadViewSet(CatalogViewSet):
    """Read-only rows in bounded pages. ``filter_class`` validates the query string of a list.

    ``requested`` is set when the list is asked for objects: their source, and for each key the
    (content type, key) under which its pictures are kept.
    """

    filter_class = None
    requested = None
    # The columns of each way to sort a list, and the column of ``created_after``.
    orderings = {}
    created_field = None

    def get_query_class(self):
        return list_query(type(self)) if self.action == "list" else super().get_query_class()

    def filter_queryset(self, queryset):
        """Apply ``filter_class`` to lists. Detail views find every row: some filters have defaults."""
        if self.action != "list" or not isinstance(queryset, QuerySet):
            return queryset
        query = self.query.validated_data
        # Not the filter's own: it may pass on all that it has.
        common = {name: query.pop(name) for name in COMMON if name in query}
        if self.filter_class is not None:
            queryset = self.query.filter_queryset(queryset)
        return arranged(queryset, common, view_class=type(self))

    def list(self, request, *args, **kwargs):
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.serialize_page(page))

    def serialize_page(self, page):
        """Return the serialized rows of one page."""
        return self.get_serializer(page, many=True).data

    def retrieve(self, request, *args, **kwargs):
        return Response(self.represent(self.get_object()))

    def represent(self, row):
        """Return ``row`` as its address returns it, whatever the current action is."""
        action, self.action = self.action, "retrieve"
        try:
            return self.get_serializer(row).data
        finally:
            self.action = action


# None: the URL does not support the method. Users who may read get a 405 for it.
READS = frozenset({"list", "retrieve", "metadata", None})
