"""A run's page: what of it succeeded, and for each failure only what can help."""

import gc
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import override

from nb_catalog.admin import requested
from nb_catalog.billing import budgets
from nb_catalog.core.specs import TextSpec
from nb_catalog.core.states import JobState
from nb_catalog.core.types import JobKind
from nb_catalog.exceptions import NBCatalogError, NoPicture, PictureMissing, StorageFailed
from nb_catalog.generation import failures
from nb_catalog.models.generic import content_type_of
from tests import factories

pytestmark = pytest.mark.django_db


def page_of(client, run, **headers):
    url = reverse("admin:nb_catalog_run_change", args=[run.pk])
    return client.get(url, **headers).content.decode()


def retry(client, run, **data):
    client.post(reverse("admin:nb_catalog_run_retry", args=[run.pk]), data)
    return sorted(run.jobs.filter(state=JobState.QUEUED).values_list("error_code", flat=True))


@pytest.fixture
def failed():
    """A run with one job for each kind of end."""
    run = factories.run()
    for state, code in (
        (JobState.SUCCEEDED, ""),
        (JobState.FAILED, "storage_failed"),
        (JobState.FAILED, "worker_died"),
        (JobState.FAILED, "no_picture"),
        (JobState.FAILED, "from_a_plug_in"),
        (JobState.FAILED, "picture_missing"),
        (JobState.REFUSED, "content_refused"),
        (JobState.CANCELLED, "made_meanwhile"),
        (JobState.CANCELLED, ""),
        (JobState.UNKNOWN, "outcome_unknown"),
    ):
        factories.job(of=run, state=state, error_code=code, error="It did not work.")
    return run


def test_each_button_queues_what_it_names(root, failed):
    page = page_of(root, failed)
    assert "Retry 4 failed" in page and "Queue 2 cancelled again" in page
    assert "2 would fail again" in page and "Retry all the same" in page
    once = ["from_a_plug_in", "no_picture", "storage_failed", "worker_died"]
    assert retry(root, failed, failed="1") == once
    page = page_of(root, failed)
    assert "Retry 4 failed" not in page and "Queue 2 cancelled again" in page
    assert retry(root, failed, cancelled="1") == sorted([*once, "", "made_meanwhile"])
    assert retry(root, failed, hopeless="1") == sorted(
        [*once, "", "made_meanwhile", "content_refused", "picture_missing"]
    )
    assert len(retry(root, failed, unknown="1")) == 9


def test_failures_are_grouped_by_cause_and_retried_by_cause(root, failed):
    factories.job(of=failed, state=JobState.FAILED, error_code="no_picture")
    page = page_of(root, failed)
    assert re.search(r"no usable picture. <span class=.quiet.>× 2<", page)
    assert page.count("Another attempt may succeed.") == 4
    assert not re.search(r'value="(refused:content_refused|failed:picture_missing|unknown:)', page)
    assert retry(root, failed, cause="failed:no_picture") == ["no_picture"] * 2
    assert retry(root, failed, cause="failed:picture_missing") == ["no_picture"] * 2
    assert retry(root, failed, cause="unknown:outcome_unknown") == ["no_picture"] * 2


def test_a_failed_job_is_shown_with_its_photo_and_leads_to_the_others(root):
    run, mug = factories.run(), factories.product(name="Chipped mug")
    for _ in range(7):
        factories.job(mug, of=run, state=JobState.FAILED, error_code="no_picture")
    factories.job(mug, of=run, state=JobState.FAILED, error_code="not_sent")
    page = page_of(root, run)
    assert f'<img src="{mug.packshot.url}" alt="" width="56"' in page
    [link] = re.findall(r'href="([^"]+)">and 2 more', page)
    listed = root.get(link.replace("&amp;", "&")).content.decode()
    assert listed.count('class="field-id"') == 7


def test_what_can_only_fail_again_has_no_plain_retry(root):
    run = factories.run()
    for _ in range(4):
        factories.job(of=run, state=JobState.FAILED, error_code="picture_missing")
    page = page_of(root, run)
    assert not re.search(r"Retry \d+ failed", page)
    assert "4 would fail again" in page


def test_hopeless_codes_follow_the_classes_of_errors():
    class PlugInFailed(NBCatalogError):
        code = "plug_in_failed"

    codes = failures.hopeless_codes()
    assert {"plug_in_failed", PictureMissing.code} <= set(codes)
    # Its class is gone before another test asks for all of them.
    del PlugInFailed
    gc.collect()
    assert "plug_in_failed" not in failures.hopeless_codes()
    assert codes and not {NoPicture.code, StorageFailed.code, "worker_died"} & set(codes)


