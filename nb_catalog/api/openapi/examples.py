"""Examples of bodies, made from their schemas: so they are valid, and none is forgotten."""

# By the name of a field, whatever body it is in.
VALUES = {
    "actor": "anna",
    "adjustments": [{"kind": "crop", "ratio": "4:5"}],
    "alt": "Blue mug on marble",
    "author": "anna",
    "batch": "0b2f6a3e-52c1-4a8e-9a53-6a1f0e1d2c3b",
    "budget_usd": "20.00",
    "colour": "#c0392b",
    "cost_usd": "0.03663",
    "description": "Purges the CDN",
    "digital_source_type": "compositeWithTrainedAlgorithmicMedia",
    "estimate_usd": "0.03663",
    "event": "picture.published",
    "events": ["picture.published", "picture.withdrawn"],
    "file": "texts.csv",
    "instruction": "Put a sprig of eucalyptus beside the mug.",
    "key": "autumn-2026",
    "label": "shop.product",
    "layouts": ["sale-banner"],
    "locale": "de",
    "locales": ["en", "de"],
    "message": "msg_0d9f3b7c1e5a4f2d8b6c7a9e1f3d5b70",
    "mime_type": "image/png",
    "model": "shop.product",
    "name": "Autumn",
    "notify": True,
    "object": "12",
    "objects": [12, 13],
    "order": ["13", "12", "12:red"],
    "parts": ["13", "shop.bundle:7"],
    "price_each_usd": "0.03663",
    "price_usd": "0.25641",
    "prompt": "A table of oiled oak in morning light.",
    "provider": "gemini",
    "ratio": "4:5",
    "reason": "The label has a new print.",
    "reserved_usd": "0.00",
    "roles": {"de": ["headline"]},
    "scene": "marble",
    "scenes": ["marble", "oak-table"],
    "schema_org": "https://schema.org/CompositeWithTrainedAlgorithmicMediaDigitalSource",
    "search": "mug",
    "secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD3dNrnUBqaJQ=",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "slot": "hero",
    "slots": ["hero", "gallery", "social"],
    "spent_usd": "1.25",
    "strokes": [{"keep": True, "size": 0.02, "points": [[0.4, 0.4], [0.6, 0.5]]}],
    "texts": {"de": {"headline": "Herbst"}},
    "thumbnail": "https://shop.example/api/catalog-images/images/7/thumbnail.webp",
    "tier": "draft",
    "title": "Products: Marble (draft)",
    "url": "https://shop.example/media/9f/9f86.png",
    "variants": 2,
}
# The same names with other values, by component and field.
EXCEPTIONS = {
    **{
        (each, "model"): "gemini-3.1-flash-image"
        for each in ("Batch", "BatchDetail", "Call", "Pause", "PauseStatus", "ProviderCall")
    },
    ("Spending", "models"): [
        {"name": "gemini-3.1-flash-image", "calls": 31, "spent_usd": "1.25", "open_usd": "0.00"}
    ],
    ("AltRequest", "texts"): {"de": "Blaue Tasse auf Marmor"},
    ("Decision", "key"): "5c1e0d7e-93a2-4c5e-8f0b-0f6f6d1f2a11",
    ("DecisionRequest", "key"): "5c1e0d7e-93a2-4c5e-8f0b-0f6f6d1f2a11",
    ("ReviewFilter", "filter"): {"state": "pending", "scene": "marble"},
    ("ReviewFilterRequest", "filter"): {"state": "pending", "scene": "marble"},
    ("ScenePreviewRequest", ""): {
        "renderer": {"surface": {"kind": "oak"}},
        "model": "shop.product",
        "object": "12",
        "ratio": "4:5",
    },
    # Either pictures or what is published, not both.
    ("ExportRequest", ""): {
        "model": "shop.product",
        "slots": ["hero"],
        "pattern": "{sku}-{locale}.jpg",
        "format": "jpeg",
        "longest_side": 2000,
        "channels": ["google_main"],
    },
    ("ImageDetail", "alt"): {"de": "Blaue Tasse auf Marmor"},
    ("AltResult", "alt"): {"de": "Blaue Tasse auf Marmor"},
}
BY_FORMAT = {
    "date-time": "2026-11-21T09:00:00Z",
    "uuid": "0b2f6a3e-52c1-4a8e-9a53-6a1f0e1d2c3b",
    "uri": "https://shop.example/media/9f/9f86.png",
    "decimal": "20.00",
    "binary": "",
}
DEPTH = 8
KINDS = {str: "string", bool: "boolean", int: "integer", list: "array", dict: "object"}


def example_of(schema, registry, *, name="", component="", depth=0):
    """Return a value that ``schema`` allows; ``name`` is that of the field whose value it is."""
    if "$ref" in schema:
        _, _, kind, component = schema["$ref"].split("/")
        schema = registry[component, kind].schema
        return example_of(schema, registry, name=name, component=component, depth=depth)
    for known in (EXCEPTIONS.get((component, name)), VALUES.get(name)):
        if known is not None and _fits(known, schema):
            return known
    for several in ("oneOf", "anyOf", "allOf"):
        if several in schema:
            return example_of(
                schema[several][0], registry, name=name, component=component, depth=depth
            )
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        fields = schema.get("properties", {})
        optional = set(fields).difference(schema.get("required", fields))
        return {
            field: example_of(value, registry, name=field, component=component, depth=depth + 1)
            for field, value in fields.items()
            if depth < DEPTH and not (field in optional and field not in VALUES)
        }
    if kind == "array":
        of = "" if "$ref" in schema["items"] else name
        return [
            example_of(schema["items"], registry, name=of, component=component, depth=depth + 1)
        ]
    if kind == "boolean":
        return schema.get("default", False)
    if kind in ("integer", "number"):
        return (
            schema["default"]
            if schema.get("default") is not None
            else max(1, schema.get("minimum", 1))
        )
    if kind == "null":
        return None
    if schema.get("default"):
        return schema["default"]
    return BY_FORMAT.get(schema.get("format"), name.replace("_", " ") or "text")


def _fits(value, schema):
    """Return whether ``schema`` takes ``value``, as far as such schemas go."""
    if "anyOf" in schema:
        return any(_fits(value, each) for each in schema["anyOf"])
    kinds = schema.get("type", ())
    if (
        "enum" in schema
        or "format" in schema
        or KINDS[type(value)] not in (kinds if isinstance(kinds, list) else [kinds])
    ):
        return False
    if isinstance(value, list):
        return len(value) >= schema.get("minItems", 0) and all(
            _fits(each, schema["items"]) for each in value
        )
    return True
