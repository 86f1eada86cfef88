"""Plan, price and start runs. A plan writes nothing; a run is a plan that was confirmed."""

from nb_catalog.generation.cutouts import request_cutouts
from nb_catalog.generation.edit_planning import (
    plan_adjustments,
    plan_edit,
    plan_moved_texts,
    preview_adjustments,
)
from nb_catalog.generation.edits import require_editable
from nb_catalog.generation.escalation_budget import (
    EscalationChoice,
    LeftOut,
    plan_escalations,
)
from nb_catalog.generation.escalation_policies import due_escalations
from nb_catalog.generation.experiments import plan_experiment, start_experiment
from nb_catalog.generation.plan import Item, ItemStatus, Plan, Summary
from nb_catalog.generation.planning import (
    plan_backgrounds,
    plan_escalation,
    plan_final_texts,
    plan_photos,
    plan_refresh,
    plan_replacement,
    plan_series,
    plan_series_texts,
    plan_texts,
    plan_trial,
)
from nb_catalog.generation.request_preview import RequestPreview, preview_requests
from nb_catalog.generation.run_notices import inform
from nb_catalog.generation.runs import cancel_run, resume_run, retry_run, start_run
from nb_catalog.generation.series_pictures import MemberPicture, member_pictures
from nb_catalog.generation.series_texts import MemberText, member_texts
from nb_catalog.generation.similar import SimilarPlan, similar_plan
from nb_catalog.generation.text_requests import request_translations

__all__ = [
    "EscalationChoice",
    "Item",
    "ItemStatus",
    "LeftOut",
    "MemberPicture",
    "MemberText",
    "Plan",
    "RequestPreview",
    "SimilarPlan",
    "Summary",
    "cancel_run",
    "due_escalations",
    "inform",
    "member_pictures",
    "member_texts",
    "plan_adjustments",
    "plan_backgrounds",
    "plan_edit",
    "plan_escalation",
    "plan_escalations",
    "plan_experiment",
    "plan_final_texts",
    "plan_moved_texts",
    "plan_photos",
    "plan_refresh",
    "plan_replacement",
    "plan_series",
    "plan_series_texts",
    "plan_texts",
    "plan_trial",
    "preview_adjustments",
    "preview_requests",
    "request_cutouts",
    "request_translations",
    "require_editable",
    "resume_run",
    "retry_run",
    "similar_plan",
    "start_experiment",
    "start_run",
]
