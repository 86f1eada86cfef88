"""What Gemini's text models have in common, whatever they are asked: prices, bodies and JSON answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_UP, Decimal
from typing import Any, Final, NamedTuple, TypeVar

import pydantic_core

from nb_catalog.conf import setting_path
from nb_catalog.core.locales import parse_locale
from nb_catalog.core.types import Reference
from nb_catalog.exceptions import ContentRefused, InvalidSettings, NoText, OutcomeUnknown
from nb_catalog.providers import provider as provider_named
from nb_catalog.providers.gemini import GeminiProvider, wire
from nb_catalog.providers.gemini.errors import from_response, parse_error_body
from nb_catalog.providers.gemini.json_access import mapping, mappings, text
from nb_catalog.providers.text_base import TextProvider, TextResult
from nb_catalog.providers.types import Payload, RawResponse

A = TypeVar("A", bound=TextResult)

# Of the instructions and of a schema, beside what is asked about; thinking is billed as output.
OVERHEAD_TOKENS: Final = 400
THINKING_TOKENS: Final = 1000
# Two letters a token is on the safe side in every script (Google: about four in English).
LETTERS_PER_TOKEN: Final = 2
_MILLION: Final = Decimal(1_000_000)
_MICRO: Final = Decimal("0.000001")


class StructuredAnswer(NamedTuple):
    """The JSON object that a model wrote, and what came with it."""

    fields: Mapping[str, Any]
    receipt: wire.Receipt


class GeminiTextProvider(TextProvider[A]):
    """``model`` is the id of a text model, ``usd_per_million`` its price per million tokens: ``input`` and
    ``output``, as text. Keys, addresses and Vertex AI are those of the provider ``provider``.

    There is no default: models and their prices change too often to ship one.
    """

    def __init__(
        self, *, model: str, usd_per_million: Mapping[str, str], provider: str = "gemini"
    ) -> None:
        if not isinstance(model, str) or not model:
            raise self._wrong("model", "the id of a text model", model)
        self.model = model
        self.name = f"Gemini ({model})"[:120]
        self._prices = self._priced(usd_per_million)
        maker = provider_named(provider)
        if not isinstance(maker, GeminiProvider):
            raise self._wrong("provider", "the alias of a Gemini provider", provider)
        self._maker = maker

    def cost(self, usage: Mapping[str, int]) -> Decimal | None:
        if "prompt" not in usage or "candidates" not in usage:
            return None
        written = usage["candidates"] + usage.get("thoughts", 0)
        return self.price(read=usage["prompt"], written=written)

    def price(self, *, read: int, written: int) -> Decimal:
        """What so many tokens cost, in USD, rounded up to a micro-dollar."""
        spent = self._prices["input"] * read + self._prices["output"] * written
        return (spent / _MILLION).quantize(_MICRO, ROUND_UP)

    def body(
        self, *, system: str, parts: Sequence[Mapping[str, Any]], schema: Mapping[str, Any]
    ) -> Payload:
        """A request that is answered with JSON of this ``schema``; ``parts`` are those of the one who asks:
        ``schema_texts`` and ``picture``."""
        return Payload(
            model=self.model,
            body={
                "systemInstruction": {"parts": [schema_texts(system)]},
                "contents": [{"role": "user", "parts": [dict(part) for part in parts]}],
                # Not to be kept by Google.
                "store": False,
                "generationConfig": {
                    "responseMimeType": "application/json",
                    "responseSchema": dict(schema),
                },
            },
        )

    def picture(self, data: bytes, *, mime_type: str) -> dict[str, Any]:
        """A picture's bytes as a part of a request. Raises ``RequestRejected`` for what Gemini does not
        read, and for what is too large for it."""
        reference = Reference(data=data, mime_type=mime_type)
        return wire.inline(reference, self._maker.reference_limit_bytes)

    async def send(self, payload: Payload) -> RawResponse:
        return await self._maker.send(payload)

    async def close(self) -> None:
        await self._maker.close()

    @classmethod
    def _priced(cls, given: Any) -> dict[str, Decimal]:
        wants = "{'input': ..., 'output': ...} in US dollars"
        try:
            prices = {name: Decimal(str(given[name])) for name in ("input", "output")}
        except (TypeError, KeyError, ArithmeticError) as error:
            raise cls._wrong("usd_per_million", wants, given) from error
        if len(given) != 2 or not all(each.is_finite() and each >= 0 for each in prices.values()):
            raise cls._wrong("usd_per_million", wants, given)
        return prices

    @classmethod
    def _wrong(cls, option: str, wants: str, got: Any) -> InvalidSettings:
        path = f"{setting_path(cls.setting)}['OPTIONS'][{option!r}]"
        return InvalidSettings(f"expected {wants}, got {got!r}.", path=path)


def language_name(code: str) -> str:
    """A locale as models are told it: "German (de)"."""
    return f"{parse_locale(code).english_name} ({code})"


def schema_texts(said: str) -> dict[str, Any]:
    """Words as a part of a request."""
    return {"text": said}


def texts_by(keys: Sequence[str]) -> dict[str, Any]:
    """The schema of an object that has a text under each of ``keys``."""
    return {
        "type": "OBJECT",
        "properties": {key: {"type": "STRING"} for key in keys},
        "required": list(keys),
    }


def texts_in(found: Mapping[str, Any]) -> dict[str, str]:
    """Those of the fields that are texts."""
    return {key: each for key, each in found.items() if isinstance(each, str)}


def structured_answer(answer: RawResponse) -> StructuredAnswer:
    """What a model wrote as JSON. Raises ``OutcomeUnknown`` for what cannot be read, ``ContentRefused`` for
    what Google's policy stopped, ``NoText`` for an answer without a JSON object."""
    try:
        body = pydantic_core.from_json(answer.body)
    except ValueError as error:
        raise OutcomeUnknown(
            "Gemini's answer cannot be read; it may be billed.", reason="unreadable"
        ) from error
    body = body if isinstance(body, Mapping) else {}
    receipt = wire.receipt_in(body)
    return StructuredAnswer(_written(body, usage=dict(receipt.usage)), receipt)


def _written(body: Mapping[str, Any], *, usage: dict[str, int]) -> Mapping[str, Any]:
    if isinstance(body.get("error"), Mapping):
        code = body["error"].get("code")
        raise from_response(parse_error_body(code if isinstance(code, int) else 500, body))
    if blocked := text(mapping(body, "promptFeedback"), "blockReason"):
        raise ContentRefused(f"Gemini refused the request: {blocked}.", reason=blocked, usage=usage)
    candidate = next(iter(mappings(body, "candidates")), {})
    parts = mappings(mapping(candidate, "content"), "parts")
    written = "".join(text(part, "text") for part in parts if not part.get("thought"))
    try:
        found = pydantic_core.from_json(written)
    except ValueError:
        found = None
    if not isinstance(found, Mapping):
        reason = text(candidate, "finishReason") or "EMPTY"
        raise NoText(
            f"Gemini answered without texts: {reason[:64]}.", reason=reason[:64], usage=usage
        )
    return found
