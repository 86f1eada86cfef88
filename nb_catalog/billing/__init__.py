"""What was spent, what may have been spent, and whether a provider's bill says the same."""

from nb_catalog.billing.invoices import Comparison, Invoice, parse_invoice, reconcile
from nb_catalog.billing.reports import Report, report
from nb_catalog.billing.unsettled import settle_manually, unsettled_calls, unsettled_total
from nb_catalog.billing.unsettled_text import settle_text_calls_manually, unsettled_text_calls

__all__ = [
    "Comparison",
    "Invoice",
    "Report",
    "parse_invoice",
    "reconcile",
    "report",
    "settle_manually",
    "settle_text_calls_manually",
    "unsettled_calls",
    "unsettled_text_calls",
    "unsettled_total",
]
