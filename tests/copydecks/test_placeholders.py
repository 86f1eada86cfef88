"""Texts with places for values, written as a locale writes them."""

from datetime import date, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest

from nb_catalog.copydecks import placeholders
from nb_catalog.core import locales
from nb_catalog.core.types import Money
from nb_catalog.exceptions import CopyMissing

FSI, PDI, RLM = "\u2068", "\u2069", "\u200f"
VALUES = {
    "title": "Mug",
    "price": Money(Decimal("1299.50"), "EUR"),
    "even": Money(Decimal(20), "EUR"),
    "off": Decimal("-0.3"),
    "pieces": 12000,
    "ends": date(2026, 11, 28),
    "nothing": None,
    "empty": "",
}


@pytest.mark.parametrize(
    ("locale", "text", "wanted"),
    [
        ("en", "Now {price}", "Now €1,299.50"),
        ("de", "Jetzt {price}", "Jetzt 1.299,50\u00a0€"),
        ("de-at", "{price}", "€\u00a01.299,50"),
        ("en", "{even:short}, {price:short}", "€20, €1,299.50"),
        ("de", "{even:short}", "20\u00a0€"),
        ("fr", "{off:percent}", "-30\u00a0%"),
        ("tr", "{off:percent}", "-%30"),
        ("de", "{pieces} Stück bis {ends:long}", "12.000 Stück bis 28. November 2026"),
        ("ja", "{ends:short}まで", "2026/11/28まで"),
        ("en", "{title} {{new}}", "Mug {new}"),
        ("ar", "الآن {price}", f"الآن {FSI}{RLM}1,299.50\u00a0€{PDI}"),
        ("he", "{title}", f"{FSI}Mug{PDI}"),
        ("en", "", ""),
    ],
)
def test_values_are_written_as_the_locale_writes_them(locale, text, wanted):
    assert placeholders.fill(text, VALUES, locale=locale) == wanted


def test_a_value_written_the_other_way_is_isolated_and_no_other_is():
    values = {"title": "كوب"}
    assert placeholders.fill("The {title}!", values, locale="en") == f"The {FSI}كوب{PDI}!"
    assert placeholders.fill("The {title}!", VALUES, locale="en") == "The Mug!"


def test_money_of_another_library_is_money_too():
    foreign = SimpleNamespace(amount=Decimal("5"), currency=SimpleNamespace(__str__=None))
    foreign.currency = type("Currency", (), {"__str__": lambda self: "USD"})()
    assert locales.format_value(foreign, "en") == "$5.00"


def test_a_moment_is_written_as_its_day():
    assert locales.format_value(datetime(2026, 11, 28, 23, 59), "de") == "28.11.2026"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{price", "unbalanced brace"),
        ("price}", "unbalanced brace"),
        ("{}", "'' is not the name of a value"),
        ("{0}", "'0' is not the name"),
        ("{title.__class__}", "'title.__class__' is not the name"),
        ("{title[0]}", "not the name of a value"),
        ("{title!r}", "not the name of a value"),
        ("{price:shrt}", "no style 'shrt'. Did you mean 'short'?"),
    ],
)
def test_what_is_no_placeholder_is_said_with_its_text(text, says):
    with pytest.raises(ValueError) as caught:
        placeholders.parts(text)
    assert says in str(caught.value)
    assert repr(text) in str(caught.value)
    assert "{name:style}" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{prise}", "There is no value {prise}. Did you mean 'price'?"),
        ("{nothing}", "The product has no {nothing}."),
        ("{empty}", "The product has no {empty}."),
        ("{title:short}", "for money, numbers or dates"),
        ("{price:percent}", "Money is written plainly or 'short'"),
        ("{pieces:long}", "as 'percent', not 'long'"),
        ("{ends:percent}", "not as 'percent'"),
    ],
)
def test_a_value_that_cannot_be_filled_in_is_said(text, says):
    with pytest.raises(CopyMissing) as caught:
        placeholders.fill(text, VALUES, locale="en")
    assert says in str(caught.value)


def test_names_are_told_once_and_in_order():
    assert placeholders.names("{b} {a:short} {b} {{c}}") == ["b", "a"]


def test_only_what_settings_say_may_stand_in(settings):
    assert locales.fallback_chain("de-at") == ("de-at",)
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "LOCALE_FALLBACKS": {"de-at": ["de", "en", "de-at"]},
    }
    assert locales.fallback_chain("de-at") == ("de-at", "de", "en")
    assert locales.fallback_chain("de") == ("de",)
