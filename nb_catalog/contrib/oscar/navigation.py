"""The entry of the dashboard's navigation. Imported by settings, so it needs nothing of the project."""

from __future__ import annotations

from typing import Any, Final

from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from nb_catalog.contrib.labels import with_waiting
from nb_catalog.core.permissions import Action, may

__all__ = ["NAVIGATION"]

SITE: Final = "nb_catalog_oscar"
_PAGES: Final = (
    # Counted when a menu is shown to somebody who sees the entry.
    (lazy(with_waiting, str)(_("Review pictures")), "productimage_review", Action.VIEW_IMAGES),
    (_("Series"), "series_changelist", Action.VIEW_SERIES),
    (_("Runs"), "run_changelist", Action.VIEW_RUNS),
    (_("Published pictures"), "placement_changelist", Action.VIEW_PLACEMENTS),
)
_ACTIONS: Final = {f"{SITE}:nb_catalog_{page}": action for _label, page, action in _PAGES}


def may_enter(user: Any) -> bool:
    """Return whether ``user`` may open the dashboard, by Oscar's own rule."""
    return bool(user.is_active and (user.is_staff or user.has_perm("partner.dashboard_access")))


def may_open(user: Any, url_name: str | None, *_arguments: Any) -> bool:
    """Return whether ``user`` sees an entry: ``access_fn`` of Oscar's navigation."""
    if not may_enter(user):
        return False
    if url_name in _ACTIONS:
        return may(user, _ACTIONS[url_name])
    return any(may(user, action) for action in _ACTIONS.values())


NAVIGATION: Final = [
    {
        "label": _("Catalog images"),
        "icon": "fas fa-images",
        "access_fn": may_open,
        "children": [
            {
                "label": _("Overview"),
                "url_name": f"{SITE}:app_list",
                "url_args": ["nb_catalog"],
                "access_fn": may_open,
            },
            *(
                {
                    "label": label,
                    "url_name": f"{SITE}:nb_catalog_{page}",
                    "access_fn": may_open,
                }
                for label, page, _action in _PAGES
            ),
        ],
    }
]
