"""What all of Gemini's text providers share: prices, request bodies and JSON responses."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import ROUND_UP, Decimal
from typing import Any, Final, NamedTuple, TypeVar

from nb_catalog.conf import setting_path
from nb_catalog.core.locales import parse_locale
from nb_catalog.core.types import Reference
from nb_catalog.exceptions import ContentRefused, InvalidSettings, NoText, OutcomeUnknown
from nb_catalog.providers import provider as provider_named
from nb_catalog.providers.gemini import GeminiProvider, wire
from nb_catalog.providers.responses import mapping, mappings, read_json, text
from nb_catalog.providers.text_base import TextProvider, TextResult
from nb_catalog.providers.types import Payload, RawResponse

R = TypeVar("R", bound=TextResult)

# For the instructions and a schema, beside the actual content.
OVERHEAD_TOKENS: Final = 400
# Thinking is billed as output and counts against its limit. What a model thinks about a few short texts
# stays well below this.
THINKING_TOKENS: Final = 4000
# Two characters per token is on the safe side in every script (Google: about four in English).
CHARACTERS_PER_TOKEN: Final = 2
_FENCED: Final = re.compile(r"\s*```(?:json)?\s*(?P<json>.*?)\s*```\s*", re.DOTALL)
_MILLION: Final = Decimal(1_000_000)
_MICRO: Final = Decimal("0.000001")


class StructuredResponse(NamedTuple):
    """The JSON object that a model wrote, and the response's receipt."""

    fields: Mapping[str, Any]
    receipt: wire.Receipt


