"""Every documented check, provoked through ``manage.py check`` in a process of its own: what fails while
models, plug-ins or settings are imported would otherwise be a traceback there."""

import os
import re
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from nb_catalog.models import ProviderPause
from tests.cases import ordinary
from tests.imaging import onnx_files
from tests.settings import ROOT, SCRATCH

pytestmark = [pytest.mark.once, pytest.mark.django_db(transaction=True)]

GEMINI = "nb_catalog.providers.gemini.GeminiProvider"
OPENAI = "nb_catalog.providers.openai_images.OpenAIImagesProvider"
LOCAL = "nb_catalog.providers.local.LocalProvider"
LITE = "gemini-3.1-flash-lite-image"

# The settings of a host that has done everything right. What is provoked comes below.
START = """
from tests.settings import *

def tier(name, provider="local", model="local-studio", **more):
    NB_CATALOG["TIERS"][name] = {"PROVIDER": provider, "MODEL": model, "SIZE": "1K", **more}

def maker(name, backend, model=LITE, **options):
    NB_CATALOG["PROVIDERS"][name] = {"BACKEND": backend, "OPTIONS": options}
    tier(name, name, model)

def spec(model, **changes):
    NB_CATALOG["MODEL_SPECS"][model] = changes

def network(path, sha256=None):
    options = {"path": path, "sha256": sha256 or CHECKSUMS.get(path, "1" * 64)}
    backend = "nb_catalog.imaging.cutout.backends.NetworkCutout"
    NB_CATALOG["CUTOUT"] = {"BACKEND": backend, "OPTIONS": options}

def picture_storage(backend, **options):
    STORAGES["pictures"] = {"BACKEND": backend, "OPTIONS": options}
    NB_CATALOG["STORAGE"] = "pictures"

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
FILES = "django.core.files.storage.FileSystemStorage"
NB_CATALOG |= {"TIERS": {}, "PROVIDERS": {}, "MODEL_SPECS": {}}
tier("draft")
"""
HOST_APP = {
    "catalog_images.py": """
import nb_catalog
from nb_catalog.publishing.galleries import ImageFieldGallery
from tests.catalog.models import Lamp, Unlisted

@nb_catalog.register(Unlisted)
class UnlistedSource(nb_catalog.CatalogSource):
    title_field = "nmae"
    photo_field = "name"
    galleries = (
        ImageFieldGallery("gone", slot="hero", key="first"),
        ImageFieldGallery("gone", slot="heroe", locale="xx", key="second"),
    )

@nb_catalog.register(Lamp)
class LampSource(nb_catalog.CatalogSource):
    title_field = "name"
    photo_field = "packshot"
    galleries = (
        ImageFieldGallery("image", slot="hero", key="first"),
        ImageFieldGallery("image", slot="social", key="second"),
    )
""",
    "admin.py": """
from django.contrib import admin
from nb_catalog.admin import CatalogImagesMixin
from tests.catalog.models import Mug, PosterPhoto

class Pictures(CatalogImagesMixin, admin.ModelAdmin):
    pass

admin.site.register(PosterPhoto, Pictures)
other = admin.AdminSite("other")
other.register(Mug, Pictures)
""",
}

