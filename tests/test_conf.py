"""Former names of settings are still read, and errors quote the name that the host uses."""

import pytest

from nb_catalog.checks import check_settings
from nb_catalog.conf import setting_path
from nb_catalog.conf import settings as nb_settings
from nb_catalog.core.quotas import quotas_of
from nb_catalog.exceptions import InvalidSettings
from nb_catalog.providers.model_specs import spec_for
from nb_catalog.providers.ocr import ocr_provider

RENAMED = {
    "CARDS": "MODEL_SPECS",
    "LIMITS": "QUOTAS",
    "DESCRIBER": "ALT_TEXT_PROVIDER",
    "READER": "OCR_PROVIDER",
    "TRANSLATOR": "TRANSLATION_PROVIDER",
}
VALUES = {"MODEL_SPECS": {}, "QUOTAS": {}}
BACKEND = {"BACKEND": "shop.Missing", "OPTIONS": {}}


@pytest.mark.parametrize(("former", "name"), RENAMED.items())
def test_a_former_name_is_read_as_the_present_one(settings, former, name):
    value = VALUES.get(name, BACKEND)
    settings.NB_CATALOG = {former: value}
    assert getattr(nb_settings, name) == value
    assert former not in nb_settings.known() and nb_settings.unknown() == ()


@pytest.mark.parametrize(("former", "name"), RENAMED.items())
def test_both_names_at_once_are_an_error(settings, former, name):
    value = VALUES.get(name, BACKEND)
    settings.NB_CATALOG = {former: value, name: value}
    with pytest.raises(InvalidSettings, match=rf"^NB_CATALOG\['{name}'\]: .*'{former}'"):
        getattr(nb_settings, name)
    assert "nb_catalog.E001" in [each.id for each in check_settings()]


@pytest.mark.parametrize(("former", "name"), RENAMED.items())
def test_an_error_quotes_the_name_that_the_host_uses(settings, former, name):
    for key in (former, name):
        settings.NB_CATALOG = {key: 5}
        with pytest.raises(InvalidSettings, match=rf"^NB_CATALOG\['{key}'\]: expected "):
            getattr(nb_settings, name)
        assert setting_path(name, "a", "b") == f"NB_CATALOG['{key}']['a']['b']"
    settings.NB_CATALOG = {}
    assert setting_path(name) == f"NB_CATALOG['{name}']"


def test_errors_inside_a_setting_quote_the_former_name_too(settings):
    settings.NB_CATALOG = {
        "CARDS": {"local-studio": {"price": "1"}},
        "LIMITS": {"gemini": {"*": {"IN_FLIGHT": 0}}},
        "READER": BACKEND,
    }
    with pytest.raises(InvalidSettings, match=r"^NB_CATALOG\['CARDS'\]\['local-studio'\]"):
        spec_for("local-studio")
    with pytest.raises(InvalidSettings, match=r"^NB_CATALOG\['LIMITS'\]\['gemini'\]\['\*'\]"):
        quotas_of("gemini", "any")
    with pytest.raises(InvalidSettings, match=r"^NB_CATALOG\['READER'\]"):
        ocr_provider()
