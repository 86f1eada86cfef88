"""How drf-spectacular reads the view sets: from the tables that the views themselves act on."""

import re
from functools import cache
from http import HTTPStatus

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent, append_meta, is_jsonschema_compliant
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers
from rest_framework.views import APIView

from nb_catalog.api import idempotency
from nb_catalog.api.errors import JSON
from nb_catalog.api.openapi.enums import enum_name
from nb_catalog.api.openapi.examples import example_of
from nb_catalog.api.openapi.problems import PROBLEM, codes_of, response_of
from nb_catalog.api.permissions import PublicReadPermission
from nb_catalog.conf import settings

CONDITIONS = {
    "If-Match": {
        "description": (
            "The `ETag` of the address without its last part, as you have seen it: 412 if it has changed "
            "since, with the current `ETag`."
        )
    },
    "If-None-Match": {"description": "The `ETag` that you have: 304 if it is current."},
}
RETURNED = {
    "ETag": "The state of what is returned.",
    "Link": 'The addresses of `next` and `previous`, as `rel="next"` and `rel="prev"`.',
    "Location": "The address of what was made.",
}
WITH_BODY = ("POST", "PUT", "PATCH")


class CatalogSchema(AutoSchema):
    """Describes one operation. ``prefix`` is put before the names of components and operations, which in the
    schema of a host's whole project must not be those of its own."""

    prefix = ""

    # Names

    def get_operation_id(self):
        parts = (self.prefix.lower(), self.resource, self.view.action)
        return "_".join(part for part in parts if part)

    def get_tags(self):
        return [f"{self.prefix} {self.resource}".strip()]

    @property
    def resource(self):
        """The view's rows in the singular: "run", "image"."""
        name = type(self.view).__name__.removesuffix("ViewSet")
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()

    def get_serializer_name(self, serializer, direction):
        return f"{self.prefix}{super().get_serializer_name(serializer, direction)}"

    def get_description(self):
        # Docstrings mark code as reStructuredText does, descriptions as Markdown.
        return super().get_description().replace("``", "`")

    def get_summary(self):
        first = re.split(r"(?<=[.;:])\s", self.get_description().strip(), maxsplit=1)[0]
        return " ".join(first.split()).rstrip(".;:")

    # Requests

    def get_override_parameters(self):
        view, parameters = self.view, []
        query = view.get_query_class()
        if query is not None and query().fields:
            parameters.append(query)
        if view.operation.once:
            parameters.append(
                OpenApiParameter(
                    idempotency.HEADER,
                    {"type": "string", "minLength": 1, "maxLength": idempotency.MAX_LENGTH},
                    OpenApiParameter.HEADER,
                    description=(
                        "A name of your own for this request: repeated, it is carried out once, and the "
                        "response is the same."
                    ),
                )
            )
        return parameters

    def _get_parameters(self):
        parameters = super()._get_parameters()
        names = [name for name, applies in self._conditions().items() if applies]
        return [*parameters, *(self._header_parameter(name) for name in names)]

    def _conditions(self):
        """Return the headers of conditional requests, and whether they are obeyed here."""
        reads = self.method == "GET" and not self.view.operation.media_types
        return {"If-Match": self.method != "GET" and "{" in self.path, "If-None-Match": reads}

    def _header_parameter(self, name):
        described = {"in": "header", "name": name, "schema": {"type": "string"}} | CONDITIONS[name]
        return self._component(
            f"{self.prefix}{name.replace('-', '')}", described, kind=ResolvedComponent.PARAMETER
        )

    def get_filter_backends(self):
        return []

    def _get_format_parameters(self):
        return []

    def _get_pagination_parameters(self):
        is_paged = self.view.action in self.view.paged_actions
        return self.view.pagination_class.parameters() if is_paged else []

    def map_parsers(self):
        types = super().map_parsers()
        own = self.view.parser_classes is not APIView.parser_classes
        return types if own or JSON not in types else [JSON]

    def map_renderers(self, attribute):
        found = super().map_renderers(attribute)
        return [JSON] if attribute == "media_type" and JSON in found else found

    def _get_request_body(self, direction="request"):
        body = super()._get_request_body(direction)
        if body is None:
            return None
        for media_type, content in body["content"].items():
            if media_type.startswith("image/"):
                content["schema"] = {"type": "string", "format": "binary"}
            elif media_type == JSON:
                content["example"] = example_of(content["schema"], self.registry)
        return body

    # Responses

    def get_response_serializers(self):
        view, operation = self.view, self.view.operation
        returns, responses = operation.returns, {}
        if returns is None and view.action in ("list", "retrieve"):
            returns = view.get_serializer_class()
        if isinstance(returns, serializers.ListSerializer):
            # Not a page: drf-spectacular would take each list for one.
            returns = {
                "type": "array",
                "items": self.resolve_serializer(returns.child, "response").ref,
            }
        if operation.media_types:
            is_text = operation.media_types[0].startswith("text/")
            file = {"type": "string"} | ({} if is_text else {"format": "binary"})
            responses[operation.status, *operation.media_types] = OpenApiResponse(file)
        if returns is not None or not operation.media_types:
            responses[operation.status] = returns
        if operation.once and not operation.media_types:
            # What is repeated.
            responses.setdefault(200, returns)
        return responses | dict(operation.also)

    def _get_response_bodies(self, direction="response"):
        bodies = super()._get_response_bodies(direction)
        conditions = self._conditions()
        if conditions["If-None-Match"]:
            bodies["304"] = {}
        for status, body in bodies.items():
            headers = self._response_headers(int(status))
            if headers:
                body["headers"] = headers
            body["description"] = HTTPStatus(int(status)).phrase
            content = body.get("content", {})
            if JSON in content:
                content[JSON]["example"] = example_of(content[JSON]["schema"], self.registry)
        problem = self._component(f"{self.prefix}Problem", PROBLEM)
        for status, codes in self.problem_codes().items():
            name, response = response_of(status, codes, problem_schema=problem)
            bodies[str(status)] = self._component(
                f"{self.prefix}{name}", response, kind=ResolvedComponent.RESPONSE
            )
        return bodies

    def _response_headers(self, status):
        operation = self.view.operation
        returned = {
            "ETag": self._conditions()["If-None-Match"] and status in (200, 304),
            "Location": status in (201, 202) and operation.location is not None,
            "Link": status == 200 and self.view.action in self.view.paged_actions,
        }
        return {
            name: self._component(
                f"{self.prefix}{name}",
                {"schema": {"type": "string"}, "description": RETURNED[name]},
                kind=ResolvedComponent.HEADER,
            )
            for name, applies in returned.items()
            if applies
        }

    def problem_codes(self):
        """Return status -> codes of the problems of this operation."""
        view = self.view
        return codes_of(
            view.operation,
            has_body=self.method in WITH_BODY,
            has_filter="model" in getattr(view.get_query_class(), "_declared_fields", ()),
            is_detail="{" in self.path,
            is_list=self._is_list_view(),
            is_conditional=self._conditions()["If-Match"],
        )

    def _get_paginator(self):
        paginator = super()._get_paginator()
        if paginator is not None and is_jsonschema_compliant():
            describe = paginator.get_paginated_response_schema
            paginator.get_paginated_response_schema = lambda rows: _with_null(describe(rows))
        return paginator

    def get_auth(self):
        auths = super().get_auth()
        is_public = settings.API_PUBLIC_PLACEMENTS and self.method == "GET"
        permissions = self.view.get_permissions() if is_public else ()
        if any(isinstance(each, PublicReadPermission) for each in permissions):
            return [*auths, {}]
        return auths

    # Schemas

    def _map_serializer_field(self, field, direction, bypass_extensions=False):
        if hasattr(field, "openapi_schema"):
            meta = self._get_serializer_field_meta(field, direction)
            return append_meta(field.openapi_schema(), meta)
        if isinstance(field, serializers.JSONField):
            meta = self._get_serializer_field_meta(field, direction)
            meta.pop("nullable", None)
            return append_meta({}, meta)
        if not isinstance(field, serializers.ChoiceField):
            schema = super()._map_serializer_field(field, direction, bypass_extensions)
            return {**schema, **_item_bounds(field)} if direction == "request" else schema
        name = enum_name(field)
        if name is None:
            return super()._map_serializer_field(field, direction, bypass_extensions)
        values = [getattr(value, "value", value) for value in field.choices if value != ""]
        kind = "integer" if all(isinstance(value, int) for value in values) else "string"
        component = self._component(f"{self.prefix}{name}", {"type": kind, "enum": values})
        meta = self._get_serializer_field_meta(field, direction)
        if isinstance(field, serializers.MultipleChoiceField):
            return append_meta({"type": "array", "items": component}, meta)
        if field.allow_blank or "" in field.choices:
            component = {"anyOf": [component, {"type": "string", "maxLength": 0}]}
        return append_meta(component, meta)

    def _map_basic_serializer(self, serializer, direction):
        schema = super()._map_basic_serializer(serializer, direction)
        if "description" in schema:
            schema["description"] = schema["description"].replace("``", "`")
        if direction == "request":
            # Unknown fields are refused.
            return {**schema, "additionalProperties": False}
        optional = getattr(serializer, "optional_fields", ())
        required = sorted(
            name for name, field in serializer.fields.items()
            if name in schema["properties"] and name not in optional and not field.write_only
        )  # fmt: skip
        schema.pop("required", None)
        return {**schema, "required": required} if required else schema

    def _component(self, name, schema, *, kind=ResolvedComponent.SCHEMA):
        component = ResolvedComponent(name=name, type=kind, schema=schema, object=name)
        self.registry.register_on_missing(component)
        return component.ref


def _item_bounds(field):
    """Return the bounds of a list that drf-spectacular leaves out."""
    if not isinstance(field, serializers.ListField | serializers.ListSerializer):
        return {}
    least = field.min_length or (0 if field.allow_empty else 1)
    bounds = {"minItems": least, "maxItems": field.max_length}
    return {name: value for name, value in bounds.items() if value}


def _with_null(schema):
    """Return an object's ``schema`` with the nulls of OpenAPI 3.0 in the way of 3.1."""
    fields = {
        name: append_meta(field, {"nullable": field.get("nullable", False)})
        for name, field in schema["properties"].items()
    }
    return {**schema, "properties": fields}


@cache
def for_host(schema_class):
    """Return the class that describes our views to a host whose own class is ``schema_class``."""
    return type("CatalogSchemaOfHost", (CatalogSchema, schema_class), {"prefix": "Catalog"})