# id -> settings that provoke it. What can stand beside each other shares a process.
TOGETHER = {
    "E001": "NB_CATALOG['CONCURRENCY'] = 0",
    "E002": "NB_CATALOG['TEIRS'] = {}",
    "E003": "spec('own', price='1')",
    "E004": "NB_CATALOG['TASK_BACKEND'] = 'defualt'",
    "E005": "NB_CATALOG['QUOTAS'] = {'nowhere': {'*': {'IN_FLIGHT': 1}}}",
    "E006": "NB_CATALOG['TIER_DAILY_BUDGETS_USD'] = {'darft': '1'}",
    "E009": "NB_CATALOG['ESCALATION'] = {'SLOTS': {'heroe': '2K'}}",
    "E010": "tier('e010', COLOUR='red')",
    "E011": "tier('e011', model='local-studoi')",
    "E012": "tier('e012', THINKING='high')",
    "E013": "tier('e013', 'gemini', 'gemini-2.5-flash-image')",
    "E014": "tier('e014', 'gemini', 'e014'); spec('e014', provider='gemini', name='Own', sizes=['1K'])",
    "E015": "maker('e015', 'shop.nowhere.Provider')",
    "E016": "tier('e016', 'gemini', 'local-studio')",
    "E017": "NB_CATALOG['CHANNELS'] = {'own': {'COLOUR': 'red'}}",
    "E020": "NB_CATALOG['STORAGE'] = 'defualt'",
    "E030": "INSTALLED_APPS += ['host']",
    "E040": "NB_CATALOG['LOCALES'] = ['en', 'not a locale']",
    "E043": "NB_CATALOG['TRANSLATION_PROVIDER'] = {'BACKEND': 'shop.nowhere.Translator'}",
    "E044": "NB_CATALOG['ALT_TEXT_PROVIDER'] = {'BACKEND': 'shop.nowhere.Describer'}",
    "E045": "NB_CATALOG['OCR_PROVIDER'] = {'BACKEND': 'shop.nowhere.Reader'}",
    "E046": "NB_CATALOG['CUTOUT'] = {'BACKEND': 'shop.nowhere.Cutout'}",
    "E052": "NB_CATALOG['COMPARISON_PROVIDER'] = {'BACKEND': 'shop.nowhere.Comparison'}",
    "E060": "'host'",
    "E061": "'host'",
    "E062": "'host'",
    "E063": "'host'",
    "E101": "'host'",
    "E102": "'host'",
    "E103": "INSTALLED_APPS += ['nb_catalog.contrib.wagtail']",
    "E104": "INSTALLED_APPS += ['nb_catalog.contrib.oscar']",
    "E204": "maker('e204', GEMINI, vertex=True)",
    "E205": "maker('e205', GEMINI, vertex=True, project='p', location='l', credentials='/nowhere')",
    "E301": "maker('e301', OPENAI, base_url='https://i.example/v1'); sys.modules['openai'] = None",
    "E303": "maker('e303', OPENAI, base_url='ftp://i.example')",
    "W001": "tier('w001', 'gemini', 'gemini-3-pro-image')"
    "; spec('gemini-3-pro-image', deprecated_on='2026-01-01', replaced_by='w003', price_as_of=None)",
    "W002": "'w001'",
    "W003": "'w001'",
    "W004": f"tier('w004', 'gemini', {LITE!r})",
    "W201": "'w001'",
    "W202": "maker('w202', GEMINI, api_key='k', base_url='gemini.example')",
    "W203": "maker('w203', GEMINI, api_key='k', base_url='http://gemini.example')",
    "W206": "maker('w206', GEMINI, vertex=True, project='p', location='l')",
    "W210": "NB_CATALOG['WEBHOOKS'] = {'ALLOWED_NETWORKS': ['0.0.0.0/0']}",
    "W302": "maker('w302', OPENAI, base_url='https://i.example/v1')",
    "W304": "maker('w304', OPENAI, base_url='http://i.example/v1', api_key='k')",
}
# E021 and W020 are about the storage, as E020 is; E041 ends the check of locales; W005 and
# E007 need task queues of their own, W042 locales that exist.
APART = {
    "E021": "sys.modules['boto3'] = None; picture_storage('storages.backends.s3.S3Storage')"
    "; NB_CATALOG['FONTS'] = [{'FILE': 'a.ttf', 'STORAGE': 'defualt'}]",
    "E041": "'a.ttf'",
    # A package that has Oscar's name is enough.
    "E105": "INSTALLED_APPS += ['oscar', 'nb_catalog.contrib.oscar']",
    "W005": "tier('paid', 'gemini', LITE); NB_CATALOG['WAKE_UP'] = 'tasks'; del TASKS",
}
ALONE = {
    "E007": "NB_CATALOG['WAKE_UP'] = 'celery'; sys.modules['celery'] = None",
    "W020": "picture_storage('storages.backends.s3.S3Storage', bucket_name='b', region_name='eu-west-1')",
    "W042": "NB_CATALOG['LOCALES'] = ['en', 'iu']",
    # An italic font beside an upright one; both come with the extra "fonts".
    "W043": "import fontpkg_noto_sans, pathlib;"
    " files = pathlib.Path(fontpkg_noto_sans.__file__).parent.rglob('NotoSans*.ttf');"
    " NB_CATALOG['FONTS'] = sorted(map(str, files), reverse=True)",
}
LAST = {"W021": "MEDIA_ROOT = ''", "E008": "USE_TZ = False"}
PROCESSES = [TOGETHER, APART, ALONE, LAST]


