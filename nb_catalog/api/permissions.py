"""Permission classes: the same Django permissions as in the admin."""

from rest_framework.permissions import SAFE_METHODS, BasePermission

from nb_catalog.conf import settings


class CatalogPermission(BasePermission):
    """Check the view's ``read_permission`` or its ``action_permissions``.

    An action without an entry is allowed only to superusers. To replace or extend this class,
    subclass a view and set ``permission_classes``.
    """

    def has_permission(self, request, view):
        needed = view.needed_permission()
        return bool(needed and request.user and request.user.has_perm(needed))


class PublicReadPermission(CatalogPermission):
    """Allow anyone to read if ``NB_CATALOG["API_PUBLIC_PLACEMENTS"]`` is True."""

    def has_permission(self, request, view):
        if request.method in SAFE_METHODS and settings.API_PUBLIC_PLACEMENTS:
            return True
        return super().has_permission(request, view)
