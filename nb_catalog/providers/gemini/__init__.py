"""Google's Gemini image models through google-genai: developer API and Vertex AI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nb_catalog.exceptions import ModelRetired
from nb_catalog.providers.gemini import connectivity, wire
from nb_catalog.providers.gemini.account import Account, is_number
from nb_catalog.providers.gemini.batch import GeminiBatches
from nb_catalog.providers.gemini.client import call_config
from nb_catalog.providers.gemini.safety import safety_settings as safety_from
from nb_catalog.providers.model_specs import replacement_hint, spec_for
from nb_catalog.providers.types import ImageRequest, ImageResult, Payload, RawResponse

if TYPE_CHECKING:
    from google.genai import Client

__all__ = ["GeminiProvider"]


class GeminiProvider(GeminiBatches):
    """The Nano Banana family. One call makes one picture and is sent exactly once.

    ``api_key`` may be left out: then ``GEMINI_API_KEY`` is read when a call goes out. With
    ``vertex`` calls go to Vertex AI as ``project`` in ``location``, by ``credentials`` (see
    ``Account``). ``timeout`` is the whole time that a call may take, in seconds: 4K pictures with
    references were seen to take more than four minutes. ``base_url`` is for a gateway or a test
    server. ``connections`` limits what is open at once in one event loop; 0 leaves the limit to
    ``NB_CATALOG["CONCURRENCY"]``. ``safety_settings`` is category -> threshold.
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
            raise account.wrong("timeout", "a positive number of seconds", timeout)
        self.timeout = timeout
        self.safety = safety_from(safety_settings or {}, path=f"{path}['safety_settings']")
        self.reads = wire.MIME_TYPES
        self.reference_limit_bytes = wire.MOST_ON_VERTEX if vertex else None
        self.reference_total_bytes = wire.MOST_INLINE_BYTES * 3 // 4

    def build(self, request: ImageRequest) -> Payload:
        """The JSON body for ``request``; the model's card decides how ratio and size are spelt.

        Raises ``RequestRefused`` for a model without a card and ``RequestRejected`` for a
        reference that Gemini cannot read, or that is too large for it.
        """
        body = wire.body_for(
            request,
            model_spec=spec_for(request.model),
            safety=self.safety,
            most_bytes=self.reference_limit_bytes,
        )
        return Payload(model=request.model, body=body)

    async def send(self, payload: Payload) -> RawResponse:
        """One POST, no retries, at most ``timeout`` seconds. Raises a ``ProviderError``."""
        try:
            return await self.talk(
                lambda line: _post(payload, client=line.client), seconds=self.timeout
            )
        except ModelRetired as error:
            gone = ModelRetired(
                f"{error} {replacement_hint(payload.model)}".strip(), reason=error.reason
            )
        raise gone

    def parse(self, answer: RawResponse) -> ImageResult:
        return wire.result_in(answer.body)

    async def reachable(self, model: str) -> str:
        return await connectivity.reachable(self, model)


async def _post(payload: Payload, *, client: Client) -> RawResponse:
    response = await client.aio.models.generate_content(
        model=payload.model,
        contents="-",  # asked for by the SDK, replaced by the body's own
        config=call_config(dict(payload.body)),
    )
    raw = response.sdk_http_response
    if raw is None or raw.body is None:
        return RawResponse(body="")
    return RawResponse(body=raw.body, headers=raw.headers or {})
