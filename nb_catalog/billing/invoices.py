"""A provider's bill, as a table in a CSV file, beside what is on record."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Final, TextIO

from nb_catalog.core.quotas import pacific
from nb_catalog.core.text import nearest
from nb_catalog.exceptions import InvoiceUnreadable
from nb_catalog.models import ProviderCall
from nb_catalog.models.db.money import usd
from nb_catalog.providers.model_specs import all_specs

# What columns are called in the exports that people have: Google Cloud's, AI Studio's, gateways'.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "day": ("usage start date", "usage date", "date", "day", "start_time", "usage_start_time"),
    "model": ("sku description", "sku.description", "sku", "model", "description"),
    "usd": ("cost ($)", "subtotal ($)", "cost", "amount", "usd", "cost_usd", "total"),
}
OTHER: Final = ""


@dataclass(frozen=True, slots=True)
class Invoice:
    """(day, model) -> USD; an empty model is what belongs to none that is known here.

    ``names`` are the descriptions of that rest, for people to look at.
    """

    amounts: Mapping[tuple[date, str], Decimal]
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One day and model: what the bill says, what is booked, what may have been spent beyond."""

    day: date
    model: str
    billed_usd: Decimal
    booked_usd: Decimal
    open_usd: Decimal
    calls: int = 0

    @property
    def difference_usd(self) -> Decimal:
        """What the bill says beyond what is booked; below zero when it says less."""
        return self.billed_usd - self.booked_usd

    @property
    def is_explained(self) -> bool:
        """Whether the bill lies between what is booked and what may have been spent. Bills are
        rounded to cents."""
        cent = Decimal("0.01")
        return -cent <= self.difference_usd <= self.open_usd + cent


@dataclass(slots=True)
class _Booked:
    booked: int = 0
    reserved: int = 0
    calls: int = 0


def parse_invoice(file: TextIO, *, columns: Mapping[str, str] | None = None) -> Invoice:
    """The bill in a CSV ``file`` with a header. ``columns`` names those that hold ``day``, ``model``
    and ``usd``, where they are not called as usual.

    Raises ``InvoiceUnreadable`` with the line and what was expected.
    """
    sample = file.read(4096)
    file.seek(0)
    rows = csv.DictReader(file, delimiter=_delimiter(sample))
    places = _column_indexes(rows.fieldnames or (), given=columns or {})
    amounts: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
    others: set[str] = set()
    for row in rows:
        if not any((value or "").strip() for value in row.values() if isinstance(value, str)):
            continue
        what = (row[places["model"]] or "").strip()
        model = _model_in(what)
        if model == OTHER:
            others.add(what)
        amount = _amount(row[places["usd"]], line=rows.line_num)
        amounts[_day(row[places["day"]], line=rows.line_num), model] += amount
    if not amounts:
        raise InvoiceUnreadable("The bill has a header and no lines.")
    return Invoice(dict(amounts), tuple(sorted(others)))


def _delimiter(sample: str) -> str:
    first = sample.splitlines()[0] if sample else ""
    return max(",;\t", key=first.count)


def _column_indexes(header: Sequence[str], *, given: Mapping[str, str]) -> dict[str, str]:
    names = {name.strip().lstrip("\ufeff").casefold(): name for name in header}
    places = {}
    for what, usual in COLUMNS.items():
        wanted = [given[what]] if what in given else usual
        found = next((names[each.casefold()] for each in wanted if each.casefold() in names), None)
        if found is None:
            raise InvoiceUnreadable(
                f"The bill has no column for the {what}: looked for {', '.join(map(repr, wanted))},"
                f" found {', '.join(map(repr, header)) or 'no header'}. Name it: --column {what}=…"
            )
        places[what] = found
    return places


def _model_in(text: str) -> str:
    """The model that a line's description is about: by its id or its name, the longest that fits."""
    plain = _normalized(text)
    fits = [
        (len(_normalized(name)), model_spec.id)
        for model_spec in all_specs().values()
        for name in (model_spec.id, model_spec.name)
        if _normalized(name) in plain
    ]
    return max(fits)[1] if fits else OTHER


def _normalized(text: str) -> str:
    return "".join(sign for sign in text.casefold() if sign.isalnum())


def _amount(text: str | None, *, line: int) -> Decimal:
    plain = (text or "").strip().replace("$", "").replace("USD", "").replace(" ", "")
    if "," in plain and "." not in plain:
        plain = plain.replace(",", ".")
    try:
        amount = Decimal(plain.replace(",", ""))
    except InvalidOperation:
        raise InvoiceUnreadable(
            f"Line {line} of the bill: {text!r} is no amount in USD, such as 12.34."
        ) from None
    if not amount.is_finite():
        raise InvoiceUnreadable(f"Line {line} of the bill: {text!r} is no amount in USD.")
    return amount


def _day(text: str | None, *, line: int) -> date:
    plain = (text or "").strip()
    for form in ("%Y-%m-%d", "%Y/%m/%d", "%m/%d/%Y", "%d.%m.%Y", "%Y%m%d"):
        try:
            return datetime.strptime(plain[:10], form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    raise InvoiceUnreadable(f"Line {line} of the bill: {text!r} is no date, such as 2026-11-25.")


def reconcile(bill: Invoice, *, provider: str = "", zone: tzinfo | None = None) -> list[Comparison]:
    """Each day and model of ``bill`` and of our calls in its time, the oldest first.

    ``zone`` is where the provider's days begin, Google's unless told. Raises ``InvoiceUnreadable``
    for a provider that nothing was ever sent to.
    """
    days = [day for day, _model in bill.amounts]
    ours = _booked(min(days), max(days), provider=provider, zone=zone or pacific())
    return [
        Comparison(
            day=day,
            model=model,
            billed_usd=bill.amounts.get((day, model), Decimal(0)),
            booked_usd=usd(ours[day, model].booked),
            open_usd=usd(ours[day, model].reserved),
            calls=ours[day, model].calls,
        )
        for day, model in sorted({*bill.amounts, *ours})
    ]


def _booked(
    first: date, last: date, *, provider: str, zone: tzinfo
) -> dict[tuple[date, str], _Booked]:
    calls = ProviderCall.objects.filter(
        started_at__gte=datetime.combine(first, time(0), tzinfo=zone),
        started_at__lt=datetime.combine(last + timedelta(days=1), time(0), tzinfo=zone),
    )
    if provider:
        known = set(ProviderCall.objects.order_by().values_list("provider", flat=True).distinct())
        if provider not in known:
            raise InvoiceUnreadable(
                f"Nothing was ever sent to a provider {provider!r}.{nearest(provider, known)}"
            )
        calls = calls.filter(provider=provider)
    sums: dict[tuple[date, str], _Booked] = defaultdict(_Booked)
    rows = calls.order_by().values_list("started_at", "model", "cost_microusd", "estimate_microusd")
    for started_at, model, cost, estimate in rows.iterator(chunk_size=5000):
        mine = sums[started_at.astimezone(zone).date(), model]
        mine.calls += 1
        mine.booked += cost or 0
        mine.reserved += estimate if cost is None else 0
    return sums
