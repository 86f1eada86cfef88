"""Who may do what: one table for the admin and the API."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from nb_catalog.core.types import Permission

if TYPE_CHECKING:
    from django.db.models import Model


class Action(StrEnum):
    """What a person may do to the rows of this app."""

    VIEW_SCENES = "view_scenes"
    VIEW_LAYOUTS = "view_layouts"
    VIEW_DECKS = "view_decks"
    VIEW_RUNS = "view_runs"
    VIEW_JOBS = "view_jobs"
    VIEW_IMAGES = "view_images"
    VIEW_PLACEMENTS = "view_placements"
    VIEW_CUTOUTS = "view_cutouts"
    VIEW_SERIES = "view_series"
    VIEW_STATUS = "view_status"
    VIEW_PAUSES = "view_pauses"
    VIEW_BATCHES = "view_batches"
    VIEW_CALLS = "view_calls"
    VIEW_SPENDING = "view_spending"
    VIEW_SCENE_PICTURES = "view_scene_pictures"
    VIEW_LAYOUT_PICTURES = "view_layout_pictures"
    PREVIEW_SCENES = "preview_scenes"
    PREVIEW_LAYOUTS = "preview_layouts"
    READ_PROMPTS = "read_prompts"
    READ_SCENE_PROMPTS = "read_scene_prompts"
    CREATE_SCENES = "create_scenes"
    CHANGE_SCENES = "change_scenes"
    DELETE_SCENES = "delete_scenes"
    CREATE_LAYOUTS = "create_layouts"
    CHANGE_LAYOUTS = "change_layouts"
    DELETE_LAYOUTS = "delete_layouts"
    CREATE_DECKS = "create_decks"
    DELETE_DECKS = "delete_decks"
    WRITE_TEXTS = "write_texts"
    PROPOSE_TEXTS = "propose_texts"
    CREATE_SERIES = "create_series"
    CHANGE_SERIES = "change_series"
    DELETE_SERIES = "delete_series"
    PLAN = "plan"
    START_RUN = "start_run"
    CANCEL_RUN = "cancel_run"
    RETRY_RUN = "retry_run"
    RESUME_RUN = "resume_run"
    REVIEW = "review"
    COMMENT = "comment"
    PROPOSE_ALTS = "propose_alts"
    PUBLISH = "publish"
    UNPUBLISH = "unpublish"
    EXPORT = "export"
    REPLACE_TEXT = "replace_text"
    READ_TEXT = "read_text"
    COMPARE = "compare"
    ADJUST = "adjust"
    EDIT = "edit"
    PLAN_FINALS = "plan_finals"
    MAKE_FINAL = "make_final"
    RECONCILE = "reconcile"
    RESUME_PROVIDER = "resume_provider"
    DECIDE_CUTOUTS = "decide_cutouts"
    REQUEST_CUTOUTS = "request_cutouts"
    CUT_AGAIN = "cut_again"
    PLAN_EXPERIMENT = "plan_experiment"
    START_EXPERIMENT = "start_experiment"
    VOTE = "vote"
    CLOSE_EXPERIMENT = "close_experiment"
    SAVE_PROMPT = "save_prompt"
    VIEW_WEBHOOKS = "view_webhooks"
    CREATE_WEBHOOK = "create_webhook"
    CHANGE_WEBHOOK = "change_webhook"
    DELETE_WEBHOOK = "delete_webhook"


def _view(model: str) -> tuple[str, ...]:
    """Return the permissions to view a table of ours: as in Django's admin, to change it includes it."""
    return f"nb_catalog.view_{model}", f"nb_catalog.change_{model}"


_IMAGES, _PLACEMENTS = _view("productimage"), _view("placement")
_CUTOUTS, _CALLS = _view("photocutout"), _view("providercall")
_TEXTS = ("nb_catalog.change_copydeck",)

