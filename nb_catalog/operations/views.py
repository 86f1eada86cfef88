"""A health endpoint: ``path("health/catalog-images/", nb_catalog.operations.views.health)``."""

from __future__ import annotations

import logging

from django.db import Error
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from nb_catalog.operations import status

logger = logging.getLogger(__name__)


@never_cache
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """Return 200 if all is well, 503 with the codes of the problems otherwise. Reveals no names and no
    numbers."""
    try:
        problems = [code for code in status.problems() if code not in status.FOR_EDITORS]
    except Error:
        logger.exception("The health of the app cannot be determined.")
        problems = ["database"]
    body = {"status": "degraded" if problems else "ok", "problems": problems}
    return JsonResponse(body, status=503 if problems else 200)
