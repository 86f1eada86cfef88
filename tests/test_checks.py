"""``manage.py check``: what is wrong is named, with a hint that can be pasted."""

import re
from datetime import timedelta

import pytest
from django.core import checks as django_checks
from django.core.files.storage import FileSystemStorage
from django.utils import timezone

import nb_catalog
from nb_catalog import checks, registry
from nb_catalog.providers import model_specs
from tests.catalog.catalog_images import MugSource
from tests.catalog.models import Unlisted
from tests.settings import ROOT

LOCAL = {"PROVIDER": "local", "MODEL": "local-studio", "SIZE": "1K"}
GEMINI = {"PROVIDER": "gemini", "MODEL": "gemini-3-pro-image", "SIZE": "1K"}


@pytest.fixture
def configure(settings):
    def change(**keys):
        settings.NB_CATALOG = {**settings.NB_CATALOG, **keys}

    return change


@pytest.fixture
def draft(configure):
    """One tier that differs from the shipped one in ``changes``."""

    def change(base=LOCAL, **changes):
        configure(TIERS={"draft": {**base, **changes}})
        return checks.check_tiers()

    return change


def _only(messages):
    [message] = messages
    assert message.hint, message
    return message


def _ids(messages):
    return [message.id for message in messages]


class SignedStorage(FileSystemStorage):
    """As django-storages' S3 storage is by default."""

    querystring_auth = True
    custom_domain = None


class PublicStorage(FileSystemStorage):
    querystring_auth = False


class CdnStorage(FileSystemStorage):
    """A domain of its own is not signed, unless there is a signer."""

    querystring_auth = True
    custom_domain = "cdn.shop.example"
    cloudfront_signer = None


class SigningCdnStorage(CdnStorage):
    cloudfront_signer = object()


class ExpiringStorage(FileSystemStorage):
    """As django-storages' Azure storage is with AZURE_URL_EXPIRATION_SECS."""

    expiration_secs = 600


class PublicBucketStorage(FileSystemStorage):
    """As django-storages' Google storage is with a public ACL."""

    querystring_auth = True
    default_acl = "publicRead"


@pytest.mark.django_db
def test_the_shipped_settings_are_without_fault(settings):
    settings.NB_CATALOG = {}
    assert _ids(django_checks.run_checks(tags=["nb_catalog"])) == []


@pytest.mark.django_db
def test_the_check_before_a_deployment_says_what_can_be_cut_out(settings):
    settings.NB_CATALOG = {}
    notes = django_checks.run_checks(tags=["nb_catalog"], include_deployment_checks=True)
    assert _ids(notes) == ["nb_catalog.I001"]


@pytest.mark.django_db
def test_the_checks_run_with_manage_py_check(configure):
    configure(TEIRS={})
    assert "nb_catalog.E002" in _ids(django_checks.run_checks())


def test_a_misspelt_key_names_the_nearest(configure):
    configure(TEIRS={})
    message = _only(checks.check_settings())
    assert message.id == "nb_catalog.E002"
    assert "TIERS" in message.hint


def test_settings_that_are_no_dict_are_told(settings):
    settings.NB_CATALOG = ["TIERS"]
    assert _only(checks.check_settings()).id == "nb_catalog.E001"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("CONCURRENCY", 0),
        ("CONCURRENCY", "32"),
        ("LEASE_SECONDS", -1),
        ("DAILY_BUDGET_USD", 20.5),
        ("RENDITION_FORMATS", ["webp"]),
        ("RENDITION_WIDTHS", []),
        ("API_PUBLIC_PLACEMENTS", "yes"),
    ],
)
def test_a_wrong_value_is_told_by_its_path(configure, key, value):
    configure(**{key: value})
    message = _only(checks.check_settings())
    assert message.id == "nb_catalog.E001"
    assert f"NB_CATALOG['{key}']" in message.msg


def test_every_wrong_key_is_told_at_once(configure):
    configure(CONCURRENCY=0, WAKE_SECONDS=0, NONSENSE=1)
    assert len(checks.check_settings()) == 3


