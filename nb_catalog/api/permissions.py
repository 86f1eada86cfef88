"""Who may do what: Django's permissions, the same as in the admin."""

from rest_framework.permissions import SAFE_METHODS, BasePermission

from nb_catalog.conf import settings


class CatalogPermission(BasePermission):
    """A view names ``read_permission`` and, by action, ``action_permissions``.

    An action that is named nowhere is allowed to nobody but superusers. Hosts replace or extend
    this class by subclassing a view and setting ``permission_classes``.
    """

    def has_permission(self, request, view):
        needed = view.needed_permission()
        return bool(needed and request.user and request.user.has_perm(needed))


class PublicReadPermission(CatalogPermission):
    """Anybody may read where ``NB_CATALOG["API_PUBLIC_PLACEMENTS"]`` says so."""

    def has_permission(self, request, view):
        if request.method in SAFE_METHODS and settings.API_PUBLIC_PLACEMENTS:
            return True
        return super().has_permission(request, view)
