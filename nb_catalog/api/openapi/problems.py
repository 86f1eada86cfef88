"""Which problem documents an operation may return, as responses of the schema."""

from collections import defaultdict
from http import HTTPStatus

from nb_catalog.api.errors import MEDIA_TYPE, STATUSES, problem
from nb_catalog.api.operations import Operation

PROBLEM = {
    "type": "object",
    "description": (
        "RFC 9457. Base decisions on `code`, which is stable; `detail` is a sentence for people, in the "
        "language of `Accept-Language`."
    ),
    "properties": {
        "type": {"type": "string", "description": "`urn:nb-catalog:problem:` and the code."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "errors": {
            "type": "object",
            "additionalProperties": {},
            "description": "Messages by the names of parameters and fields.",
        },
        "objections": {
            "type": "array",
            "items": {"type": "string"},
            "description": "Every reason why the request is refused.",
        },
    },
    "required": ["type", "title", "status", "detail", "code"],
}
HEADERS = {
    401: {"WWW-Authenticate": "How to authenticate."},
    405: {"Allow": "The methods of this address."},
    412: {"ETag": "The current one."},
    429: {"Retry-After": "Seconds until the next request is accepted."},
    503: {"Retry-After": "Seconds until it is worth trying again."},
}


def codes_of(operation: Operation, *, has_body, has_filter, is_detail, is_list, is_conditional):
    """Return status -> codes of all problems that an operation may return.

    Which of the host's settings apply is not known: anyone may be throttled, and 406 depends on renderers.
    """
    codes = defaultdict(set)
    codes[400] |= {"invalid", "parse_error"}
    codes[401] |= {"not_authenticated", "authentication_failed"}
    codes[403] |= {"permission_denied", "not_authenticated", "authentication_failed"}
    codes[406].add("not_acceptable")
    codes[429].add("throttled")
    codes[500].add("server_error")
    if is_detail or is_list:
        codes[404].add("not_found")
    if has_filter:
        codes[404].add("not_registered")
    if has_body:
        codes[413].add("payload_too_large")
        codes[415].add("unsupported_media_type")
    if operation.once:
        codes[409].add("key_reused")
    if is_conditional:
        codes[412].add("precondition_failed")
    if operation.busy:
        codes[503].add("too_many_streams")
    for kind in operation.refuses:
        status = next(status for each, status in STATUSES if issubclass(kind, each))
        codes[int(status)].add(kind.code)
    return {status: tuple(sorted(codes[status])) for status in sorted(codes)}


def response_of(status, codes, *, problem_schema):
    """Return the name and the content of the response component of ``status`` with one of ``codes``."""
    name = "".join(part.capitalize() for code in codes for part in code.split("_"))
    example = problem(
        status=status, code=codes[0], detail=f"{codes[0].replace('_', ' ').capitalize()}."
    )
    response = {
        "description": f"{HTTPStatus(status).phrase}: {', '.join(f'`{code}`' for code in codes)}",
        "content": {
            MEDIA_TYPE: {
                "schema": {
                    **problem_schema,
                    "properties": {"status": {"enum": [status]}, "code": {"enum": list(codes)}},
                },
                "example": example,
            }
        },
    }
    if status in HEADERS:
        response["headers"] = {
            header: {"schema": {"type": "string"}, "description": text}
            for header, text in HEADERS[status].items()
        }
    return f"{name}{status}", response
