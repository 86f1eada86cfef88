"""Settings of the demo shop, for one developer machine, not for production."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import django
from django.core.management.utils import get_random_secret_key
from django.utils.translation import gettext_lazy as _

from nb_catalog.conf import GEMINI_TIERS

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("DEMO_DATA_DIR", BASE_DIR / "var" / "demo"))


def _load_secret_key() -> str:
    """Return the key from its file, which is created once, so that sessions survive a restart."""
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    file = DATA_DIR / "secret-key"
    try:
        with file.open("x") as new:
            new.write(get_random_secret_key())
        file.chmod(0o600)
    except FileExistsError:
        pass
    return file.read_text()


SECRET_KEY = os.environ.get("DEMO_SECRET_KEY") or _load_secret_key()
DEBUG = os.environ.get("DEMO_DEBUG", "1") == "1"
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "nb_catalog",
    "demo_project.shop",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "demo_project.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "demo_project.shop.context.shop",
            ],
        },
    },
]
DATABASES: dict[str, dict[str, Any]]
if os.environ.get("DEMO_DATABASE") == "postgres":
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ.get("PGDATABASE", "nb_catalog_demo"),
            "USER": os.environ.get("PGUSER", ""),
            "PASSWORD": os.environ.get("PGPASSWORD", ""),
            "HOST": os.environ.get("PGHOST", ""),
            "PORT": os.environ.get("PGPORT", ""),
        }
    }
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATA_DIR / "demo.sqlite3",
            # The web server and the worker write at the same time. WAL does not block readers;
            # IMMEDIATE makes a writer wait for the lock instead of failing in mid-transaction.
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", _("English")),
    ("de", _("German")),
    ("fr", _("French")),
    ("ar", _("Arabic")),
]
LOCALE_PATHS = [BASE_DIR / "demo_project" / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"
USE_THOUSAND_SEPARATOR = True

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
MEDIA_URL = "media/"
MEDIA_ROOT = DATA_DIR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
}

# The worker that runs beside the demo's web server polls the database, so the task that a new run
# enqueues may be discarded.
if django.VERSION >= (6, 0):
    TASKS = {"default": {"BACKEND": "django.tasks.backends.dummy.DummyBackend"}}
else:
    INSTALLED_APPS.append("django_tasks")
    TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}

NB_CATALOG: dict[str, Any] = {"DAILY_BUDGET_USD": "25", "NOTIFY": {"EMAIL": "ask"}}
# E-mails about runs become files in this directory.
_MAIL, _MAIL_DIR = "django.core.mail.backends.filebased.EmailBackend", DATA_DIR / "mail"
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": _MAIL, "OPTIONS": {"file_path": _MAIL_DIR}}}
else:
    EMAIL_BACKEND, EMAIL_FILE_PATH = _MAIL, _MAIL_DIR
# An API key in the environment alone must not make the demo spend money.
if os.environ.get("DEMO_USE_GEMINI") == "1" and os.environ.get("GEMINI_API_KEY"):
    NB_CATALOG["TIERS"] = GEMINI_TIERS

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler", "stream": sys.stderr}},
    "loggers": {"nb_catalog": {"handlers": ["console"], "level": "WARNING"}},
}
