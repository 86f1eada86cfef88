"""The whole API as schemathesis uses it: what the schema allows, and what it does not.

To look longer, and at all bounds: ``NB_TEST_EXAMPLES=200 NB_TEST_PHASES=examples,coverage,fuzzing`` before
``.venv-test/bin/python -m pytest -m matrix tests/api/test_schemathesis.py``.
"""

import copy
import json
import os
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model

from nb_catalog.core.states import ImageState, JobState
from tests import factories
from tests.api import described

pytestmark = [pytest.mark.matrix, pytest.mark.once, pytest.mark.django_db(transaction=True)]

EXAMPLES = os.environ.get("NB_TEST_EXAMPLES", "5")
PHASES = os.environ.get("NB_TEST_PHASES", "examples,fuzzing")
# Not whether it accepts what the schema allows, and refuses all else: a schema cannot say which products
# there are, and REST framework's serializers take 5 for "5".
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance",
    "response_headers_conformance", "response_schema_conformance",
)  # fmt: skip


@pytest.fixture
def rows(db):
    """One row of everything, which the addresses of the schema name."""
    mug = factories.product()
    run = factories.run()
    job = factories.job(mug, of=run, state=JobState.FAILED)
    factories.layout("banner")
    factories.deck("autumn", de={"headline": "Herbst"})
    factories.series(mug)
    return {
        "fields": {
            "model": "testcatalog.mug",
            "object": str(mug.pk),
            "objects": [mug.pk],
            "scene": "marble",
            "scenes": ["marble"],
            "layout": "banner",
            "layouts": ["banner"],
            "deck": "autumn",
            "slot": "hero",
            "tier": "draft",
            "ratio": "4:5",
        },
        "runs": run.pk,
        "jobs": job.pk,
        "images": factories.image(mug).pk,
        "image_publish": factories.image(mug, state=ImageState.APPROVED).pk,
        "placement_withdraw": factories.published(mug, slot="gallery").pk,
        "series_destroy": factories.series(mug, key="winter").key,
        "placements": factories.published(mug).pk,
        "cutouts": factories.cutout(mug).pk,
        "experiments": factories.experiment(mug).pk,
        "gallery-deliveries": factories.gallery_delivery(mug).pk,
        "scenes": "marble",
        "layouts": "banner",
        "decks": "autumn",
        "series": "autumn",
        "models": "testcatalog.mug",
    }


def narrowed(rows):
    """The schema, with addresses of rows that exist."""
    document = copy.deepcopy(described.document())
    for path, methods in document["paths"].items():
        resource = path.split("/")[1]
        for operation in methods.values():
            row = rows.get(operation["operationId"], rows.get(resource))
            parameters = operation.get("parameters", [])
            for parameter in parameters:
                if parameter.get("in") == "path" and parameter["name"] in ("id", "key", "label"):
                    parameter["schema"] = {"enum": [row]}
            # Which no generated value matches.
            operation["parameters"] = [
                each for each in parameters if not each.get("$ref", "").endswith("/IfMatch")
            ]
    fields = rows["fields"]
    for component, schema in document["components"]["schemas"].items():
        properties = schema.get("properties", {}) if component.endswith("Request") else {}
        for name in properties.keys() & fields.keys():
            if isinstance(fields[name], list):
                items = {"enum": fields[name]}
                properties[name] = {"type": "array", "items": items, "minItems": 1, "maxItems": 1}
            elif properties[name].get("type") == "string":
                properties[name]["enum"] = [fields[name]]
    return document


def test_no_response_is_other_than_described(rows, live_server, tmp_path):
    get_user_model().objects.create_superuser("fuzz", password="secret")
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(narrowed(rows)))
    token = b64encode(b"fuzz:secret").decode()
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", str(document),
        "--url", f"{live_server.url}{described.BASE}",
        "--header", f"Authorization: Basic {token}",
        "--header", "Accept: application/json, image/*",
        "--checks", ",".join(CHECKS), "--phases", PHASES, "--mode", "all",
        "--max-examples", EXAMPLES, "--generation-deterministic", "--no-shrink",
        "--continue-on-failure", "--workers", "1", "--suppress-health-check", "all",
    ]  # fmt: skip
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "120"}
    found = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False
    )
    Path(os.environ.get("NB_TEST_REPORT", os.devnull)).write_text(found.stdout + found.stderr)
    assert found.returncode == 0, found.stdout[-8000:] + found.stderr[-2000:]
