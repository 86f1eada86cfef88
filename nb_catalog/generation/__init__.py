"""Plan, price and start runs. A plan writes nothing; a run is a plan that was confirmed."""

from nb_catalog.generation.plan import WANTED, Item, ItemStatus, Plan, Summary
from nb_catalog.generation.planning import plan_backgrounds
from nb_catalog.generation.planning_texts import plan_refresh, plan_replacement, plan_texts
from nb_catalog.generation.refresh import PublishedText, RefreshPlanner
from nb_catalog.generation.request_preview import RequestPreview, preview_requests
from nb_catalog.generation.runs import cancel_run, resume_run, retry_run, start_run

__all__ = [
    "Item",
    "ItemStatus",
    "Plan",
    "PublishedText",
    "RefreshPlanner",
    "RequestPreview",
    "Summary",
    "WANTED",
    "cancel_run",
    "plan_backgrounds",
    "plan_refresh",
    "plan_replacement",
    "plan_texts",
    "preview_requests",
    "resume_run",
    "retry_run",
    "start_run",
]
