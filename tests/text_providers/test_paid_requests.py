"""One way for all paid requests about words: never twice at once, and money that adds up whatever dies."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from nb_catalog.billing import paid_requests
from nb_catalog.billing.paid_requests import PaidRequest
from nb_catalog.core.text import single_line
from nb_catalog.exceptions import RequestRefused
from nb_catalog.models import DailyBudget, TextCall
from nb_catalog.models.db.clock import database_now
from nb_catalog.providers.text_base import TextProvider, TextResult
from nb_catalog.providers.types import Payload, RawResponse
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)

ESTIMATE = 900


class Parrot(TextProvider):
    """Answers "yes" for 400 micro-dollars, once ``meanwhile`` has happened."""

    name = "The parrot"
    model = "parrot-1"

    def __init__(self, meanwhile=lambda: None):
        self.meanwhile = meanwhile
        self.closed = False

    def cost(self, usage):
        return Decimal("0.0004")

    async def send(self, payload):
        return RawResponse(body="yes")

    def parse(self, answer):
        self.meanwhile()
        return TextResult(usage={"total": 7}, model_version="parrot-1.2", request_id="r-1")

    async def close(self):
        self.closed = True


def question(about, *locales):
    return PaidRequest(
        payload=Payload(model="parrot-1", body={}),
        about=about,
        locales=locales,
        estimate=Decimal("0.0009"),
        underway="They are asked for already.",
    )


def out(**columns):
    defaults = {
        "translator": "x", "model": "x", "estimate_microusd": 5, "started_at": database_now(),
    }  # fmt: skip
    return TextCall.objects.create(**defaults | columns)


def sums():
    day = DailyBudget.objects.get()
    return day.reserved_microusd, day.spent_microusd


def test_a_request_about_a_picture_is_on_record():
    parrot, image, anna = Parrot(), factories.image(), factories.staff(name="anna")
    paid_requests.send_paid_request(parrot, question(image, "en", "de"), actor=anna)
    call = TextCall.objects.get()
    assert (call.image, call.deck, call.actor) == (image, None, anna)
    assert (call.locales, call.translator, call.model) == (["en", "de"], "The parrot", "parrot-1")
    assert (call.usage, call.model_version, call.request_id) == ({"total": 7}, "parrot-1.2", "r-1")
    assert (call.outcome, call.cost_microusd) == ("answered", 400)
    assert sums() == (0, 400)
    assert parrot.closed


def test_the_row_and_the_money_are_there_while_the_request_is_out():
    seen = []

    def meanwhile():
        seen.append((TextCall.objects.get().outcome, *sums()))

    paid_requests.send_paid_request(Parrot(meanwhile), question(factories.deck(), "de"), actor=None)
    assert seen == [("in_flight", ESTIMATE, 0)]


@pytest.mark.parametrize(
    ("locale", "age", "refused"),
    [
        ("de", timedelta(0), True),
        ("fr, de", timedelta(0), True),
        ("fr, de-at", timedelta(0), False),
        ("de", paid_requests.MAX_AGE, False),
    ],
)
def test_a_language_of_one_picture_is_asked_for_once_at_a_time(locale, age, refused):
    image = factories.image()
    out(image=image, locale=locale, started_at=database_now() - age)
    out(image=factories.image(), locale="de")
    if not refused:
        paid_requests.send_paid_request(Parrot(), question(image, "en", "de"), actor=None)
        return
    with pytest.raises(RequestRefused, match="They are asked for already"):
        paid_requests.send_paid_request(Parrot(), question(image, "en", "de"), actor=None)
    assert TextCall.objects.count() == 2 and not DailyBudget.objects.exists()


def test_what_is_over_does_not_stand_in_the_way():
    deck = factories.deck()
    out(deck=deck, locale="de", outcome="unknown")
    paid_requests.send_paid_request(Parrot(), question(deck, "de"), actor=None)
    assert TextCall.objects.count() == 2


@pytest.mark.parametrize("fault", [ZeroDivisionError, KeyboardInterrupt])
def test_a_plug_in_that_breaks_leaves_its_money_reserved(fault):
    def broken():
        raise fault

    with pytest.raises(fault):
        paid_requests.send_paid_request(
            Parrot(broken), question(factories.deck(), "de"), actor=None
        )
    call = TextCall.objects.get()
    assert (call.outcome, call.error_code) == ("unknown", "outcome_unknown")
    assert sums() == (ESTIMATE, 0)


def test_the_money_of_a_late_answer_is_not_booked_twice():
    def a_person_settles():
        TextCall.objects.update(cost_microusd=100)

    paid_requests.send_paid_request(
        Parrot(a_person_settles), question(factories.deck(), "de"), actor=None
    )
    call = TextCall.objects.get()
    assert (call.outcome, call.cost_microusd) == ("answered", 100)
    assert sums() == (ESTIMATE, 0), "whoever settled it has booked it"


def test_no_database_is_given_what_it_cannot_keep():
    assert single_line(" a\x00 cup\n of  tea ") == "a cup of tea"


def test_what_somebody_else_has_got_meanwhile_is_not_paid_for_again():
    asked = replace(question(factories.deck(), "de"), is_wanted=lambda: False)
    with pytest.raises(RequestRefused, match="Nothing was sent"):
        paid_requests.send_paid_request(Parrot(), asked, actor=None)
    assert not TextCall.objects.exists()
