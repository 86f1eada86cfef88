"""What was spent, what may have been spent, and whether a provider's bill says the same."""

from nb_catalog.billing.invoices import Bill, Comparison, compare, read_bill
from nb_catalog.billing.reports import Report, report
from nb_catalog.billing.unsettled import open_calls, settle_by_hand, total_of
from nb_catalog.billing.unsettled_text import open_text_calls, settle_text_calls_by_hand

__all__ = [
    "Bill",
    "Comparison",
    "Report",
    "compare",
    "open_calls",
    "open_text_calls",
    "read_bill",
    "report",
    "settle_by_hand",
    "settle_text_calls_by_hand",
    "total_of",
]
