"""Tiers: their providers and models exist, fit each other and can make what is asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from django.core.checks import CheckMessage, Error, Warning
from django.utils import timezone

from nb_catalog.checks.settings import or_nothing
from nb_catalog.conf import NAME, settings
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
        model_spec = step.model_spec
    except RequestRefused as refusal:
        yield Error(f"{path}: {refusal}", hint=MODEL_HINT, id="nb_catalog.E011")
        return
    except InvalidSettings:
        return  # check_settings tells what is wrong with the card
    yield from _retirement(model_spec, path=path)
    yield from _price_age(model_spec, path=path)
    for objection in _objections(model_spec, step):
        yield Error(f"{path}: {objection}", hint="Choose what is possible.", id="nb_catalog.E012")
    try:
        model_spec.estimate(size=step.size, references=0)
    except RequestRefused as refusal:
        yield Error(f"{path}: {refusal}", hint=_price_hint(step), id="nb_catalog.E014")


MODEL_HINT: Final = "Name a shipped model, or describe your own in NB_CATALOG['MODEL_SPECS']."


def _objections(model_spec: model_specs.ModelSpec, step: Tier) -> tuple[str, ...]:
    """What is wrong with the size and the thinking level, whatever is asked for later."""
    possible = [
        ratio for ratio in model_spec.ratios if step.size in model_specs.PIXELS.get(ratio, {})
    ]
    return model_spec.objections(
        ratio=(possible or model_spec.ratios)[0],
        size=step.size,
        references=0,
        treatment=model_spec.treatments[0],
        thinking=step.thinking,
    )


def _retirement(model_spec: model_specs.ModelSpec, *, path: str) -> Iterator[CheckMessage]:
    today = timezone.now().date()
    hint = replacement(model_spec)
    if model_spec.retired_on is not None and model_spec.retired_on <= today:
        yield Error(
            f"{path}: {model_spec.id} was retired on {model_spec.retired_on:%Y-%m-%d}.",
            hint=hint,
            id="nb_catalog.E013",
        )
    elif model_spec.retired_on is not None and model_spec.retired_on <= today + NOTICE:
        yield Warning(
            f"{path}: {model_spec.id} will be retired on {model_spec.retired_on:%Y-%m-%d}.",
            hint=hint,
            id="nb_catalog.W001",
        )
    elif model_spec.deprecated_on is not None and model_spec.deprecated_on <= today:
        yield Warning(f"{path}: {model_spec.id} is deprecated.", hint=hint, id="nb_catalog.W001")


def replacement(model_spec: model_specs.ModelSpec) -> str:
    """The replacement and what it costs beside what is paid now."""
    if not model_spec.replaced_by:
        return MODEL_HINT
    hint = f'"MODEL": "{model_spec.replaced_by}"'
    try:
        new = model_specs.spec_for(model_spec.replaced_by)
        size = next(each for each in model_spec.sizes if each in new.sizes)
        prices = [each.estimate(size=size, references=1) for each in (new, model_spec)]
    except (RequestRefused, StopIteration):
        return hint
    return f"{hint} costs at most {prices[0]:.4f} USD at {size}, {model_spec.id} {prices[1]:.4f}."


def _price_age(model_spec: model_specs.ModelSpec, *, path: str) -> Iterator[CheckMessage]:
    if model_spec.free:
        return
    known = model_spec.price_as_of
    if known is None or timezone.now().date() - known > STALE:
        since = "nobody says when" if known is None else f"{known:%Y-%m-%d}"
        yield Warning(
            f"{path}: the price of {model_spec.id} is as of {since}. Estimates and budgets go by it.",
            hint=(
                "Compare it with the provider's price list, then say so: "
                f"\"MODEL_SPECS\": {{{model_spec.id!r}: {{'price_as_of': '{timezone.now():%Y-%m-%d}'}}}}"
            ),
            id="nb_catalog.W002",
        )
    if model_spec.replaced_by and model_spec.replaced_by not in model_specs.all_specs():
        yield Warning(
            f"{path}: {model_spec.id} is said to be replaced by {model_spec.replaced_by!r}, which has no "
            "model spec.",
            hint=MODEL_HINT,
            id="nb_catalog.W003",
        )


def _price_hint(step: Tier) -> str:
    return (
        f"\"MODEL_SPECS\": {{{step.model!r}: {{'price_per_image': {{{step.size!r}: '0.05'}}, "
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
            free = step.model_spec.free
        except (InvalidSettings, RequestRefused):
            continue
        if step.provider == maker.alias and free != maker.is_free:
            bills = "does not bill" if maker.is_free else "bills"
            costs = "is free" if free else "costs money"
            yield Error(
                f"{NAME}['TIERS'][{name!r}]: the model {step.model!r} {costs}, "
                f"and the provider {maker.alias!r} {bills}.",
                hint=f'"PROVIDER": "{step.model_spec.provider}"',
                id="nb_catalog.E016",
            )
