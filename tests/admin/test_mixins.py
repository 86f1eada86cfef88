import warnings
from contextlib import suppress

import pytest
from django.contrib import admin
from django.core.exceptions import FieldError
from django.db import connection
from django.db.models import Subquery
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from nb_catalog.admin import CatalogImagesMixin, RunAdmin
from nb_catalog.admin.generate.selection import BLOCK_SIZE, MAX_SELECTIONS, Selection
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Permission
from nb_catalog.models import ProductSelection, Run
from tests import factories
from tests.catalog.admin import MugAdmin, VaseAdmin
from tests.catalog.models import Mug, Poster, Unlisted, Vase

pytestmark = pytest.mark.django_db

MUGS = "admin:testcatalog_mug_changelist"
ACTION = "generate_catalog_pictures"


def actions_of(model, user, rf):
    request = rf.get("/")
    request.user = user
    return admin.site.get_model_admin(model).get_actions(request)


def press(client, url, keys, **more):
    data = {"action": ACTION, "_selected_action": keys, **more}
    return client.post(reverse(url), data)


def kept(client):
    """The user's selections, by token."""
    rows = ProductSelection.objects.filter(user=client.session["_auth_user_id"])
    return {row.token: {"label": row.label, "keys": row.keys} for row in rows}


def test_a_hosts_own_actions_stay_beside_ours(rf):
    offered = actions_of(Vase, factories.superuser(), rf)
    assert {"rename", ACTION} <= set(offered)
    assert VaseAdmin.actions == ["rename"]


def test_actions_that_are_switched_off_stay_off(rf):
    class Without(CatalogImagesMixin, admin.ModelAdmin):
        actions = None

    request = rf.get("/")
    request.user = factories.superuser()
    assert Without(Mug, admin.site).get_actions(request) == {}


def test_nothing_about_actions_is_deprecated(rf, root):
    factories.product()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert root.get(reverse(MUGS)).status_code == 200


@pytest.mark.parametrize("permission", [None, Permission.REVIEW, Permission.PUBLISH])
def test_staff_without_the_permission_are_not_offered_the_action(rf, permission):
    given = ("testcatalog.view_mug", *([permission] if permission else []))
    assert ACTION not in actions_of(Mug, factories.staff(*given), rf)


def test_staff_with_the_permission_are_offered_the_action(rf):
    user = factories.staff(Permission.GENERATE, "testcatalog.view_mug")
    assert ACTION in actions_of(Mug, user, rf)


def test_view_only_staff_who_send_the_action_start_nothing(sign_in):
    mug = factories.product()
    client = sign_in("testcatalog.view_mug")
    press(client, MUGS, [mug.pk])
    assert not ProductSelection.objects.exists()


def test_the_action_goes_on_to_the_generate_page_with_the_selection(root):
    mugs = [factories.product() for _ in range(3)]
    answer = press(root, MUGS, [mugs[0].pk, mugs[2].pk])
    (token,) = kept(root)
    assert answer.url == f"{reverse('admin:nb_catalog_run_generate')}?selection={token}"
    assert set(kept(root)[token]["keys"]) == {str(mugs[0].pk), str(mugs[2].pk)}


def test_selecting_across_pages_keeps_every_key(root):
    Mug.objects.bulk_create(Mug(name=f"Mug {n}") for n in range(250))
    first = Mug.objects.first()
    press(root, MUGS, [first.pk], select_across="1")
    (entry,) = kept(root).values()
    assert sorted(map(int, entry["keys"])) == sorted(Mug.objects.values_list("pk", flat=True))


def test_a_selection_respects_the_search(root):
    found, other = factories.product(name="Findable"), factories.product(name="Another")
    data = {"action": ACTION, "_selected_action": [found.pk], "select_across": "1"}
    root.post(f"{reverse(MUGS)}?q=Findable", data)
    (entry,) = kept(root).values()
    assert entry["keys"] == [str(found.pk)]
    assert str(other.pk) not in entry["keys"]


