"""A provider's bill beside our books: read whatever it looks like, and compared day by day."""

from __future__ import annotations

from datetime import UTC, date
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from nb_catalog import billing
from nb_catalog.exceptions import InvoiceUnreadable
from tests.billing.conftest import LITE, NANO

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 20)
GOOGLE = """\
Billing account name,Service description,SKU description,Usage start date,Usage amount,Cost ($)
Shop,Gemini API,Nano Banana 2 Lite output image tokens,2026-11-20,1120,0.0336
Shop,Gemini API,Nano Banana 2 Lite input tokens,2026-11-20,1240,0.0003
Shop,Gemini API,Nano Banana 2.1 output image tokens,2026-11-21,1680,"1,000.50"
Shop,Cloud Storage,Standard storage,2026-11-20,1,0.02
"""


def bill(text, **columns):
    return billing.parse_invoice(StringIO(text), columns=columns)


def compared(text, **options):
    return {(line.day, line.model): line for line in billing.reconcile(bill(text), **options)}


def test_google_s_export_is_read():
    read = bill(GOOGLE)
    assert read.amounts == {
        (DAY, LITE): Decimal("0.0339"),
        (date(2026, 11, 21), NANO): Decimal("1000.50"),
        (DAY, ""): Decimal("0.02"),
    }
    assert read.names == ("Standard storage",)


@pytest.mark.parametrize(
    "text",
    [
        f"date,model,usd\n2026-11-20,{LITE},0.0339\n",
        f"\ufeffDate;Model;USD\n20.11.2026;{LITE};0,0339\n",
        f"day\tsku\tcost\n11/20/2026\t{LITE.upper()}\t$ 0.0339\n",
        f"date,model,usd\n2026-11-20T00:00:00Z,models/{LITE},0.0339\n\n,,\n",
    ],
    ids=["plain", "semicolons and commas", "tabs and dollars", "times and empty lines"],
)
def test_other_exports_are_read_too(text):
    assert bill(text).amounts == {(DAY, LITE): Decimal("0.0339")}


def test_columns_can_be_named():
    text = f"When,What,Price\n2026-11-20,{LITE},1\n"
    read = bill(text, day="When", model="What", usd="Price")
    assert read.amounts == {(DAY, LITE): Decimal(1)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column for the day.*found no header"),
        ("date,model\n", r"no column for the usd: looked for .*Name it: --column usd=…"),
        ("date,model,usd\n", "a header but no rows"),
        (
            f"date,model,usd\n2026-11-20,{LITE},much\n",
            "Line 2 of the invoice: 'much' is not an amount",
        ),
        (f"date,model,usd\n2026-11-20,{LITE},NaN\n", "Line 2 of the invoice: 'NaN'"),
        (
            f"date,model,usd\nyesterday,{LITE},1\n",
            "Line 2 of the invoice: 'yesterday' is not a date",
        ),
        (f"date,model,usd\n2026-11-20,{LITE}\n", "Line 2 of the invoice: None is not an amount"),
    ],
)
def test_a_bill_that_cannot_be_read_says_where(text, said):
    with pytest.raises(InvoiceUnreadable, match=said):
        bill(text)


def test_days_begin_where_the_provider_is(called):
    called(cost=20_000, hours=-5)  # 7:00 UTC: the day before in California
    called(cost=10_000)
    text = f"date,model,usd\n2026-11-19,{LITE},0.02\n2026-11-20,{LITE},0.01\n"
    lines = compared(text)
    assert {day.day: line.booked_usd for (day, _m), line in lines.items()} == {
        19: Decimal("0.02"), 20: Decimal("0.01"),
    }  # fmt: skip
    (whole,) = compared(f"date,model,usd\n2026-11-20,{LITE},0.03\n", zone=UTC).values()
    assert (whole.booked_usd, whole.calls) == (Decimal("0.03"), 2)


@pytest.mark.parametrize(
    ("billed", "explained"),
    [("0.50", True), ("0.536", True), ("0.546", True), ("0.56", False), ("0.48", False)],
)
def test_a_bill_lies_between_what_is_booked_and_what_may_have_been_spent(called, billed, explained):
    called(cost=500_000)
    called(cost=None, outcome="unknown")
    line = compared(f"date,model,usd\n2026-11-20,{LITE},{billed}\n")[DAY, LITE]
    assert (line.booked_usd, line.open_usd) == (Decimal("0.5"), Decimal("0.036"))
    assert line.is_explained is explained


