"""Shading: the colour of each sample from its surface and the studio's light."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from demo_project.shop.photography import studio
from demo_project.shop.photography.material import Material, Texture
from demo_project.shop.photography.raster import ProjectedPart, inverse_edges

Array = NDArray[np.float32]
ROW = 1024


def shade(
    posed: ProjectedPart,
    cells: NDArray[np.int32],
    xy: Array,
    *,
    lens: float,
    shadow: Array,
    open_sky: Array,
) -> tuple[Array, Array]:
    """Return linear colour (n, 3) and alpha (n,) of samples at ``xy`` on the cells of one part."""
    material = posed.part.material
    at = _grid_positions(posed, cells, xy)
    points, normals, across, along = (_sample(grid, at) for grid in _frames(posed.points))
    eye = np.array([0, 0, lens], np.float32) - points
    eye /= np.linalg.norm(eye, axis=1, keepdims=True)
    normals = _unit(normals)
    facing = (normals * eye).sum(1)
    normals = np.where((facing < 0)[:, None], -normals, normals)
    rows, columns = posed.points.shape[:2]
    uv = at / np.array([columns - 1, rows - 1], np.float32)
    grain_uv = _grain_positions(posed, at, uv)
    normals = _apply_bump(normals, across, along, material, grain_uv)
    colour, rough, metal_share = _surface(material, uv, grain_uv)
    return _apply_light(material, colour, rough, metal_share, normals, eye, shadow, open_sky)


def _grid_positions(posed: ProjectedPart, cells: NDArray[np.int32], xy: Array) -> Array:
    """Return the samples' positions on the part's grid (column, row)."""
    rows, columns = posed.points.shape[:2]
    used, index = np.unique(cells, return_inverse=True)
    r, c = np.divmod(used, columns)
    p = posed.pixels
    quads = np.stack([p[r, c], p[r, c + 1], p[r + 1, c + 1], p[r + 1, c]], axis=1)
    away = xy - quads.mean(1).astype(np.float32)[index]
    inverse = inverse_edges(quads).astype(np.float32)[index]
    local = inverse[:, :, 0] * away[:, :1] + inverse[:, :, 1] * away[:, 1:]
    return (
        np.clip(local, -0.5, 0.5) + np.stack([c, r], 1).astype(np.float32)[index] + np.float32(0.5)
    )


def _grain_positions(posed: ProjectedPart, at: Array, uv: Array) -> Array:
    """Return positions on tiling textures: across the grid, or flat on the product's sides."""
    if not posed.part.grain:
        return uv * np.array(posed.part.material.tiles, np.float32)
    points = _sample(posed.part.points, at)
    return np.stack([points[:, 0] - points[:, 2], points[:, 1]], 1) / posed.part.grain


