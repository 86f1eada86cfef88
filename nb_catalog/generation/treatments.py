"""Which treatments pictures may have, and where relighting is in vain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _

from nb_catalog.core.types import Treatment
from nb_catalog.imaging.compose.light_map import is_neutral
from nb_catalog.imaging.scenery import SceneRecipe
from nb_catalog.models import Scene
from nb_catalog.registry import CatalogSource


def treatment_objections(
    treatment: Treatment, *, source: CatalogSource, renders: bool
) -> Iterator[str]:
    """Yield why pictures of ``source`` cannot have ``treatment``; ``renders`` is whether the provider
    renders the scenes."""
    if treatment not in source.treatments:
        allowed = [each for each in Treatment if each in source.treatments]
        yield (
            _("The shop does not allow “%(treatment)s” for these products. Possible: %(possible)s.")
            % {
                "treatment": treatment.label,
                "possible": ", ".join(f"“{each.label}”" for each in allowed),
            }
        )
    if treatment == Treatment.RELIT and not renders:
        yield _(
            "Only in a rendered scene is it known where the light comes from. Choose a tier with the local "
            "renderer, or another treatment."
        )


def neutral_scenes(scenes: Iterable[Scene]) -> Iterator[str]:
    """Yield a remark on each scene whose light changes next to nothing on a product."""
    for scene in scenes:
        try:
            recipe = SceneRecipe.from_mapping(scene.renderer)
        except ValueError:
            continue  # the job reports it, with the name of the key
        if is_neutral(recipe):
            yield (
                _(
                    "The scene “%(scene)s” has neither coloured nor patterned light: relighting changes "
                    "next to nothing there."
                )
                % {"scene": scene.name}
            )
