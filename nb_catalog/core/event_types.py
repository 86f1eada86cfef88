"""What hosts are informed of: by signals, by webhooks and in a stream, from one table."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class EventType(TextChoices):
    RUN_ENDED = "run.ended", _("A run has ended")
    PICTURE_WAITING = "picture.waiting", _("A picture waits for review")
    PICTURE_DECIDED = "picture.decided", _("A picture was decided about")
    PICTURE_PUBLISHED = "picture.published", _("A picture was published")
    PICTURE_WITHDRAWN = "picture.withdrawn", _("A picture was withdrawn")
    PICTURE_STALE = "picture.stale", _("A published picture is out of date")
    BUDGET_REACHED = "budget.reached", _("A budget is reached, and a run paused")
    PROVIDER_PAUSED = "provider.paused", _("A provider is paused")


_PRODUCT: Final = ("model", "object")
_PLACE: Final = ("slot", "locale", "position")

# Of payloads. ``resource`` is the address below the API's prefix under which more is read.
FIELDS: Final[Mapping[EventType, tuple[str, ...]]] = MappingProxyType(
    {
        EventType.RUN_ENDED: ("run", "state", "cancelled", "counts", "resource"),
        EventType.PICTURE_WAITING: ("image", *_PRODUCT, "series", "resource"),
        EventType.PICTURE_DECIDED: (
            "image", "change", "state", "automatic", *_PRODUCT, "series", "resource",
        ),
        EventType.PICTURE_PUBLISHED: (
            "image", "before", "change", "automatic", *_PRODUCT, *_PLACE, "resource",
        ),
        EventType.PICTURE_WITHDRAWN: (
            "image", "change", "automatic", *_PRODUCT, *_PLACE, "resource",
        ),
        EventType.PICTURE_STALE: ("image", *_PRODUCT, *_PLACE, "resource"),
        EventType.BUDGET_REACHED: ("run", "reason", "resource"),
        EventType.PROVIDER_PAUSED: ("provider", "model", "until", "cause", "needs_person"),
    }
)  # fmt: skip
# These have no table of their own from which a stream could read them: each is a row of ``CatalogEvent``.
LOGGED: Final = frozenset(
    {
        EventType.RUN_ENDED,
        EventType.PICTURE_STALE,
        EventType.BUDGET_REACHED,
        EventType.PROVIDER_PAUSED,
    }
)
# In payloads named as in the API, in signals with "_id" behind them.
KEYS: Final = frozenset({"run", "image", "before", "object", "placement"})
