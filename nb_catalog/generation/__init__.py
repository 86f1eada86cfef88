"""Plan, price and start runs. A plan writes nothing; a run is a plan that was confirmed."""

from nb_catalog.generation.plan import Item, ItemStatus, Plan, Summary
from nb_catalog.generation.planning import (
    plan_backgrounds,
    plan_refresh,
    plan_replacement,
    plan_texts,
)
from nb_catalog.generation.request_preview import RequestPreview, preview_requests
from nb_catalog.generation.runs import cancel_run, resume_run, retry_run, start_run

__all__ = [
    "Item",
    "ItemStatus",
    "Plan",
    "RequestPreview",
    "Summary",
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
