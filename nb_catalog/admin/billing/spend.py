"""The spending page: a chart by day, and bars by model, tier, scene and user."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog import billing
from nb_catalog.admin.base import ReadOnlyAdmin
from nb_catalog.admin.formatting import dollars, micro_dollars
from nb_catalog.billing.reports import SpendGroup
from nb_catalog.conf import settings
from nb_catalog.core.permissions import Action
from nb_catalog.models import DailyBudget
from nb_catalog.models.db.clock import database_now

DAYS: Final = 30
MAX_DAYS: Final = 366
# In SVG units; the page scales the chart.
WIDTH: Final = 900
HEIGHT: Final = 220
LABELS: Final = 8


class PeriodForm(forms.Form):
    """First and last day."""

    first = forms.DateField(label=_("From"), widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label=_("To"), widget=forms.DateInput(attrs={"type": "date"}))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and first > last:
            self.add_error("first", gettext("The first day is after the last."))
        elif first and last and (last - first).days >= MAX_DAYS:
            self.add_error("first", gettext("At most %d days at a time.") % MAX_DAYS)
        return cleaned


@dataclass(frozen=True, slots=True)
class Column:
    """One day of the chart, in SVG units. ``open_*`` is the stacked part for unknown costs.
    ``is_edge``: the first or last day, whose label also fits on a phone."""

    x: float
    width: float
    y: float
    height: float
    open_y: float
    open_height: float
    label: str
    tooltip: str
    is_edge: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """One table row with its bar, in percent of the longest."""

    name: str
    calls: int
    spent: str
    unknown: str
    percent: float
    open_percent: float


@admin.register(DailyBudget)
class DailyBudgetAdmin(ReadOnlyAdmin):
    view_action = Action.VIEW_SPENDING
    list_display = ("day", "spent", "reserved", "daily_budget")
    fields = list_display
    date_hierarchy = "day"

    def get_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "report/",
                self.report,
                name="report",
                action=Action.VIEW_SPENDING,
                api="spending_report",
            ),
            *super().get_urls(),
        ]

    @admin.display(description=_("spent"), ordering="spent_microusd")
    def spent(self, day: DailyBudget) -> str:
        return micro_dollars(day.spent_microusd)

    @admin.display(description=_("reserved"), ordering="reserved_microusd")
    def reserved(self, day: DailyBudget) -> str:
        return micro_dollars(day.reserved_microusd)

    @admin.display(description=_("daily budget"))
    def daily_budget(self, day: DailyBudget) -> str:
        limit = settings.DAILY_BUDGET_USD
        return gettext("none") if limit is None else dollars(limit)

    def report(self, request: HttpRequest) -> HttpResponse:
        today = database_now().date()
        default = {"first": today - timedelta(days=DAYS - 1), "last": today}
        form = PeriodForm(request.GET or default)
        if not form.is_valid():
            context = self.page_context(request, title=_("Spending"), form=form)
            return TemplateResponse(
                request, "admin/nb_catalog/dailybudget/report.html", context, status=400
            )
        report = billing.report(**form.cleaned_data)
        context = self.page_context(
            request,
            title=_("Spending"),
            form=form,
            report=report,
            spent=dollars(report.total.spent_usd),
            unknown=dollars(report.total.open_usd) if report.total.open_usd else "",
            each=None if report.usd_per_published is None else dollars(report.usd_per_published),
            chart={"width": WIDTH, "height": HEIGHT, "top": dollars(_largest(report.days))},
            columns=list(chart_columns(report.days)),
            tables=[
                (heading, list(_bars(groups)))
                for heading, groups in (
                    (_("By model"), report.models),
                    (_("By tier"), report.tiers),
                    (_("By scene"), report.scenes),
                    (_("By user"), report.users),
                )
            ],
            spent_days=list(_bars(day for day in report.days if day.calls)),
        )
        return TemplateResponse(request, "admin/nb_catalog/dailybudget/report.html", context)


def _largest(groups: Iterable[SpendGroup]) -> Decimal:
    return max((group.at_most_usd for group in groups), default=Decimal(0))


def chart_columns(days: tuple[SpendGroup, ...]) -> Iterator[Column]:
    """Yield a column per day. At most about ``LABELS`` of them have a label, the last day always."""
    largest = _largest(days) or Decimal(1)
    step = WIDTH / len(days)
    last = len(days) - 1
    every = -(-len(days) // LABELS)
    # No label so close to the last one that they would touch.
    labelled = {last, *range(0, max(1, last - every // 2), every)}
    for number, group in enumerate(days):
        height = float(group.spent_usd / largest) * HEIGHT
        above = float(group.open_usd / largest) * HEIGHT
        day = date_format(date.fromisoformat(group.name), "SHORT_DATE_FORMAT")
        tooltip = gettext("%(day)s: %(spent)s") % {"day": day, "spent": dollars(group.spent_usd)}
        if group.open_usd:
            tooltip += gettext(", plus up to %s of unknown cost") % dollars(group.open_usd)
        yield Column(
            x=round(number * step + step * 0.1, 2),
            width=round(step * 0.8, 2),
            y=round(HEIGHT - height, 2),
            height=round(height, 2),
            open_y=round(HEIGHT - height - above, 2),
            open_height=round(above, 2),
            label=day if number in labelled else "",
            tooltip=tooltip,
            is_edge=number in {0, len(days) - 1},
        )


def _bars(groups: Iterable[SpendGroup]) -> Iterator[Bar]:
    groups = list(groups)
    largest = _largest(groups) or Decimal(1)
    for group in groups:
        yield Bar(
            name=group.name or gettext("other"),
            calls=group.calls,
            spent=dollars(group.spent_usd),
            unknown=dollars(group.open_usd) if group.open_usd else "",
            percent=round(float(group.spent_usd / largest) * 100, 1),
            open_percent=round(float(group.open_usd / largest) * 100, 1),
        )
