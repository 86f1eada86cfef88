"""What all views have in common: version, language, challenges, caching, conditions, throttles."""

from django.conf import settings as django_settings
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_header_parameters
from django.utils.translation import gettext as _
from rest_framework import exceptions as drf
from rest_framework.authentication import BasicAuthentication
from rest_framework.permissions import SAFE_METHODS
from rest_framework.reverse import reverse
from rest_framework.settings import api_settings
from rest_framework.throttling import ScopedRateThrottle

from nb_catalog.api import conditional
from nb_catalog.api.errors import JSON, ProblemView
from nb_catalog.api.operations import DEFAULT

VERSIONS = ("1",)
VERSION = "version"
PRIVATE = "private, no-cache"
# What differs by it: what a user may see, messages, and JSON or HTML.
VARY = ("Accept", "Accept-Language", "Authorization", "Cookie")


class CatalogThrottle(ScopedRateThrottle):
    """The host's rate for the scope of an action, if it has set one."""

    def __init__(self):
        # As now: DRF keeps those of the time when it was imported.
        self.THROTTLE_RATES = api_settings.DEFAULT_THROTTLE_RATES


class BorderView(ProblemView):
    """Mixin of all views of the API."""

    # The host's versions are of its own endpoints: ours are checked below.
    versioning_class = None
    throttle_scope = ""
    # The fields of what is returned that have addresses of files, which may differ each time.
    file_addresses = frozenset()

    def dispatch(self, request, *args, **kwargs):
        """Speak the caller's language, also if the host has no ``LocaleMiddleware``."""
        language = translation.get_language()
        if django_settings.USE_I18N and language == django_settings.LANGUAGE_CODE:
            language = translation.get_language_from_request(request)
        with translation.override(language):
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request, *args, **kwargs):
        super().initial(request, *args, **kwargs)
        _type, parameters = parse_header_parameters(request.accepted_media_type or "")
        version = parameters.get(VERSION, VERSIONS[-1])
        if version not in VERSIONS:
            message = _("There is no version “%(version)s” of this API. It has: %(versions)s.")
            known = {"version": version, "versions": ", ".join(VERSIONS)}
            raise drf.NotAcceptable(message % known)

    def get_throttles(self):
        throttles = super().get_throttles()
        scoped = [each for each in throttles if isinstance(each, ScopedRateThrottle)]
        if self.throttle_scope in api_settings.DEFAULT_THROTTLE_RATES:
            return throttles if scoped else [*throttles, CatalogThrottle()]
        # One of the host's own list would find no rate, and raise an error.
        return [each for each in throttles if each not in scoped]

    def get_authenticate_header(self, request):
        """Return the first challenge that there is, so that missing credentials are a 401.

        Not that of HTTP Basic behind another way to authenticate: browsers would ask for a password.
        """
        for number, authenticator in enumerate(self.get_authenticators()):
            header = authenticator.authenticate_header(request)
            if header and (not number or not isinstance(authenticator, BasicAuthentication)):
                return header
        return None

    def finalize_response(self, request, response, *args, **kwargs):
        response = super().finalize_response(request, response, *args, **kwargs)
        patch_vary_headers(response, VARY)
        if django_settings.USE_I18N:
            response.headers.setdefault("Content-Language", translation.get_language())
        is_read = request.method in SAFE_METHODS and response.status_code == 200
        location = getattr(self, "operation", DEFAULT).location
        if response.status_code in (201, 202) and location:
            name, field = location
            if (key := response.data[field]) is not None:
                namespace = request.resolver_match.namespace
                response["Location"] = reverse(f"{namespace}:{name}", args=[key], request=request)
        if not is_read:
            response.headers.setdefault("Cache-Control", "no-store")
            return response
        response.headers.setdefault("Cache-Control", self.cache_control())
        renderer = getattr(response, "accepted_renderer", None)
        if getattr(renderer, "media_type", "") != JSON or request.method == "OPTIONS":
            return response
        response["ETag"] = conditional.etag_of(response.data, addresses_in=self.file_addresses)
        return conditional.not_modified(request, response) or response

    def cache_control(self):
        """Return who may store a response that was read, and for how long."""
        return PRIVATE

    def check_precondition(self, row):
        """Raise ``PreconditionFailed`` if ``If-Match`` of a request is of another state of ``row``."""
        header = self.request.headers.get("If-Match")
        if header is None or self.request.method in SAFE_METHODS:
            return
        etag = conditional.etag_of(self.represent(row), addresses_in=self.file_addresses)
        if not conditional.is_current(header, etag):
            raise conditional.PreconditionFailed(etag=etag)
