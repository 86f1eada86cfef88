"""Errors as RFC 9457 problem details, on our own views only."""

from http import HTTPStatus

from django.utils.translation import gettext as _
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from nb_catalog.exceptions import (
    InvalidTransition,
    NBCatalogError,
    NotRegistered,
    ObjectGone,
    PictureError,
    ProviderError,
    RequestRefused,
    StorageFailed,
)

MEDIA_TYPE = "application/problem+json"

# The first that fits. 422 says: the request was understood, and what it asks for cannot be done.
STATUSES = (
    (NotRegistered, HTTPStatus.NOT_FOUND),
    (InvalidTransition, HTTPStatus.CONFLICT),
    (RequestRefused, HTTPStatus.UNPROCESSABLE_ENTITY),
    (ObjectGone, HTTPStatus.GONE),
    (PictureError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (StorageFailed, HTTPStatus.SERVICE_UNAVAILABLE),
    (ProviderError, HTTPStatus.BAD_GATEWAY),
    (NBCatalogError, HTTPStatus.BAD_REQUEST),
)


def handle(error, context):
    """The exception handler of our views; errors that nobody expects stay errors."""
    if isinstance(error, NBCatalogError):
        set_rollback()
        return _of_ours(error)
    response = exception_handler(error, context)
    if response is not None:
        response.data = _of_drf(error, response)
    return response


def _of_ours(error):
    status = next(status for kind, status in STATUSES if isinstance(error, kind))
    more = {}
    if isinstance(error, RequestRefused):
        more["objections"] = list(error.objections)
    headers = {"Retry-After": "60"} if error.retryable else {}
    data = problem(status=status, code=error.code, detail=str(error), **more)
    return Response(data, status=status, headers=headers)


def _of_drf(error, response):
    if isinstance(error, drf.ValidationError):
        return problem(
            status=response.status_code,
            code="invalid",
            detail=_("Some values are missing or invalid."),
            errors=_by_field(response.data),
        )
    detail = response.data.get("detail", "")
    return problem(
        status=response.status_code,
        code=getattr(detail, "code", "error"),
        detail=str(detail),
    )


def _by_field(data):
    return data if isinstance(data, dict) else {"non_field_errors": data}


def problem(*, status, code, detail, **more):
    """``code`` is stable: programs decide by it. ``detail`` is a sentence for a person."""
    return {
        "type": f"urn:nb-catalog:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": int(status),
        "detail": detail,
        "code": code,
        **more,
    }
