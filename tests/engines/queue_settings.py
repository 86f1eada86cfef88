"""A shop of its own, on a database file of its own, with a queue of Django's tasks behind it."""

import os
from pathlib import Path

from tests.settings import *  # noqa: F403 - the same, less what follows
from tests.settings import INSTALLED_APPS

HOME = Path(os.environ["NB_TEST_HOME"])
MEDIA_ROOT = HOME / "media"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": HOME / "db.sqlite3",
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
}
NB_CATALOG = {"WAKE_SECONDS": 2.0, "LEASE_SECONDS": 3.0, "STAGING_DIR": str(HOME / "staging")}
if os.environ["NB_TEST_QUEUE"] == "db":
    INSTALLED_APPS = [*INSTALLED_APPS, "django_tasks_db"]
    TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
else:
    INSTALLED_APPS = [*INSTALLED_APPS, "django_rq", "django_tasks_rq"]
    TASKS = {"default": {"BACKEND": "django_tasks_rq.RQBackend"}}
    RQ_QUEUES = {"default": {"URL": os.environ["NB_TEST_BROKER"]}}
