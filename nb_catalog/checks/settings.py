"""The keys of ``NB_CATALOG``: known, and with values that can be used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error

from nb_catalog.conf import NAME, Setting, Settings, settings
from nb_catalog.core import quotas
from nb_catalog.core.text import nearest
from nb_catalog.exceptions import InvalidSettings
from nb_catalog.providers import model_specs


def check_settings(**_options: Any) -> list[CheckMessage]:
    """Every key of ``NB_CATALOG``: known, and with a value that can be used."""
    try:
        unknown = settings.unknown()
    except InvalidSettings as error:
        return [Error(str(error), hint=f"{NAME} = {{}}", id="nb_catalog.E001")]
    found: list[CheckMessage] = [_unknown(key) for key in unknown]
    for name in settings.known():
        try:
            getattr(settings, name)
        except InvalidSettings as error:
            found.append(Error(str(error), hint=_default_of(name), id="nb_catalog.E001"))
    return [*found, *_cards(), *_task_backend(), *_quotas(), *_budgets()]


def _unknown(key: str) -> CheckMessage:
    return Error(
        f"{NAME}: unknown key {key!r}.",
        hint=nearest(str(key), settings.known()).strip(),
        id="nb_catalog.E002",
    )


def _default_of(name: str) -> str:
    setting: Setting[Any] = getattr(Settings, name)
    default = setting.default() if callable(setting.default) else setting.default
    return f"The key may be left out; then it is {default!r}."


def _cards() -> Iterator[CheckMessage]:
    for model in or_nothing(lambda: settings.MODEL_SPECS):
        try:
            model_specs.spec_for(model)
        except InvalidSettings as error:
            yield Error(
                str(error),
                hint="Correct the card, or leave it out to use the shipped one.",
                id="nb_catalog.E003",
            )


def _task_backend() -> Iterator[CheckMessage]:
    alias = or_nothing(lambda: settings.TASK_BACKEND)
    known = {"default", *getattr(django_settings, "TASKS", {})}
    if alias and alias not in known:
        yield Error(
            f"{NAME}['TASK_BACKEND']: there is no task backend {alias!r}.",
            hint=nearest(alias, known).strip(),
            id="nb_catalog.E004",
        )


def _quotas() -> Iterator[CheckMessage]:
    for error in or_nothing(quotas.problems):
        yield Error(str(error), hint="See “Quotas” in docs/worker.md.", id="nb_catalog.E005")


def _budgets() -> Iterator[CheckMessage]:
    tiers = or_nothing(lambda: settings.TIERS)
    for tier in or_nothing(lambda: settings.TIER_DAILY_BUDGETS_USD):
        if tier not in tiers:
            yield Error(
                f"{NAME}['TIER_DAILY_BUDGETS_USD']: there is no tier {tier!r}.",
                hint=nearest(tier, tiers).strip(),
                id="nb_catalog.E006",
            )


def or_nothing(read: Callable[[], Any]) -> Any:
    """A setting, or nothing where it is wrong: check_settings says so, once."""
    try:
        return read()
    except InvalidSettings:
        return ()
