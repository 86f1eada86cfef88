"""Who may come in: keys of the developer API, bearer tokens of Vertex."""

from __future__ import annotations

from collections.abc import Collection

from nb_catalog.testing.gemini.asked import Asked, Done, refused


def stranger(
    asked: Asked, *, keys: Collection[str] | None, tokens: Collection[str] | None
) -> Done | None:
    """What is said to whoever has no right key or token."""
    headers, query = asked.request.headers, asked.request.query
    if asked.is_vertex:
        token = headers.get("Authorization", "").removeprefix("Bearer ")
        if not token or (tokens is not None and token not in tokens):
            return refused(
                401, "UNAUTHENTICATED", "Request had invalid authentication credentials.",
                reason="ACCESS_TOKEN_TYPE_UNSUPPORTED",
            )  # fmt: skip
        return None
    if asked.operation == "files.upload" and "upload_id" in query:
        return None  # the address itself is the permission
    key = headers.get("x-goog-api-key", "") or query.get("key", "")
    if not key:
        return refused(
            403,
            "PERMISSION_DENIED",
            "Method doesn't allow unregistered callers. Please use API Key.",
        )
    if keys is not None and key not in keys:
        return refused(
            400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.",
            reason="API_KEY_INVALID",
        )  # fmt: skip
    return None