def test_uuid_keys_are_kept_as_text(root):
    poster = factories.poster()
    press(root, "admin:testcatalog_poster_changelist", [str(poster.pk)])
    (entry,) = kept(root).values()
    assert entry == {"label": Poster._meta.label_lower, "keys": [str(poster.pk)]}


def test_only_the_latest_selections_are_kept(root):
    mug = factories.product()
    for _ in range(MAX_SELECTIONS + 2):
        press(root, MUGS, [mug.pk])
    assert len(kept(root)) == MAX_SELECTIONS


def test_a_large_selection_is_read_in_blocks(root, django_assert_num_queries):
    Mug.objects.bulk_create(Mug(name=f"Mug {n}") for n in range(2 * BLOCK_SIZE + 10))
    keys = tuple(str(key) for key in Mug.objects.order_by("pk").values_list("pk", flat=True))
    chosen = Selection(token="", label="testcatalog.mug", keys=keys)
    with django_assert_num_queries(3):
        read = [str(mug.pk) for mug in chosen.products().prefetch_related().iterator()]
    assert read == list(keys)


@pytest.mark.parametrize("ways", [list, lambda rows: list(rows.iterator()), lambda rows: rows[:9]])
def test_a_selection_holds_what_was_selected_however_it_is_read(ways):
    mugs = [factories.product(photo=False) for _ in range(5)]
    rows = Selection(token="", label="testcatalog.mug", keys=(str(mugs[2].pk),)).products()
    assert ways(rows) == [mugs[2]]
    assert (len(rows), rows.count(), rows.exists(), bool(rows)) == (1, 1, True, True)
    assert rows[0] == mugs[2] and list(rows.all()) == [mugs[2]]
    for question in ("filter", "exclude", "get", "values_list", "update", "delete"):
        with pytest.raises(TypeError, match="cannot be filtered"):
            getattr(rows, question)(pk=1)
    assert Mug.objects.count() == 5


def test_nothing_built_on_a_selection_reads_what_was_not_selected():
    mugs = [factories.product(photo=False) for _ in range(5)]
    keys = (str(mugs[2].pk), str(mugs[1].pk))
    rows = Selection(token="", label="testcatalog.mug", keys=keys).products()
    assert (rows.first(), rows.last(), list(rows.none())) == (mugs[2], mugs[1], [])
    for question in (
        lambda: Mug.objects.filter(pk__in=rows),
        lambda: rows | Mug.objects.all(),
        lambda: rows.union(Mug.objects.all()),
        lambda: rows.order_by("-pk"),
        lambda: rows.reverse(),
        lambda: rows.distinct(),
    ):
        with pytest.raises(TypeError, match="cannot be filtered"):
            list(question())
    found = []
    with suppress(FieldError):  # Django 6.1 refuses it as well
        found = list(Mug.objects.filter(pk__in=Subquery(rows)))
    assert found == []


def test_ten_thousand_rows_fit_into_a_session_that_is_a_cookie(root, settings):
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    Mug.objects.bulk_create(Mug(name=f"Mug {n}") for n in range(10_000))
    root.force_login(factories.superuser("anna"))
    response = press(root, MUGS, [Mug.objects.first().pk], select_across="1")
    assert sum(len(cookie.OutputString()) for cookie in response.cookies.values()) < 4096
    assert "nb_catalog" not in str(root.session.items())
    assert len(ProductSelection.objects.get().keys) == 10_000


def test_deleted_objects_are_left_out_of_a_selection():
    mug = factories.product()
    chosen = Selection(token="", label="testcatalog.mug", keys=(str(mug.pk), "999999"))
    assert list(chosen.products().iterator()) == [mug]


def test_an_unregistered_model_is_told_what_to_write():
    class UnlistedAdmin(CatalogImagesMixin, admin.ModelAdmin):
        pass

    (problem,) = UnlistedAdmin(Unlisted, admin.site).check()
    assert problem.id == "nb_catalog.E101"
    assert "@nb_catalog.register(Unlisted)" in problem.hint


