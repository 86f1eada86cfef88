"""Plans: what a request stands for, what of it exists, what the rest costs. Writes nothing."""

from nb_catalog.plans.ask import plan_backgrounds
from nb_catalog.plans.ask_texts import plan_exact, plan_renewal, plan_texts
from nb_catalog.plans.plan import WANTED, Item, ItemStatus, Plan, Summary, blocks
from nb_catalog.plans.renewal import Renewal, Shown
from nb_catalog.plans.sending import Sending, sendings

__all__ = [
    "WANTED",
    "Item",
    "ItemStatus",
    "Plan",
    "Renewal",
    "Sending",
    "Shown",
    "Summary",
    "blocks",
    "plan_backgrounds",
    "plan_exact",
    "plan_renewal",
    "plan_texts",
    "sendings",
]
