"""Plans: what a request stands for, what of it exists, what the rest costs. Writes nothing."""

from nb_catalog.plans.ask import plan_backgrounds, plan_texts
from nb_catalog.plans.plan import Item, ItemStatus, Plan, Summary
from nb_catalog.plans.sending import Sending, sendings

__all__ = [
    "Item",
    "ItemStatus",
    "Plan",
    "Sending",
    "Summary",
    "plan_backgrounds",
    "plan_texts",
    "sendings",
]
