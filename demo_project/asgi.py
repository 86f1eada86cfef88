"""The demo's ASGI application, which also serves static files: for one developer machine."""

from __future__ import annotations

import os

from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo_project.settings")
application = ASGIStaticFilesHandler(get_asgi_application())
