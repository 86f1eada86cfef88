"""Tiers: their providers and models exist, fit each other and can make what is asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from django.core.checks import CheckMessage, Error, Warning
from django.utils import timezone

from nb_catalog.checks.settings import or_nothing
from nb_catalog.conf import NAME, settings
from nb_catalog.core.types import Lane
from nb_catalog.exceptions import InvalidSettings, RequestRefused
from nb_catalog.providers import Provider, model_specs, provider
from nb_catalog.providers.tiers import Tier, tier

# Prices were seen to change twice a year.
STALE: Final = timedelta(days=120)
# How long before a model's end a warning comes: time to try another one.
NOTICE: Final = timedelta(days=60)


def check_tiers(**_options: Any) -> list[CheckMessage]:
    """Every tier: its provider and model exist, fit each other, and can make its size."""
    found: list[CheckMessage] = []
    aliases: dict[str, None] = {}
    for name in or_nothing(lambda: settings.TIERS):
        try:
            step = tier(name)
        except InvalidSettings as error:
            found.append(Error(str(error), hint=TIER_HINT, id="nb_catalog.E010"))
        else:
            aliases[step.provider] = None
            found += _of_tier(step)
    for alias in aliases:
        found += _of_provider(alias)
    return found


TIER_HINT: Final = '"draft": {"PROVIDER": "local", "MODEL": "local-studio", "SIZE": "1K"}'


def _of_tier(step: Tier) -> Iterator[CheckMessage]:
    path = f"{NAME}['TIERS'][{step.name!r}]"
    try:
        card = step.card
    except RequestRefused as refusal:
        yield Error(f"{path}: {refusal}", hint=MODEL_HINT, id="nb_catalog.E011")
        return
    except InvalidSettings:
        return  # check_settings tells what is wrong with the card
    yield from _retirement(card, path=path)
    yield from _price_age(card, path=path)
    for objection in _objections(card, step):
        yield Error(f"{path}: {objection}", hint="Choose what is possible.", id="nb_catalog.E012")
    try:
        card.estimate(size=step.size, references=0)
    except RequestRefused as refusal:
        yield Error(f"{path}: {refusal}", hint=_price_hint(step), id="nb_catalog.E014")


MODEL_HINT: Final = "Name a shipped model, or describe your own in NB_CATALOG['CARDS']."


def _objections(card: model_specs.Card, step: Tier) -> tuple[str, ...]:
    """What is wrong with the size and the thinking level, whatever is asked for later."""
    possible = [ratio for ratio in card.ratios if step.size in model_specs.PIXELS.get(ratio, {})]
    return card.objections(
        ratio=(possible or card.ratios)[0],
        size=step.size,
        references=0,
        treatment=card.treatments[0],
        thinking=step.thinking,
    )


def _retirement(card: model_specs.Card, *, path: str) -> Iterator[CheckMessage]:
    today = timezone.now().date()
    hint = instead(card)
    if card.retired_on is not None and card.retired_on <= today:
        yield Error(
            f"{path}: {card.id} was retired on {card.retired_on:%Y-%m-%d}.",
            hint=hint,
            id="nb_catalog.E013",
        )
    elif card.retired_on is not None and card.retired_on <= today + NOTICE:
        yield Warning(
            f"{path}: {card.id} will be retired on {card.retired_on:%Y-%m-%d}.",
            hint=hint,
            id="nb_catalog.W001",
        )
    elif card.deprecated_on is not None and card.deprecated_on <= today:
        yield Warning(f"{path}: {card.id} is deprecated.", hint=hint, id="nb_catalog.W001")


def instead(card: model_specs.Card) -> str:
    """The replacement and what it costs beside what is paid now."""
    if not card.replaced_by:
        return MODEL_HINT
    hint = f'"MODEL": "{card.replaced_by}"'
    try:
        new = model_specs.card(card.replaced_by)
        size = next(each for each in card.sizes if each in new.sizes)
        prices = [each.estimate(size=size, references=1) for each in (new, card)]
    except (RequestRefused, StopIteration):
        return hint
    return f"{hint} costs at most {prices[0]:.4f} USD at {size}, {card.id} {prices[1]:.4f}."


def _price_age(card: model_specs.Card, *, path: str) -> Iterator[CheckMessage]:
    if card.free:
        return
    known = card.price_as_of
    if known is None or timezone.now().date() - known > STALE:
        since = "nobody says when" if known is None else f"{known:%Y-%m-%d}"
        yield Warning(
            f"{path}: the price of {card.id} is as of {since}. Estimates and budgets go by it.",
            hint=(
                "Compare it with the provider's price list, then say so: "
                f"\"CARDS\": {{{card.id!r}: {{'price_as_of': '{timezone.now():%Y-%m-%d}'}}}}"
            ),
            id="nb_catalog.W002",
        )
    if card.replaced_by and card.replaced_by not in model_specs.cards():
        yield Warning(
            f"{path}: {card.id} is said to be replaced by {card.replaced_by!r}, which has no card.",
            hint=MODEL_HINT,
            id="nb_catalog.W003",
        )


def _price_hint(step: Tier) -> str:
    return (
        f"\"CARDS\": {{{step.model!r}: {{'price_per_image': {{{step.size!r}: '0.05'}}, "
        f"'usd_per_million': {{'input': '0.5', 'text_output': '3'}}}}}}"
    )


def _of_provider(alias: str) -> Iterator[CheckMessage]:
    try:
        maker = provider(alias)
    except InvalidSettings as error:
        yield Error(str(error), hint=PROVIDER_HINT, id="nb_catalog.E015")
        return
    yield from maker.check()
    yield from _lanes(maker)


PROVIDER_HINT: Final = (
    '"PROVIDERS": {"gemini": {"BACKEND": "nb_catalog.providers.gemini.GeminiProvider", '
    '"OPTIONS": {}}}'
)


def _lanes(maker: Provider) -> Iterator[CheckMessage]:
    """A free model at a provider that bills would spend past every budget."""
    for name in settings.TIERS:
        try:
            step = tier(name)
            free = step.card.free
        except (InvalidSettings, RequestRefused):
            continue
        if step.provider == maker.alias and free != (maker.lane == Lane.FREE):
            bills = "does not bill" if maker.lane == Lane.FREE else "bills"
            costs = "is free" if free else "costs money"
            yield Error(
                f"{NAME}['TIERS'][{name!r}]: the model {step.model!r} {costs}, "
                f"and the provider {maker.alias!r} {bills}.",
                hint=f'"PROVIDER": "{step.card.provider}"',
                id="nb_catalog.E016",
            )
