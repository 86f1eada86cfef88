"""Plans: what a request stands for, what of it exists, what the rest costs. Writes nothing."""

from nb_catalog.plans.ask import plan_backgrounds, plan_renewal, plan_texts
from nb_catalog.plans.plan import Item, ItemStatus, Plan, Summary, blocks
from nb_catalog.plans.renewal import Renewal, Shown
from nb_catalog.plans.sending import Sending, sendings

__all__ = [
    "Item",
    "ItemStatus",
    "Plan",
    "Renewal",
    "Sending",
    "Shown",
    "Summary",
    "blocks",
    "plan_backgrounds",
    "plan_renewal",
    "plan_texts",
    "sendings",
]
