"""``manage.py nb_reconcile``: list and settle calls of unknown cost, and check provider invoices."""

import json
from decimal import Decimal, InvalidOperation
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from nb_catalog import billing
from nb_catalog.exceptions import InvoiceUnreadable
from nb_catalog.management.output import table
from nb_catalog.models.db.money import micros, usd

SHOWN = 100


class Command(BaseCommand):
    help = (
        "List calls that may have been charged and whose cost is unknown, settle them against the "
        "provider's invoice, or compare an invoice with the recorded calls."
    )

    def add_arguments(self, parser):
        parser.add_argument("--bill", default="", help="A provider's invoice, as a CSV file.")
        parser.add_argument(
            "--provider", default="", help="Compare only the calls of this provider."
        )
        parser.add_argument(
            "--zone", default="", help="Time zone of the invoice's days (Google: Pacific time)."
        )
        parser.add_argument(
            "--column",
            action="append",
            default=[],
            metavar="WHAT=NAME",
            help="Name of a column: day=…, model=… or usd=….",
        )
        parser.add_argument(
            "--not-billed", nargs="+", type=int, default=[], metavar="CALL",
            help="Calls that are not on the invoice: release their reserved amounts.",
        )  # fmt: skip
        parser.add_argument(
            "--billed", nargs="+", type=int, default=[], metavar="CALL",
            help="Calls on the invoice: record them at their estimates, or at --usd each.",
        )  # fmt: skip
        parser.add_argument("--usd", default="", help="Actual cost of each call of --billed.")
        parser.add_argument("--json", action="store_true", help="Print JSON.")

    def handle(self, *, bill, not_billed, billed, **options):
        if not_billed or billed:
            self.settle(not_billed, billed, usd_each=options["usd"])
        elif bill:
            self.compare(bill, options)
        else:
            self.print_unsettled(as_json=options["json"])

    def print_unsettled(self, *, as_json):
        calls = billing.unsettled_calls()
        if as_json:
            content = [
                {
                    "call": call.pk,
                    "job": call.job_id,
                    "sent": call.started_at,
                    "provider": call.provider,
                    "model": call.model,
                    "outcome": call.outcome,
                    "error_code": call.error_code,
                    "request_id": call.request_id,
                    "at_most_usd": usd(call.estimate_microusd),
                }
                for call in calls
            ]
            self.stdout.write(json.dumps(content, indent=2, default=str))
            return
        count = calls.count()
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
            [str(call.pk), str(call.job_id or ""),
             f"{call.started_at:%Y-%m-%d %H:%M:%S}", call.model,
             call.error_code or call.outcome, str(usd(call.estimate_microusd))]
            for call in calls[:SHOWN]
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
            % {"count": count, "usd": usd(billing.unsettled_total(calls))}
        )
        self.stdout.write(
            _("Check the provider's invoice, then run with --not-billed CALL … or --billed CALL …")
        )

    def settle(self, not_billed, billed, *, usd_each):
        not_billed, billed = set(not_billed), set(billed)
        if both := sorted(not_billed & billed):
            raise CommandError(
                _("These calls are given both as billed and as not billed: %s.") % _listed(both)
            )
        cost = parse_price(usd_each)
        unsettled = billing.unsettled_calls().filter(pk__in=not_billed | billed)
        if missing := sorted((not_billed | billed) - set(unsettled.values_list("pk", flat=True))):
            raise CommandError(
                _("These calls are not unsettled: %s. Nothing was changed.") % _listed(missing)
            )
        settled = billing.settle_manually(not_billed, cost_microusd=0)
        settled += billing.settle_manually(billed, cost_microusd=cost)
        self.stdout.write(ngettext("%d call settled.", "%d calls settled.", settled) % settled)

    def compare(self, path, options):
        try:
            with Path(path).open(newline="", encoding="utf-8-sig") as file:
                invoice = billing.parse_invoice(file, columns=parse_columns(options["column"]))
            zone = ZoneInfo(options["zone"]) if options["zone"] else None
            rows = billing.reconcile(invoice, provider=options["provider"], zone=zone)
        except (OSError, UnicodeDecodeError, InvoiceUnreadable) as error:
            raise CommandError(_("%(path)s: %(error)s") % {"path": path, "error": error}) from error
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise CommandError(
                _("Unknown time zone %r; try America/Los_Angeles or UTC.") % options["zone"]
            ) from error
        if options["json"]:
            fields = ("day", "model", "calls", "billed_usd", "booked_usd", "open_usd",
                      "difference_usd")  # fmt: skip
            content = [
                {**{name: getattr(row, name) for name in fields}, "explained": row.is_explained}
                for row in rows
            ]
            self.stdout.write(json.dumps(content, indent=2, default=str))
        else:
            self.print_comparison(rows, invoice)

    def print_comparison(self, compared, invoice):
        head = [_("day"), _("model"), _("calls"), _("invoiced"), _("recorded"), _("unknown (max.)"),
                _("difference"), ""]  # fmt: skip
        rows = [
            [str(row.day), row.model or _("(not ours)"), str(row.calls),
             f"{row.billed_usd:.4f}", f"{row.booked_usd:.4f}", f"{row.open_usd:.4f}",
             f"{row.difference_usd:+.4f}", "" if row.is_explained else _("check this")]
            for row in compared
        ]  # fmt: skip
        for line in table([head, *rows], right=(2, 3, 4, 5, 6)):
            self.stdout.write(line)
        if invoice.names:
            self.stdout.write(_("Not one of our models: %s") % ", ".join(invoice.names))
        unexplained = sum(not row.is_explained for row in compared)
        self.stdout.write(
            ngettext(
                "%d row is not explained by recorded and unsettled calls.",
                "%d rows are not explained by recorded and unsettled calls.",
                unexplained,
            )
            % unexplained
            if unexplained
            else _("The invoice agrees with the recorded and unsettled calls.")
        )


def _listed(keys):
    return ", ".join(map(str, keys))


def parse_columns(options):
    columns = {}
    for each in options:
        what, equals, name = each.partition("=")
        if not equals or what not in {"day", "model", "usd"}:
            raise CommandError(
                _("--column %r: expected day=…, model=… or usd=…, followed by the column's name.")
                % each
            )
        columns[what] = name
    return columns


def parse_price(text):
    """Return micro-dollars, or None if ``text`` is empty. Raises ``CommandError``."""
    if not text:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or not 0 <= amount <= 1000:
        raise CommandError(_("--usd: %r is not a valid price per call. Write it as 0.0336.") % text)
    return micros(amount)