@pytest.mark.parametrize("key", ["TIERS", "STORAGE", "MODEL_SPECS", "TASK_BACKEND"])
def test_a_wrong_value_does_not_break_the_other_checks(configure, key):
    configure(**{key: 7})
    assert _ids(checks.check_settings()) == ["nb_catalog.E001"]
    checks.check_tiers()
    checks.check_storage()


def test_a_wrong_card_is_told(configure):
    configure(MODEL_SPECS={"local-studio": {"price": "1"}})
    message = _only(checks.check_settings())
    assert message.id == "nb_catalog.E003"
    assert "price" in message.msg


def test_a_task_backend_that_does_not_exist_is_told(configure):
    configure(TASK_BACKEND="defualt")
    message = _only(checks.check_settings())
    assert message.id == "nb_catalog.E004"
    assert "'default'" in message.hint


@pytest.mark.parametrize(
    "changes", [{"PROVIDER": "locel"}, {"PROVIDER": ""}, {"COLOUR": "red"}]
)  # fmt: skip
def test_a_tier_that_is_written_wrong_is_told(draft, changes):
    assert _only(draft(**changes)).id == "nb_catalog.E010"


def test_one_wrong_tier_does_not_hide_another(configure):
    wrong = {**LOCAL, "PROVIDER": "locel"}
    configure(TIERS={"draft": wrong, "standard": wrong})
    assert len(checks.check_tiers()) == 2


def test_an_unknown_model_names_the_nearest(draft):
    message = _only(draft(MODEL="local-studoi"))
    assert message.id == "nb_catalog.E011"
    assert "'local-studio'" in message.msg


def test_a_size_that_is_not_on_the_card_is_told(draft):
    message = _only(draft(SIZE="8K"))
    assert message.id == "nb_catalog.E012"
    assert "1K, 2K, 4K" in message.msg


def test_thinking_that_the_model_does_not_have_is_told(draft):
    assert _only(draft(THINKING="high")).id == "nb_catalog.E012"


def _with_end(configure, monkeypatch, **dates):
    monkeypatch.setenv("GEMINI_API_KEY", "k")
    configure(
        TIERS={"draft": GEMINI}, MODEL_SPECS={GEMINI["MODEL"]: {**dates, "replaced_by": "next"}}
    )
    return [each for each in checks.check_tiers() if each.id.endswith(("E013", "W001"))]


def test_a_retired_model_is_an_error_that_names_its_successor(configure, monkeypatch):
    today = timezone.now().date()
    message = _only(_with_end(configure, monkeypatch, retired_on=today))
    assert message.id == "nb_catalog.E013"
    assert message.hint == '"MODEL": "next"'


@pytest.mark.parametrize(("days", "told"), [(30, True), (200, False)])
def test_a_model_that_ends_soon_is_a_warning(configure, monkeypatch, days, told):
    end = timezone.now().date() + timedelta(days=days)
    found = _with_end(configure, monkeypatch, retired_on=end)
    assert _ids(found) == (["nb_catalog.W001"] if told else [])


def test_a_deprecated_model_is_a_warning(configure, monkeypatch):
    today = timezone.now().date()
    found = _with_end(configure, monkeypatch, deprecated_on=today, retired_on=None)
    assert _only(found).id == "nb_catalog.W001"


def test_shipped_models_that_have_ended_are_told(draft, monkeypatch):
    monkeypatch.setenv("GEMINI_API_KEY", "k")
    found = draft(GEMINI, MODEL="gemini-2.5-flash-image")
    assert found[0].id == "nb_catalog.E013"
    assert model_specs.spec_for("gemini-2.5-flash-image").replaced_by in found[0].hint


def test_a_model_without_a_price_is_told(configure):
    configure(
        TIERS={"draft": {**LOCAL, "PROVIDER": "gemini", "MODEL": "own"}},
        MODEL_SPECS={"own": {"provider": "gemini", "name": "Own", "sizes": ["1K"]}},
    )
    found = {message.id: message for message in checks.check_tiers()}
    assert "price_per_image" in found["nb_catalog.E014"].hint


