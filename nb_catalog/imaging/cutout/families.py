"""Segmentation networks that can be run: how each wants its photo, and how its graph is recognised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from nb_catalog.imaging.cutout.background import Floats
from nb_catalog.imaging.cutout.masks import Bytes
from nb_catalog.imaging.cutout.onnx_graph import Signature

IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)
IMAGENET_STD: Final = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Networks that take and return the same.

    ``side`` is the number of pixels of a square photo that the network was trained on; ``smaller`` is
    another one at which it works too, if its graph can be resized, or 0. The photo is scaled to 0..1,
    or so that its largest value is 1 (``by_brightest``); then ``mean`` is subtracted and the result
    divided by ``std``, for red, green and blue.
    """

    name: str
    side: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    recognises: Callable[[Signature], bool]
    by_brightest: bool = False
    smaller: int = 0

    def prepare(self, rgb: Bytes) -> Floats:
        """Return (H, W, 3) sRGB bytes as the network's input, (1, 3, H, W)."""
        brightest = max(int(rgb.max(initial=0)), 1) if self.by_brightest else 255
        scaled = rgb.astype(np.float32) / np.float32(brightest)
        normal = (scaled - np.array(self.mean, np.float32)) / np.array(self.std, np.float32)
        return np.ascontiguousarray(normal.transpose(2, 0, 1)[None], np.float32)


def _is_convolutional(signature: Signature, *, side: int) -> bool:
    """Whether it is a U-shaped network of convolutions, without attention, for pictures of ``side``."""
    return (
        signature.shape[1:] == (3, side, side)
        and {"Conv", "MaxPool", "Resize"} <= signature.operators
        and "Softmax" not in signature.operators
    )


FAMILIES: Final[Mapping[str, Family]] = MappingProxyType(
    {
        each.name: each
        for each in (
            # X. Qin et al., "Highly Accurate Dichotomous Image Segmentation", ECCV 2022;
            # https://github.com/xuebinqin/DIS, IS-Net/Inference.py: normalize(image, mean 0.5, std 1.0).
            Family(
                name="isnet",
                side=1024,
                smaller=512,
                mean=(0.5, 0.5, 0.5),
                std=(1.0, 1.0, 1.0),
                recognises=lambda signature: _is_convolutional(signature, side=1024),
            ),
            # X. Qin et al., "U2-Net", Pattern Recognition 106 (2020);
            # https://github.com/xuebinqin/U-2-Net, data_loader.py: ToTensorLab divides by the maximum.
            Family(
                name="u2net",
                side=320,
                mean=IMAGENET_MEAN,
                std=IMAGENET_STD,
                by_brightest=True,
                recognises=lambda signature: _is_convolutional(signature, side=320),
            ),
            # P. Zheng et al., "Bilateral Reference for High-Resolution Dichotomous Image Segmentation",
            # CAAI AIR 2024; https://github.com/ZhengPeng7/BiRefNet, README: ImageNet's mean and std. Its
            # encoder is a Swin transformer, whose attention is a softmax.
            Family(
                name="birefnet",
                side=1024,
                mean=IMAGENET_MEAN,
                std=IMAGENET_STD,
                recognises=lambda signature: (
                    signature.shape[1:2] == (3,)
                    and signature.shape[2:] in {(1024, 1024), (512, 512), (2048, 2048), (0, 0)}
                    and {"Conv", "Softmax"} <= signature.operators
                ),
            ),
        )
    }
)


def family_of(signature: Signature) -> Family | None:
    """Return the family that a graph belongs to; None if it is not one that is known here."""
    if signature.inputs != 1 or len(signature.shape) != 4:
        return None
    return next((each for each in FAMILIES.values() if each.recognises(signature)), None)
