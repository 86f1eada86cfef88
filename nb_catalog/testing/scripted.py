"""A provider that follows a script, for tests of the code around a paid call."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from nb_catalog.exceptions import ContentRefused, NoPicture, OutcomeUnknown, ProviderError
from nb_catalog.providers.base import Provider
from nb_catalog.providers.model_specs import pixel_size
from nb_catalog.providers.types import ImageRequest, ImageResult, Payload, RawResponse
from nb_catalog.testing.pictures import colour_of, solid_png

# The outcome of one request: an error, a picture's bytes, or a function that returns either.
Step = ProviderError | bytes | Callable[[ImageRequest], "ProviderError | bytes"]

USAGE: Final[Mapping[str, int]] = {
    "prompt": 1240,
    "candidates": 1120,
    "thoughts": 0,
    "total": 2360,
    "image": 1120,
}
_SIGNATURES: Final = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"RIFF": "image/webp",
}


class Script:
    """The outcomes of a ``ScriptedProvider``, and the requests that it received.

    Each request uses up one step. After the last step, every request gets a picture of its size, in
    a colour derived from its prompt. ``seconds`` is the duration of a call. ``usage`` is reported by
    each response; an empty one reports nothing. ``model_version`` is the model that responds, by
    default the requested one.

        script = Script(RateLimited("Slow down.", retry_after=2))
        settings.NB_CATALOG = {"PROVIDERS": {"gemini": script.as_setting()}}
    """

    def __init__(
        self, *steps: Step, seconds: float = 0.0, usage: Mapping[str, int] = USAGE
    ) -> None:
        self.seconds = seconds
        self.usage = usage
        self.model_version = ""
        self.requests: list[ImageRequest] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self._steps = deque(steps)

    def add(self, *steps: Step) -> None:
        """Append steps to the remaining ones."""
        self._steps.extend(steps)

    @property
    def count(self) -> int:
        """The number of calls sent."""
        return len(self.requests)

    def as_setting(self) -> dict[str, Any]:
        """Return an entry for ``NB_CATALOG["PROVIDERS"]``."""
        backend = f"{ScriptedProvider.__module__}.{ScriptedProvider.__qualname__}"
        return {"BACKEND": backend, "OPTIONS": {"script": self}}

    def next_for(self, request: ImageRequest) -> ProviderError | bytes:
        """Use up one step and return its outcome."""
        self.requests.append(request)
        step = self._steps.popleft() if self._steps else matching_picture
        return step(request) if callable(step) else step


class ScriptedProvider(Provider):
    """A paid provider without a network. Providers are built on each access, their script is shared."""

    def __init__(self, *, alias: str, script: Script | None = None) -> None:
        super().__init__(alias=alias)
        self.script = script or Script()

    def build(self, request: ImageRequest) -> Payload:
        return Payload(model=request.model, body={"request": request})

    async def send(self, payload: Payload) -> RawResponse:
        """Raise the script's error, unless it is one that a provider finds by parsing a response."""
        script = self.script
        outcome = script.next_for(payload.body["request"])
        script.in_flight += 1
        script.most_in_flight = max(script.most_in_flight, script.in_flight)
        try:
            await asyncio.sleep(script.seconds)
        finally:
            script.in_flight -= 1
        if isinstance(outcome, NoPicture | ContentRefused):
            content = {
                "error": outcome.code,
                "message": str(outcome),
                "reason": outcome.reason,
                "usage": outcome.usage or dict(script.usage),
            }
            return RawResponse(body=json.dumps(content))
        if isinstance(outcome, ProviderError):
            raise outcome
        headers = {
            "usage": json.dumps(dict(script.usage)),
            "model": script.model_version or payload.model,
        }
        return RawResponse(body=outcome, headers=headers)

    def parse(self, answer: RawResponse) -> ImageResult:
        body = answer.body.encode() if isinstance(answer.body, str) else answer.body
        for signature, mime_type in _SIGNATURES.items():
            if body.startswith(signature):
                return ImageResult(
                    data=body,
                    mime_type=mime_type,
                    usage=json.loads(answer.headers.get("usage", "{}")),
                    model_version=answer.headers.get("model", ""),
                    request_id="scripted",
                )
        try:
            content = json.loads(body)
            kind = {kind.code: kind for kind in _subclasses(ProviderError)}[content["error"]]
            error = kind(content["message"], reason=content["reason"], usage=content["usage"])
        except (ValueError, TypeError, LookupError, RecursionError):
            error = OutcomeUnknown("The scripted response cannot be read.", reason="unreadable")
        raise error


def matching_picture(request: ImageRequest) -> bytes:
    """Return a PNG file of the requested size, in a colour derived from the request's prompt."""
    return solid_png(pixel_size(request.ratio, request.size), colour=colour_of(request.prompt))


def _subclasses(kind: type[ProviderError]) -> Iterator[type[ProviderError]]:
    yield kind
    for subclass in kind.__subclasses__():
        yield from _subclasses(subclass)
