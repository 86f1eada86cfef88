"""The requests that webhook endpoints get, as the section ``webhooks`` of OpenAPI 3.1."""

from collections.abc import Mapping
from typing import Any, Final

from nb_catalog.core.event_types import FIELDS, EventType
from nb_catalog.core.states import JobState
from nb_catalog.generation.progress import RunState
from nb_catalog.webhooks.endpoints import TEST_EVENT

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_KEY: Final[Schema] = {"type": "integer"}
_FLAG: Final[Schema] = {"type": "boolean"}
_MOMENT: Final[Schema] = {"type": "string", "format": "date-time"}
# Of a payload, by name; those of one event under both.
_FIELDS: Final[Mapping[str | tuple[str, str], Schema]] = {
    "run": _KEY,
    "image": _KEY,
    "before": {"type": ["integer", "null"], "description": "The picture that was there before."},
    "model": {**_TEXT, "examples": ["shop.product"]},
    "object": {**_TEXT, "description": "The key of the product, as text."},
    "series": {**_TEXT, "description": "Its key; empty for a picture of no series."},
    "slot": _TEXT,
    "locale": {**_TEXT, "description": "Empty for all languages."},
    "position": {"type": "integer", "minimum": 0},
    "change": {**_TEXT, "description": "What was done: `approve`, `publish`, `roll_back`, …"},
    "automatic": {**_FLAG, "description": "A policy acted, not a person."},
    "cancelled": _FLAG,
    "counts": {
        "type": "object",
        "propertyNames": {"enum": [str(each) for each in JobState]},
        "additionalProperties": {"type": "integer", "minimum": 0},
        "description": "Jobs by state.",
    },
    "resource": {
        **_TEXT,
        "pattern": "^[a-z]+/[0-9]+/$",
        "description": "The address below the API's prefix under which more is read.",
    },
    "reason": {**_TEXT, "description": "Which budget was reached."},
    "provider": _TEXT,
    "until": _MOMENT,
    "cause": {**_TEXT, "description": "A code."},
    "needs_person": {**_FLAG, "description": "It lasts until a person resumes the provider."},
    (EventType.RUN_ENDED, "state"): {"enum": [RunState.FINISHED.value, RunState.STOPPED.value]},
    (EventType.PICTURE_DECIDED, "state"): {"$ref": "#/components/schemas/ImageState"},
    (EventType.PROVIDER_PAUSED, "model"): {
        **_TEXT,
        "description": "The provider's own name; empty for all.",
    },
}
_HEADERS: Final[Mapping[str, Schema]] = {
    "webhook-id": {
        "schema": {"type": "string", "pattern": "^msg_[0-9a-f]{32}$"},
        "description": "The same if the message comes again: skip ids that you have seen.",
    },
    "webhook-timestamp": {
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
        "description": "When it was sent, in seconds since 1970.",
    },
    "webhook-signature": {
        "schema": {"type": "string", "pattern": "^v1,[A-Za-z0-9+/]{43}=( v1,[A-Za-z0-9+/]{43}=)*$"},
        "description": (
            "HMAC-SHA256 of id, timestamp and body, joined with dots, by the scheme of Standard Webhooks; "
            "two of them for a day after the secret was rotated."
        ),
    },
}
_RESPONSES: Final = {
    "2XX": {"description": "Delivered. The body is not read."},
    "410": {"description": "The endpoint is switched off."},
    "default": {"description": "Tried again for a day. `Retry-After` is respected."},
}


def described() -> tuple[Schema, dict[str, Schema]]:
    """Return the section ``webhooks``, and the components that it refers to by kind and name."""
    parameters = {
        _camel(name): {"in": "header", "name": name, "required": True, **header}
        for name, header in _HEADERS.items()
    }
    schemas = {f"{_camel(event)}Event": _message(event) for event in FIELDS}
    schemas[f"{_camel(TEST_EVENT)}Event"] = _content(TEST_EVENT, {"type": "object"})
    labels = {**{each: str(each.label) for each in FIELDS}, TEST_EVENT: "A test"}
    section = {
        str(getattr(event, "value", event)): {
            "post": {
                "operationId": f"on_{event.replace('.', '_')}",
                "summary": label,
                "tags": ["webhook"],
                "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in parameters],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {"$ref": f"#/components/schemas/{_camel(event)}Event"}
                        }
                    },
                },
                "responses": _RESPONSES,
            }
        }
        for event, label in labels.items()
    }
    return section, {"parameters": parameters, "schemas": schemas}


def _message(event: EventType) -> Schema:
    fields = {name: _FIELDS.get((event, name)) or _FIELDS[name] for name in FIELDS[event]}
    return _content(event.value, {"type": "object", "properties": fields, "required": [*fields]})


def _content(event: str, data: Schema) -> Schema:
    """Return the schema of a body. Later releases may add fields to it: ignore those that you do not know."""
    fields = {
        "type": {"const": event},
        "timestamp": {**_MOMENT, "description": "When it happened."},
        "data": data,
    }
    return {"type": "object", "properties": fields, "required": [*fields]}


def _camel(name: str) -> str:
    parts = name.replace("-", ".").replace("_", ".").split(".")
    return "".join(part.capitalize() for part in parts)
