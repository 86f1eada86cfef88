"""Sentences of low floors where Django is configured, and where it is not."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
REPORT = """
from nb_catalog.exceptions import RequestRefused
from nb_catalog.providers.model_specs import spec_for
try:
    spec_for("no such model")
except RequestRefused as refusal:
    print(refusal)
"""
SITUATIONS = {
    "without settings": "",
    "with settings and without apps": """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
from django.conf import settings
settings.DEBUG
""",
    "with apps": """
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django
django.setup()
""",
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_refusal_has_its_sentence_wherever_it_is_raised(situation):
    done = subprocess.run(
        [sys.executable, "-c", SITUATIONS[situation] + REPORT],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "There is no model 'no such model'." in done.stdout, done.stderr
