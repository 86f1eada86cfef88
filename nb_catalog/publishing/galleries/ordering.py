"""Room for a new row among the host's rows of one product, and the same room closed again.

Rows after the new one move on by one, each with an UPDATE of its own: a unique constraint over the order
must hold at every moment, and the host's ``save()`` has nothing to do with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Model, QuerySet


def order_for(
    orders: Mapping[Any, int],
    *,
    rank: tuple[int, ...],
    ours: Sequence[tuple[tuple[int, ...], Any]],
    first: bool,
) -> int:
    """Return the order of a new row among rows with ``orders``, by their keys.

    ``ours`` are the ranks and keys of delivered rows, between which it is put by its ``rank``. The first one
    comes before all others if ``first``, otherwise after them.
    """
    after = [orders[key] for other, key in ours if other > rank and key in orders]
    before = [orders[key] for other, key in ours if other < rank and key in orders]
    if after:
        return min(after)
    if before:
        return max(before) + 1
    if not orders:
        return 0
    return max(min(orders.values()) - 1, 0) if first else max(orders.values()) + 1


def read_orders(rows: QuerySet[Model], name: str) -> dict[Any, int]:
    """Return the order of each of ``rows``; those without one are left out."""
    return {key: order for key, order in rows.values_list("pk", name) if order is not None}


def make_room(rows: QuerySet[Model], name: str, *, at: int) -> bool:
    """Move those of ``rows`` on whose order is ``at`` or more, if one of them is ``at``; return whether."""
    orders = read_orders(rows, name)
    if at not in orders.values():
        return False
    write_orders(rows, name, {key: order + 1 for key, order in orders.items() if order >= at})
    return True


def write_orders(rows: QuerySet[Model], name: str, wanted: Mapping[Any, int]) -> None:
    """Give ``rows`` the ``wanted`` orders, by their keys, as far as they differ."""
    orders = read_orders(rows, name)
    changes = {key: order for key, order in wanted.items() if orders.get(key, order) != order}
    # Those that move on from the last one, those that move back from the first one.
    on = sorted(
        (key for key in changes if changes[key] > orders[key]), key=lambda key: -orders[key]
    )
    back = sorted((key for key in changes if changes[key] < orders[key]), key=orders.__getitem__)
    for key in (*on, *back):
        rows.filter(pk=key).update(**{name: changes[key]})
