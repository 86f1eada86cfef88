"""The storages and providers that the story is told on: real files, a real S3, real HTTP."""

from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from nb_catalog.imaging.provenance import DigitalSourceType
from nb_catalog.testing import GeminiServer
from tests.factories import OUR_RULES

LOCAL_TIER = {"PROVIDER": "local", "MODEL": "local-studio", "SIZE": "1K"}
GEMINI_TIER = {"PROVIDER": "gemini", "MODEL": "gemini-3.1-flash-lite-image", "SIZE": "1K"}
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "NO_PROXY": "127.0.0.1",
}


@pytest.fixture(scope="session")
def s3_url():
    """The address of a server that speaks S3; one for the whole session."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def storage(request, settings, tmp_path):
    """The storage of photos and pictures: "files", "s3 overwriting" or "s3 keeping"."""
    files = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": tmp_path, "base_url": "/media/"},
    }
    chosen = files if request.param == "files" else _s3(request)
    settings.STORAGES = {**settings.STORAGES, "default": chosen}
    return request.param


def _s3(request):
    url = request.getfixturevalue("s3_url")
    monkeypatch = request.getfixturevalue("monkeypatch")
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    bucket = f"catalog-{uuid4().hex}"
    client = boto3.client("s3", endpoint_url=url)
    client.create_bucket(Bucket=bucket)
    client.close()
    options = {
        "bucket_name": bucket,
        "endpoint_url": url,
        "querystring_auth": False,
        "file_overwrite": request.param == "s3 overwriting",
    }
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """A provider that the settings name, what it is asked for and what its pictures are."""

    treatment: str
    origin: DigitalSourceType
    server: GeminiServer | None = None


@pytest.fixture
def maker(request, settings):
    """The provider: "local", "gemini locked" or "gemini painted"."""
    with _maker(request.param) as (made, changes):
        settings.NB_CATALOG = {
            **settings.NB_CATALOG,
            "RENDITION_WIDTHS": [160, 320],
            **changes,
        }
        yield made


@contextmanager
def _maker(name):
    if name == "local":
        made = Maker(treatment="locked", origin=DigitalSourceType.ALGORITHMIC)
        yield made, {"TIERS": {"draft": LOCAL_TIER}}
        return
    locked = name == "gemini locked"
    origin = DigitalSourceType.COMPOSITE_WITH_MODEL if locked else DigitalSourceType.MODEL
    with GeminiServer(**OUR_RULES) as server:
        options = {"api_key": "test-key", "base_url": server.url}
        gemini = {
            "BACKEND": "nb_catalog.providers.gemini.GeminiProvider",
            "OPTIONS": options,
        }
        treatment = "locked" if locked else "painted"
        made = Maker(treatment=treatment, origin=origin, server=server)
        yield made, {"TIERS": {"draft": GEMINI_TIER}, "PROVIDERS": {"gemini": gemini}}
