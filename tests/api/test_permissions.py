"""Who may do what: the same permissions as in the admin."""

import pytest
from rest_framework.permissions import AllowAny

from nb_catalog.api.placements import PlacementViewSet
from nb_catalog.core.types import Permission
from tests import factories

LISTS = (
    "models/", "scenes/", "layouts/", "decks/", "runs/", "jobs/", "images/", "cutouts/", "placements/",
    "series/", "experiments/",
)  # fmt: skip
NEEDS = {
    "plans/": Permission.GENERATE,
    "plans/photos/": Permission.GENERATE,
    "plans/texts/": Permission.GENERATE,
    "plans/renewal/": Permission.GENERATE,
    "plans/experiments/": Permission.GENERATE,
    "experiments/": Permission.GENERATE,
    "runs/": Permission.GENERATE,
    "runs/photos/": Permission.GENERATE,
    "runs/texts/": Permission.GENERATE,
    "runs/renewal/": Permission.GENERATE,
    "runs/{run}/cancel/": Permission.GENERATE,
    "runs/{run}/retry/": Permission.GENERATE,
    "runs/{run}/resume/": Permission.GENERATE,
    "images/{image}/approve/": Permission.REVIEW,
    "images/{image}/reject/": Permission.REVIEW,
    "images/{image}/reconsider/": Permission.REVIEW,
    "images/{image}/retire/": Permission.REVIEW,
    "images/{image}/alt/": Permission.REVIEW,
    "images/{image}/alt/discard/": Permission.REVIEW,
    "images/{image}/publish/": Permission.PUBLISH,
    "images/{image}/set-text/": Permission.GENERATE,
    "images/{image}/escalate/": Permission.GENERATE,
    "images/{image}/publish-final/": Permission.PUBLISH,
    "images/{image}/read-text/": Permission.GENERATE,
    "images/{image}/adjust/": Permission.GENERATE,
    "images/{image}/plan-edit/": Permission.GENERATE,
    "images/{image}/edit/": Permission.GENERATE,
    "images/{image}/move-texts/": Permission.GENERATE,
    "placements/{placement}/withdraw/": Permission.PUBLISH,
    "placements/{placement}/roll-back/": Permission.PUBLISH,
    "placements/roll-back/": Permission.PUBLISH,
    "cutouts/confirm/": Permission.REVIEW,
    "cutouts/kind/": Permission.REVIEW,
    "cutouts/refuse/": Permission.REVIEW,
    "cutouts/{cutout}/undo/": Permission.REVIEW,
    "cutouts/{cutout}/solve/": Permission.REVIEW,
    "cutouts/cut-again/": Permission.GENERATE,
    "cutouts/request/": Permission.GENERATE,
    "decks/{deck}/texts/": "nb_catalog.change_copydeck",
    "decks/{deck}/accept/": "nb_catalog.change_copydeck",
}


def _address(path):
    placement = factories.published()
    return path.format(
        run=factories.run().pk,
        image=factories.image().pk,
        placement=placement.pk,
        deck=factories.deck().key,
        cutout=factories.cutout().pk,
    )  # fmt: skip


@pytest.mark.parametrize("path", LISTS)
def test_nobody_reads_without_logging_in(anybody, path):
    answer = anybody.get(path)
    assert answer.status_code in (401, 403)
    assert answer.json()["code"] == "not_authenticated"


@pytest.mark.parametrize("path", LISTS)
def test_staff_without_the_view_permission_read_nothing(api_as, path):
    others = () if path == "runs/" else Permission  # whoever may start a run may watch it
    answer = api_as(*others, views=False).get(path)
    assert answer.status_code == 403
    assert answer.json()["code"] == "permission_denied"


@pytest.mark.parametrize("path", LISTS)
def test_the_view_permission_is_enough_to_read(api_as, path):
    assert api_as().get(path).status_code == 200


@pytest.mark.parametrize(("path", "needed"), NEEDS.items())
def test_an_action_is_closed_to_everybody_without_its_permission(api_as, path, needed):
    others = [each for each in Permission if each != needed]
    assert api_as(*others).post(_address(path)).status_code == 403


@pytest.mark.parametrize(("path", "needed"), NEEDS.items())
def test_an_action_is_open_to_whoever_has_its_permission(api_as, path, needed):
    # An empty body is wrong for some of them, which is said after the permission was looked at.
    answer = api_as(needed).post(_address(path))
    assert answer.status_code not in (401, 403, 404, 405), answer.content


@pytest.mark.parametrize("path", list(NEEDS))
def test_no_action_answers_to_a_get(api_as, path):
    # Alternative texts are read where they are written.
    if path not in (*LISTS, "images/{image}/alt/"):
        assert api_as(*Permission).get(_address(path)).status_code == 405


def test_nobody_deletes(api_as):
    api = api_as(*Permission)
    image = factories.image()
    answer = api.client.delete(f"/api/catalog-images/images/{image.pk}/")
    assert answer.status_code in (403, 405)
    image.refresh_from_db()


def test_placements_are_public_where_the_host_says_so(anybody, settings):
    placement = factories.published()
    settings.NB_CATALOG = {**settings.NB_CATALOG, "API_PUBLIC_PLACEMENTS": True}
    assert anybody.get("placements/").json()["count"] == 1
    assert anybody.get(f"placements/{placement.pk}/").status_code == 200
    assert anybody.post(f"placements/{placement.pk}/withdraw/").status_code in (401, 403)
    assert anybody.get("images/").status_code in (401, 403)


def test_a_host_may_bring_its_own_permission_class(rf, db):
    class Open(PlacementViewSet):
        permission_classes = (AllowAny,)

    factories.published()
    answer = Open.as_view({"get": "list"})(rf.get("/"))
    assert answer.data["count"] == 1
