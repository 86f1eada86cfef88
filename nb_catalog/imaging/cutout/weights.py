"""Weights of segmentation networks that can be installed by name: where they are, and what is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

RELEASES: Final = "https://github.com/danielgatis/rembg/releases/download/v0.0.0"
HALF_PRECISION_ISNET: Final = "b6e8497ba978a6f5fbb647e419d2696cd80df5a23cb6a8ea532021911bd76acb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A file of weights. ``sha256`` is what several projects that download it have pinned independently.

    ``megabytes`` is the file's approximate size, ``family`` a key of ``families.FAMILIES``.
    """

    name: str
    family: str
    url: str
    licence: str
    megabytes: int
    sha256: str

    @property
    def file_name(self) -> str:
        return self.url.rpartition("/")[2]


WEIGHTS: Final[Mapping[str, Weights]] = MappingProxyType(
    {
        each.name: each
        for each in (
            Weights(
                name="isnet",
                family="isnet",
                url=f"{RELEASES}/isnet-general-use.onnx",
                licence="Apache-2.0 (https://github.com/xuebinqin/DIS)",
                megabytes=179,
                sha256="60920e99c45464f2ba57bee2ad08c919a52bbf852739e96947fbb4358c0d964a",
            ),
            Weights(
                name="u2net",
                family="u2net",
                url=f"{RELEASES}/u2net.onnx",
                licence="Apache-2.0 (https://github.com/xuebinqin/U-2-Net)",
                megabytes=176,
                sha256="8d10d2f3bb75ae3b6d527c77944fc5e7dcd94b29809d47a739a7a728a912b491",
            ),
            Weights(
                name="birefnet-lite",
                family="birefnet",
                url=f"{RELEASES}/BiRefNet-general-bb_swin_v1_tiny-epoch_232.onnx",
                licence="MIT (https://github.com/ZhengPeng7/BiRefNet)",
                megabytes=224,
                sha256="5600024376f572a557870a5eb0afb1e5961636bef4e1e22132025467d0f03333",
            ),
        )
    }
)
# Files that were verified and are not among those to install.
_KNOWN: Final[Mapping[str, str]] = MappingProxyType({HALF_PRECISION_ISNET: "isnet"})


def family_of_checksum(sha256: str) -> str:
    """Return the family of a file that is known by its checksum; "" for any other."""
    named = {each.sha256: each.family for each in WEIGHTS.values()}
    return {**_KNOWN, **named}.get(sha256, "")
