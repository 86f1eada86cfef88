"""``schema/``: the OpenAPI description of these endpoints; drf-spectacular, which makes it, is optional."""

import sys
from functools import lru_cache
from http import HTTPStatus
from importlib.util import find_spec

from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.schemas.inspectors import DefaultSchema
from rest_framework.views import APIView

from nb_catalog.api.border import BorderView
from nb_catalog.conf import settings
from nb_catalog.core.permissions import Action, may

PACKAGE = "drf_spectacular"


class SchemaOfHost(DefaultSchema):
    """The class of the host's own schema; with drf-spectacular's, one that knows our view sets."""

    def __get__(self, instance, owner):
        schema = super().__get__(instance, owner)
        library = sys.modules.get(f"{PACKAGE}.openapi")
        if instance is None or library is None or type(schema) is SchemaOfHost:
            return schema
        # Imported only where drf-spectacular has been: it is optional, and takes a while.
        from nb_catalog.api.openapi.inspection import CatalogSchema, for_host

        if isinstance(schema, CatalogSchema) or not isinstance(schema, library.AutoSchema):
            return schema
        described = for_host(type(schema))()
        described.view = instance
        return described


class SchemaUnavailable(APIException):
    status_code = HTTPStatus.NOT_IMPLEMENTED
    default_code = "schema_unavailable"


class SchemaPermission(BasePermission):
    """Users with any permission of the API may read its description."""

    def has_permission(self, request, view):
        if settings.API_PUBLIC_PLACEMENTS:
            return True
        return any(may(request.user, action) for action in Action)


class SchemaView(BorderView, APIView):
    """The OpenAPI 3.1 description of these endpoints, as JSON or YAML."""

    permission_classes = (SchemaPermission,)
    schema = None

    def get(self, request, *args, **kwargs):
        if find_spec(PACKAGE) is None:
            raise SchemaUnavailable(
                _("This needs drf-spectacular: pip install 'nb-catalog[openapi]'.")
            )
        return Response(_schema(request.path_info.removesuffix("schema/").rstrip("/")))

    def get_renderers(self):
        if find_spec(PACKAGE) is None:
            return [JSONRenderer()]
        from drf_spectacular import renderers

        kinds = (
            renderers.OpenApiJsonRenderer2, renderers.OpenApiYamlRenderer2,
            renderers.OpenApiJsonRenderer, renderers.OpenApiYamlRenderer,
        )  # fmt: skip
        return [kind() for kind in kinds]


@lru_cache(maxsize=4)
def _schema(server):
    from nb_catalog.api.openapi.generator import generate

    return generate(server=server)
