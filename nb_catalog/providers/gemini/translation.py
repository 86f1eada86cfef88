"""Gemini's text models as a translation provider."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from nb_catalog.providers.gemini.text import (
    CHARACTERS_PER_TOKEN,
    OVERHEAD_TOKENS,
    THINKING_TOKENS,
    GeminiTextProvider,
    language_name,
    string_fields,
    text_part,
    texts_schema,
)
from nb_catalog.providers.translation import TranslationProvider, TranslationResult
from nb_catalog.providers.types import Payload, RawResponse

SYSTEM: Final = (
    "You translate short texts that are printed on product pictures of an online shop, from "
    "{source} into {target}. Write what a native copywriter of the shop would write: idiomatic, and no "
    "longer than the original where the language allows it. Keep everything in braces, such as {{price}} "
    "or {{ends:long}}, letter by letter, where the sentence needs it. Add nothing: no quotes, no notes, "
    "no emoji. Answer with the same keys."
)


class GeminiTranslation(GeminiTextProvider[TranslationResult], TranslationProvider):
    """Takes the options of ``GeminiTextProvider``: ``model``, ``usd_per_million`` and ``provider``."""

    def estimate(self, texts: Mapping[str, str]) -> Decimal:
        return self.price(
            input_tokens=OVERHEAD_TOKENS + _tokens(texts), output_tokens=_output_tokens(texts)
        )

    def build(self, texts: Mapping[str, str], *, source: str, target: str) -> Payload:
        return self.build_body(
            system=SYSTEM.format(source=language_name(source), target=language_name(target)),
            parts=[text_part(json.dumps(dict(texts), ensure_ascii=False))],
            schema=texts_schema(list(texts)),
            output_tokens=_output_tokens(texts),
        )

    def parse(self, answer: RawResponse) -> TranslationResult:
        fields, receipt = self.parse_structured(answer)
        return TranslationResult(
            texts=string_fields(fields),
            usage=receipt.usage,
            model_version=receipt.model_version,
            request_id=receipt.request_id,
        )


def _tokens(texts: Mapping[str, str]) -> int:
    characters = sum(len(role) + len(each) for role, each in texts.items())
    return characters // CHARACTERS_PER_TOKEN + 1


def _output_tokens(texts: Mapping[str, str]) -> int:
    # A translation may be longer than its original, and its script may take more tokens.
    return THINKING_TOKENS + 4 * _tokens(texts)
