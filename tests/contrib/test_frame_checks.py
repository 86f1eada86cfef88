"""What the checks say to projects that lack something the frames need."""

from django.core.checks import Error

from nb_catalog.contrib.oscar.apps import check_oscar
from nb_catalog.contrib.oscar.navigation import NAVIGATION
from nb_catalog.contrib.wagtail.apps import check_wagtail


def only(problems, *, id):
    (problem,) = problems
    assert isinstance(problem, Error) and problem.id == f"nb_catalog.{id}"
    return problem


def test_wagtail_is_missed():
    problem = only(check_wagtail(), id="E103")
    assert problem.hint == "Add 'wagtail.admin' to INSTALLED_APPS."


def test_oscar_is_missed():
    problem = only(check_oscar(), id="E104")
    assert problem.hint == "Add 'oscar' to INSTALLED_APPS."


def test_the_line_for_the_urls_is_missed(monkeypatch):
    class Installed:
        def __init__(self, name):
            self.name = name

    names = ("nb_catalog", "django.contrib.admin", "oscar")
    monkeypatch.setattr(
        "nb_catalog.contrib.oscar.apps.apps.get_app_configs", lambda: map(Installed, names)
    )
    problem = only(check_oscar(), id="E105")
    assert 'path("dashboard/", include("nb_catalog.contrib.oscar.urls"))' in problem.hint


def test_entries_of_the_navigation_are_for_those_who_may_open_their_pages():
    section = NAVIGATION[0]
    entries = {each["url_name"]: each["access_fn"] for each in section["children"]}

    class Person:
        is_active, is_staff = True, False
        permissions = {"nb_catalog.view_productimage"}

        def has_perm(self, name):
            return name in self.permissions

    person = Person()
    seen = lambda: [name for name, may in entries.items() if may(person, name)]  # noqa: E731
    assert seen() == [], "not without the dashboard"
    person.permissions = person.permissions | {"partner.dashboard_access"}
    assert seen() == [
        "nb_catalog_oscar:app_list",
        "nb_catalog_oscar:nb_catalog_productimage_review",
    ]
    assert section["access_fn"](person, None)
