"""Whatever the admin can, the API can: every page and action of ours beside the operation that does it."""

import pytest
from django.contrib import admin

from tests.api import described

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

# The operations that do what a page does; actions of lists have a “!” before their names.
PAGES = {
    "copydeck_files": "deck_file",
    "copydeck_import": "deck_undo",
    "copydeck_propose": "deck_propose",
    "copydeck_sheet": "deck_download",
    "copydeck_table": "deck_download",
    "copydeck_workbook": "deck_download",
    "dailybudget_report": "spending_report",
    "experiment_close": "experiment_close",
    "experiment_picture": "experiment_picture",
    "experiment_plan": "plan_experiments",
    "experiment_result": "experiment_result",
    "experiment_use": "experiment_save_prompt",
    "experiment_vote": "experiment_votes",
    "gallerydelivery_decide": "gallery_delivery_decide",
    "photocutout_cut": "cutout_preview",
    "photocutout_decide": "cutout_confirm cutout_refuse cutout_kind cutout_cut_again cutout_undo",
    "photocutout_mask": "cutout_mask_picture",
    "photocutout_preview": "cutout_preview",
    "photocutout_save": "cutout_mask",
    "photocutout_scene": "cutout_preview",
    "photocutout_sheet": "cutout_list",
    "photocutout_solve": "cutout_solve",
    "photocutout!again_cutouts": "cutout_cut_again",
    "photocutout!as_shop_cutouts": "cutout_kind",
    "photocutout!confirm_cutouts": "cutout_confirm",
    "photocutout!full_frame_cutouts": "cutout_kind",
    "photocutout!lifestyle_cutouts": "cutout_kind",
    "photocutout!packshot_cutouts": "cutout_kind",
    "photocutout!undo_cutouts": "cutout_undo",
    "photocutout!unusable_cutouts": "cutout_refuse",
    "placement_renew": "run_renewal",
    "placement_roll_back": "placement_roll_back",
    "placement_withdraw": "placement_withdraw",
    "placement!export_pictures": "export_create",
    "productimage_alt": "image_alt image_alt_texts image_discard_alt",
    "productimage_cards": "image_list",
    "productimage_claims": "claim_create claim_renew claim_release",
    "productimage_decide": (
        "image_approve image_reject image_reconsider image_retire image_restore image_comment "
        "image_publish image_publish_final image_set_text image_read_text image_compare image_escalate"
    ),
    "productimage_edit": "image_plan_edit",
    "productimage_edit_adjust": "image_adjust",
    "productimage_edit_ask": "image_edit",
    "productimage_edit_texts": "image_move_texts",
    "productimage_edit_undo": "image_reject",
    "productimage_events": "image_events",
    "productimage_export": "export_create export_preview",
    "productimage_like": "image_history plan_create",
    "productimage_propose_alts": "image_propose_alt",
    "productimage_review": "image_list",
    "productimage_send": "decision_create decision_undo",
    "productimage!export_pictures": "export_create",
    "productimage!make_final": "run_finals",
    "productimage!publish_pictures": "publication_create",
    "providercall!billed": "provider_call_settle",
    "providercall!not_billed": "provider_call_settle",
    "providerpause!resume": "pause_destroy",
    "publication_cancel": "publication_cancel",
    "publication_moment": "placement_moment",
    "publication_progress": "publication_retrieve",
    "publication_publish": "publication_create",
    "publication_retry": "publication_retry",
    "publication_roll_back": "roll_back_create",
    "publication_schedule": "publication_schedule",
    "run_cancel": "run_cancel",
    "run_events": "run_events",
    "run_finals": "run_finals",
    "run_finals_plan": "plan_finals",
    "run_generate": "run_create",
    "run_photos": "run_photos",
    "run_photos_plan": "plan_photos",
    "run_plan": "plan_create",
    "run_progress": "run_progress",
    "run_resume": "run_resume",
    "run_retry": "run_retry",
    "run_sent": "plan_preview",
    "run_series": "series_run",
    "run_series_plan": "series_plan",
    "run_texts": "run_texts",
    "run_texts_plan": "plan_texts",
    "scene_export": "scene_file",
    "scene_import": "scene_import_file",
    "scene!export_selected": "scene_file",
    "series_anchor": "series_set_anchor",
    "series_decide": "series_approve series_publish series_roll_back",
    "series_events": "event_events",
    "series_products": "series_add series_remove",
    "series_sheet": "series_members",
    "series_variants": "series_variants series_add_variants",
    "webhookdelivery_resend": "webhook_delivery_resend",
    "webhookdelivery!resend": "webhook_delivery_resend",
    "webhookendpoint_rotate": "webhook_rotate",
    "webhookendpoint_test": "webhook_test",
    "webhookendpoint!switch_off": "webhook_partial_update",
    "webhookendpoint!switch_on": "webhook_partial_update",
    "webhookendpoint!test": "webhook_test",
}
# What the API does not have, and why.
WITHOUT = {
    "photocutout_photo": "the photo is the shop's own file",
    "productimage_edit_preview": "a picture of controls being moved; adjust/ is free and can be undone",
    "productimage_filters": "filters that a person has saved for the page; clients keep their own",
    "productimage_original": "a file; `url` of the picture is its address",
    "productimage_preview": "a file; `url` of the picture is its address",
    "scene_photo": "a file; scenes/file/ has it",
    "scene_preview": "a drawing of unsaved controls",
    "scene_swatch": "a drawing of the form",
    "scene_thumbnail": "a drawing of the list",
    "series_choose": "a form; add/ takes the products",
    "textlayout_preview": "a drawing of unsaved controls",
    "textlayout_thumbnail": "a drawing of the list",
}


def pages():
    """The names of our pages and of the actions of our lists, without what Django adds."""
    for model, model_admin in admin.site._registry.items():
        if model._meta.app_label != "nb_catalog":
            continue
        name = model._meta.model_name
        for pattern in model_admin.get_urls():
            page = (getattr(pattern, "name", None) or "").removeprefix("nb_catalog_")
            if page and page.removeprefix(f"{name}_") not in OF_DJANGO:
                yield page
        for each in model_admin.actions or ():
            yield f"{name}!{each if isinstance(each, str) else each.__name__}"


def operations():
    return {
        operation["operationId"]
        for methods in described.document()["paths"].values()
        for operation in methods.values()
    }


def test_every_page_and_action_of_the_admin_has_its_operation_or_a_reason():
    assert {*pages()} == {*PAGES, *WITHOUT}
    assert not PAGES.keys() & WITHOUT.keys()
    named = {each for names in PAGES.values() for each in names.split()}
    assert named <= operations()


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


@pytest.mark.django_db
def test_an_operation_that_is_taken_away_is_missed(monkeypatch):
    taken = operations() - {"pause_destroy"}
    monkeypatch.setattr(f"{__name__}.operations", lambda: taken)
    with pytest.raises(AssertionError):
        test_every_page_and_action_of_the_admin_has_its_operation_or_a_reason()
