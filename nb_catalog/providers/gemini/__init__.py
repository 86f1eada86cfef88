"""Google's Gemini image models through google-genai: developer API and Vertex AI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from nb_catalog.core.text import nearest
from nb_catalog.exceptions import (
    InvalidSettings,
    KeyRejected,
    ModelRetired,
    ModelUnavailable,
    RequestRejected,
)
from nb_catalog.providers.gemini import errors, interactions, wire
from nb_catalog.providers.gemini.account import Account, is_number
from nb_catalog.providers.gemini.batch import GeminiBatches
from nb_catalog.providers.gemini.client import Connection, call_config, current_response
from nb_catalog.providers.model_specs import replacement_hint, spec_for
from nb_catalog.providers.types import ImageRequest, ImageResult, Payload, RawResponse

__all__ = ["GeminiProvider"]

PREFIX: Final = "HARM_CATEGORY_"
# google-genai 3.4, types.HarmCategory and types.HarmBlockThreshold.
CATEGORIES: Final = (
    "HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT", "CIVIC_INTEGRITY",
    "IMAGE_HATE", "IMAGE_DANGEROUS_CONTENT", "IMAGE_HARASSMENT", "IMAGE_SEXUALLY_EXPLICIT",
)  # fmt: skip
THRESHOLDS: Final = (
    "BLOCK_LOW_AND_ABOVE", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_ONLY_HIGH", "BLOCK_NONE", "OFF",
)  # fmt: skip


class GeminiProvider(GeminiBatches):
    """The Nano Banana family. One call makes one picture and is sent exactly once.

    Without ``api_key``, ``GEMINI_API_KEY`` is read when a call is sent. With ``vertex``, calls go to
    Vertex AI as ``project`` in ``location``, authenticated by ``credentials`` (see ``Account``).
    ``timeout`` is the maximum duration of a call in seconds: 4K pictures with references have taken
    more than four minutes. ``base_url`` is for a gateway or a test server. ``connections`` limits
    the open connections per event loop; 0 leaves the limit to ``NB_CATALOG["CONCURRENCY"]``.
    ``safety_settings`` maps category to threshold. With ``stored_sessions``, edits may go on from a session
    that Google stores; all else is sent with ``store: false``.
    """

    def __init__(
        self,
        *,
        alias: str,
        api_key: str | None = "",
        base_url: str | None = "",
        timeout: float = 300,
        connections: int = 0,
        vertex: bool = False,
        project: str | None = "",
        location: str | None = "",
        credentials: Any = None,
        safety_settings: Mapping[str, str] | None = None,
        stored_sessions: bool = False,
    ) -> None:
        path = f"NB_CATALOG['PROVIDERS'][{alias!r}]['OPTIONS']"
        account = Account(
            path=path,
            api_key=api_key,
            base_url=base_url,
            connections=connections,
            vertex=vertex,
            project=project,
            location=location,
            credentials=credentials,
        )
        super().__init__(alias=alias, account=account)
        if not is_number(timeout, int | float) or not timeout > 0:
            raise account.option_error("timeout", "a positive number of seconds", timeout)
        self.timeout = timeout
        self.safety = parse_safety_settings(
            safety_settings or {}, path=f"{path}['safety_settings']"
        )
        if not isinstance(stored_sessions, bool):
            raise account.option_error("stored_sessions", "True or False", stored_sessions)
        if stored_sessions and (vertex or self.safety):
            other = "vertex" if vertex else "safety_settings"
            raise InvalidSettings(
                f"'stored_sessions' and {other!r} cannot be combined: remove one of them.",
                path=path,
            )
        self.keeps_sessions = stored_sessions
        self.reads = wire.MIME_TYPES
        self.reference_limit_bytes = wire.MOST_ON_VERTEX if vertex else None
        self.reference_total_bytes = wire.MOST_INLINE_BYTES * 3 // 4

    def build(self, request: ImageRequest) -> Payload:
        """Return the JSON body for ``request``; the model's spec decides how ratio and size are sent.

        Raises ``RequestRefused`` for an unknown model and ``RequestRejected`` for a reference that
        Gemini cannot read, or that is too large for it.
        """
        if request.edit.get("session") is not None and self.keeps_sessions:
            return interactions.build_payload(
                request,
                model_spec=spec_for(request.model),
                most_bytes=self.reference_limit_bytes,
            )
        body = wire.build_body(
            request,
            model_spec=spec_for(request.model),
            safety=self.safety,
            most_bytes=self.reference_limit_bytes,
        )
        return Payload(model=request.model, body=body)

    async def send(self, payload: Payload) -> RawResponse:
        """Send one POST without retries, for at most ``timeout`` seconds. Raises a ``ProviderError``.

        A session that Google no longer has costs nothing: it is refused, and then everything is sent.
        """

        async def post(connection: Connection) -> RawResponse:
            try:
                response = await connection.client.aio.models.generate_content(
                    model=payload.model,
                    contents="-",  # required by the SDK, replaced by the body's own
                    config=call_config(dict(payload.body)),
                )
            except UnicodeDecodeError:
                # The SDK decodes strictly. A wrong byte in some text must not cost the picture.
                received = current_response()
                if received is None or received.status != 200:
                    raise
                return RawResponse(body=await received.read(), headers=received.headers)
            raw = response.sdk_http_response
            if raw is None or raw.body is None:
                return RawResponse(body="")
            return RawResponse(body=raw.body, headers=raw.headers or {})

        try:
            if interactions.is_interaction(payload.body):
                return await self._send_interaction(payload)
            return await self.call(post, seconds=self.timeout)
        except (ModelRetired, ModelUnavailable) as error:
            hint = replacement_hint(payload.model)
            unavailable = type(error)(f"{hint} {error}".strip(), reason=error.reason)
        raise unavailable

    async def _send_interaction(self, payload: Payload) -> RawResponse:
        async def post(connection: Connection) -> RawResponse:
            # By our own session: the SDK would post it up to five times, and reads nothing we need.
            async with connection.session.post(
                self._url(interactions.PATH),
                json=dict(body),
                headers=self._headers(),
                allow_redirects=False,
            ) as response:
                received = await response.read()
                if response.status != 200:
                    raise self.response_error(
                        response.status, response.headers, errors.body_json(received)
                    )
                return RawResponse(body=received, headers=dict(response.headers))

        body = payload.body
        try:
            return await self.call(post, seconds=self.timeout)
        except (ModelRetired, KeyRejected, RequestRejected):
            # Expired, deleted, or of another key: Google says 404, 403 or 400, and has made nothing.
            if not payload.fallback:
                raise
        body = payload.fallback
        return await self.call(post, seconds=self.timeout)

    def parse(self, answer: RawResponse) -> ImageResult:
        response = wire.read_response(answer.body)
        if interactions.is_interaction(response):
            return interactions.parse_interaction(response)
        return wire.parse_response(response, convert_error=self.parsed_error)


def parse_safety_settings(value: Any, *, path: str) -> tuple[dict[str, str], ...]:
    """Return ``{"HARASSMENT": "BLOCK_ONLY_HIGH"}`` as the body's ``safetySettings``.

    Raises ``InvalidSettings`` for a category or a threshold that Google does not have.
    """
    if not isinstance(value, Mapping):
        raise InvalidSettings("expected a dict of category -> threshold.", path=path)
    settings = []
    for key, threshold in value.items():
        category = str(key).removeprefix(PREFIX)
        for name, known in ((category, CATEGORIES), (str(threshold), THRESHOLDS)):
            if name not in known:
                raise InvalidSettings(f"there is no {name!r}.{nearest(name, known)}", path=path)
        settings.append({"category": PREFIX + category, "threshold": str(threshold)})
    return tuple(settings)