def test_a_site_without_our_pages_is_told_so():
    site = admin.AdminSite(name="other")
    (problem,) = MugAdmin(Mug, site).check()
    assert problem.id == "nb_catalog.E102"
    site.register(Run, RunAdmin)
    assert "Run," not in MugAdmin(Mug, site).check()[0].msg


def test_the_change_form_links_to_pictures_and_to_generating(root):
    mug = factories.product()
    page = root.get(reverse("admin:testcatalog_mug_change", args=[mug.pk])).content.decode()
    assert f"product={mug.pk}" in page
    assert f"{reverse('admin:nb_catalog_run_generate')}?model=testcatalog.mug" in page


def test_the_change_form_of_view_only_staff_has_no_link_to_generating(sign_in):
    mug = factories.product()
    client = sign_in("testcatalog.view_mug")
    page = client.get(reverse("admin:testcatalog_mug_change", args=[mug.pk])).content.decode()
    assert reverse("admin:nb_catalog_productimage_review") in page
    assert reverse("admin:nb_catalog_run_generate") not in page


def test_a_hosts_own_change_form_template_is_kept(rf):
    class Own(CatalogImagesMixin, admin.ModelAdmin):
        change_form_template = "admin/auth/user/change_password.html"

    base = Own(Mug, admin.site).change_form_base()
    assert base.template.name == "admin/auth/user/change_password.html"


def test_the_column_links_to_the_products_own_pictures(root):
    mug = factories.product()
    made = factories.image(mug)
    other = factories.image()
    link = MugAdmin(Mug, admin.site).catalog_pictures_url(mug)
    page = root.get(link).content.decode()
    assert f'id="picture-{made.pk}"' in page
    assert f'id="picture-{other.pk}"' not in page


def column_of(client, product):
    response = client.get(reverse(MUGS))
    changelist = response.context["cl"]
    row = next(each for each in changelist.result_list if each.pk == product.pk)
    return response, changelist.model_admin.catalog_pictures(row).replace("\N{NO-BREAK SPACE}", " ")


def test_the_list_of_products_shows_the_newest_picture_and_how_many_there_are(root):
    mug, other = factories.product(photo=False), factories.product(photo=False)
    for state in (ImageState.PENDING, ImageState.PENDING, ImageState.REJECTED):
        factories.image(mug, state=state)
    approved = factories.image(mug, state=ImageState.APPROVED)
    factories.image(mug)
    factories.image(other)
    _response, column = column_of(root, mug)
    assert "1 approved · 3 to review" in column and "published" not in column
    preview = reverse(
        "admin:nb_catalog_productimage_preview", args=[approved.pk, approved.sha256[:16], 320]
    )
    assert f'src="{preview}"' in column
    assert "1 to review" in column_of(root, other)[1]


def test_published_pictures_are_counted_by_their_places(root):
    mug = factories.product(photo=False)
    factories.published(mug, size=(20, 20))
    assert "1 published · 1 approved" in column_of(root, mug)[1]


def test_a_product_without_pictures_has_only_the_link(root):
    mug = factories.product(photo=False)
    _response, column = column_of(root, mug)
    assert column.endswith(">Pictures</a>") and "<img" not in column


def test_who_may_not_view_pictures_sees_neither_picture_nor_counts(sign_in):
    mug = factories.product(photo=False)
    factories.image(mug)
    client = sign_in("testcatalog.view_mug", views=False)
    _response, column = column_of(client, mug)
    assert "<img" not in column and "to review" not in column


def test_the_column_takes_a_constant_number_of_queries(root):
    def count():
        with CaptureQueriesContext(connection) as queries:
            root.get(reverse(MUGS))
        return len(queries)

    factories.image(factories.product(photo=False))
    count()
    few = count()
    for _number in range(5):
        factories.image(factories.product(photo=False), state=ImageState.APPROVED)
    assert count() == few


def test_the_column_is_shown_in_an_editable_list(root, monkeypatch):
    monkeypatch.setattr(MugAdmin, "list_editable", ("colour",))
    mug = factories.product(photo=False)
    factories.image(mug)
    response = root.get(reverse(MUGS))
    assert "1\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}review" in response.content.decode()
    assert response.context["cl"].formset is not None
