"""``manage.py nb_reconcile``: calls whose cost is unknown, and whether a provider's bill agrees.

A provider call goes by its number, a request for texts by its number after a "w", for words.
"""

import json
import re
from argparse import ArgumentTypeError
from decimal import Decimal, InvalidOperation
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from nb_catalog import billing
from nb_catalog.billing import paid_requests
from nb_catalog.exceptions import InvoiceUnreadable
from nb_catalog.management.output import table
from nb_catalog.models import TextCall
from nb_catalog.models.db.money import micros, usd

SHOWN = 100
# What a call's name begins with -> which calls these are, and how they are settled.
BOOKS = {
    "": (billing.unsettled_calls, billing.settle_manually),
    "w": (billing.unsettled_text_calls, billing.settle_text_calls_manually),
}


class Command(BaseCommand):
    help = (
        "List the calls that may have been charged and whose cost nobody knows, settle them by the "
        "provider's bill, and compare a bill with what is booked."
    )

    def add_arguments(self, parser):
        parser.add_argument("--bill", default="", help="A provider's bill: a CSV file.")
        parser.add_argument("--provider", default="", help="Whose bill it is: compare its calls.")
        parser.add_argument(
            "--zone", default="", help="Where the bill's days begin (Google's: Pacific time)."
        )
        parser.add_argument(
            "--column",
            action="append",
            default=[],
            metavar="WHAT=NAME",
            help="What a column is called: day=…, model=… or usd=….",
        )
        parser.add_argument(
            "--not-billed", nargs="+", type=_call, default=[], metavar="CALL",
            help="These calls are not on the bill: give back what is reserved for them.",
        )  # fmt: skip
        parser.add_argument(
            "--billed", nargs="+", type=_call, default=[], metavar="CALL",
            help="These calls are on the bill: book them as estimated, or at --usd each.",
        )  # fmt: skip
        parser.add_argument("--usd", default="", help="What each call of --billed cost.")
        parser.add_argument("--json", action="store_true", help="For programs.")

    def handle(self, *, bill, not_billed, billed, **options):
        if not_billed or billed:
            self._settle(not_billed, billed, usd_each=options["usd"])
        elif bill:
            self._compare(bill, options)
        else:
            self._list(as_json=options["json"])

    def _list(self, *, as_json):
        paid_requests.mark_lost()
        books = (billing.unsettled_calls().select_related("job"), billing.unsettled_text_calls())
        if as_json:
            plain = [_plain(call) for calls in books for call in calls]
            self.stdout.write(json.dumps(plain, indent=2, default=str))
            return
        count = sum(calls.count() for calls in books)
        if not count:
            self.stdout.write(_("No unsettled calls: the cost of every call is known."))
            return
        head = [
            _("call"),
            _("job"),
            _("sent (UTC)"),
            _("model"),
            _("what happened"),
            _("max. USD"),
        ]
        rows = [
            [_name_of(call), _job_of(call), f"{call.started_at:%Y-%m-%d %H:%M:%S}", call.model,
             call.error_code or call.outcome, str(usd(call.estimate_microusd))]
            for call in [call for calls in books for call in calls[:SHOWN]][:SHOWN]
        ]  # fmt: skip
        for line in table([head, *rows], right=(0, 1, 5)):
            self.stdout.write(line)
        if count > SHOWN:
            self.stdout.write(_("… and %d more.") % (count - SHOWN))
        self.stdout.write(
            ngettext(
                "%(count)d call may have cost up to %(usd)s USD.",
                "%(count)d calls may have cost up to %(usd)s USD.",
                count,
            )
            % {"count": count, "usd": usd(sum(billing.unsettled_total(calls) for calls in books))}
        )
        self.stdout.write(
            _("Check the provider's invoice, then run with --not-billed CALL … or --billed CALL …")
        )

    def _settle(self, not_billed, billed, *, usd_each):
        # Python callers may give numbers.
        not_billed, billed = [str(each) for each in not_billed], [str(each) for each in billed]
        if both := sorted(set(not_billed) & set(billed)):
            raise CommandError(
                _("These calls are given both as billed and as not billed: %s.") % ", ".join(both)
            )
        cost = _microusd(usd_each)
        if missing := sorted({*not_billed, *billed} - _open_names([*not_billed, *billed])):
            raise CommandError(
                _("These calls are not unsettled: %s. Nothing was changed.") % ", ".join(missing)
            )
        settled = 0
        for start, (_open, settle) in BOOKS.items():
            settled += settle(_keys(not_billed, start=start), cost_microusd=0)
            settled += settle(_keys(billed, start=start), cost_microusd=cost)
        self.stdout.write(ngettext("%d call settled.", "%d calls settled.", settled) % settled)

    def _compare(self, path, options):
        try:
            with Path(path).open(newline="", encoding="utf-8-sig") as file:
                bill = billing.parse_invoice(file, columns=_columns(options["column"]))
            zone = ZoneInfo(options["zone"]) if options["zone"] else None
            lines = billing.reconcile(bill, provider=options["provider"], zone=zone)
        except (OSError, UnicodeDecodeError, InvoiceUnreadable) as error:
            raise CommandError(_("%(path)s: %(error)s") % {"path": path, "error": error}) from error
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise CommandError(
                _("Unknown time zone %r; try America/Los_Angeles or UTC.") % options["zone"]
            ) from error
        if options["json"]:
            plain = [_compared(line) for line in lines]
            self.stdout.write(json.dumps(plain, indent=2, default=str))
        else:
            self._tell(lines, bill)

    def _tell(self, lines, bill):
        head = [_("day"), _("model"), _("calls"), _("invoiced"), _("recorded"), _("unknown (max.)"),
                _("difference"), ""]  # fmt: skip
        rows = [
            [str(line.day), line.model or _("(not ours)"), str(line.calls),
             f"{line.billed_usd:.4f}", f"{line.booked_usd:.4f}", f"{line.open_usd:.4f}",
             f"{line.difference_usd:+.4f}", "" if line.is_explained else _("check this")]
            for line in lines
        ]  # fmt: skip
        for line in table([head, *rows], right=(2, 3, 4, 5, 6)):
            self.stdout.write(line)
        if bill.names:
            self.stdout.write(_("Not one of our models: %s") % ", ".join(bill.names))
        wrong = sum(not line.is_explained for line in lines)
        self.stdout.write(
            ngettext(
                "%d row is not explained by recorded and unsettled calls.",
                "%d rows are not explained by recorded and unsettled calls.",
                wrong,
            )
            % wrong
            if wrong
            else _("The invoice agrees with the recorded and unsettled calls.")
        )


