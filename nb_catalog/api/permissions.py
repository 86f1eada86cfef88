"""Permission classes: the same table of permissions as in the admin."""

from rest_framework.permissions import SAFE_METHODS, BasePermission

from nb_catalog.conf import settings
from nb_catalog.core.permissions import may


class CatalogPermission(BasePermission):
    """Check the action of ``core.permissions`` that the view names for the current request.

    An action without an entry is allowed to nobody. To replace or extend this class, subclass a view
    and set ``permission_classes``.
    """

    def has_permission(self, request, view):
        needed = view.needed_permission()
        return bool(needed and request.user and may(request.user, needed))


class PublicReadPermission(CatalogPermission):
    """Allow anyone to read if ``NB_CATALOG["API_PUBLIC_PLACEMENTS"]`` is True."""

    def has_permission(self, request, view):
        if request.method in SAFE_METHODS and settings.API_PUBLIC_PLACEMENTS:
            return True
        return super().has_permission(request, view)
