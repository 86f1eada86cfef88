"""The pages of the admin inside the frame of another application: its menu, its sign-in, its looks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template import Engine, engines
from django.template.backends.django import DjangoTemplates, Template
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.functional import cached_property
from django.utils.http import urlencode

from nb_catalog.admin.generate.selection import store_selection
from nb_catalog.core.permissions import Action, may
from nb_catalog.exceptions import NotRegistered
from nb_catalog.registry import is_registered, source_for

APP_LABEL = "nb_catalog"
# What only the frame does.
_LEFT_OUT = {"password_change", "password_change_done"}
# Keys in one address.
MAX_CHOSEN = 200
# Windows for related objects have no frame.
_BASE = '{% extends is_popup|yesno:"admin/base.html,nb_catalog/frame/page.html" %}'


class FramedSite(AdminSite, ABC):
    """An admin site with the pages of this app only, whose templates extend ``frame_template``.

    A subclass says who may enter (``has_permission``), and where the frame signs people in and edits their
    objects. What a person may do there is decided by the same permissions as in the admin.
    """

    frame_template: ClassVar[str]
    login_url_name: ClassVar[str]

    def get_urls(self) -> list[URLPattern | URLResolver]:
        # The host's own subclasses, if it has registered some.
        for model, model_admin in admin.site._registry.items():
            if model._meta.app_label == APP_LABEL and not self.is_registered(model):
                self.register(model, type(model_admin))
        choose = path(
            "choose/<slug:app>.<slug:model>/",
            self.admin_view(self.choose),
            name="nb_catalog_choose",
        )
        urls = [each for each in super().get_urls() if getattr(each, "name", "") not in _LEFT_OUT]
        return [choose, *urls]

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        def framed(request: HttpRequest, *args: Any, **options: Any) -> Any:
            request.current_app = self.name  # type: ignore[attr-defined]
            response = view(request, *args, **options)
            if isinstance(response, TemplateResponse) and not response.is_rendered:
                # Extends the frame where others extend the admin's base.
                names = response.template_name
                names = [names] if isinstance(names, str) else list(names)
                response.template_name = Template(
                    self._engine.select_template(names), self._backend
                )
                response.context_data = {
                    **(response.context_data or {}),
                    "nbc_frame": self.frame_template,
                }
            return response

        framed.csrf_exempt = getattr(view, "csrf_exempt", False)  # type: ignore[attr-defined]
        return super().admin_view(framed, cacheable)

    def index(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Redirect to the app's start page: there is no other app."""
        return redirect(reverse(f"{self.name}:app_list", args=[APP_LABEL]))

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Redirect to where the frame signs people in."""
        query = urlencode({"next": request.GET.get("next") or reverse(f"{self.name}:index")})
        return HttpResponseRedirect(f"{reverse(self.login_url_name)}?{query}")

    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Redirect to the start page: it is the frame that signs people out."""
        return self.index(request)

    @abstractmethod
    def catalog_object_url(self, product: Model) -> str:
        """Return where the frame edits ``product``; "" if nowhere."""

    @abstractmethod
    def choosable(self, rows: QuerySet[Any], *, user: Any) -> QuerySet[Any]:
        """Return those of ``rows``, of a registered model, that the frame lets ``user`` choose."""

    def may_generate(self, product: Model, *, user: Any) -> bool:
        """Return whether ``user`` may have pictures of ``product`` generated. At most one query."""
        if not is_registered(type(product)) or not may(user, Action.PLAN):
            return False
        rows = type(product)._default_manager.filter(pk=product.pk)
        return self.choosable(rows, user=user).exists()

    def choose_url(self, model: type[Model], *, keys: Iterable[Any]) -> str:
        """Return the address that goes on to the plan of pictures of these objects."""
        url = reverse(f"{self.name}:nb_catalog_choose", args=source_for(model).label.split("."))
        return f"{url}?{urlencode({'id': list(keys)}, doseq=True)}"

    def choose(self, request: HttpRequest, app: str, model: str) -> HttpResponse:
        """Store the objects with the keys ``id``, as a list's action does, and go on to their plan."""
        try:
            table = source_for(f"{app}.{model}").model
        except NotRegistered as error:
            raise Http404(str(error)) from None
        keys = request.GET.getlist("id")[:MAX_CHOSEN]
        try:
            keys = [table._meta.pk.to_python(key) for key in keys]
        except ValidationError:
            raise Http404 from None
        return self.plan(request, table, keys=keys)

    def plan(self, request: HttpRequest, model: type[Model], *, keys: list[Any]) -> HttpResponse:
        """Go on to the plan of those objects that the user may choose. Raises ``PermissionDenied``."""
        if not may(request.user, Action.PLAN):
            raise PermissionDenied
        rows = self.choosable(model._default_manager.filter(pk__in=keys), user=request.user)
        allowed = set(rows.values_list("pk", flat=True))
        if not allowed:
            raise PermissionDenied
        keys = [key for key in keys if key in allowed]
        token = store_selection(request, model=model, keys=keys)
        return redirect(f"{reverse(f'{self.name}:nb_catalog_run_generate')}?selection={token}")

    @cached_property
    def _backend(self) -> DjangoTemplates:
        return next(each for each in engines.all() if isinstance(each, DjangoTemplates))

    @cached_property
    def _engine(self) -> Engine:
        """Return the project's own engine, with another base of the admin's pages."""
        own = self._backend.engine
        replaced = ("django.template.loaders.locmem.Loader", {"admin/base_site.html": _BASE})
        return Engine(
            dirs=own.dirs,
            context_processors=own.context_processors,
            debug=own.debug,
            loaders=[replaced, *own.loaders],
            string_if_invalid=own.string_if_invalid,
            file_charset=own.file_charset,
            libraries=own.libraries,
            builtins=own.builtins,
            autoescape=own.autoescape,
        )