@pytest.mark.parametrize(
    "entry",
    [
        {"BACKEND": "shop.nowhere.Provider"},
        {"BACKEND": "nb_catalog.providers.local.LocalProvider", "OPTIONS": {"cuter": "x"}},
        {"OPTIONS": {}},
        {"BACKEND": "decimal.Decimal"},
    ],
)
def test_a_provider_that_cannot_be_made_is_told(configure, entry):
    configure(PROVIDERS={"local": entry})
    message = _only(checks.check_tiers())
    assert message.id == "nb_catalog.E015"
    assert "NB_CATALOG['PROVIDERS']['local']" in message.msg


def test_a_provider_is_made_once_however_many_tiers_use_it(configure, monkeypatch):
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    configure(TIERS={"draft": GEMINI, "premium": {**GEMINI, "SIZE": "4K"}})
    assert _ids(checks.check_tiers()) == ["nb_catalog.W201"]


def test_a_provider_that_no_tier_uses_is_left_alone(configure):
    configure(PROVIDERS={"other": {"BACKEND": "shop.nowhere.Provider"}})
    assert checks.check_tiers() == []


def test_a_free_model_at_a_provider_that_bills_is_told(draft, monkeypatch):
    monkeypatch.setenv("GEMINI_API_KEY", "k")
    message = _only(draft(PROVIDER="gemini"))
    assert message.id == "nb_catalog.E016"
    assert message.hint == '"PROVIDER": "local"'


def test_a_paid_model_at_a_free_provider_is_told(draft):
    assert _ids(draft(GEMINI, PROVIDER="local")) == ["nb_catalog.E016"]


def test_a_storage_alias_that_does_not_exist_names_the_nearest(configure):
    configure(STORAGE="defualt")
    message = _only(checks.check_storage())
    assert message.id == "nb_catalog.E020"
    assert "'default'" in message.hint


def test_a_storage_that_does_not_import_is_told(configure, settings):
    settings.STORAGES = {**settings.STORAGES, "pictures": {"BACKEND": "shop.nowhere.Storage"}}
    configure(STORAGE="pictures")
    assert _only(checks.check_storage()).id == "nb_catalog.E021"


@pytest.mark.parametrize(
    ("storage", "told"),
    [
        (FileSystemStorage, False),
        (PublicStorage, False),
        (SignedStorage, True),
        (CdnStorage, False),
        (SigningCdnStorage, True),
        (ExpiringStorage, True),
        (PublicBucketStorage, False),
    ],
)
def test_addresses_that_expire_are_a_warning(configure, settings, storage, told):
    backend = {"BACKEND": f"{__name__}.{storage.__name__}"}
    if storage is FileSystemStorage:
        backend = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    settings.STORAGES = {**settings.STORAGES, "pictures": backend}
    configure(STORAGE="pictures")
    found = checks.check_storage()
    assert _ids(found) == (["nb_catalog.W020"] if told else [])
    assert all("querystring_auth" in message.hint for message in found)


@pytest.mark.parametrize(
    ("attribute", "value", "hint"),
    [
        ("title_field", "nmae", "'name'"),
        ("photo_field", "picture", "Known"),
        ("fact_fields", ("nam",), "'name'"),
        ("photo_version_field", "nme", "'name'"),
    ],
)
def test_a_field_that_the_model_does_not_have_is_told(attribute, value, hint):
    fields = {"title_field": "name", "photo_field": "name", attribute: value}
    source = type("UnlistedSource", (nb_catalog.CatalogSource,), fields)
    nb_catalog.register(Unlisted)(source)
    try:
        message = _only(checks.check_registry())
    finally:
        registry.unregister(Unlisted)
    assert message.id == "nb_catalog.E030"
    assert f"UnlistedSource.{attribute}" in message.msg
    assert hint in message.hint


def test_a_source_that_says_nothing_about_photos_is_told():
    nb_catalog.register(Unlisted)(type("Silent", (nb_catalog.CatalogSource,), {}))
    try:
        message = _only(checks.check_registry())
    finally:
        registry.unregister(Unlisted)
    assert "photo_field" in message.hint


@pytest.mark.parametrize(("use_tz", "ids"), [(True, []), (False, ["nb_catalog.E008"])])
def test_times_without_zones_are_refused(settings, use_tz, ids):
    settings.USE_TZ = use_tz
    messages = checks.check_time_zones()
    assert _ids(messages) == ids
    assert all(message.is_serious() and "USE_TZ = True" in message.hint for message in messages)


