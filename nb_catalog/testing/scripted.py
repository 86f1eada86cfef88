"""A provider that follows a script, for tests of everything around a paid call."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from nb_catalog import exceptions
from nb_catalog.exceptions import ContentRefused, NoPicture, OutcomeUnknown, ProviderError
from nb_catalog.providers.base import Provider
from nb_catalog.providers.model_specs import pixel_size
from nb_catalog.providers.types import ImageRequest, ImageResult, Payload, RawResponse
from nb_catalog.testing.pictures import colour_of, solid_png

# What one request comes to: an error, a picture's bytes, or a function that makes either.
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
    """What a ``ScriptedProvider`` answers, and what it was asked.

    Steps are used up one by one; after the last every request gets a picture of its size in a
    colour that belongs to its prompt. ``seconds`` is how long a call takes. ``usage`` is what
    each answer reports; an empty one reports nothing. ``model_version`` is who answers, the model
    that was asked unless it is set.

        script = Script(RateLimited("Slow down.", retry_after=2))
        settings.NB_CATALOG = {"PROVIDERS": {"gemini": script.as_setting()}}
    """

    def __init__(
        self, *steps: Step, seconds: float = 0.0, usage: Mapping[str, int] = USAGE
    ) -> None:
        self.seconds = seconds
        self.usage = usage
        self.model_version = ""
        self.asked: list[ImageRequest] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self._steps = deque(steps)

    def add(self, *steps: Step) -> None:
        """More steps after those that are left."""
        self._steps.extend(steps)

    @property
    def count(self) -> int:
        """How many calls went out."""
        return len(self.asked)

    def as_setting(self) -> dict[str, Any]:
        """An entry for ``NB_CATALOG["PROVIDERS"]``."""
        backend = f"{ScriptedProvider.__module__}.{ScriptedProvider.__qualname__}"
        return {"BACKEND": backend, "OPTIONS": {"script": self}}

    def next_for(self, request: ImageRequest) -> ProviderError | bytes:
        """Use up one step."""
        self.asked.append(request)
        step = self._steps.popleft() if self._steps else fitting
        return step(request) if callable(step) else step


class ScriptedProvider(Provider):
    """A paid provider without a network. Providers are made anew all the time: the script lasts."""

    def __init__(self, *, alias: str, script: Script | None = None) -> None:
        super().__init__(alias=alias)
        self.script = script or Script()

    def build(self, request: ImageRequest) -> Payload:
        return Payload(model=request.model, body={"request": request})

    async def send(self, payload: Payload) -> RawResponse:
        """Raises the script's errors, except those that a provider reads in an answer."""
        script = self.script
        outcome = script.next_for(payload.body["request"])
        script.in_flight += 1
        script.most_in_flight = max(script.most_in_flight, script.in_flight)
        try:
            await asyncio.sleep(script.seconds)
        finally:
            script.in_flight -= 1
        if isinstance(outcome, NoPicture | ContentRefused):
            return RawResponse(body=_written(outcome, usage=script.usage))
        if isinstance(outcome, ProviderError):
            raise outcome
        said = {
            "usage": json.dumps(dict(script.usage)),
            "model": script.model_version or payload.model,
        }
        return RawResponse(body=outcome, headers=said)

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
        raise _read(body)


def fitting(request: ImageRequest) -> bytes:
    """A PNG of the asked size, in a colour that belongs to the request's prompt."""
    return solid_png(pixel_size(request.ratio, request.size), colour=colour_of(request.prompt))


def _written(error: ProviderError, *, usage: Mapping[str, int]) -> str:
    return json.dumps(
        {
            "error": error.code,
            "message": str(error),
            "reason": error.reason,
            "usage": error.usage or dict(usage),
        }
    )


def _read(body: bytes) -> ProviderError:
    try:
        written = json.loads(body)
        kind = {kind.code: kind for kind in _kinds(exceptions.ProviderError)}[written["error"]]
        return kind(written["message"], reason=written["reason"], usage=written["usage"])
    except (ValueError, TypeError, LookupError, RecursionError):
        return OutcomeUnknown("The scripted answer cannot be read.", reason="unreadable")


def _kinds(kind: type[ProviderError]) -> Iterator[type[ProviderError]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from _kinds(narrower)
