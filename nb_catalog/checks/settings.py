"""The keys of ``NB_CATALOG`` and what hosts registered."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Warning

from nb_catalog.conf import NAME, Setting, Settings, accept, settings
from nb_catalog.core import quotas
from nb_catalog.core.channels import channels
from nb_catalog.core.text import nearest
from nb_catalog.exceptions import InvalidSettings
from nb_catalog.providers import model_specs
from nb_catalog.registry import registered


def check_settings(**_options: Any) -> list[CheckMessage]:
    """Check that every key of ``NB_CATALOG`` is known and has a valid value."""
    try:
        unknown = settings.unknown()
    except InvalidSettings as error:
        return [Error(str(error), hint=f"{NAME} = {{}}", id="nb_catalog.E001")]
    messages: list[CheckMessage] = [
        Error(
            f"{NAME}: unknown key {key!r}.",
            hint=nearest(str(key), settings.known()).strip(),
            id="nb_catalog.E002",
        )
        for key in unknown
    ]
    for name in settings.known():
        try:
            getattr(settings, name)
        except InvalidSettings as error:
            setting: Setting[Any] = getattr(Settings, name)
            default = setting.default() if callable(setting.default) else setting.default
            hint = f"The key is optional; its default is {default!r}."
            messages.append(Error(str(error), hint=hint, id="nb_catalog.E001"))
    return messages + check_references()


def check_references() -> list[CheckMessage]:
    """Check the values that name something: models, tiers, providers, task backends."""
    messages: list[CheckMessage] = []
    for model in or_nothing(lambda: settings.MODEL_SPECS):
        try:
            model_specs.spec_for(model)
        except InvalidSettings as error:
            hint = "Correct the entry, or remove it to use the shipped model spec."
            messages.append(Error(str(error), hint=hint, id="nb_catalog.E003"))
    if or_nothing(lambda: settings.CHANNELS):
        try:
            channels()
        except InvalidSettings as error:
            hint = "The rules of a channel are in docs/export.md."
            messages.append(Error(str(error), hint=hint, id="nb_catalog.E017"))
    alias = or_nothing(lambda: settings.TASK_BACKEND)
    backends = getattr(django_settings, "TASKS", None) or {"default"}
    uses_tasks = or_nothing(lambda: settings.WAKE_UP) in ("auto", "tasks")
    if alias and uses_tasks and alias not in backends:
        messages.append(
            Error(
                f"{NAME}['TASK_BACKEND']: there is no task backend {alias!r}.",
                hint=nearest(alias, backends).strip(),
                id="nb_catalog.E004",
            )
        )
    messages += [
        Error(str(error), hint="See “Quotas” in docs/worker.md.", id="nb_catalog.E005")
        for error in or_nothing(quotas.problems)
    ]
    tiers = or_nothing(lambda: settings.TIERS)
    messages += [
        Error(
            f"{NAME}['TIER_DAILY_BUDGETS_USD']: there is no tier {tier!r}.",
            hint=nearest(tier, tiers).strip(),
            id="nb_catalog.E006",
        )
        for tier in or_nothing(lambda: settings.TIER_DAILY_BUDGETS_USD)
        if tier not in tiers
    ]
    messages += [
        Warning(
            f"{NAME}['WEBHOOKS']['ALLOWED_NETWORKS']: {network} is every address. Whoever may add a webhook "
            "endpoint can reach all that this machine can.",
            hint="Name the networks of your receivers, such as '10.0.3.0/24'.",
            id="nb_catalog.W210",
        )
        for network in or_nothing(lambda: settings.WEBHOOKS["ALLOWED_NETWORKS"])
        if network.prefixlen == 0
    ]
    return messages + check_policies(tiers)


def check_policies(tiers: Collection[str]) -> list[CheckMessage]:
    """Check that ``ESCALATION`` names slots, sizes and a tier that exist."""
    policy = or_nothing(lambda: settings.ESCALATION)
    if not policy or policy == accept.ESCALATION:
        return []
    slots = {slot for source in registered().values() for slot in source.slot_table}
    wrong = [
        (f"['SLOTS']: no registered model has a slot {slot!r}.", nearest(slot, slots))
        for slot in policy["SLOTS"]
        if slot not in slots
    ]
    wrong += [
        (f"['SLOTS'][{slot!r}]: there is no size {size!r}.", nearest(size, model_specs.SIZES))
        for slot, size in policy["SLOTS"].items()
        if size not in model_specs.SIZES
    ]
    if policy["TIER"] not in tiers:
        text = f"['TIER']: there is no tier {policy['TIER']!r}."
        wrong.append((text, nearest(policy["TIER"], tiers)))
    return [
        Error(f"{NAME}['ESCALATION']{text}", hint=hint.strip(), id="nb_catalog.E009")
        for text, hint in wrong
    ]


def check_time_zones(**_options: Any) -> list[CheckMessage]:
    """Check that times are stored with their zone: workers compare those of the database with their own."""
    if django_settings.USE_TZ:
        return []
    return [
        Error(
            "USE_TZ is False: leases, quotas and daily budgets need times that mean the same to the web "
            "server, every worker and the database.",
            hint="USE_TZ = True. Convert stored times of your own tables as Django's documentation of time "
            "zones describes; TIME_ZONE stays as it is.",
            id="nb_catalog.E008",
        )
    ]


def check_registry(**_options: Any) -> list[CheckMessage]:
    """Check that the fields that catalog sources name exist."""
    return [
        Error(what, hint=instead, obj=type(source), id="nb_catalog.E030")
        for source in registered().values()
        for what, instead in source.problems()
    ]


def or_nothing(read: Callable[[], Any]) -> Any:
    """Return a setting, or () if it is invalid: ``check_settings`` reports that once."""
    try:
        return read()
    except InvalidSettings:
        return ()
