"""Models that their service has said to be gone: known from calls, without asking anybody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Warning
from django.db import DatabaseError
from django.utils import timezone

from nb_catalog.checks.tiers import replacement
from nb_catalog.conf import NAME
from nb_catalog.exceptions import InvalidSettings, ModelRetired, RequestRefused
from nb_catalog.providers.tiers import Tier, tiers


def check_connectivity(
    databases: Iterable[str] | None = None, **_options: Any
) -> list[CheckMessage]:
    """Tiers whose model answered 404. Only where databases may be asked: ``check --database``."""
    return list(_gone(tiers())) if databases else []


def _gone(steps: Iterator[Tier]) -> Iterator[CheckMessage]:
    try:
        # Checks are registered before models can be imported.
        rows = apps.get_model("nb_catalog.ProviderPause").objects.filter(
            cause=ModelRetired.code, until__gt=timezone.now()
        )
        gone = set(rows.values_list("provider", "model"))
        for step in steps:
            if (step.provider, step.model) in gone:
                yield Warning(
                    f"{NAME}['TIERS'][{step.name!r}]: {step.provider} said that {step.model} is gone.",
                    hint=replacement(step.model_spec),
                    id="nb_catalog.W004",
                )
    except (InvalidSettings, RequestRefused, DatabaseError):
        return  # wrong settings are told elsewhere; before the first migrate there are no rows
