"""Renews ``docs/openapi.yaml``: ``.venv-test/bin/python -m tests.api.renew``."""

import os
from pathlib import Path

import django

COMMAND = ".venv-test/bin/python -m tests.api.renew"
FILE = Path(__file__).resolve().parent.parent.parent / "docs" / "openapi.yaml"


def current():
    """Return what the file should contain."""
    from drf_spectacular.renderers import OpenApiYamlRenderer

    from nb_catalog.api.openapi.generator import generate
    from tests.api.described import BASE

    return OpenApiYamlRenderer().render(generate(server=BASE)).decode()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    FILE.write_text(current())
