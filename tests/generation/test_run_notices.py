"""The person who started a run gets an e-mail when it has ended or pauses: once, and to nobody else."""

import logging
from datetime import timedelta
from io import BytesIO

import django
import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import translation
from PIL import Image

from nb_catalog import generation
from nb_catalog.generation import run_notices, runs
from nb_catalog.generation.run_notices import send_due
from nb_catalog.imaging.provenance import read_mark
from nb_catalog.models import ImageJob, RunNotice
from nb_catalog.models.db.clock import database_now
from nb_catalog.publishing import upkeep
from tests import factories

pytestmark = pytest.mark.django_db

URL = "https://shop.example/admin/nb_catalog/run/7/change/"


class BrokenBackend(EmailBackend):
    """A mail server that refuses everything."""

    def send_messages(self, messages):
        raise ConnectionRefusedError("person@shop.example may not send")


BROKEN = f"{__name__}.BrokenBackend"
WORKING = "django.core.mail.backends.locmem.EmailBackend"


def send_by(settings, backend):
    if django.VERSION >= (6, 1):
        settings.MAILERS = {"default": {"BACKEND": backend}}
    else:
        settings.EMAIL_BACKEND = backend


@pytest.fixture(autouse=True)
def notify(settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "NOTIFY": {"EMAIL": "ask", "FROM": "pictures@shop.example"},
    }


@pytest.fixture
def person():
    user = factories.superuser("ada")
    user.email = "ada@shop.example"
    user.save()
    return user


def ended(actor, *, made=1, failed=0, code="no_picture"):
    """A run that has ended, with pictures."""
    run = factories.run(title="Mugs: Marble", actor=actor)
    mug = factories.product(name="Stoneware mug")
    for _ in range(made):
        job = factories.job(mug, of=run, state="succeeded")
        factories.image(mug, job=job, size=(40, 50))
    for _ in range(failed):
        factories.job(mug, of=run, state="failed", error_code=code)
    return run


def look_again(run):
    """Have the notice of ``run`` looked at now."""
    RunNotice.objects.filter(run=run).exclude(due_at=None).update(due_at=database_now())


def parts_of(message):
    """The parts of an e-mail as it goes out, by type."""
    return {part.get_content_type(): part for part in message.message().walk()}


def test_an_e_mail_is_sent_once_when_the_last_job_has_ended(person):
    run = ended(person)
    job = factories.job(of=run)
    assert generation.inform(run, url=URL)
    assert send_due() == 0 and mail.outbox == []
    ImageJob.objects.filter(pk=job.pk).update(
        state="failed", live_key=None, error_code="cutout_refused"
    )
    look_again(run)
    assert send_due() == 1
    look_again(run)
    assert send_due() == 0
    [message] = mail.outbox
    assert message.to == ["ada@shop.example"] and message.from_email == "pictures@shop.example"
    assert message.subject == f"✓ 1 of 2 · Run {run.pk}: Mugs: Marble"
    assert "1 of 2 pictures are made." in message.body and URL in message.body
    assert (
        "1 picture: The product cannot be separated from its background. The same photo"
        in message.body
    )
    assert "* Stoneware mug, marble" in message.body
    assert message.extra_headers["Auto-Submitted"] == "auto-generated"
    notice = RunNotice.objects.get()
    assert (notice.informed_of, notice.due_at, notice.tries) == ("ended", None, 0)
    assert notice.sent_at is not None


def test_the_contact_sheet_is_in_the_html_with_an_alternative_text(person):
    run = ended(person, made=5)
    generation.inform(run, url=URL)
    send_due()
    parts = parts_of(mail.outbox[0])
    html = parts["text/html"].get_content() if hasattr(parts["text/html"], "get_content") else (
        parts["text/html"].get_payload(decode=True).decode()
    )  # fmt: skip
    sheet = parts["image/jpeg"]
    assert f'src="cid:{sheet["Content-ID"].strip("<>")}"' in html
    assert 'alt="Contact sheet: Stoneware mug, marble; Stoneware mug' in html
    assert f'<a href="{URL}">' in html and '<html lang="en"' in html
    data = sheet.get_payload(decode=True)
    picture = Image.open(BytesIO(data))
    assert picture.size == (8 + 4 * 148, 8 + 2 * 148)
    # The pictures are said to be made with a model, and so is the sheet.
    assert read_mark(data) == "compositeWithTrainedAlgorithmicMedia"


def test_pictures_are_for_those_who_may_view_them(person, settings):
    runner = factories.staff("nb_catalog.view_run", views=False)
    runner.email = "bob@shop.example"
    runner.save()
    generation.inform(ended(runner), url=URL)
    send_due()
    [message] = mail.outbox
    assert "image/jpeg" not in parts_of(message) and "Stoneware" not in message.body
    settings.NB_CATALOG["NOTIFY"]["PICTURES"] = 0
    generation.inform(ended(person), url=URL)
    send_due()
    assert "image/jpeg" not in parts_of(mail.outbox[1])


def test_it_is_in_the_language_of_the_person(person):
    with translation.override("de"):
        generation.inform(ended(person, failed=2), url=URL)
    send_due()
    [message] = mail.outbox
    assert message.subject.startswith("✓ 1 von 3 · Lauf")
    assert "1 von 3 Bildern" in message.body and "2 Bilder: " in message.body


