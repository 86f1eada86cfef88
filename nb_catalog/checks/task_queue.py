"""The task queue: available, and not inside web requests if calls cost money."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import django
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Warning

from nb_catalog.checks.settings import or_nothing
from nb_catalog.checks.tiers import valid_tiers
from nb_catalog.conf import NAME, settings


def check_task_queue(**_options: Any) -> list[CheckMessage]:
    """Check that Celery is installed if it is selected, and that no paid calls run in web requests."""
    wake_up = or_nothing(lambda: settings.WAKE_UP)
    messages: list[CheckMessage] = []
    if wake_up == "celery" and find_spec("celery") is None:
        messages.append(
            Error(
                f"{NAME}['WAKE_UP'] is 'celery', which is not installed.",
                hint="pip install 'nb-catalog[celery]'",
                id="nb_catalog.E007",
            )
        )
    is_immediate = False
    if wake_up == "tasks" and any(not entry.model_spec.free for entry in valid_tiers()):
        backends = getattr(django_settings, "TASKS", None)
        if backends is None:
            # The default of Django 6. The backport has no default until it is installed.
            installed = django_settings.INSTALLED_APPS
            is_immediate = django.VERSION >= (6, 0) or "django_tasks" in installed
        else:
            backend = backends.get(or_nothing(lambda: settings.TASK_BACKEND) or "", {})
            is_immediate = str(backend.get("BACKEND", "")).endswith("ImmediateBackend")
    if is_immediate:
        messages.append(
            Warning(
                "Calls to paid models run inside web requests: "
                f"TASKS[{settings.TASK_BACKEND!r}] is the immediate backend.",
                hint=f"Run manage.py nb_worker and remove {NAME}['WAKE_UP'], or choose a backend"
                " with a queue.",
                id="nb_catalog.W005",
            )
        )
    return messages