def _frames(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Return points, normals and the two tangents of a grid."""
    across, along = _slope(points, axis=1), _slope(points, axis=0)
    return points, _unit(np.cross(across, along)), _unit(across), _unit(along)


def _slope(points: NDArray[np.float64], *, axis: int) -> NDArray[np.float64]:
    slope = np.gradient(points, axis=axis)
    first, last = np.take(points, 0, axis), np.take(points, -1, axis)
    if axis == 1 and np.allclose(first, last, atol=1e-6):
        seam = np.take(points, 1, axis) - np.take(points, -2, axis)
        slope[:, 0] = slope[:, -1] = seam
    return slope


def _unit(vectors: NDArray[np.floating]) -> NDArray[np.floating]:
    return vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-12)


def _sample(grid: NDArray[np.floating], at: Array) -> Array:
    """Sample a (rows, columns, k) grid at (n, 2) positions, bilinear."""
    count = len(at)
    padded = np.zeros((-(-count // ROW) * ROW, 2), np.float32)
    padded[:count] = at
    places = padded.reshape(-1, ROW, 2)
    found = cv2.remap(
        grid.astype(np.float32), places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return found.reshape(len(padded), -1)[:count]


def _sample_tiled(texture: Texture, places: Array) -> Array:
    height, width = texture.shape[:2]
    at = np.mod(places, np.float32(1)) * np.array([width - 1, height - 1], np.float32)
    return _sample(texture, at.astype(np.float32))


def _apply_bump(
    normals: Array, across: Array, along: Array, material: Material, uv: Array
) -> Array:
    if material.bump is None:
        return normals
    slopes = np.stack(
        [np.roll(material.bump, -1, a) - np.roll(material.bump, 1, a) for a in (1, 0)],
        axis=-1,
    )
    tilt = _sample_tiled(slopes, uv) * material.bump_depth
    return _unit(normals - tilt[:, :1] * across - tilt[:, 1:] * along).astype(np.float32)


def _surface(material: Material, uv: Array, grain_uv: Array) -> tuple[Array, Array, Array]:
    """Return colour (n, 3), roughness (n,) and the share of bare material (n,)."""
    colour = np.broadcast_to(material.linear, (len(uv), 3)).astype(np.float32)
    rough = np.full(len(uv), material.rough, np.float32)
    bare = np.ones(len(uv), np.float32)
    if material.tint is not None:
        colour = colour * _sample_tiled(material.tint, grain_uv)
    if material.print is not None:
        ink, cover = _sample_print(material, material.print, uv)
        colour = colour * (1 - cover[:, None]) + ink * cover[:, None]
        bare = 1 - cover
        if material.print_rough is not None:
            rough = rough * bare + material.print_rough * cover
    return colour, rough, bare


def _sample_print(material: Material, art: Texture, uv: Array) -> tuple[Array, Array]:
    left, bottom, right, top = material.print_box
    height, width = art.shape[:2]
    u, v = (uv[:, 0] - left) / (right - left), (uv[:, 1] - bottom) / (top - bottom)
    at = np.stack([u * width - 0.5, (1 - v) * height - 0.5], 1).astype(np.float32)
    rgba = _sample(art, at)
    inside = (u > 0) & (u < 1) & (v > 0) & (v < 1)
    return rgba[:, :3], np.where(inside, rgba[:, 3], 0)


def _apply_light(
    material: Material,
    colour: Array,
    rough: Array,
    bare: Array,
    normals: Array,
    eye: Array,
    shadow: Array,
    open_sky: Array,
) -> tuple[Array, Array]:
    cosine = np.clip((normals * eye).sum(1), 0, 1)[:, None]
    mirror = 2 * (normals * eye).sum(1, keepdims=True) * normals - eye
    shine = _specular_light(mirror.astype(np.float32), rough)
    grazing = (1 - cosine) ** 5 * (1 - 0.75 * rough[:, None])
    falling = studio.diffuse_light(normals, shadow=shadow, open_sky=open_sky)
    blocked = 0.35 + 0.65 * np.reshape(open_sky, (-1, 1))
    metal = bare[:, None] if material.metal else np.zeros_like(cosine)
    normal_reflection = material.reflect * (1 - metal) + colour * metal
    fresnel = normal_reflection + (1 - normal_reflection) * grazing
    body = colour * falling * (1 - metal)
    if material.glass:
        body = _tinted_glass(material, colour, bare[:, None], cosine, normals, body)
    if material.sheen:
        body = body + material.sheen * (1 - cosine) ** 2.2 * falling * (0.35 + 0.65 * colour)
    result = body * (1 - fresnel) + fresnel * shine * blocked
    if material.glow:
        result = result + material.glow * colour
    alpha = np.full(len(colour), material.alpha, np.float32)
    if material.alpha < 1:
        alpha = np.clip(alpha + fresnel.max(1) * 0.8 + grazing[:, 0], 0, 1)
    return result.astype(np.float32), alpha.astype(np.float32)


def _specular_light(mirror: Array, rough: Array) -> Array:
    low, high = float(rough.min()), float(rough.max())
    if high - low < 0.02:
        return studio.specular_light(mirror, rough=low)
    share = ((rough - low) / (high - low))[:, None]
    return (
        studio.specular_light(mirror, rough=low) * (1 - share)
        + studio.specular_light(mirror, rough=high) * share
    )


def _tinted_glass(
    material: Material, colour: Array, bare: Array, cosine: Array, normals: Array, body: Array
) -> Array:
    """Light from behind through glass and its contents, darker the longer the path (Beer-Lambert)."""
    way = material.glass * (0.35 + 0.9 * (1 - cosine) ** 1.5)
    # The far wall of the glass collects the key light and emits it on the opposite side.
    gathered = (
        0.32 + 0.95 * np.clip(normals[:, :1] * 0.75 - normals[:, 1:2] * 0.3 + 0.15, 0, 1) ** 1.6
    )
    through = np.maximum(colour, 0.004) ** way * gathered
    return np.where(bare > 0.5, through, body)
