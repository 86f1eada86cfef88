"""``NB_CATALOG["QUOTAS"]``: which limits hold for a model, and what is said of wrong ones."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfoNotFoundError

import pytest

from nb_catalog.checks import check_settings
from nb_catalog.core.quotas import NONE, Quotas, pacific, quotas_of
from nb_catalog.exceptions import InvalidSettings

LITE, NANO = "gemini-3.1-flash-lite-image", "gemini-nano-banana-2.1"


def limit(settings, given, *, provider="gemini", model="*"):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "QUOTAS": {provider: {model: given}}}


def test_a_model_has_its_own_limits_or_those_of_any(settings):
    own, others = {"IN_FLIGHT": 3}, {"REQUESTS_PER_DAY": 100}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "QUOTAS": {"gemini": {LITE: own, "*": others}}}
    assert quotas_of("gemini", LITE) == Quotas(in_flight=3)
    assert quotas_of("gemini", NANO) == Quotas(per_day=100)
    assert quotas_of("local", "local-studio") is NONE


def test_one_call_makes_one_picture_so_the_smaller_quota_holds(settings):
    limit(settings, {"REQUESTS_PER_MINUTE": 500, "PICTURES_PER_MINUTE": 100})
    assert quotas_of("gemini", LITE) == Quotas(per_minute=100, burst=2)
    limit(settings, {"REQUESTS_PER_MINUTE": 500, "BURST": 100})
    assert quotas_of("gemini", LITE) == Quotas(per_minute=500, burst=100)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"REQUESTS_PER_MINUT": 5}, "Did you mean 'REQUESTS_PER_MINUTE'"),
        ({"REQUESTS_PER_MINUTE": 0}, "whole number from 1"),
        ({"REQUESTS_PER_MINUTE": -5}, "whole number from 1"),
        ({"REQUESTS_PER_MINUTE": 10**9}, "to 10,000,000"),
        ({"REQUESTS_PER_DAY": 1.5}, "whole number from 1"),
        ({"IN_FLIGHT": "many"}, "whole number from 1"),
        ({"IN_FLIGHT": True}, "whole number from 1"),
        ({"REQUESTS_PER_MINUTE": 10, "BURST": 10}, "below the 10 of a minute"),
        ({"REQUESTS_PER_MINUTE": 10, "BURST": -1}, "below the 10 of a minute"),
        ({"BURST": 3}, "needs REQUESTS_PER_MINUTE"),
        (600, "a dict of REQUESTS_PER_MINUTE"),
    ],
)
def test_a_wrong_limit_quotes_its_place(settings, given, said):
    limit(settings, given)
    with pytest.raises(InvalidSettings, match=said) as told:
        quotas_of("gemini", LITE)
    assert "NB_CATALOG['QUOTAS']['gemini']['*']" in str(told.value)
    (found,) = [each for each in check_settings() if each.id == "nb_catalog.E005"]
    assert said in found.msg


def test_a_provider_that_there_is_not_is_told(settings):
    limit(settings, {"IN_FLIGHT": 3}, provider="gemni")
    (found,) = [each for each in check_settings() if each.id == "nb_catalog.E005"]
    assert "Did you mean 'gemini'" in found.msg


@pytest.mark.parametrize("given", [[], {"gemini": 600}], ids=["list", "number"])
def test_what_is_no_table_is_told(settings, given):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "QUOTAS": given}
    assert [each.id for each in check_settings()] == ["nb_catalog.E001"]


def test_a_system_without_time_zones_has_pacific_time_too(monkeypatch):
    """The later midnight of the two: nothing is sent while the day's quota may still be used up."""

    def missing(name):
        raise ZoneInfoNotFoundError(name)

    monkeypatch.setattr("nb_catalog.core.quotas.ZoneInfo", missing)
    assert pacific().utcoffset(datetime(2026, 7, 1)) == timedelta(hours=-8)  # noqa: DTZ001
