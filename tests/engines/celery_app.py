"""The Celery app of a shop, as small as it can be: ``celery -A tests.engines.celery_app worker``."""

import os

import django
from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

app = Celery("shop", broker=os.environ.get("NB_TEST_BROKER", "memory://"))
# A queue of this test's own: the broker may be one that others use at the same moment.
app.conf.task_default_queue = os.environ.get("NB_TEST_QUEUE", "celery")
app.conf.broker_connection_retry_on_startup = True
app.autodiscover_tasks(["nb_catalog"])
