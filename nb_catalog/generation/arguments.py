"""Arguments of plans: rows by their keys, and values of choices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from django.db.models import TextChoices
from django.utils.translation import gettext as _

from nb_catalog.core.text import nearest
from nb_catalog.exceptions import PlanRefused
from nb_catalog.models import Scene, TextLayout

C = TypeVar("C", bound=TextChoices)
R = TypeVar("R", Scene, TextLayout)


def rows_named(model: type[R], selected: Sequence[str | R]) -> tuple[R, ...]:
    """Return the rows that ``selected`` names by their keys; rows stay as they are. One query, or none.

    Raises ``PlanRefused`` for a key that there is not, or that is named twice.
    """
    if not selected:
        return ()
    if model is Scene:
        none = _(
            "There are no scenes yet. Load the starter set: manage.py loaddata nb_catalog_scenes"
        )
        unknown, twice = _("There is no scene %(name)r."), _("The scene %(name)r is named twice.")
    else:
        none = _(
            "There are no layouts yet. Load the starter set: manage.py loaddata nb_catalog_layouts"
        )
        unknown, twice = _("There is no layout %(name)r."), _("The layout %(name)r is named twice.")
    known = {row.key: row for row in model._default_manager.all()}
    rows: list[R] = []
    for each in selected:
        if isinstance(each, model):
            rows.append(each)
        elif each in known:
            rows.append(known[each])
        elif not known:
            raise PlanRefused(none)
        else:
            raise PlanRefused(unknown % {"name": each} + nearest(str(each), known))
        if rows[-1] in rows[:-1]:
            raise PlanRefused(twice % {"name": rows[-1].key})
    return tuple(rows)


def choice_of(choices: type[C], value: str, *, name: str) -> C:
    """Return the choice that ``value`` is; errors call it ``name``. Raises ``PlanRefused`` if there is
    none."""
    try:
        return choices(value)
    except ValueError as error:
        raise PlanRefused(
            _("There is no %(what)s %(name)r.") % {"what": name, "name": value}
            + nearest(value, choices.values)
        ) from error
