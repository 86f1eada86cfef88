"""Compare a provider's invoice, as a CSV file, with the recorded calls."""

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

# The names of columns in the exports of Google Cloud, AI Studio and gateways.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "day": ("usage start date", "usage date", "date", "day", "start_time", "usage_start_time"),
    "model": ("sku description", "sku.description", "sku", "model", "description"),
    "usd": ("cost ($)", "subtotal ($)", "cost", "amount", "usd", "cost_usd", "total"),
}
OTHER: Final = ""


@dataclass(frozen=True, slots=True)
class Invoice:
    """(day, model) -> USD; an empty model stands for rows of no known model.

    ``names`` are the descriptions of those rows, for people to look at.
    """

    amounts: Mapping[tuple[date, str], Decimal]
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One day and model: what was invoiced, what is recorded, what may have been spent in addition."""

    day: date
    model: str
    billed_usd: Decimal
    booked_usd: Decimal
    open_usd: Decimal
    calls: int = 0

    @property
    def difference_usd(self) -> Decimal:
        """What was invoiced beyond what is recorded; negative if less was."""
        return self.billed_usd - self.booked_usd

    @property
    def is_explained(self) -> bool:
        """Whether the invoice is between what is recorded and what may have been spent, give or take a
        cent: invoices are rounded."""
        cent = Decimal("0.01")
        return -cent <= self.difference_usd <= self.open_usd + cent


@dataclass(slots=True)
class _Recorded:
    booked: int = 0
    reserved: int = 0
    calls: int = 0


def parse_invoice(file: TextIO, *, columns: Mapping[str, str] | None = None) -> Invoice:
    """Read an invoice from a CSV ``file`` with a header. ``columns`` maps ``day``, ``model`` and ``usd``
    to the file's column names, if they are not among ``COLUMNS``.

    Raises ``InvoiceUnreadable`` with the line and what was expected.
    """
    header = file.readline()
    file.seek(0)
    rows = csv.DictReader(file, delimiter=max(",;\t", key=header.count))
    by_name = {name.strip().lstrip("\ufeff").casefold(): name for name in rows.fieldnames or ()}
    names = {}
    for key, usual in COLUMNS.items():
        wanted = [columns[key]] if columns and key in columns else usual
        matches = [by_name[name.casefold()] for name in wanted if name.casefold() in by_name]
        if not matches:
            found = ", ".join(map(repr, rows.fieldnames or ())) or "no header"
            raise InvoiceUnreadable(
                f"The invoice has no column for the {key}: looked for {', '.join(map(repr, wanted))},"
                f" found {found}. Name it: --column {key}=…"
            )
        names[key] = matches[0]
    amounts: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
    others: set[str] = set()
    filled = []
    for row in rows:
        if not any((value or "").strip() for value in row.values() if isinstance(value, str)):
            continue
        filled.append((rows.line_num, row))
    sign = _decimal_sign([(line, row[names["usd"]] or "") for line, row in filled])
    for line, row in filled:
        description = (row[names["model"]] or "").strip()
        model = _find_model(description)
        if model == OTHER:
            others.add(description)
        amount = _parse_amount(row[names["usd"]], decimal_sign=sign, line=line)
        amounts[_parse_day(row[names["day"]], line=line), model] += amount
    if not amounts:
        raise InvoiceUnreadable("The invoice has a header but no rows.")
    return Invoice(dict(amounts), tuple(sorted(others)))


def _find_model(text: str) -> str:
    """Return the model whose id or name is in ``text``, the longest match; "" if there is none."""
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


def _digits(text: str) -> str:
    """Return an amount without its currency, spaces and apostrophes; commas and points stay."""
    plain = text.replace("$", "").replace("USD", "").replace("\N{MINUS SIGN}", "-")
    return "".join(
        sign
        for sign in plain
        if not sign.isspace() and sign not in "'\N{RIGHT SINGLE QUOTATION MARK}"
    )


def _decimal_sign(amounts: Sequence[tuple[int, str]]) -> str:
    """Return the sign before the decimals, by all ``amounts`` of a column with their lines.

    It is the last of two different signs, and a single one that cannot separate groups of three
    digits: "1.234,56", "12,5", "0,034". Without such an amount it is the point, as in Google's files.
    """
    evidence: dict[str, int] = {}
    for line, text in amounts:
        signs = [each for each in text if each in ",."]
        whole, _sign, decimals = _digits(text).lstrip("-").rpartition(signs[-1] if signs else ".")
        if len(set(signs)) == 2 or (len(signs) == 1 and (len(decimals) != 3 or whole in ("", "0"))):
            evidence.setdefault(signs[-1], line)
    if len(evidence) == 2:
        raise InvoiceUnreadable(
            f"The invoice writes decimals in two ways: with a point in line {evidence['.']}, with a comma in "
            f"line {evidence[',']}. Export it again with one of them."
        )
    return next(iter(evidence), ".")


def _parse_amount(text: str | None, *, decimal_sign: str, line: int) -> Decimal:
    plain = _digits(text or "").replace("," if decimal_sign == "." else ".", "")
    try:
        amount = Decimal(plain.replace(decimal_sign, "."))
    except InvalidOperation:
        raise InvoiceUnreadable(
            f"Line {line} of the invoice: {text!r} is not an amount in USD, such as 12.34."
        ) from None
    if not amount.is_finite():
        raise InvoiceUnreadable(f"Line {line} of the invoice: {text!r} is not an amount in USD.")
    return amount


def _parse_day(text: str | None, *, line: int) -> date:
    plain = (text or "").strip()
    for form in ("%Y-%m-%d", "%Y/%m/%d", "%m/%d/%Y", "%d.%m.%Y", "%Y%m%d"):
        try:
            return datetime.strptime(plain[:10], form).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    raise InvoiceUnreadable(
        f"Line {line} of the invoice: {text!r} is not a date, such as 2026-11-25."
    )


def reconcile(bill: Invoice, *, provider: str = "", zone: tzinfo | None = None) -> list[Comparison]:
    """Return each day and model of ``bill`` and of the recorded calls in its period, the oldest first.

    ``zone`` is where the provider's days begin, Google's by default. Raises ``InvoiceUnreadable``
    for a provider that nothing was ever sent to.
    """
    zone = zone or pacific()
    days = [day for day, _model in bill.amounts]
    calls = ProviderCall.objects.order_by().filter(
        started_at__gte=datetime.combine(min(days), time(0), tzinfo=zone),
        started_at__lt=datetime.combine(max(days) + timedelta(days=1), time(0), tzinfo=zone),
    )
    if provider:
        known = set(ProviderCall.objects.order_by().values_list("provider", flat=True).distinct())
        if provider not in known:
            raise InvoiceUnreadable(
                f"Nothing was ever sent to a provider {provider!r}.{nearest(provider, known)}"
            )
        calls = calls.filter(provider=provider)
    recorded: dict[tuple[date, str], _Recorded] = defaultdict(_Recorded)
    rows = calls.values_list("started_at", "model", "cost_microusd", "estimate_microusd")
    for started_at, model, cost, estimate in rows.iterator(chunk_size=5000):
        totals = recorded[started_at.astimezone(zone).date(), model]
        totals.calls += 1
        totals.booked += cost or 0
        totals.reserved += estimate if cost is None else 0
    return [
        Comparison(
            day=day,
            model=model,
            billed_usd=bill.amounts.get((day, model), Decimal(0)),
            booked_usd=usd(recorded[day, model].booked),
            open_usd=usd(recorded[day, model].reserved),
            calls=recorded[day, model].calls,
        )
        for day, model in sorted({*bill.amounts, *recorded})
    ]