def test_every_code_that_needs_advice_gets_it():
    for code in failures.hopeless_codes():
        job = factories.job(state=JobState.FAILED, error_code=code)
        assert requested.problem_of(job).advice, code
    assert not requested.problem_of(factories.job(state=JobState.FAILED, error_code="x")).advice


def test_each_failure_names_its_picture_and_the_way_out(root):
    factories.scene("oak", name="Oak table")
    run, mug = factories.run(), factories.product(name="Chipped mug")
    factories.layout("corner", name="Small corner")
    factories.job(
        mug, of=run, state=JobState.FAILED, error_code="picture_missing", error="No file.",
        asked=factories.spec(mug, scene="oak", size="2K", variant=3),
    )  # fmt: skip
    factories.job(
        mug, of=run, state=JobState.FAILED, error_code="text_does_not_fit", error="Too long.",
        asked=factories.spec(mug, base="b" * 64, layout="corner", locale="de"),
    )  # fmt: skip
    page = page_of(root, run)
    assert "Oak table · 4:5 · 2K · #3" in page and "Replace it, then plan" in page
    assert "Small corner · marble · Deutsch" in page
    query = f"?model=testcatalog.mug&amp;key={mug.pk}"
    assert f"/run/generate/{query}" in page and f"/run/texts/{query}" in page
    for link in re.findall(r'href="([^"]+/run/(?:generate|texts)/[^"]+)"', page):
        assert root.get(link.replace("&amp;", "&")).status_code == 200


def test_an_unreadable_spec_breaks_no_page(root):
    run = factories.run()
    job = factories.job(of=run, state=JobState.FAILED, error_code="spec_unreadable", error="Old.")
    job.spec = ["another", "version"]
    job.save()
    assert "Plan the picture again." in page_of(root, run)
    assert root.get(reverse("admin:nb_catalog_imagejob_changelist")).status_code == 200
    assert root.get(reverse("admin:nb_catalog_imagejob_change", args=[job.pk])).status_code == 200


def test_failures_cost_as_many_queries_as_one_does(root):
    def queries(number):
        run = factories.run()
        for _ in range(number):
            factories.job(of=run, state=JobState.FAILED, error_code="picture_missing")
        page_of(root, run)
        with CaptureQueriesContext(connection) as captured:
            page_of(root, run)
        return len(captured)

    queries(1)
    assert queries(1) == queries(7)


def test_progress_is_the_share_of_what_was_asked_that_succeeded(root):
    run = factories.run()
    mug = factories.product(photo=False)
    for number in range(36):
        state = JobState.SUCCEEDED if number < 13 else JobState.FAILED
        factories.job(mug, of=run, state=state)
    page = page_of(root, run)
    assert 'value="36"' in page and "36 %" in page and "100 %" not in page
    assert "Done: 13 of 36 pictures generated." in page and "nbc-done" in page


def test_a_run_of_texts_speaks_of_texts(root):
    deck = factories.deck(en={"headline": "Autumn"})
    run = factories.run(tier=budgets.TEXT)
    about = {"content_type": content_type_of(deck), "object_id": str(deck.pk)}
    for code in ("de", "fr"):
        spec = TextSpec(
            kind=JobKind.TRANSLATION, object_type="nb_catalog.copydeck", object_id=str(deck.pk),
            provider="local", model="echo", locales=(code,),
        )  # fmt: skip
        state = JobState.FAILED if code == "de" else JobState.SUCCEEDED
        factories.job(of=run, state=state, asked=None, kind=JobKind.TRANSLATION, error_code="no_text",
                      **{**about, "spec": spec.as_dict()})  # fmt: skip
    page = page_of(root, run)
    assert "Done: 1 of 2 texts received." in page
    assert "Translation · Deutsch" in page and "Retry 1 failed" in page
    content = page[page.index('id="nbc-run"') :]
    assert "picture" not in content.replace("nbc-to-review", "").lower()


@pytest.mark.parametrize("language", ["de", "fr"])
def test_errors_are_explained_in_the_language_of_the_reader(language):
    with override(language):
        job = factories.job(
            state=JobState.FAILED, error_code="picture_missing", error="No file x.png."
        )
        problem = requested.problem_of(job)
    assert problem.summary and problem.message == "No file x.png."
    with override("en"):
        assert requested.problem_of(job).summary == ""
