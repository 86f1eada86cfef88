"""The backend that cuts products out of their photos."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, Info

from nb_catalog.conf import settings
from nb_catalog.core.text import message as _
from nb_catalog.exceptions import InvalidSettings
from nb_catalog.imaging.cutout.backends import backend_for
from nb_catalog.registry import registered


def check_cutout(**_options: Any) -> list[CheckMessage]:
    """Check that the cut-out backends, that of the settings and those of sources, can be imported, know their
    options, and have what they need."""
    try:
        settings.CUTOUT  # noqa: B018 - raises if it is invalid
    except InvalidSettings:
        return []  # check_settings reports it
    problems: list[CheckMessage] = []
    own = [each for each in registered().values() if each.cutout is not None]
    for entry, path in [
        (None, ""),
        *((each.cutout, f"{type(each).__name__}.cutout") for each in own),
    ]:
        try:
            problems += backend_for(entry, path=path).check()
        except InvalidSettings as error:
            hint = "Remove it to cut out by colour, without a network."
            problems.append(Error(str(error), hint=hint, id="nb_catalog.E046"))
    return problems


def describe_cutout(**_options: Any) -> list[CheckMessage]:
    """Report which cut-outs are possible. Only with ``check --deploy``: as part of every command of
    ``manage.py`` it would be noise."""
    try:
        backend = backend_for()
    except InvalidSettings:
        return []  # the other checks report it
    if backend.check():
        return []
    return [
        Info(
            _("Cut-outs that are possible here: %(what)s") % {"what": backend.describe()},
            hint=_("manage.py nb_cutout status lists networks that can be installed."),
            id="nb_catalog.I001",
        )
    ]