class GeminiTextProvider(TextProvider[R]):
    """``model`` is the id of a text model, ``usd_per_million`` its price per million tokens: ``input``
    and ``output``, as strings. ``provider`` is the alias of the Gemini provider whose key, base_url
    and Vertex AI options are used.

    There is no default model: models and their prices change too often to ship one.
    """

    def __init__(
        self, *, model: str, usd_per_million: Mapping[str, str], provider: str = "gemini"
    ) -> None:
        if not isinstance(model, str) or not model:
            raise self._option_error("model", "the id of a text model", model)
        self.model = model
        self.name = f"Gemini ({model})"[:120]
        expected = "{'input': ..., 'output': ...} in US dollars"
        try:
            prices = {name: Decimal(str(usd_per_million[name])) for name in ("input", "output")}
        except (TypeError, KeyError, ArithmeticError) as error:
            raise self._option_error("usd_per_million", expected, usd_per_million) from error
        valid = all(each.is_finite() and each >= 0 for each in prices.values())
        if len(usd_per_million) != 2 or not valid:
            raise self._option_error("usd_per_million", expected, usd_per_million)
        self._prices = prices
        backend = provider_named(provider)
        if not isinstance(backend, GeminiProvider):
            raise self._option_error("provider", "the alias of a Gemini provider", provider)
        self._provider = backend

    @property
    def secrets(self) -> Sequence[str]:
        return self._provider.secrets

    @property
    def alias(self) -> str:
        return self._provider.alias

    def cost(self, usage: Mapping[str, int]) -> Decimal | None:
        if "prompt" not in usage or "candidates" not in usage:
            return None
        output_tokens = usage["candidates"] + usage.get("thoughts", 0)
        return self.price(input_tokens=usage["prompt"], output_tokens=output_tokens)

    def price(self, *, input_tokens: int, output_tokens: int) -> Decimal:
        """Return the price of these tokens, in USD, rounded up to a micro-dollar."""
        cost = self._prices["input"] * input_tokens + self._prices["output"] * output_tokens
        return (cost / _MILLION).quantize(_MICRO, ROUND_UP)

    def build_body(
        self,
        *,
        system: str,
        parts: Sequence[Mapping[str, Any]],
        schema: Mapping[str, Any],
        output_tokens: int,
    ) -> Payload:
        """Return a request whose response is JSON of this ``schema``; ``parts`` come from
        ``text_part`` and ``picture_part``. The service stops after ``output_tokens``, for which the
        estimate has reserved money."""
        return Payload(
            model=self.model,
            body={
                "systemInstruction": {"parts": [text_part(system)]},
                "contents": [{"role": "user", "parts": [dict(part) for part in parts]}],
                # Google must not keep it.
                "store": False,
                "generationConfig": {
                    "maxOutputTokens": output_tokens,
                    "responseMimeType": "application/json",
                    "responseSchema": dict(schema),
                },
            },
        )

    def picture_part(self, data: bytes, *, mime_type: str) -> dict[str, Any]:
        """Return a picture as a part of a request. Raises ``RequestRejected`` for one that Gemini
        cannot read, or that is too large for it."""
        reference = Reference(data=data, mime_type=mime_type)
        return wire.inline(reference, self._provider.reference_limit_bytes)

    def parse_structured(self, answer: RawResponse) -> StructuredResponse:
        """Return the JSON that a model wrote. Raises ``OutcomeUnknown`` for an unreadable response,
        ``ContentRefused`` for what Google's policy blocked, ``NoText`` for a response without a JSON
        object."""
        try:
            response = read_json(answer.body)
        except ValueError as error:
            raise OutcomeUnknown(
                "Gemini's response cannot be read; it may be billed.", reason="unreadable"
            ) from error
        response = response if isinstance(response, Mapping) else {}
        receipt = wire.parse_receipt(response)
        if isinstance(response.get("error"), Mapping):
            raise self._provider.parsed_error(response)
        if blocked := text(mapping(response, "promptFeedback"), "blockReason"):
            raise ContentRefused(
                f"Gemini refused the request: {blocked}.", reason=blocked, usage=dict(receipt.usage)
            )
        candidate = next(iter(mappings(response, "candidates")), {})
        parts = mappings(mapping(candidate, "content"), "parts")
        # What was paid for is read wherever it is: in the thinking too, or between code fences.
        fields = _read_object(parts, thought=False) or _read_object(parts, thought=True)
        if fields is None:
            reason = text(candidate, "finishReason") or "EMPTY"
            raise NoText(
                f"Gemini returned no texts: {reason}.", reason=reason, usage=dict(receipt.usage)
            )
        return StructuredResponse(fields, receipt)

    async def send(self, payload: Payload) -> RawResponse:
        return await self._provider.send(payload)

    async def open(self) -> None:
        await self._provider.open()

    async def close(self) -> None:
        await self._provider.close()

    @classmethod
    def _option_error(cls, option: str, expected: str, value: Any) -> InvalidSettings:
        path = f"{setting_path(cls.setting)}['OPTIONS'][{option!r}]"
        return InvalidSettings(f"expected {expected}, got {value!r}.", path=path)


def _read_object(parts: Sequence[Mapping[str, Any]], *, thought: bool) -> Mapping[str, Any] | None:
    """Return the JSON object in the texts of ``parts``; None if there is none."""
    content = "".join(text(part, "text") for part in parts if bool(part.get("thought")) == thought)
    fenced = _FENCED.fullmatch(content)
    try:
        fields = read_json(fenced["json"] if fenced else content)
    except ValueError:
        return None
    return fields if isinstance(fields, Mapping) else None


def language_name(code: str) -> str:
    """Return a locale's name for a prompt: "German (de)"."""
    return f"{parse_locale(code).english_name} ({code})"


def text_part(content: str) -> dict[str, Any]:
    """Return a text as a part of a request."""
    return {"text": content}


def texts_schema(keys: Sequence[str]) -> dict[str, Any]:
    """Return the schema of an object that has a string under each of ``keys``."""
    return {
        "type": "OBJECT",
        "properties": {key: {"type": "STRING"} for key in keys},
        "required": list(keys),
    }


def string_fields(fields: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields whose values are strings."""
    return {key: value for key, value in fields.items() if isinstance(value, str)}
