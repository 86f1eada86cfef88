"""Plans: what a request stands for, what of it exists, what the rest costs. Writes nothing."""

from nb_catalog.generation.plan import WANTED, Item, ItemStatus, Plan, Summary
from nb_catalog.generation.planning import plan_backgrounds
from nb_catalog.generation.planning_texts import plan_exact, plan_renewal, plan_texts
from nb_catalog.generation.refresh import Renewal, Shown
from nb_catalog.generation.request_preview import Sending, sendings

__all__ = [
    "WANTED",
    "Item",
    "ItemStatus",
    "Plan",
    "Renewal",
    "Sending",
    "Shown",
    "Summary",
    "plan_backgrounds",
    "plan_exact",
    "plan_renewal",
    "plan_texts",
    "sendings",
]
