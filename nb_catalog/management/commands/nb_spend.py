"""``manage.py nb_spend``: what was spent per day, model, tier, scene and user, and per published picture."""

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
    help = "Print what was spent, as tables and bars, and what a published picture came to."

    def add_arguments(self, parser):
        parser.add_argument("--days", type=int, default=30, help="So many days up to today (30).")
        parser.add_argument("--since", default="", help="The first day, YYYY-MM-DD.")
        parser.add_argument("--until", default="", help="The last day, YYYY-MM-DD (today).")
        parser.add_argument("--json", action="store_true", help="Everything, for programs.")

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
            self.stdout.write(json.dumps(_plain(report), indent=2, default=str))
        else:
            self._tell(report)

    def _tell(self, report):
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
        per = report.usd_per_published
        self.stdout.write(
            _(
                "%(made)d pictures generated, %(rejected)d rejected, %(published)d published: "
                "%(each)s"
            )
            % {
                "made": report.made,
                "rejected": report.rejected,
                "published": report.published,
                "each": _("%.4f USD each") % per if per is not None else _("no price yet"),
            }  # fmt: skip
        )
        spent = [line for line in report.days if line.calls]
        self._list(_("day"), spent)
        for head, lines in ((_("model"), report.models), (_("tier"), report.tiers),
                            (_("scene"), report.scenes), (_("user"), report.users)):  # fmt: skip
            self._list(head, lines)

    def _list(self, head, lines):
        if not lines:
            return
        most = max(line.at_most_usd for line in lines) or 1
        rows = [[head, _("calls"), _("USD"), _("unknown (max.)"), ""]]
        rows += [
            [
                line.name or _("other"),
                str(line.calls),
                f"{line.spent_usd:.4f}",
                f"{line.open_usd:.4f}" if line.open_usd else "",
                bar(float(line.spent_usd / most)),
            ]
            for line in lines
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


def _plain(report):
    per = report.usd_per_published
    return {**asdict(report), "usd_per_published": per}