def test_a_pause_and_the_end_are_two_e_mails(person):
    run = ended(person)
    job = factories.job(of=run)
    run.paused_reason = "run_budget"
    run.save()
    generation.inform(run, url=URL)
    assert send_due() == 1
    look_again(run)
    assert send_due() == 0
    assert "budget is used up" in mail.outbox[0].body and mail.outbox[0].subject.startswith(
        "‖ 1 of 2"
    )
    runs.resume_run(run, budget_usd=None)
    ImageJob.objects.filter(pk=job.pk).update(state="succeeded", live_key=None)
    assert send_due() == 1 and "has ended" in mail.outbox[1].body
    # Retried by a person, it ends once more.
    ImageJob.objects.filter(pk=job.pk).update(state="failed", error_code="no_picture")
    run.refresh_from_db()
    assert runs.retry_run(run) == 1
    assert send_due() == 0
    ImageJob.objects.filter(pk=job.pk).update(state="cancelled", live_key=None)
    look_again(run)
    assert send_due() == 1 and "1 picture was cancelled." in mail.outbox[2].body


def test_a_mail_server_that_fails_is_tried_again_and_given_up(person, settings, caplog):
    send_by(settings, BROKEN)
    run = ended(person)
    generation.inform(run, url=URL)
    waits = []
    with caplog.at_level(logging.WARNING):
        for _ in range(run_notices.MAX_TRIES):
            upkeep.run_notices.send_due()
            notice = RunNotice.objects.get()
            waits.append(
                notice.due_at and round((notice.due_at - database_now()).total_seconds() / 60)
            )
            look_again(run)
    assert waits == [1, 4, 16, 64, None]
    assert "given up" in caplog.text and "person@shop.example" not in caplog.text
    send_by(settings, WORKING)
    assert send_due() == 0 and not mail.outbox


def test_a_server_that_is_back_sends_it(person, settings):
    send_by(settings, BROKEN)
    run = ended(person)
    generation.inform(run, url=URL)
    send_due()
    send_by(settings, WORKING)
    assert send_due() == 0
    look_again(run)
    assert send_due() == 1 and len(mail.outbox) == 1


def test_two_processes_send_one_e_mail(person, monkeypatch):
    run = ended(person)
    generation.inform(run, url=URL)
    build = run_notices.build_message

    def build_while_another_looks(*args, **options):
        monkeypatch.setattr(run_notices, "build_message", build)
        # It finds nothing that is due: this process has moved it.
        assert send_due() == 0
        return build(*args, **options)

    monkeypatch.setattr(run_notices, "build_message", build_while_another_looks)
    assert send_due() == 1 and len(mail.outbox) == 1


def test_of_two_processes_that_see_the_same_notice_one_sends(person, monkeypatch):
    run = ended(person)
    generation.inform(run, url=URL)
    event_of = run_notices.event_of

    def while_another_sends(*args, **options):
        monkeypatch.setattr(run_notices, "event_of", event_of)
        assert send_due() == 1
        return event_of(*args, **options)

    monkeypatch.setattr(run_notices, "event_of", while_another_sends)
    assert send_due() == 0 and len(mail.outbox) == 1


def test_a_process_that_dies_while_it_sends_is_replaced(person):
    run = ended(person)
    generation.inform(run, url=URL)
    # What a dead process leaves behind: claimed, and never finished.
    RunNotice.objects.update(due_at=database_now() + run_notices.LEASE, tries=1)
    assert send_due() == 0
    RunNotice.objects.update(due_at=database_now() - timedelta(seconds=1))
    assert send_due() == 1


class Killed(BaseException):
    """The process is killed: nothing after it runs."""


def test_processes_that_die_while_they_send_are_not_replaced_without_end(
    person, monkeypatch, caplog
):
    run = ended(person)
    job = factories.job(of=run)
    run.paused_reason = "run_budget"
    run.save()
    generation.inform(run, url=URL)
    build = run_notices.build_message
    builds = []

    def die(*args, **options):
        builds.append(args)
        raise Killed

    monkeypatch.setattr(run_notices, "build_message", die)
    for _ in range(run_notices.MAX_TRIES):
        with pytest.raises(Killed):
            send_due()
        look_again(run)
    # Another event has its own tries.
    run.paused_reason = ""
    run.save()
    ImageJob.objects.filter(pk=job.pk).update(state="failed", live_key=None)
    for _ in range(run_notices.MAX_TRIES):
        with pytest.raises(Killed):
            send_due()
        look_again(run)
    assert send_due() == 0 and len(builds) == 2 * run_notices.MAX_TRIES
    assert "given up" in caplog.text
    monkeypatch.setattr(run_notices, "build_message", build)
    look_again(run)
    assert send_due() == 0 and not mail.outbox


def test_a_retry_while_the_e_mail_is_being_sent_lets_the_next_end_be_reported(person, monkeypatch):
    run = ended(person, failed=1)
    generation.inform(run, url=URL)
    build = run_notices.build_message

    def build_while_a_person_retries(*args, **options):
        assert runs.retry_run(run) == 1
        return build(*args, **options)

    monkeypatch.setattr(run_notices, "build_message", build_while_a_person_retries)
    send_due()
    monkeypatch.setattr(run_notices, "build_message", build)
    assert send_due() == 0 and len(mail.outbox) == 1
    ImageJob.objects.filter(run=run, state="queued").update(state="failed", live_key=None)
    look_again(run)
    assert send_due() == 1 and len(mail.outbox) == 2


@pytest.mark.parametrize("change", ["no address", "inactive", "no permission", "nobody"])
def test_nobody_else_gets_one(person, change):
    run = ended(None if change == "nobody" else person)
    assert generation.inform(run, url=URL) is (change != "nobody")
    if change == "no address":
        person.email = ""
    elif change == "inactive":
        person.is_active = False
    else:
        person.is_superuser = False
    person.save()
    assert send_due() == 0 and not mail.outbox
    assert not RunNotice.objects.exclude(due_at=None).exists()


def test_nothing_is_sent_unless_the_setting_allows_it(person, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "NOTIFY": {}}
    assert not generation.inform(ended(person), url=URL)
    assert not RunNotice.objects.exists()
