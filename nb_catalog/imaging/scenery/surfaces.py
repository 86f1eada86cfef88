"""Which painter draws which kind of material."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from nb_catalog.imaging.scenery import boards, grounds, minerals, textiles
from nb_catalog.imaging.scenery.canvas import Canvas, Pixels

PAINTERS: Final[Mapping[str, Callable[[Canvas], Pixels]]] = {
    "brick": boards.brick,
    "concrete": minerals.concrete,
    "dark": grounds.dark,
    "drape": textiles.drape,
    "foliage": grounds.foliage,
    "formwork": minerals.formwork,
    "linen": textiles.linen,
    "marble": minerals.marble,
    "moss": grounds.moss,
    "oak": boards.oak,
    "panel": grounds.panel,
    "paper": grounds.paper,
    "plaster": minerals.plaster,
    "sand": grounds.sand,
    "stone": minerals.stone,
    "terrazzo": minerals.terrazzo,
    "tiles": boards.tiles,
    "velvet": textiles.velvet,
    "walnut": boards.walnut,
}