def test_every_id_is_documented():
    used = set()
    for path in (ROOT / "nb_catalog").rglob("*.py"):
        used |= set(re.findall(r"nb_catalog\.[EIW]\d{3}", path.read_text()))
    told = set(re.findall(r"nb_catalog\.[EIW]\d{3}", (ROOT / "docs/checks.md").read_text()))
    assert used == told


def test_prices_that_nobody_has_looked_at_for_long_are_warned_about(draft, configure):
    old = timezone.now().date() - timedelta(days=121)
    configure(MODEL_SPECS={"gemini-3-pro-image": {"price_as_of": old}})
    message = _only([each for each in draft(GEMINI) if each.id == "nb_catalog.W002"])
    assert f"{old:%Y-%m-%d}" in message.msg
    assert "'price_as_of'" in message.hint
    configure(MODEL_SPECS={"gemini-3-pro-image": {"price_as_of": None}})
    assert (
        "has no date" in _only([each for each in draft(GEMINI) if each.id == "nb_catalog.W002"]).msg
    )
    configure(MODEL_SPECS={"gemini-3-pro-image": {"price_as_of": timezone.now().date()}})
    assert "nb_catalog.W002" not in _ids(draft(GEMINI))


def test_a_retired_model_names_its_replacement_and_what_that_costs(draft):
    found = draft(GEMINI, MODEL="gemini-3.1-flash-image")
    message = _only([each for each in found if each.id == "nb_catalog.E013"])
    assert '"MODEL": "gemini-nano-banana-2.1" costs at most 0.0465 USD at 1K' in message.hint
    assert "gemini-3.1-flash-image 0.0722" in message.hint


def test_a_replacement_without_a_card_is_warned_about(draft, configure):
    configure(MODEL_SPECS={"gemini-3-pro-image": {"replaced_by": "gemini-4-pro-image"}})
    message = _only([each for each in draft(GEMINI) if each.id == "nb_catalog.W003"])
    assert "'gemini-4-pro-image', which has no model spec" in message.msg


def test_a_misspelt_model_says_the_nearest(draft):
    found = draft(GEMINI, MODEL="gemini-3-pro-imge")
    assert (
        "Did you mean 'gemini-3-pro-image'?"
        in _only([each for each in found if each.id == "nb_catalog.E011"]).msg
    )


@pytest.mark.parametrize("level", ["HIGH", "enormous", "medium"])
def test_a_thinking_level_that_a_model_does_not_have_says_the_possible_ones(draft, level):
    lite = "gemini-3.1-flash-lite-image"
    found = draft(GEMINI, MODEL=lite, THINKING=level)
    assert (
        "Possible: minimal, high."
        in _only([each for each in found if each.id == "nb_catalog.E012"]).msg
    )
    assert "nb_catalog.E012" not in _ids(draft(GEMINI, MODEL=lite, THINKING="high"))


@pytest.mark.django_db
def test_a_model_that_the_service_said_is_gone_is_told_where_databases_are_asked(configure):
    from nb_catalog.models import ProviderPause

    configure(TIERS={"draft": {**GEMINI, "MODEL": "gemini-2.5-flash-image"}})
    assert checks.check_connectivity(databases=["default"]) == []
    ProviderPause.objects.create(
        provider="gemini", model="gemini-2.5-flash-image", cause="model_retired",
        until=timezone.now() + timedelta(days=1), reason="Gone.",
    )  # fmt: skip
    assert checks.check_connectivity() == [], "no database was named"
    message = _only(checks.check_connectivity(databases=["default"]))
    assert message.id == "nb_catalog.W004"
    assert "gemini-nano-banana-2.1" in message.hint


def test_a_cutout_backend_of_one_source_is_checked_too(monkeypatch):
    monkeypatch.setattr(MugSource, "cutout", {"BACKEND": "shop.nowhere.Cutout"})
    message = _only(checks.check_cutout())
    assert message.id == "nb_catalog.E046"
    assert "MugSource.cutout" in message.msg