def test_what_is_on_one_side_alone_is_shown(called):
    called(cost=500_000, model=NANO)
    lines = compared(f"date,model,usd\n2026-11-20,{LITE},0.40\n")
    assert not lines[DAY, NANO].is_explained and lines[DAY, NANO].billed_usd == 0
    assert not lines[DAY, LITE].is_explained and lines[DAY, LITE].calls == 0


def test_one_provider_s_bill_is_compared_with_its_calls(called):
    called(cost=10_000)
    called(cost=20_000, provider="lumenfall")
    text = f"date,model,usd\n2026-11-20,{LITE},0.01\n"
    assert compared(text, provider="gemini")[DAY, LITE].booked_usd == Decimal("0.01")
    with pytest.raises(InvoiceUnreadable, match="Did you mean 'gemini'"):
        compared(text, provider="gemni")


# The command


@pytest.fixture
def file(tmp_path):
    def write(text, *, encoding="utf-8"):
        path = tmp_path / "bill.csv"
        path.write_text(text, encoding=encoding)
        return str(path)

    return write


def reconcile(*arguments):
    out = StringIO()
    call_command("nb_reconcile", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_shows_both_sides(called, file):
    called(cost=33_910)
    told = reconcile("--bill", file(GOOGLE))
    assert "0.0339" in told and "-0.0000" in told
    assert "Not one of our models: Standard storage" in told
    assert "1000.5000" in told and "check this" in told
    assert "2 rows are not explained" in told
    assert '"explained": false' in reconcile("--bill", file(GOOGLE), "--json")


def test_the_command_agrees_when_the_bill_does(called, file):
    called(cost=33_910)
    assert "The invoice agrees" in reconcile(
        "--bill", file(f"date,model,usd\n2026-11-20,{LITE},0.03\n")
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--bill", "/nowhere/bill.csv"], "No such file"),
        (["--bill", "{bill}", "--zone", "Mars/Olympus"], "Unknown time zone 'Mars/Olympus'"),
        (["--bill", "{bill}", "--column", "when=Date"], "expected day=…, model=… or usd=…"),
        (["--bill", "{bill}", "--column", "day"], "expected day=…"),
        (["--bill", "{bill}", "--column", "day=When"], "no column for the day: looked for 'When'"),
        (["--bill", "{bill}", "--provider", "nobody"], "Nothing was ever sent"),
    ],
)
def test_the_command_says_what_is_wrong(called, file, arguments, said):
    called()
    path = file(GOOGLE)
    with pytest.raises(CommandError, match=said):
        reconcile(*[each.format(bill=path) for each in arguments])


def test_a_file_that_is_no_text_is_told(file):
    with pytest.raises(CommandError, match="bill.csv"):
        reconcile("--bill", file("date,größe\n", encoding="utf-16"))


@pytest.mark.parametrize(
    ("amounts", "read"),
    [
        (["1,234"], ["1234"]),
        (["1,234.56", "1,234"], ["1234.56", "1234"]),
        (["1.234,56", "1.234", "7"], ["1234.56", "1234", "7"]),
        (["0,034", "1,234"], ["0.034", "1.234"]),
        (["12,5", "1.234"], ["12.5", "1234"]),
        (["1.234.567,8"], ["1234567.8"]),
        (["1 234,5", "1\N{NARROW NO-BREAK SPACE}234,25"], ["1234.5", "1234.25"]),
        (["1'234.5", "1’234.25"], ["1234.5", "1234.25"]),
        (["1.234"], ["1.234"]),
        (["-1,234.5", "\N{MINUS SIGN}2.5"], ["-1234.5", "-2.5"]),
    ],
    ids=str,
)
def test_amounts_are_read_by_the_way_in_which_their_column_is_written(amounts, read):
    rows = "".join(f"{DAY:%Y-%m-%d};{LITE} {n};{each}\n" for n, each in enumerate(amounts))
    each = [bill(f"date;model;usd\n{DAY:%Y-%m-%d};{LITE};{a}\n") for a in amounts[:1]]
    assert sum(bill(f"date;model;usd\n{rows}").amounts.values()) == sum(map(Decimal, read))
    assert each[0].amounts == {(DAY, LITE): Decimal(read[0])}


def test_a_column_that_is_written_in_two_ways_is_refused():
    text = f"date;model;usd\n{DAY:%Y-%m-%d};{LITE};1.234,56\n{DAY:%Y-%m-%d};{LITE};12.5\n"
    with pytest.raises(InvoiceUnreadable, match="with a point in line 3, with a comma in line 2"):
        bill(text)
