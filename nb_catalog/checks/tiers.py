"""Tiers: their providers and models exist, match, and can make what the tier promises."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, Final

from django.apps import apps
from django.core.checks import CheckMessage, Error, Warning
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from nb_catalog.checks.settings import or_nothing
from nb_catalog.conf import NAME, settings
from nb_catalog.exceptions import InvalidSettings, ModelRetired, RequestRefused
from nb_catalog.providers import model_specs, provider
from nb_catalog.providers.model_specs.data import SHIPPED
from nb_catalog.providers.tiers import Tier, tier

# Prices were seen to change twice a year.
STALE: Final = timedelta(days=120)
# How long before a model's retirement a warning appears: time to try another one.
NOTICE: Final = timedelta(days=60)

TIER_HINT: Final = '"draft": {"PROVIDER": "local", "MODEL": "local-studio", "SIZE": "1K"}'
MODEL_HINT: Final = "Name a shipped model, or describe your own in NB_CATALOG['MODEL_SPECS']."
PROVIDER_HINT: Final = (
    '"PROVIDERS": {"gemini": {"BACKEND": "nb_catalog.providers.gemini.GeminiProvider", '
    '"OPTIONS": {}}}'
)


def check_tiers(**_options: Any) -> list[CheckMessage]:
    """Check that each tier's provider and model exist, match, and can make its size."""
    messages: list[CheckMessage] = []
    aliases: dict[str, None] = {}
    for name in or_nothing(lambda: settings.TIERS):
        try:
            entry = tier(name)
        except InvalidSettings as error:
            messages.append(Error(str(error), hint=TIER_HINT, id="nb_catalog.E010"))
        else:
            aliases[entry.provider] = None
            messages += check_tier(entry)
    for alias in aliases:
        messages += check_provider(alias)
    return messages


def valid_tiers() -> Iterator[Tier]:
    """Yield the tiers that are written correctly and have a model spec. ``check_tiers`` reports others."""
    for name in or_nothing(lambda: settings.TIERS):
        try:
            entry = tier(name)
            entry.model_spec  # noqa: B018 - raises if there is none
        except (InvalidSettings, RequestRefused):
            continue
        yield entry


def check_tier(entry: Tier) -> Iterator[CheckMessage]:
    """Check one tier, without its provider."""
    path = f"{NAME}['TIERS'][{entry.name!r}]"
    try:
        model_spec = entry.model_spec
    except RequestRefused as refusal:
        yield Error(f"{path}: {refusal}", hint=MODEL_HINT, id="nb_catalog.E011")
        return
    except InvalidSettings:
        return  # check_settings reports what is wrong with the spec
    yield from _check_dates(model_spec, path=path)
    ratios = [
        ratio for ratio in model_spec.ratios if entry.size in model_specs.PIXELS.get(ratio, {})
    ]
    for objection in model_spec.objections(
        ratio=(ratios or model_spec.ratios)[0],
        size=entry.size,
        references=0,
        treatment=model_spec.treatments[0],
        thinking=entry.thinking,
    ):
        yield Error(f"{path}: {objection}", hint="Choose a supported value.", id="nb_catalog.E012")
    try:
        model_spec.estimate(size=entry.size, references=0)
    except RequestRefused as refusal:
        yield Error(
            f"{path}: {refusal}",
            hint=(
                f"\"MODEL_SPECS\": {{{entry.model!r}: {{'price_per_image': {{{entry.size!r}: '0.05'}}, "
                f"'usd_per_million': {{'input': '0.5', 'text_output': '3'}}}}}}"
            ),
            id="nb_catalog.E014",
        )


def _check_dates(model_spec: model_specs.ModelSpec, *, path: str) -> Iterator[CheckMessage]:
    """Check that the model is not retired, and that what is known of its price and successor is not old."""
    today = timezone.now().date()
    hint = replacement_hint(model_spec)
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
    if model_spec.free:
        return
    as_of = model_spec.price_as_of
    if as_of is None or today - as_of > STALE:
        age = "has no date" if as_of is None else f"is as of {as_of:%Y-%m-%d}"
        yield Warning(
            f"{path}: the price of {model_spec.id} {age}. Estimates and budgets are based on it.",
            hint=(
                'Compare it with the provider\'s price list, then set: "MODEL_SPECS": '
                f"{{{model_spec.id!r}: {{'price_as_of': '{timezone.now():%Y-%m-%d}'}}}}"
            ),
            id="nb_catalog.W002",
        )
    known = {*SHIPPED, *settings.MODEL_SPECS}
    if model_spec.replaced_by and model_spec.replaced_by not in known:
        yield Warning(
            f"{path}: {model_spec.id} is replaced by {model_spec.replaced_by!r}, which has no model spec.",
            hint=MODEL_HINT,
            id="nb_catalog.W003",
        )


def replacement_hint(model_spec: model_specs.ModelSpec) -> str:
    """Return the replacement of a model, with its cost compared to the present one."""
    if not model_spec.replaced_by:
        return MODEL_HINT
    hint = f'"MODEL": "{model_spec.replaced_by}"'
    try:
        new = model_specs.spec_for(model_spec.replaced_by)
        size = next(each for each in model_spec.sizes if each in new.sizes)
        prices = [each.estimate(size=size, references=1) for each in (new, model_spec)]
    except (InvalidSettings, RequestRefused, StopIteration):
        return hint
    return f"{hint} costs at most {prices[0]:.4f} USD at {size}, {model_spec.id} {prices[1]:.4f}."


def check_provider(alias: str) -> Iterator[CheckMessage]:
    """Check one provider and that its tiers name models that are billed as it is: a free model at a
    provider that bills would spend past every budget."""
    try:
        backend = provider(alias)
    except InvalidSettings as error:
        yield Error(str(error), hint=PROVIDER_HINT, id="nb_catalog.E015")
        return
    yield from backend.check()
    for entry in valid_tiers():
        free = entry.model_spec.free
        if entry.provider == alias and free != backend.is_free:
            bills = "does not bill" if backend.is_free else "bills"
            costs = "is free" if free else "costs money"
            yield Error(
                f"{NAME}['TIERS'][{entry.name!r}]: the model {entry.model!r} {costs}, "
                f"and the provider {alias!r} {bills}.",
                hint=f'"PROVIDER": "{entry.model_spec.provider}"',
                id="nb_catalog.E016",
            )


def check_connectivity(
    databases: Iterable[str] | None = None, **_options: Any
) -> list[CheckMessage]:
    """Warn of tiers whose model was reported as retired (404) by a call. Only with ``--database``."""
    messages: list[CheckMessage] = []
    if not databases:
        return messages
    try:
        # Checks are registered before models can be imported.
        rows = apps.get_model("nb_catalog.ProviderPause").objects.filter(
            cause=ModelRetired.code, until__gt=timezone.now()
        )
        retired = set(rows.values_list("provider", "model"))
        for entry in valid_tiers():
            if (entry.provider, entry.model) in retired:
                messages.append(
                    Warning(
                        f"{NAME}['TIERS'][{entry.name!r}]: {entry.provider} reports that {entry.model} "
                        "no longer exists.",
                        hint=replacement_hint(entry.model_spec),
                        id="nb_catalog.W004",
                    )
                )
    except (DatabaseError, InterfaceError):
        pass  # before the first migrate there are no rows
    return messages
