"""What was spent, what may have been spent, and whether a provider's bill says the same."""

from nb_catalog.ledger.bills import Bill, Comparison, compare, read_bill
from nb_catalog.ledger.open_calls import open_calls, settle_by_hand, total_of
from nb_catalog.ledger.open_text_calls import open_text_calls, settle_text_calls_by_hand
from nb_catalog.ledger.spending import Report, report

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
