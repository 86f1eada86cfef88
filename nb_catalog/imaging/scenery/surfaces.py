"""The painter of each kind of material."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from nb_catalog.imaging.scenery import boards, ground_materials, minerals, textiles
from nb_catalog.imaging.scenery.canvas import Canvas, Pixels

PAINTERS: Final[Mapping[str, Callable[[Canvas], Pixels]]] = {
    "brick": boards.brick,
    "concrete": minerals.concrete,
    "dark": ground_materials.dark,
    "drape": textiles.drape,
    "foliage": ground_materials.foliage,
    "formwork": minerals.formwork,
    "linen": textiles.linen,
    "marble": minerals.marble,
    "moss": ground_materials.moss,
    "oak": boards.oak,
    "panel": ground_materials.panel,
    "paper": ground_materials.paper,
    "plain": ground_materials.plain,
    "plaster": minerals.plaster,
    "sand": ground_materials.sand,
    "stone": minerals.stone,
    "terrazzo": minerals.terrazzo,
    "tiles": boards.tiles,
    "velvet": textiles.velvet,
    "walnut": boards.walnut,
}
