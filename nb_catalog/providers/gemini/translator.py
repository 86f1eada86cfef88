"""Gemini's text models as a translator."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import ROUND_UP, Decimal
from typing import Any, Final

import pydantic_core

from nb_catalog.exceptions import (
    ContentRefused,
    InvalidSettings,
    NoText,
    OutcomeUnknown,
)
from nb_catalog.locales import parsed
from nb_catalog.providers import provider as provider_named
from nb_catalog.providers.gemini import GeminiProvider
from nb_catalog.providers.gemini.errors import from_answer, said
from nb_catalog.providers.gemini.fields import mapping, mappings, text
from nb_catalog.providers.gemini.wire import receipt_in
from nb_catalog.providers.translators import PATH, Translated, Translator
from nb_catalog.types import Payload, RawAnswer

SYSTEM: Final = (
    "You translate short texts that are printed on product pictures of an online shop, from "
    "{source} into {target}. Write what a native copywriter of the shop would write: idiomatic, and no "
    "longer than the original where the language allows it. Keep everything in braces, such as {{price}} "
    "or {{ends:long}}, letter by letter, where the sentence needs it. Add nothing: no quotes, no notes, "
    "no emoji. Answer with the same keys."
)
# Of the instructions and of a schema, beside the texts themselves; thinking is billed as output.
OVERHEAD_TOKENS: Final = 400
THINKING_TOKENS: Final = 1000
# Two letters a token is on the safe side in every script (Google: about four in English).
LETTERS_PER_TOKEN: Final = 2
_MILLION: Final = Decimal(1_000_000)
_MICRO: Final = Decimal("0.000001")


class GeminiTranslator(Translator):
    """``model`` is the id of a text model, ``usd_per_million`` its price per million tokens: ``input`` and
    ``output``, as text. Keys, addresses and Vertex AI are those of the provider ``provider``.

    There is no default: models and their prices change too often to ship one.
    """

    def __init__(
        self, *, model: str, usd_per_million: Mapping[str, str], provider: str = "gemini"
    ) -> None:
        if not isinstance(model, str) or not model:
            raise _wrong("model", "the id of a text model", model)
        self.model = model
        self.name = f"Gemini ({model})"[:120]
        self._prices = _prices(usd_per_million)
        maker = provider_named(provider)
        if not isinstance(maker, GeminiProvider):
            raise _wrong("provider", "the alias of a Gemini provider", provider)
        self._maker = maker

    def estimate(self, texts: Mapping[str, str]) -> Decimal:
        letters = sum(len(role) + len(each) for role, each in texts.items())
        tokens = letters // LETTERS_PER_TOKEN + 1
        spent = self._prices["input"] * (OVERHEAD_TOKENS + tokens)
        # A translation may be longer than its original.
        spent += self._prices["output"] * (THINKING_TOKENS + 2 * tokens)
        return (spent / _MILLION).quantize(_MICRO, ROUND_UP)

    def cost(self, usage: Mapping[str, int]) -> Decimal | None:
        if "prompt" not in usage or "candidates" not in usage:
            return None
        written = usage["candidates"] + usage.get("thoughts", 0)
        spent = self._prices["input"] * usage["prompt"] + self._prices["output"] * written
        return (spent / _MILLION).quantize(_MICRO, ROUND_UP)

    def build(self, texts: Mapping[str, str], *, source: str, target: str) -> Payload:
        told = SYSTEM.format(source=_named(source), target=_named(target))
        schema = {
            "type": "OBJECT",
            "properties": {role: {"type": "STRING"} for role in texts},
            "required": list(texts),
        }
        return Payload(
            model=self.model,
            body={
                "systemInstruction": {"parts": [{"text": told}]},
                "contents": [
                    {
                        "role": "user",
                        "parts": [{"text": json.dumps(dict(texts), ensure_ascii=False)}],
                    }
                ],
                # Not to be kept by Google.
                "store": False,
                "generationConfig": {
                    "responseMimeType": "application/json",
                    "responseSchema": schema,
                },
            },
        )

    async def send(self, payload: Payload) -> RawAnswer:
        return await self._maker.send(payload)

    def parse(self, answer: RawAnswer) -> Translated:
        try:
            body = pydantic_core.from_json(answer.body)
        except ValueError as error:
            raise OutcomeUnknown(
                "Gemini's answer cannot be read; it may be billed.", reason="unreadable"
            ) from error
        body = body if isinstance(body, Mapping) else {}
        receipt = receipt_in(body)
        texts = _texts(body, usage=dict(receipt.usage))
        return Translated(
            texts=texts,
            usage=receipt.usage,
            model_version=receipt.model_version,
            request_id=receipt.request_id,
        )

    async def close(self) -> None:
        await self._maker.close()


def _named(code: str) -> str:
    return f"{parsed(code).english_name} ({code})"


def _texts(body: Mapping[str, Any], *, usage: dict[str, int]) -> dict[str, str]:
    if isinstance(body.get("error"), Mapping):
        code = body["error"].get("code")
        raise from_answer(said(code if isinstance(code, int) else 500, body))
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
    return {role: each for role, each in found.items() if isinstance(each, str)}


def _prices(given: Any) -> dict[str, Decimal]:
    try:
        prices = {name: Decimal(str(given[name])) for name in ("input", "output")}
    except (TypeError, KeyError, ArithmeticError) as error:
        raise _wrong(
            "usd_per_million", "{'input': ..., 'output': ...} in US dollars", given
        ) from error
    if len(given) != 2 or not all(each.is_finite() and each >= 0 for each in prices.values()):
        raise _wrong("usd_per_million", "{'input': ..., 'output': ...} in US dollars", given)
    return prices


def _wrong(option: str, wants: str, got: Any) -> InvalidSettings:
    return InvalidSettings(f"expected {wants}, got {got!r}.", path=f"{PATH}['OPTIONS'][{option!r}]")
