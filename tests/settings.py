"""Settings of the test suite. ``NB_TEST_DATABASE`` picks the database: sqlite, postgres or mariadb."""

import atexit
import json
import os
import shutil
import tempfile
from pathlib import Path

import django

ROOT = Path(__file__).resolve().parent.parent
# A process that a test starts is told to share the test's files and database.
SHARED = os.environ.get("NB_TEST_SCRATCH", "")
SCRATCH = Path(SHARED or tempfile.mkdtemp(prefix="nb_catalog-tests-"))
if not SHARED:
    atexit.register(shutil.rmtree, SCRATCH, ignore_errors=True)
SECRET_KEY = "only for tests"
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_TZ = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français"), ("ar", "العربية")]
ROOT_URLCONF = "tests.urls"
STATIC_URL = "/static/"
MEDIA_URL = "/media/"
MEDIA_ROOT = SCRATCH / "media"
if django.VERSION >= (6, 1):
    # In place of EMAIL_BACKEND, which is deprecated from there on. The test runner makes it "locmem", too.
    MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "nb_catalog",
    "tests.catalog",
    "demo_project.shop",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

if os.environ.get("NB_TEST_DATABASE") == "postgres":
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ.get("NB_TEST_NAME", "nb_catalog"),
            "HOST": os.environ.get("PGHOST", ""),
            "PORT": os.environ.get("PGPORT", ""),
            "USER": os.environ.get("PGUSER", ""),
            "PASSWORD": os.environ.get("PGPASSWORD", ""),
        }
    }
elif os.environ.get("NB_TEST_DATABASE") == "mariadb":
    import pymysql

    # Written in Python: mysqlclient, which Django asks for, would need a compiler to be installed.
    pymysql.install_as_MySQLdb()
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.mysql",
            "NAME": os.environ.get("NB_TEST_NAME", "nb_catalog"),
            "HOST": os.environ.get("NB_TEST_SOCKET", ""),
            "USER": os.environ.get("NB_TEST_USER", "root"),
            "OPTIONS": {"charset": "utf8mb4"},
            "TEST": {"CHARSET": "utf8mb4"},
        }
    }
else:
    # A file, not memory: the worker's database thread has a connection of its own.
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ.get("NB_TEST_NAME", SCRATCH / "db.sqlite3"),
            "TEST": {"NAME": SCRATCH / "test.sqlite3"},
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    }

# Hashing passwords slowly would be most of the suite's time.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

if django.VERSION >= (6, 0):
    TASKS = {"default": {"BACKEND": "django.tasks.backends.dummy.DummyBackend"}}
else:
    INSTALLED_APPS += ["django_tasks"]
    TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}

NB_CATALOG = {
    "STAGING_DIR": SCRATCH / "staging",
    "FREE_THREADS": 2,
    # A machine that happens to have Tesseract must not read every picture of every test.
    "PROVIDERS": {
        "typesetter": {
            "BACKEND": "nb_catalog.providers.typesetter.TypesetterProvider",
            "OPTIONS": {"ocr": False},
        }
    },
    # A process that a test starts is told the test's own settings.
    **json.loads(os.environ.get("NB_TEST_CATALOG", "{}")),
}
