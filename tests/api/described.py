"""Compares responses with what the schema says of their operation."""

import re
from functools import cache

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from nb_catalog.api.openapi.generator import generate

BASE = "/api/catalog-images"
URI = "urn:nb-catalog"


@cache
def document():
    return generate(server=BASE)


@cache
def _paths():
    """Regular expressions of addresses, those without parameters first."""
    found = sorted(document()["paths"], key=lambda path: (path.count("{"), path))
    return [
        (re.compile(re.sub(r"\{\w+\}", "[^/]+", path.replace(".", r"\."))), path) for path in found
    ]


@cache
def _registry():
    resource = Resource(contents=document(), specification=DRAFT202012)
    return Registry().with_resource(URI, resource)


@cache
def _validator(pointer):
    return Draft202012Validator({"$ref": f"{URI}#{pointer}"}, registry=_registry())


def operation_of(method, address):
    """The path of an address and its operation; None for what is not described."""
    below = address.removeprefix(BASE)
    path = next((path for pattern, path in _paths() if pattern.fullmatch(below)), None)
    if path is None or method.lower() not in document()["paths"][path]:
        return None, None
    return path, document()["paths"][path][method.lower()]


def check(response):
    """Fail if the status, the media type or the body of a response is not described."""
    request = response.request
    method, address = request["REQUEST_METHOD"], request["PATH_INFO"]
    path, operation = operation_of(method, address)
    if operation is None or 300 <= response.status_code < 400:
        return
    where, status = f"{method} {path}", str(response.status_code)
    described = operation["responses"].get(status)
    assert described, f"{where}: {status} is not described: {response.content[:500]}"
    pointer = (
        f"/paths/{path.replace('~', '~0').replace('/', '~1')}/{method.lower()}/responses/{status}"
    )
    if "$ref" in described:
        pointer = described["$ref"].removeprefix("#")
        described = document()["components"]["responses"][pointer.rpartition("/")[2]]
    kind = response.headers.get("Content-Type", "").split(";")[0]
    if "content" not in described:
        assert not getattr(response, "content", b""), f"{where}: {status} has a body"
        return
    assert kind in described["content"] or kind == "text/html", (
        f"{where}: {status} is {kind}, not {[*described['content']]}"
    )
    if "json" in kind:
        pointer += f"/content/{kind.replace('/', '~1')}/schema"
        errors = [
            f"{error.json_path}: {error.message[:300]}"
            for error in _validator(pointer).iter_errors(response.json())
        ]
        assert not errors, f"{where}: {status}: {errors[:5]}"
