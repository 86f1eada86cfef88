"""Whatever the admin can, the API can: every page and action of ours beside the operation that does it."""

import re
from pathlib import Path

import pytest
from django.contrib import admin

from nb_catalog.admin import mixins
from nb_catalog.api.spending import StatusViewSet
from nb_catalog.api.urls import router
from nb_catalog.core.permissions import REQUIRED, Action
from tests.api import described

ADMIN = Path(mixins.__file__).parent
# Which texts of rows are shown, whatever the operation.
READ_IN_DETAIL = {Action.READ_PROMPTS}

# What Django adds for every model: the operations of ``ROWS`` have their counterparts.
OF_DJANGO = ("changelist", "add", "change", "delete", "history")
# The rows of a model: the resource in the API, and what may be written in the admin.
ROWS = {
    "copydeck": ("deck", "add change delete"),
    "dailybudget": ("spending", ""),
    "experiment": ("experiment", "add"),
    "gallerydelivery": ("gallery_delivery", ""),
    "imagejob": ("job", ""),
    "photocutout": ("cutout", ""),
    "placement": ("placement", ""),
    "productimage": ("image", ""),
    "providerbatch": ("batch", ""),
    "providercall": ("provider_call", ""),
    "providerpause": ("pause", "delete"),
    "publication": ("publication", ""),
    "run": ("run", ""),
    "scene": ("scene", "add change delete"),
    "series": ("series", "add change delete"),
    "textlayout": ("layout", "add change delete"),
    "webhookdelivery": ("webhook_delivery", ""),
    "webhookendpoint": ("webhook", "add change delete"),
}
VERBS = {"add": "create", "change": "partial_update", "delete": "destroy"}

# What a part of the form or the page of a row does, which is Django's.
OF_FORMS = {
    "deck_accept", "deck_discard", "deck_texts", "image_comments", "series_accept_successor",
    "series_adopt_scene", "series_take_sizes",
}  # fmt: skip
# What has no page of its own, and where people see it.
ONLY_IN_API = {
    "model_list": "the lists of products are the shop's",
    "model_retrieve": "the lists of products are the shop's",
    "status_status": "the index of the app",
}


def declared():
    """What our pages and the actions of our lists declare, by name; those of lists have a “!”."""
    found = {}
    for model, model_admin in admin.site._registry.items():
        is_ours, name = model._meta.app_label == "nb_catalog", model._meta.model_name
        for pattern in model_admin.get_urls() if is_ours else ():
            page = (getattr(pattern, "name", None) or "").removeprefix("nb_catalog_")
            if page and page.removeprefix(f"{name}_") not in OF_DJANGO:
                found[page] = getattr(pattern.callback, "declared", None)
        for each in model_admin.actions or ():
            function = getattr(model_admin, each) if isinstance(each, str) else each
            if is_ours or function.__module__ == mixins.__name__:
                found[f"{name}!{function.__name__}"] = getattr(function, "declared", None)
    return found


def operations():
    return {
        operation["operationId"]
        for methods in described.document()["paths"].values()
        for operation in methods.values()
    }


def test_every_page_and_action_of_the_admin_names_its_operation_or_says_why_there_is_none():
    silent = {
        name
        for name, each in declared().items()
        if each is None or bool(each.api) == bool(each.only_here)
    }
    assert silent == set()
    known = operations()
    assert {
        f"{name}: {operation}"
        for name, each in declared().items()
        for operation in each.api
        if operation not in known
    } == set()


def test_every_operation_of_the_api_is_a_page_or_part_of_one():
    of_rows = {
        f"{resource}_{verb}"
        for resource, writes in ROWS.values()
        for verb in ("list", "retrieve", *(VERBS[each] for each in writes.split()))
    }
    of_pages = {operation for each in declared().values() for operation in each.api}
    assert operations() - of_rows - of_pages == OF_FORMS | ONLY_IN_API.keys()


def test_neither_face_lacks_an_action_of_the_table():
    view_sets = {view for _prefix, view, _name in router.registry}
    in_api = {
        action
        for view in (*view_sets, StatusViewSet)
        for action in (view.read_permission, *view.action_permissions.values())
    }
    pages = {each.action for each in declared().values()}
    # What a page decides by, and what it shows of other rows.
    source = "".join(each.read_text() for each in ADMIN.rglob("*.py"))
    named = {each for each in Action if re.search(rf"\b(Action|Permitted)\.{each.name}\b", source)}
    assert set(Action) - in_api - READ_IN_DETAIL == set()
    of_django = {f"nb_catalog.{verb}_{name}" for name in ROWS for verb in ("view", *VERBS)}
    unnamed = {each for each in Action if each not in named}
    assert {each for each in unnamed if of_django.isdisjoint(*REQUIRED[each])} == set()
    assert pages <= named


def test_rows_of_the_admin_are_read_and_written_by_operations_of_the_same_rows(rf, admin_user):
    request = rf.get("/")
    request.user = admin_user
    shown = {
        model._meta.model_name: model_admin
        for model, model_admin in admin.site._registry.items()
        if model._meta.app_label == "nb_catalog"
    }
    assert shown.keys() == ROWS.keys()
    known = operations()
    for name, (resource, writes) in ROWS.items():
        allowed = {
            verb for verb in VERBS if getattr(shown[name], f"has_{verb}_permission")(request)
        }
        assert allowed == {*writes.split()}, name
        needed = {f"{resource}_{VERBS[verb]}" for verb in allowed}
        assert {f"{resource}_list", f"{resource}_retrieve", *needed} <= known, name


def test_an_operation_that_is_taken_away_is_missed(monkeypatch):
    taken = operations() - {"pause_destroy"}
    monkeypatch.setattr(f"{__name__}.operations", lambda: taken)
    with pytest.raises(AssertionError):
        test_every_page_and_action_of_the_admin_names_its_operation_or_says_why_there_is_none()
