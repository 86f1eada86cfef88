"""Clients that are generated from the schema, in Python and TypeScript, do the whole main job."""

import json
import os
import shutil
import subprocess
import sys
import time
from base64 import b64encode
from pathlib import Path

import pytest

from nb_catalog import worker
from nb_catalog.core.types import Permission
from nb_catalog.models import Placement, ProductImage
from tests import factories
from tests.api import described, renew

pytestmark = [pytest.mark.matrix, pytest.mark.once, pytest.mark.django_db(transaction=True)]

SCRIPTS = Path(__file__).parent / "clients"
# Kinds of files that the generator would leave out.
PYTHON_SETTINGS = {
    "content_type_overrides": {
        "image/*": "application/octet-stream",
        "image/png": "application/octet-stream",
        "image/webp": "application/octet-stream",
        "text/csv": "application/octet-stream",
        "application/x-xliff+xml": "application/octet-stream",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "application/octet-stream",
        "application/zip": "application/octet-stream",
        "application/problem+json": "application/json",
    },
    "post_hooks": [],
}
PACKAGES = ["openapi-fetch@^0.17", "openapi-typescript@^7", "typescript@^5", "@types/node@^20"]
COMPILER = [
    "--strict", "--noUncheckedIndexedAccess", "--target", "es2022", "--module", "nodenext",
    "--types", "node", "--skipLibCheck",
]  # fmt: skip


@pytest.fixture
def shop(settings, live_server):
    """Arguments of a client: the address, its credentials and a product; a worker is beside it."""
    local = {"PROVIDER": "local", "MODEL": "local-studio"}
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "TIERS": {"draft": {**local, "SIZE": "1K"}, "premium": {**local, "SIZE": "2K"}},
        "RENDITION_WIDTHS": [320],
        "RENDITION_FORMATS": ["jpeg"],
    }
    factories.scene("marble")
    mug = factories.product(photo=factories.photo_bytes((600, 750)))
    permissions = (Permission.GENERATE, Permission.REVIEW, Permission.PUBLISH)
    factories.staff(*permissions, *factories.VIEW_PRODUCTS, name="client")
    token = b64encode(b"client:secret").decode()
    return [f"{live_server.url}{described.BASE}", token, str(mug.pk)]


def do_main_job(command, *, cwd):
    """Run a client until it ends, and work meanwhile."""
    with subprocess.Popen(
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as client:
        while client.poll() is None:
            worker.drain()
            time.sleep(0.1)
        assert client.returncode == 0, client.stdout.read()
    assert ProductImage.objects.filter(state="approved", kind="picture").count() == 2
    assert Placement.objects.count() == 1


def test_a_client_in_python_does_the_main_job(shop, tmp_path):
    options = tmp_path / "options.json"
    options.write_text(json.dumps(PYTHON_SETTINGS))
    generator = str(Path(sys.executable).with_name("openapi-python-client"))
    subprocess.run(
        [
            generator, "generate", "--path", str(renew.FILE), "--config", str(options),
            "--meta", "none", "--output-path", "catalog_client", "--fail-on-warning",
        ],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    script = shutil.copy(SCRIPTS / "main_job.py", tmp_path)
    do_main_job([sys.executable, str(script), *shop], cwd=tmp_path)


def test_a_client_in_typescript_does_the_main_job(shop, tmp_path):
    if not shutil.which("npm"):
        assert "CI" not in os.environ, "npm is needed"
        pytest.skip("npm, which brings the generator of TypeScript, is not installed")
    (tmp_path / "package.json").write_text('{"type": "module", "private": true}')
    quiet = ["--silent", "--no-audit", "--no-fund", "--prefer-offline"]
    for command in (
        ["npm", "install", *quiet, *PACKAGES],
        ["npx", "openapi-typescript", str(renew.FILE), "--output", "schema.d.ts"],
        ["cp", str(SCRIPTS / "main_job.ts"), "."],
        ["npx", "tsc", *COMPILER, "main_job.ts"],
    ):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    do_main_job(["node", "main_job.js", *shop], cwd=tmp_path)
