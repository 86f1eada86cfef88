"""What wakes a worker: there, and not inside a web request where calls cost money."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any, Final

import django
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Warning

from nb_catalog.checks.settings import or_nothing
from nb_catalog.conf import NAME, settings
from nb_catalog.exceptions import InvalidSettings, RequestRefused
from nb_catalog.providers.tiers import tiers

IMMEDIATE: Final = "ImmediateBackend"


def check_task_queue(**_options: Any) -> list[CheckMessage]:
    """Celery where it is asked for, and no paid calls inside web requests."""
    return list(_checked(or_nothing(lambda: settings.WAKE_UP)))


def _checked(wake_up: str) -> Iterator[CheckMessage]:
    if wake_up == "celery" and find_spec("celery") is None:
        yield Error(
            f"{NAME}['WAKE_UP'] is 'celery', which is not installed.",
            hint="pip install 'nb-catalog[celery]'",
            id="nb_catalog.E007",
        )
    if wake_up == "tasks" and _is_immediate() and _anything_is_paid():
        yield Warning(
            f"Calls of paid models run inside web requests: TASKS[{settings.TASK_BACKEND!r}] is the"
            " immediate backend.",
            hint=f"Run manage.py nb_worker and set {NAME}['WAKE_UP'] = 'none', or choose a backend"
            " with a queue.",
            id="nb_catalog.W005",
        )


def _is_immediate() -> bool:
    given = getattr(django_settings, "TASKS", None)
    if given is None:
        # Django 6 falls back on it; the backport has no default of its own before it is installed.
        return django.VERSION >= (6, 0) or "django_tasks" in django_settings.INSTALLED_APPS
    backend = given.get(or_nothing(lambda: settings.TASK_BACKEND) or "", {})
    return str(backend.get("BACKEND", "")).endswith(IMMEDIATE)


def _anything_is_paid() -> bool:
    try:
        return any(not step.model_spec.free for step in tiers())
    except (InvalidSettings, RequestRefused):
        return False  # told elsewhere
