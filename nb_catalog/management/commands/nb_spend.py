"""``manage.py nb_spend``: spending per day, model, tier, scene and user, and per published picture."""

import json
from dataclasses import asdict
from datetime import date, timedelta

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from nb_catalog import billing
from nb_catalog.management.output import bar, table
from nb_catalog.models.db.clock import database_now

MOST_DAYS = 3660


class Command(BaseCommand):
    help = "Print spending as tables and bars, and the cost per published picture."

    def add_arguments(self, parser):
        parser.add_argument("--days", type=int, default=30, help="Number of days up to today (30).")
        parser.add_argument("--since", default="", help="First day, YYYY-MM-DD.")
        parser.add_argument("--until", default="", help="Last day, YYYY-MM-DD (today).")
        parser.add_argument("--json", action="store_true", help="Print JSON.")

    def handle(self, *, days, since, until, **options):
        last = _day(until, "--until") or database_now().date()
        first = _day(since, "--since") or last - timedelta(days=days - 1)
        if first > last:
            raise CommandError(
                _("The first day, %(first)s, is after the last day, %(last)s.")
                % {"first": first, "last": last}
            )
        if (last - first).days >= MOST_DAYS:
            raise CommandError(_("At most %d days at a time.") % MOST_DAYS)
        report = billing.report(first=first, last=last)
        if options["json"]:
            content = {**asdict(report), "usd_per_published": report.usd_per_published}
            self.stdout.write(json.dumps(content, indent=2, default=str))
        else:
            self.print_report(report)

    def print_report(self, report):
        self.stdout.write(
            _("%(first)s to %(last)s (UTC): %(spent)s USD for %(calls)d calls")
            % {
                "first": report.first,
                "last": report.last,
                "spent": report.total.spent_usd,
                "calls": report.total.calls,
            }  # fmt: skip
        )
        if report.total.open_usd:
            self.stdout.write(
                _("plus up to %s USD for calls of unknown cost; nb_reconcile lists them")
                % report.total.open_usd
            )
        price = report.usd_per_published
        self.stdout.write(
            _(
                "%(made)d pictures generated, %(rejected)d rejected, %(published)d published: "
                "%(each)s"
            )
            % {
                "made": report.made,
                "rejected": report.rejected,
                "published": report.published,
                "each": _("%.4f USD each") % price if price is not None else _("no price yet"),
            }  # fmt: skip
        )
        days = [day for day in report.days if day.calls]
        self.print_table(_("day"), days)
        for head, groups in ((_("model"), report.models), (_("tier"), report.tiers),
                            (_("scene"), report.scenes), (_("user"), report.users)):  # fmt: skip
            self.print_table(head, groups)

    def print_table(self, head, groups):
        if not groups:
            return
        most = max(group.at_most_usd for group in groups) or 1
        rows = [[head, _("calls"), _("USD"), _("unknown (max.)"), ""]]
        rows += [
            [
                group.name or _("other"),
                str(group.calls),
                f"{group.spent_usd:.4f}",
                f"{group.open_usd:.4f}" if group.open_usd else "",
                bar(float(group.spent_usd / most)),
            ]
            for group in groups
        ]
        self.stdout.write("")
        for line in table(rows, right=(1, 2, 3)):
            self.stdout.write(line)


def _day(text, option):
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CommandError(
            _("%(option)s: %(text)r is not a valid date. Write it as 2026-11-25.")
            % {"option": option, "text": text}
        ) from None
