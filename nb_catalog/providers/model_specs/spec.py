"""What one model can do and what it costs: the row, and the questions it answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_UP, Decimal
from typing import Final

from nb_catalog.conf import setting_path
from nb_catalog.core.types import Treatment
from nb_catalog.exceptions import RequestRefused
from nb_catalog.providers.model_specs.sizes import PIXELS, RATIOS

_MILLION: Final = Decimal(1_000_000)
_MICRO: Final = Decimal("0.000001")
# Google bills a batch at half of everything (November 2026).
BATCH_SHARE: Final = Decimal("0.5")
# A brief of this project has 200 to 350 tokens; titles and facts are bounded.
TEXT_TOKENS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One model. Prices in USD, ``seconds`` is how long a picture of a size typically takes.

    ``usd_per_million`` has ``input``, ``text_output`` (thinking too) and ``image_output``, per
    million tokens; ``price_per_image`` is the list price of the output alone. ``free`` says that
    no call ever costs anything; a card that is not free and has no price refuses to estimate.
    ``bills_per_image`` says that a picture costs its list price and nothing else, whatever was
    counted: some gateways count nothing.
    ``batch`` says that there is a batch service, at half of every price.
    ``image_options`` is where the body carries ratio and size: ``imageConfig`` or
    ``responseFormat``. ``sends_image_size`` is False where a model has one fixed size.
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
        """Every reason why this model cannot make such a picture; empty when it can.

        ``references`` counts pictures. ``today`` is for the model's retirement; without it the
        calendar is left out.
        """
        return (
            *self._retirement(today),
            *self._choice("size", size, self.sizes),
            *self._choice("ratio", ratio, self.ratios),
            *self._pair(ratio, size),
            *self._choice("treatment", str(treatment), tuple(map(str, self.treatments))),
            *self._references(references),
            *(self._thinking(thinking) if thinking else ()),
            *(self._batch() if batch else ()),
        )

    def estimate(
        self,
        *,
        size: str,
        references: int,
        batch: bool = False,
        text_tokens: int = TEXT_TOKENS,
    ) -> Decimal:
        """The most that one picture is expected to cost, in USD, rounded up to six places.

        The larger of list price and token price, plus the input (``reference_tokens`` for each
        of ``references`` pictures, and ``text_tokens``), plus an allowance for thinking; with
        ``bills_per_image`` the list price alone. Raises ``RequestRefused`` when the price is not
        known: an unknown price is never zero.
        """
        if self.free:
            return Decimal(0)
        if self.bills_per_image and (listed := self.price_per_image.get(size)):
            return _billed(listed, batch=batch)
        picture = self._price_of_picture(size)
        rates = self.usd_per_million
        if self.bills_per_image or picture is None or not {"input", "text_output"} <= set(rates):
            wanted = "" if self.bills_per_image else " and 'usd_per_million'"
            raise RequestRefused(
                f"The price of {self.id} at {size} is not known. State it in"
                f" {setting_path('MODEL_SPECS', self.id)}: 'price_per_image'{wanted}."
            )
        tokens = references * self.reference_tokens + text_tokens
        rest = tokens * rates["input"] + self.thinking_tokens * rates["text_output"]
        return _billed(picture + rest / _MILLION, batch=batch)

    def settle(
        self, usage: Mapping[str, int], *, size: str = "", batch: bool = False
    ) -> Decimal | None:
        """What the answer's own token counts come to, in USD; None when it reported none.

        ``size`` is that of the picture that came, empty when none did.
        ``usage`` has ``prompt``, ``candidates``, ``thoughts``, ``total`` and ``image``, each of
        them optional. Output that no count tells to be text is taken for picture, the dearer one.
        """
        if self.free:
            return Decimal(0)
        if self.bills_per_image:
            listed = self.price_per_image.get(size)
            return _billed(listed, batch=batch) if listed else None
        # A count of nothing at all is a report of nothing: unknown is never zero.
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

    def _price_of_picture(self, size: str) -> Decimal | None:
        prices = []
        if size in self.price_per_image:
            prices.append(self.price_per_image[size])
        if size in self.image_tokens and "image_output" in self.usd_per_million:
            prices.append(self.image_tokens[size] * self.usd_per_million["image_output"] / _MILLION)
        price = max(prices, default=None)
        return price or None

    def _retirement(self, today: date | None) -> Iterator[str]:
        if today is None or self.retired_on is None or today < self.retired_on:
            return
        instead = f" Use {self.replaced_by} instead." if self.replaced_by else ""
        yield f"{self.id} was retired on {self.retired_on:%Y-%m-%d}.{instead}"

    def _choice(self, what: str, given: str, possible: Iterable[str]) -> Iterator[str]:
        if given not in (names := tuple(possible)):
            yield f"{self.id} has no {what} {given!r}. Possible: {', '.join(names)}."

    def _pair(self, ratio: str, size: str) -> Iterator[str]:
        known = ratio in self.ratios and size in self.sizes
        if known and size not in (row := PIXELS.get(ratio, {})):
            possible = ", ".join(other for other in row if other in self.sizes)
            yield f"{self.id} has no size {size!r} in the ratio {ratio}. Possible: {possible}."

    def _references(self, given: int) -> Iterator[str]:
        if given > self.max_references:
            yield (
                f"{self.id} takes {given} reference pictures in no request."
                f" Possible: at most {self.max_references}."
            )

    def _batch(self) -> Iterator[str]:
        if not self.batch:
            yield f"{self.id} is not offered in batches. Ask for its pictures now."

    def _thinking(self, given: str) -> Iterator[str]:
        if not self.thinking:
            yield f"{self.id} lets nobody choose how long it thinks, {given!r} was asked for."
        else:
            yield from self._choice("thinking level", given, self.thinking)


def _billed(cost: Decimal, *, batch: bool) -> Decimal:
    return (cost * BATCH_SHARE if batch else cost).quantize(_MICRO, ROUND_UP)
