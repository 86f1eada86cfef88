"""What was spent, what may have been spent, and whether a provider's invoice agrees."""

from nb_catalog.billing.invoices import Comparison, Invoice, parse_invoice, reconcile
from nb_catalog.billing.reports import Report, report
from nb_catalog.billing.unsettled import (
    settle_manually,
    unsettled_calls,
    unsettled_total,
)

__all__ = [
    "Comparison",
    "Invoice",
    "Report",
    "parse_invoice",
    "reconcile",
    "report",
    "settle_manually",
    "unsettled_calls",
    "unsettled_total",
]