# One permission of each group is needed.
REQUIRED: Final[Mapping[Action, tuple[tuple[str, ...], ...]]] = MappingProxyType(
    {
        Action.VIEW_SCENES: (_view("scene"),),
        Action.VIEW_LAYOUTS: (_view("textlayout"),),
        Action.VIEW_DECKS: (_view("copydeck"),),
        # A user who may start a run may also watch it.
        Action.VIEW_RUNS: ((*_view("run"), Permission.GENERATE),),
        Action.VIEW_JOBS: (_view("imagejob"),),
        Action.VIEW_IMAGES: (_IMAGES,),
        Action.VIEW_PLACEMENTS: (_PLACEMENTS,),
        Action.VIEW_CUTOUTS: (_CUTOUTS,),
        Action.VIEW_SERIES: (_view("series"),),
        # Who may see work may see whether it goes on.
        Action.VIEW_STATUS: ((*_view("imagejob"), *_view("run"), Permission.GENERATE),),
        Action.VIEW_PAUSES: (_view("providerpause"),),
        Action.VIEW_BATCHES: (_view("providerbatch"),),
        Action.VIEW_CALLS: (_CALLS,),
        Action.VIEW_SPENDING: (_view("dailybudget"),),
        # Who may generate pictures chooses among them.
        Action.VIEW_SCENE_PICTURES: ((*_view("scene"), Permission.GENERATE),),
        Action.VIEW_LAYOUT_PICTURES: ((*_view("textlayout"), Permission.GENERATE),),
        Action.PREVIEW_SCENES: (("nb_catalog.add_scene", "nb_catalog.change_scene"),),
        Action.PREVIEW_LAYOUTS: (("nb_catalog.add_textlayout", "nb_catalog.change_textlayout"),),
        Action.READ_PROMPTS: ((Permission.GENERATE,),),
        Action.READ_SCENE_PROMPTS: ((Permission.GENERATE, "nb_catalog.change_scene"),),
        Action.CREATE_SCENES: (("nb_catalog.add_scene",),),
        Action.CHANGE_SCENES: (("nb_catalog.change_scene",),),
        Action.DELETE_SCENES: (("nb_catalog.delete_scene",),),
        Action.CREATE_LAYOUTS: (("nb_catalog.add_textlayout",),),
        Action.CHANGE_LAYOUTS: (("nb_catalog.change_textlayout",),),
        Action.DELETE_LAYOUTS: (("nb_catalog.delete_textlayout",),),
        Action.CREATE_DECKS: (("nb_catalog.add_copydeck",),),
        Action.DELETE_DECKS: (("nb_catalog.delete_copydeck",),),
        Action.WRITE_TEXTS: (_TEXTS,),
        Action.PROPOSE_TEXTS: (_TEXTS, (Permission.GENERATE,)),
        Action.CREATE_SERIES: (("nb_catalog.add_series",),),
        Action.CHANGE_SERIES: (("nb_catalog.change_series",),),
        Action.DELETE_SERIES: (("nb_catalog.delete_series",),),
        **dict.fromkeys(
            (
                Action.PLAN,
                Action.START_RUN,
                Action.CANCEL_RUN,
                Action.RETRY_RUN,
                Action.RESUME_RUN,
                Action.PLAN_EXPERIMENT,
                Action.START_EXPERIMENT,
                Action.CLOSE_EXPERIMENT,
            ),  # fmt: skip
            ((Permission.GENERATE,),),
        ),
        Action.REVIEW: (_IMAGES, (Permission.REVIEW,)),
        # All who work on pictures.
        Action.COMMENT: (
            _IMAGES,
            (Permission.REVIEW, Permission.PUBLISH, Permission.GENERATE),
        ),
        Action.PROPOSE_ALTS: (_IMAGES, (Permission.REVIEW,), (Permission.GENERATE,)),
        Action.PUBLISH: (_IMAGES, (Permission.PUBLISH,)),
        Action.UNPUBLISH: (_PLACEMENTS, (Permission.PUBLISH,)),
        # An export puts pictures before customers, elsewhere.
        Action.EXPORT: (_IMAGES, (Permission.PUBLISH,)),
        **dict.fromkeys(
            (
                Action.REPLACE_TEXT,
                Action.READ_TEXT,
                Action.COMPARE,
                Action.ADJUST,
                Action.EDIT,
                Action.PLAN_FINALS,
                Action.MAKE_FINAL,
            ),
            (_IMAGES, (Permission.GENERATE,)),
        ),
        Action.RECONCILE: (_CALLS, (Permission.RECONCILE,)),
        # To delete its pause.
        Action.RESUME_PROVIDER: (("nb_catalog.delete_providerpause",),),
        Action.DECIDE_CUTOUTS: (_CUTOUTS, (Permission.REVIEW,)),
        Action.REQUEST_CUTOUTS: ((Permission.GENERATE,),),
        Action.CUT_AGAIN: (_CUTOUTS, (Permission.GENERATE,)),
        # A vote decides about no picture.
        Action.VOTE: (_IMAGES,),
        Action.VIEW_WEBHOOKS: (_view("webhookendpoint"),),
        Action.CREATE_WEBHOOK: (("nb_catalog.add_webhookendpoint",),),
        # To send again, and to rotate the secret, too.
        Action.CHANGE_WEBHOOK: (("nb_catalog.change_webhookendpoint",),),
        Action.DELETE_WEBHOOK: (("nb_catalog.delete_webhookendpoint",),),
        Action.SAVE_PROMPT: (("nb_catalog.change_scene",), (Permission.GENERATE,)),
    }
)
# What costs money, and the scope of the host's throttles for it: models draw, or they read pictures.
COSTS: Final[Mapping[Action, str]] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                Action.START_RUN,
                Action.RETRY_RUN,
                Action.RESUME_RUN,
                Action.EDIT,
                Action.MAKE_FINAL,
                Action.START_EXPERIMENT,
                Action.PROPOSE_TEXTS,
            ),
            "nb_catalog_generate",
        ),
        **dict.fromkeys((Action.READ_TEXT, Action.COMPARE, Action.PROPOSE_ALTS), "nb_catalog_read"),
    }
)
# What is done to the rows of someone else takes one permission more.
_OF_OTHERS: Final[Mapping[Action, str]] = MappingProxyType(
    {
        Action.RESUME_RUN: "nb_catalog.change_run",
        Action.CLOSE_EXPERIMENT: "nb_catalog.change_experiment",
    }
)


def may(user: Any, action: Action, *, model: type[Model] | None = None, owner: Any = None) -> bool:
    """Return whether ``user`` may do ``action``.

    ``model`` is the host's model whose products are planned, or whose photos are shown or cut out: they
    must be visible to the user.
    ``owner`` is the key of the user who started the run or the experiment: only that user, or one who may
    change runs, changes its budget, and the same holds for closing experiments. What no user has started
    belongs to everyone who may start it.
    """
    if not all(any(map(user.has_perm, group)) for group in REQUIRED[action]):
        return False
    if model is not None and not may_view(user, model):
        return False
    if action in _OF_OTHERS and owner not in (None, user.pk):
        return bool(user.has_perm(_OF_OTHERS[action]))
    return True


def may_view(user: Any, model: type[Model]) -> bool:
    """Return whether ``user`` may view rows of the host's ``model``, by Django's own permissions."""
    options = model._meta
    names = (f"{verb}_{options.model_name}" for verb in ("view", "change"))
    return any(user.has_perm(f"{options.app_label}.{name}") for name in names)
