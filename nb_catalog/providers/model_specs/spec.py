"""One model's abilities and prices, and the checks and estimates that follow from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_UP, Decimal
from typing import Final

from nb_catalog.conf import setting_path
from nb_catalog.core.text import message as _
from nb_catalog.core.types import Treatment
from nb_catalog.exceptions import RequestRefused
from nb_catalog.providers.model_specs.sizes import PIXELS, RATIOS

_MILLION: Final = Decimal(1_000_000)
_MICRO: Final = Decimal("0.000001")
# Google bills a batch at half of everything (November 2026).
BATCH_SHARE: Final = Decimal("0.5")
# A prompt of this project has 200 to 350 tokens; titles and facts are bounded.
TEXT_TOKENS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One model. Prices are in USD; ``seconds`` is the typical duration of a call, by size.

    ``usd_per_million`` has ``input``, ``text_output`` (including thinking) and ``image_output``,
    per million tokens; ``price_per_image`` is the list price of the output alone. ``free`` says
    that calls never cost anything; a model that is not free and has no price is not estimated.
    ``bills_per_image`` says that a picture costs exactly its list price, whatever the token counts:
    some gateways count nothing.
    ``batch`` says that there is a batch service, at half of every price.
    ``image_options`` is the field of the body that has ratio and size: ``imageConfig`` or
    ``responseFormat``. ``sends_image_size`` is False for a model with one fixed size.
    """

    id: str
    provider: str
    name: str
    sizes: tuple[str, ...]
    ratios: tuple[str, ...] = RATIOS
    max_references: int = 0
    treatments: tuple[str, ...] = (Treatment.LOCKED, Treatment.PAINTED)
    thinking: tuple[str, ...] = ()
    free: bool = False
    batch: bool = False
    usd_per_million: Mapping[str, Decimal] = field(default_factory=dict)
    image_tokens: Mapping[str, int] = field(default_factory=dict)
    price_per_image: Mapping[str, Decimal] = field(default_factory=dict)
    reference_tokens: int = 1120
    # Thinking is billed and not announced. A reported 1K picture of 2.1 with five references
    # cost 0.0523 USD, which leaves about 1,400 tokens beyond the picture and its input.
    thinking_tokens: int = 1400
    price_source: str = ""
    price_as_of: date | None = None
    released: date | None = None
    deprecated_on: date | None = None
    retired_on: date | None = None
    replaced_by: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)
    bills_per_image: bool = False
    image_options: str = "imageConfig"
    sends_image_size: bool = True

    def objections(
        self,
        *,
        ratio: str,
        size: str,
        references: int,
        treatment: str,
        thinking: str = "",
        batch: bool = False,
        today: date | None = None,
    ) -> tuple[str, ...]:
        """Return every reason why this model cannot make such a picture; empty if it can.

        ``references`` is a number of pictures. ``today`` is compared with the model's retirement;
        without it the retirement is ignored.
        """
        reasons: list[str] = []
        if today is not None and self.retired_on is not None and today >= self.retired_on:
            day = {"model": self.id, "day": f"{self.retired_on:%Y-%m-%d}"}
            retired = _("%(model)s was retired on %(day)s.") % day
            if self.replaced_by:
                retired += " " + _("Use %(model)s instead.") % {"model": self.replaced_by}
            reasons.append(retired)
        reasons += self._unknown(
            _("%(model)s has no size %(value)r. Possible: %(possible)s."), size, self.sizes
        )
        reasons += self._unknown(
            _("%(model)s has no ratio %(value)r. Possible: %(possible)s."), ratio, self.ratios
        )
        # Some pairs of a known ratio and a known size do not exist.
        if ratio in self.ratios and size in self.sizes and size not in PIXELS.get(ratio, {}):
            possible = ", ".join(other for other in PIXELS.get(ratio, {}) if other in self.sizes)
            reasons.append(
                _("%(model)s has no size %(size)r in the ratio %(ratio)s. Possible: %(possible)s.")
                % {"model": self.id, "size": size, "ratio": ratio, "possible": possible}
            )
        reasons += self._unknown(
            _("%(model)s has no treatment %(value)r. Possible: %(possible)s."),
            str(treatment),
            tuple(map(str, self.treatments)),
        )
        if references > self.max_references:
            reasons.append(
                _(
                    "%(model)s takes at most %(most)s reference pictures per request, not "
                    "%(references)s."
                )
                % {"model": self.id, "most": self.max_references, "references": references}
            )
        if thinking and not self.thinking:
            reasons.append(
                _("%(model)s has no thinking levels, %(level)r was requested.")
                % {"model": self.id, "level": thinking}
            )
        elif thinking:
            reasons += self._unknown(
                _("%(model)s has no thinking level %(value)r. Possible: %(possible)s."),
                thinking,
                self.thinking,
            )
        if batch and not self.batch:
            reasons.append(
                _("%(model)s is not offered in batches. Request its pictures directly.")
                % {"model": self.id}
            )
        return tuple(reasons)

    def estimate(
        self,
        *,
        size: str,
        references: int,
        batch: bool = False,
        text_tokens: int = TEXT_TOKENS,
    ) -> Decimal:
        """Return the maximum expected cost of one picture, in USD, rounded up to six places.

        This is the larger of list price and token price, plus the input (``reference_tokens`` for
        each of ``references`` pictures, and ``text_tokens``), plus an allowance for thinking; with
        ``bills_per_image`` the list price alone. Raises ``RequestRefused`` if the price is not
        known: an unknown price is never zero.
        """
        if self.free:
            return Decimal(0)
        if self.bills_per_image and (listed := self.price_per_image.get(size)):
            return _billed(listed, batch=batch)
        rates = self.usd_per_million
        prices = [self.price_per_image[size]] if size in self.price_per_image else []
        if size in self.image_tokens and "image_output" in rates:
            prices.append(self.image_tokens[size] * rates["image_output"] / _MILLION)
        picture = max(prices, default=None)
        if self.bills_per_image or not picture or not {"input", "text_output"} <= set(rates):
            both = _("'price_per_image' and 'usd_per_million'")
            keys = "'price_per_image'" if self.bills_per_image else both
            raise RequestRefused(
                _(
                    "The price of %(model)s at %(size)s is not known. State it in %(setting)s: %(keys)s."
                )
                % {
                    "model": self.id,
                    "size": size,
                    "setting": setting_path("MODEL_SPECS", self.id),
                    "keys": keys,
                }
            )
        tokens = references * self.reference_tokens + text_tokens
        rest = tokens * rates["input"] + self.thinking_tokens * rates["text_output"]
        return _billed(picture + rest / _MILLION, batch=batch)

    def settle(
        self, usage: Mapping[str, int], *, size: str = "", batch: bool = False
    ) -> Decimal | None:
        """Return the cost of the response's own token counts, in USD; None if it reported none.

        ``size`` is that of the returned picture, empty without one.
        ``usage`` has ``prompt``, ``candidates``, ``thoughts``, ``total`` and ``image``, each of
        them optional. Output that is not counted as text counts as image, the dearer of the two.
        """
        if self.free:
            return Decimal(0)
        if self.bills_per_image:
            listed = self.price_per_image.get(size)
            return _billed(listed, batch=batch) if listed else None
        # Counts that are all zero say nothing: an unknown cost is never zero.
        if not any(usage.get(kind) for kind in ("prompt", "candidates", "total")):
            return None
        rates = self.usd_per_million
        if not {"input", "text_output", "image_output"} <= set(rates):
            return None
        thoughts = usage.get("thoughts", 0)
        prompt = usage.get("prompt", 0)
        output = max(usage.get("candidates", 0), usage.get("total", 0) - prompt - thoughts)
        image = min(usage.get("image", output), output)
        text = output - image + thoughts
        cost = prompt * rates["input"] + text * rates["text_output"] + image * rates["image_output"]
        return _billed(cost / _MILLION, batch=batch)

    def _unknown(self, sentence: str, value: str, possible: tuple[str, ...]) -> list[str]:
        if value in possible:
            return []
        return [sentence % {"model": self.id, "value": value, "possible": ", ".join(possible)}]


def _billed(cost: Decimal, *, batch: bool) -> Decimal:
    return (cost * BATCH_SHARE if batch else cost).quantize(_MICRO, ROUND_UP)
