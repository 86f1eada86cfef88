"""Series: one look for many products. What the look is, which products share it, and in which order."""

from nb_catalog.series.anchors import anchor_objections, with_anchor
from nb_catalog.series.drift import MemberDrift, drift_strip
from nb_catalog.series.looks import (
    create,
    save_look,
    with_changes,
    with_current_scene,
    with_real_sizes,
    with_successor,
)
from nb_catalog.series.members import Added, add, remove, reorder, set_group
from nb_catalog.series.rules import apply_rules
from nb_catalog.series.variants import add_variants, remove_members

__all__ = [
    "Added",
    "MemberDrift",
    "add",
    "add_variants",
    "anchor_objections",
    "apply_rules",
    "create",
    "drift_strip",
    "remove",
    "remove_members",
    "reorder",
    "save_look",
    "set_group",
    "with_anchor",
    "with_changes",
    "with_current_scene",
    "with_real_sizes",
    "with_successor",
]
