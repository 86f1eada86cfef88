"""Products that are their whole photo, such as covers, prints and cards: a board with thickness.

The photo's pixels are resampled once, by the perspective of the board. Seen straight on, they are those
of the scaled photo.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from nb_catalog.core.types import Size
from nb_catalog.imaging.compose.merge import BAND, Rgba
from nb_catalog.imaging.cutout import CropBox, Cutout
from nb_catalog.imaging.encode import flatten
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.imaging.scenery.stage import DISTANCE

Points: TypeAlias = npt.NDArray[np.float64]
"""(N, 2) x right and y down, or (N, 3) x right, y up and z away from the camera."""

TILT: Final = 16.0
"""Degrees by which a standing board is turned, so that its edge shows."""
MOST_TILT: Final = 45.0
THICKNESS: Final = 0.02
MOST_THICKNESS: Final = 0.2
LEAN: Final = 0.15
"""Degrees that it leans back for each degree of its turn."""
CAMERA: Final = 1.2
"""Height of the camera above the ground, in board heights: the middle of what scenes have."""
FINEST: Final = 4
"""Samples along each side of a pixel, at most."""
PAPER: Final = (236, 231, 221)
SHADE: Final = 0.80
"""The edge is turned further from the light than the front."""
BOARD: Final = 0.16
"""Share of the edge that each cover of a thick book takes."""
THICK: Final = 0.03
"""Thickness from which a board has covers and pages."""
PAGES: Final = 14
"""Levels between the lines of its pages."""
EDGE_COLUMNS: Final = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A flat object and how it is held: thickness in shares of its longer side, turn and lean in degrees,
    radius of its corners in shares of its shorter side. A positive ``tilt`` shows its right edge."""

    thickness: float = THICKNESS
    tilt: float = TILT
    corner: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.thickness <= MOST_THICKNESS:
            raise ValueError(
                f"thickness: expected a number from 0 to {MOST_THICKNESS}, got {self.thickness!r}."
            )
        if not -MOST_TILT <= self.tilt <= MOST_TILT:
            raise ValueError(
                f"tilt: expected a number from -{MOST_TILT:g} to {MOST_TILT:g}, got {self.tilt!r}."
            )
        if not 0 <= self.corner <= 0.5:
            raise ValueError(f"corner: expected a number from 0 to 0.5, got {self.corner!r}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatCutout(Cutout):
    """A board as a cut-out. ``pixels`` have the scale of the photo; ``drawn`` has any other."""

    photo: Pixels = field(repr=False)
    board: Board = Board()

    def drawn(self, *, width: int, height: int) -> Rgba:
        """Return the board at this size, its outline touching all four sides."""
        return draw_board(self.photo, board=self.board, width=width, height=height)


def flat_cutout(
    photo: Image.Image,
    *,
    thickness: float = THICKNESS,
    tilt: float = TILT,
    corner: float = 0.0,
) -> FlatCutout:
    """Return the whole photo as a board that stands turned by ``tilt`` degrees and leans back a little.

    ``thickness`` is a share of its longer side, and shows as an edge of paper; ``corner`` rounds the
    corners, as a share of the shorter side. With ``tilt`` 0 it is seen straight on, and its pixels
    are the photo's own. Transparent parts of the photo are white. Raises ``ValueError``.
    """
    board = Board(thickness=thickness, tilt=tilt, corner=corner)
    pixels = np.asarray(flatten(photo))
    size = Size(pixels.shape[1], pixels.shape[0])
    if tilt:
        faces = _faces(size, board)
        # The nearer side has the photo's own scale, so that a photo that is enlarged is noticed.
        nearest = np.abs(faces.front[[3, 2], 1] - faces.front[[0, 1], 1]).max()
        wide, tall = np.ptp(faces.outline, axis=0) * size.height / nearest
        size = Size(max(1, round(wide)), max(1, round(tall)))
    return FlatCutout(
        pixels=draw_board(pixels, board=board, width=size.width, height=size.height),
        box=CropBox(0, 0, pixels.shape[1], pixels.shape[0]),
        photo_size=Size(pixels.shape[1], pixels.shape[0]),
        method="whole photo",
        photo=pixels,
        board=board,
    )


def flat_cutout_photo(
    photo: bytes, *, picture_side: int, is_turned: bool, max_bytes: int, max_pixels: int
) -> FlatCutout:
    """Return a photo file as a board, with as many pixels as a picture of ``picture_side`` shows.

    A board that stands is turned; one that lies or hangs is seen straight on. Raises ``PictureError``.
    """
    opened = open_photo(
        photo, longest_side=picture_side, max_bytes=max_bytes, max_pixels=max_pixels
    )
    return flat_cutout(opened, tilt=TILT if is_turned else 0.0)


def draw_board(photo: Pixels, *, board: Board, width: int, height: int) -> Rgba:
    """Return the board as (height, width, 4) sRGB with straight alpha, its outline touching the frame.

    ``photo`` is (H, W, 3). It is warped with several samples a pixel, which are averaged: one filter.
    """
    size = Size(photo.shape[1], photo.shape[0])
    if board.tilt == 0:
        scaled = Image.fromarray(photo)
        if scaled.size != (width, height):
            scaled = scaled.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
        return np.dstack([np.asarray(scaled), _rounded(Size(width, height), board)])
    faces = _faces(size, board)
    origin = faces.outline.min(axis=0)
    to_pixels = np.array([width, height]) / np.ptp(faces.outline, axis=0)
    out = np.zeros((height, width, 4), np.uint8)
    if board.thickness:
        edge = _edge(photo, board)
        solid = np.full(edge.shape[:2], 255, np.uint8)
        _draw_face(out, edge, alpha=solid, corners=(faces.edge - origin) * to_pixels)
    front = (faces.front - origin) * to_pixels
    _draw_face(out, photo, alpha=_rounded(size, board), corners=front)
    return out


class _Faces(NamedTuple):
    """Corners of front and edge in the picture, clockwise from the upper left, in board heights."""

    front: Points
    edge: Points

    @property
    def outline(self) -> Points:
        return np.concatenate([self.front, self.edge])


def _faces(size: Size, board: Board) -> _Faces:
    """Return the two visible faces of a board that stands, seen by the camera of the scenes."""
    half = size.width / size.height / 2
    thick = board.thickness * max(1.0, 2 * half)
    inset = board.corner * min(1.0, 2 * half)
    side = math.copysign(half, board.tilt)
    # What the front hides of the edge leaves no seam between the two.
    under = side - math.copysign(min(0.004, half), board.tilt)
    front = np.array([[-half, 1, 0], [half, 1, 0], [half, 0, 0], [-half, 0, 0]])
    edge = np.array(
        [
            [under, 1 - inset, 0],
            [side, 1 - inset, thick],
            [side, inset, thick],
            [under, inset, 0],
        ]
    )
    # Leant back around the foot, turned, and projected.
    lean, turn = math.radians(LEAN * abs(board.tilt)), math.radians(board.tilt)
    x, y, z = np.moveaxis(np.array([front, edge]), -1, 0)
    y, z = y * math.cos(lean) - z * math.sin(lean), y * math.sin(lean) + z * math.cos(lean)
    x, z = x * math.cos(turn) + z * math.sin(turn), z * math.cos(turn) - x * math.sin(turn)
    depth = 1 + z / DISTANCE
    return _Faces(*np.stack([x / depth, (CAMERA - y) / depth], axis=-1))


def _rounded(size: Size, board: Board) -> npt.NDArray[np.uint8]:
    """Return the alpha of a face: opaque but for round corners, if it has any."""
    alpha = np.full((size.height, size.width), 255, np.uint8)
    radius = board.corner * min(size)
    if radius < 1:
        return alpha
    near = math.ceil(radius)
    off = radius - np.arange(near) - 0.5
    away = np.hypot(*np.meshgrid(off, off))
    corner = np.clip((radius - away + 0.5) * 255, 0, 255).astype(np.uint8)
    alpha[:near, :near] = corner
    alpha[:near, -near:] = corner[:, ::-1]
    alpha[-near:, :near] = corner[::-1]
    alpha[-near:, -near:] = corner[::-1, ::-1]
    return alpha


def _edge(photo: Pixels, board: Board) -> Pixels:
    """Return the visible edge, from the front to the back.

    On the right are pages between two covers, or the paper of a thin board. On the left is the spine,
    around which the cover's own colours continue.
    """
    height, columns = photo.shape[0], EDGE_COLUMNS
    border = max(1, photo.shape[1] // 60)
    if board.tilt < 0:
        spine = photo[:, :border].mean(axis=1, keepdims=True)
        edge = np.repeat(spine, columns, axis=1)
    else:
        edge = np.empty((height, columns, 3))
        edge[:] = PAPER
    if board.tilt > 0 and board.thickness >= THICK:
        edge[:, ::2] -= PAGES
        cover = round(BOARD * columns)
        edge[:, :cover] = edge[:, -cover:] = photo[:, -border:].mean(axis=(0, 1))
    shade = SHADE * np.linspace(1, 0.85, columns)
    return np.asarray(edge * shade[None, :, None], np.uint8)


def _draw_face(out: Rgba, face: Pixels, *, alpha: npt.NDArray[np.uint8], corners: Points) -> None:
    """Draw ``face`` over ``out`` in place, its corners at ``corners``, clockwise from the upper left."""
    (left, top), (right, bottom) = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0))
    columns = slice(max(0, int(left)), min(out.shape[1], int(right)))
    rows = slice(max(0, int(top)), min(out.shape[0], int(bottom)))
    tall, wide = face.shape[:2]
    # Several samples a pixel: for a smooth outline, and for every pixel of the photo to count.
    fine = min(FINEST, max(2, math.ceil(tall / max(1, rows.stop - rows.start))))
    frame = np.array([[0, 0], [wide, 0], [wide, tall], [0, tall]], np.float32)
    for first in range(rows.start, rows.stop, BAND):
        part = out[first : min(rows.stop, first + BAND), columns]
        target = (corners - [columns.start, first]) * fine
        # OpenCV counts from the middle of a pixel.
        into = cv2.getPerspectiveTransform(frame - 0.5, (target - 0.5).astype(np.float32))
        size = part.shape[1], part.shape[0]
        samples = size[0] * fine, size[1] * fine
        # Colours continue beyond the border, so that it stays clean; alpha does not.
        colour = cv2.warpPerspective(
            face, into, samples, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        cover = cv2.warpPerspective(alpha, into, samples, flags=cv2.INTER_LINEAR)
        colour, cover = (
            np.asarray(cv2.resize(each, size, interpolation=cv2.INTER_AREA), np.uint8)
            for each in (colour, cover)
        )
        # Composited with straight alpha.
        solid, mixed = cover == 255, (cover > 0) & (cover < 255)
        share = cover[mixed].astype(np.float32)[:, None] / 255
        below = part[mixed].astype(np.float32)
        rest = (1 - share) * below[:, 3:] / 255
        total = share + rest
        part[mixed, :3] = (colour[mixed] * share + below[:, :3] * rest) / total + 0.5
        part[mixed, 3] = total[:, 0] * 255 + 0.5
        part[solid, :3] = colour[solid]
        part[solid, 3] = 255
