"""Moments: as people write them, and the one that pages are to show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Final

from django.conf import settings as django_settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from nb_catalog.exceptions import RequestRefused

# Of the two times that a clock shows twice, as the documentation of ``datetime.fold`` numbers them.
FOLDS: Final = (0, 1)

_moment: ContextVar[datetime | None] = ContextVar("nb_catalog_moment", default=None)


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """Have pages rendered in this context show what is published at ``moment``, an aware one.

    For previews: a moment that has passed is looked up in the history, one that is to come in what is
    scheduled. It takes some queries more than the present.
    """
    token = _moment.set(moment)
    try:
        yield
    finally:
        _moment.reset(token)


def current_moment() -> datetime | None:
    """Return the moment of the innermost ``at``; None for the present."""
    return _moment.get()


def parse_moment(text: str) -> datetime:
    """Return the moment of ``text``, such as "2026-11-29T14:00", which is in the shop's time zone without an
    offset.

    Raises ``RequestRefused`` for what is not a time, and for one that the clocks skip or show twice.
    """
    try:
        moment = parse_datetime(text.strip())
    except ValueError:
        moment = None
    if moment is None:
        raise RequestRefused(
            _("%(text)r is not a time. Write it as 2026-11-29T14:00, or with an offset.")
            % {"text": text[:40]}
        )
    return moment if timezone.is_aware(moment) else shop_moment(moment)


def shop_moment(naive: datetime) -> datetime:
    """Return the moment at which the clocks in the shop's ``TIME_ZONE`` show ``naive``.

    Raises ``RequestRefused`` if they never do, or do so twice, because they are changed then.
    """
    zone = timezone.get_default_timezone()
    offsets = {zone.utcoffset(naive.replace(fold=fold)) for fold in FOLDS}
    moment = naive.replace(tzinfo=zone)
    shown = {"time": f"{naive:%Y-%m-%d %H:%M}", "zone": django_settings.TIME_ZONE}
    if moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != naive:
        raise RequestRefused(
            _(
                "The clocks in %(zone)s never show %(time)s: they are put forward then. Choose a later time."
            )
            % shown
        )
    if len(offsets) > 1:
        raise RequestRefused(
            _(
                "The clocks in %(zone)s show %(time)s twice: they are put back then. Choose another time, or "
                "give it with its offset."
            )
            % shown
        )
    return moment