# One backend each. The note is part of the check before a deployment.
CUTOUTS = [
    {"I001": ""},
    {"E047": "network(NETWORK); sys.modules['onnxruntime'] = None"},
    {"E048": "network('gone.onnx')"},
    {"E049": "network(NETWORK, sha256='0' * 64)"},
    {"E050": "network(OTHER)"},
]
PROCESSES += CUTOUTS


def checked(code, home, *options):
    """What ``manage.py check`` reports with ``code`` at the end of the settings."""
    names = "\n".join(
        f"{name} = {globals()[name]!r}" for name in ("GEMINI", "OPENAI", "LOCAL", "LITE")
    )
    for name, side in {"NETWORK": 320, "OTHER": 640}.items():
        file = home / f"{name}.onnx"
        saved = onnx_files.save(file, onnx_files.network(side=side))
        names += f"\n{name} = {saved['path']!r}\nCHECKSUMS[{name}] = {saved['sha256']!r}"
    (home / "provoked.py").write_text(f"import sys\nCHECKSUMS = {{}}\n{names}\n{START}\n{code}\n")
    (home / "oscar").mkdir(exist_ok=True)
    (home / "oscar" / "__init__.py").touch()
    for name, text in {"__init__.py": "", **HOST_APP}.items():
        (home / "host").mkdir(exist_ok=True)
        (home / "host" / name).write_text(text)
    environment = {
        **{name: value for name, value in os.environ.items() if "API_KEY" not in name},
        "DJANGO_SETTINGS_MODULE": "provoked",
        "PYTHONPATH": os.pathsep.join([str(home), str(ROOT)]),
        "HOME": str(home),  # without anybody's credentials
        "NB_TEST_SCRATCH": str(SCRATCH),
        "NB_TEST_NAME": str(connection.settings_dict["NAME"]),
    }
    return subprocess.run(
        [sys.executable, ROOT / "manage.py", "check", "--database", "default", *options],
        env=environment, cwd=home, capture_output=True, text=True, check=False,
    )  # fmt: skip


def reported(done):
    assert "Traceback" not in done.stderr, done.stderr
    return set(re.findall(r"\(nb_catalog\.([EIW]\d{3})\)", done.stderr))


@pytest.mark.parametrize(
    "provoked",
    ordinary(PROCESSES, chosen=[TOGETHER, APART, LAST]),
    ids=lambda provoked: next(iter(provoked)),
)
def test_each_check_reports_through_the_command(provoked, tmp_path):
    ProviderPause.objects.create(
        provider="gemini", model=LITE, cause="model_retired", reason="Gone.",
        until=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    options = ["--deploy"] if "I001" in provoked else []
    done = checked("\n".join(provoked.values()), tmp_path, *options)
    assert provoked.keys() - reported(done) == set(), done.stderr
    assert done.returncode == any(each.startswith("E") for each in provoked)


def test_every_documented_check_is_provoked():
    documented = re.findall(
        r"^\| `nb_catalog\.(\w+)` \|", (ROOT / "docs/checks.md").read_text(), re.M
    )
    assert sorted(each for provoked in PROCESSES for each in provoked) == sorted(documented)


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("code", "ids"),
    [
        ("picture_storage('shop.nowhere.Storage')", {"E021"}),
        ("picture_storage(FILES, colour='red')", {"E021"}),
        ("picture_storage('storages.backends.s3.S3Storage', colour='red')", {"E021"}),
        ("picture_storage('tests.bad_input.plugs.FailingStorage')", {"E021"}),
        ("picture_storage(FILES, location='media')", {"W021"}),
        ("NB_CATALOG['STORAGE'] = 7", {"E001"}),
        ("NB_CATALOG = ['TIERS']", {"E001"}),
        ("NB_CATALOG = None", {"E001"}),
        ("TASKS = {'pictures': TASKS['default']}; NB_CATALOG['TASK_BACKEND'] = 'pictures'", set()),
    ],
)
def test_what_is_wrong_while_models_are_imported_is_reported_too(code, ids, tmp_path):
    assert reported(checked(code, tmp_path)) == ids
