"""What a person does about a pause."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog.models import ProviderPause
from nb_catalog.models.db.clock import database_now
from nb_catalog.ratelimit.pauses import UNTIL_A_PERSON_ACTS

_WHAT_TO_DO: Final[Mapping[str, Any]] = {
    "provider_stopped": _("Check the billing page of the provider account."),
    "account_blocked": _(
        "Follow the advice in the reason. Only a change to the provider account or its project helps."
    ),
    "model_unavailable": _(
        "Give the provider account access to the model, or choose another model in the settings, cancel the "
        "waiting jobs, and plan them again."
    ),
    "key_rejected": _("Correct the provider's API key in the settings and restart the workers."),
    "no_credentials": _("Add an API key for the provider to the settings and restart the workers."),
    "model_retired": _(
        "Choose another model in the settings, cancel the waiting jobs, and plan them again."
    ),
    "wrong_service": _("Correct the provider's base_url in the settings and restart the workers."),
    "page_instead": _(
        "Check what intercepts requests between this machine and the provider, such as a proxy or a "
        "sign-in page."
    ),
    "address_refused": _("Add the host to the provider's image_hosts and restart the workers."),
    "daily_quota_reached": _("The quota resets automatically at midnight Pacific time."),
}


def needs_person(pause: ProviderPause) -> bool:
    """Return whether ``pause`` lasts until somebody deletes it."""
    return pause.until - database_now() > UNTIL_A_PERSON_ACTS / 2


def what_to_do(pause: ProviderPause) -> str:
    """Return in sentences what mends the cause of ``pause``, and what happens until then."""
    advice = _WHAT_TO_DO.get(pause.cause, "")
    note = gettext(
        "Nothing is sent during this pause; jobs wait, and nothing is lost. Once the "
        "cause is fixed, delete the pause to resume work."
    )
    return f"{advice} {note}".strip()