def _call(name):
    if not re.fullmatch(r"w?\d{1,18}", name):
        raise ArgumentTypeError(
            _("%r is not a call. Write it as listed, for example 4711 or w12.") % name
        )
    return name


def _name_of(call):
    return f"w{call.pk}" if isinstance(call, TextCall) else str(call.pk)


def _job_of(call):
    return "" if isinstance(call, TextCall) else str(call.job_id)


def _keys(names, *, start):
    """Numbers of those names that begin with ``start``; with "", of those that are numbers alone."""
    rest = (name.removeprefix(start) for name in names if name.startswith(start))
    return [int(each) for each in rest if each.isdecimal()]


def _open_names(names):
    return {
        f"{start}{key}"
        for start, (open_calls, _settle) in BOOKS.items()
        for key in open_calls()
        .filter(pk__in=_keys(names, start=start))
        .values_list("pk", flat=True)
    }


def _columns(given):
    columns = {}
    for each in given:
        what, equals, name = each.partition("=")
        if not equals or what not in {"day", "model", "usd"}:
            raise CommandError(
                _("--column %r: expected day=…, model=… or usd=…, followed by the column's name.")
                % each
            )
        columns[what] = name
    return columns


def _microusd(text):
    if not text:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount <= 1000:
        raise CommandError(_("--usd: %r is not a valid price per call. Write it as 0.0336.") % text)
    return micros(amount)


def _plain(call):
    words = isinstance(call, TextCall)
    return {
        "call": _name_of(call) if words else call.pk,
        "job": None if words else call.job_id,
        "sent": call.started_at,
        "provider": call.translator if words else call.provider,
        "model": call.model,
        "outcome": call.outcome,
        "error_code": call.error_code,
        "request_id": call.request_id,
        "at_most_usd": usd(call.estimate_microusd),
    }


def _compared(line):
    return {
        "day": line.day,
        "model": line.model,
        "calls": line.calls,
        "billed_usd": line.billed_usd,
        "booked_usd": line.booked_usd,
        "open_usd": line.open_usd,
        "difference_usd": line.difference_usd,
        "explained": line.is_explained,
    }
