"""Procedural textures: noise, cloth, and textures of body parts."""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from posediff.synthetic.solids import texture_angles

ROWS, COLUMNS = 48, 64  # texture size of one body part
FRINGE_MM = 6.0  # width of the transition between two layers of cloth

Cloth = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Maps positions (U, V) along and around a surface, in mm, to colours (U, V, 3), BGR in 0 to 255."""


def noise(rng: np.random.Generator, shape: tuple[int, int], cells: int, octaves: int = 3) -> np.ndarray:
    """Return smooth random values with mean 0 and standard deviation of about 1.

    Args:
        rng: Random generator.
        shape: (h, w) of the result.
        cells: Number of cells of the coarsest octave along the longer side.
        octaves: Number of octaves.

    Returns:
        (h, w) float32.
    """
    total = np.zeros(shape, np.float32)
    longer = max(shape)
    for octave in range(octaves):
        count = cells * 2**octave
        grid = [max(2, round(count * side / longer) + 1) for side in shape]
        values = rng.standard_normal(grid, dtype=np.float32)
        total += cv2.resize(values, shape[::-1], interpolation=cv2.INTER_CUBIC) * np.float32(0.55**octave)
    return total / np.float32(np.sqrt(sum(0.3**octave for octave in range(octaves))) * 0.8)


def random_color(
    rng: np.random.Generator,
    saturation: tuple[float, float] = (0.05, 0.8),
    value: tuple[float, float] = (0.15, 0.95),
) -> np.ndarray:
    """Return a colour of random hue, (3,) BGR in 0 to 255; ``saturation`` and ``value`` are ranges within 0 to 1."""
    red, green, blue = colorsys.hsv_to_rgb(rng.random(), rng.uniform(*saturation), rng.uniform(*value))
    return 255 * np.array([blue, green, red])


def draw_cloth(rng: np.random.Generator) -> Cloth:
    """Sample a fabric: plain, striped along or around, checked, dotted, mottled or in two halves."""
    first, second = random_color(rng), random_color(rng)
    kind = rng.choice(['plain', 'rings', 'stripes', 'checks', 'dots', 'mottled', 'halves'], p=[0.3] + [0.7 / 6] * 6)
    period, share = rng.uniform(35, 130), rng.uniform(0.25, 0.65)
    spots = noise(rng, (128, 128), int(rng.integers(6, 16))) > rng.uniform(-0.2, 0.6)

    def is_second(along: np.ndarray, around: np.ndarray) -> np.ndarray:
        ring, stripe = np.mod(along / period, 1) < share, np.mod(around / period, 1) < share
        if kind == 'rings':
            return ring
        if kind == 'stripes':
            return stripe
        if kind == 'checks':
            return ring ^ stripe
        if kind == 'dots':
            return np.hypot(np.mod(along / period, 1) - 0.5, np.mod(around / period, 1) - 0.5) < 0.5 * share
        if kind == 'mottled':
            return spots[np.mod(along / 8, 128).astype(int), np.mod(around / 8, 128).astype(int)]
        if kind == 'halves':
            return along < 250 * share
        return np.zeros(along.shape, bool)

    return lambda along, around: np.where(is_second(along, around)[..., None], second, first)


def plain(color: np.ndarray) -> Cloth:
    """Return a cloth of one colour."""
    return lambda along, around: np.broadcast_to(color, (*along.shape, 3))


@dataclass(frozen=True)
class Layer:
    """Cloth that covers a body part from ``begin`` to ``end``, in units of its length; the defaults cover all of it."""

    cloth: Cloth
    begin: float = -1.0
    end: float = 2.0


def paint_part(
    rng: np.random.Generator, layers: list[Layer], length: float, radius: float, folds: float = 0.1
) -> np.ndarray:
    """Return the texture of one body part.

    Args:
        rng: Random generator.
        layers: Layers of cloth; later ones cover earlier ones.
        length, radius: Size of the part, mm.
        folds: Standard deviation of the brightness, for creases.

    Returns:
        (ROWS, COLUMNS, 3) uint8.
    """
    share = (np.arange(ROWS) + 0.5) / ROWS
    along, around = np.meshgrid(share * length, texture_angles(COLUMNS) * radius, indexing='ij')
    image = np.zeros((ROWS, COLUMNS, 3))
    for layer in layers:
        covered = (share >= layer.begin) & (share <= layer.end)
        image[covered] = layer.cloth(along[covered], around[covered])
        hem = (np.abs(share - layer.end) * length < FRINGE_MM) | (np.abs(share - layer.begin) * length < FRINGE_MM)
        image[hem] *= 0.75
    image *= 1 + folds * noise(rng, (ROWS, COLUMNS), 5)[..., None]
    return np.clip(image, 0, 255).astype(np.uint8)


def paint_head(rng: np.random.Generator, skin: np.ndarray, hair: np.ndarray, hat: np.ndarray | None) -> np.ndarray:
    """Return the texture of a head from chin to crown: eyes, brows, mouth, hair, optional beard, glasses or hat.

    Args:
        rng: Random generator.
        skin, hair: (3,) BGR.
        hat: (3,) BGR, or None for no hat.

    Returns:
        (2 * ROWS, 2 * COLUMNS, 3) uint8.
    """
    height, angle = np.meshgrid((np.arange(2 * ROWS) + 0.5) / (2 * ROWS), texture_angles(2 * COLUMNS), indexing='ij')
    image = np.broadcast_to(skin, (*height.shape, 3)) * (1 + 0.04 * noise(rng, height.shape, 6)[..., None])
    aside = np.abs(angle)
    strands = hair * (1 + 0.25 * noise(rng, height.shape, 24)[..., None])
    if rng.random() < 0.2:
        beard = (height < 0.36) & (aside < 1.5) & ~((np.abs(height - 0.3) < 0.02) & (aside < 0.3))
        image[beard] = strands[beard]
    mouth = (np.abs(height - 0.29) < 0.022) & (aside < 0.34)
    image[mouth] = skin * np.array([0.55, 0.5, 0.85])
    image[(np.abs(height - 0.44) < 0.02) & (np.abs(aside - 0.12) < 0.06)] *= 0.6  # nostrils
    eye = np.hypot((height - 0.56) / 0.035, (aside - 0.42) / 0.17)
    image[eye < 1] = 235
    image[eye < 0.6] = 40
    image[(np.abs(height - 0.64) < 0.016) & (np.abs(aside - 0.42) < 0.22)] = hair * 0.7
    if rng.random() < 0.2:
        image[((eye > 1.25) & (eye < 1.8)) | ((np.abs(height - 0.58) < 0.012) & (aside < 1.5))] = 25
    image[np.hypot((height - 0.52) / 0.09, (aside - 1.62) / 0.16) < 1] = skin * 0.78  # ears
    line = rng.uniform(0.74, 0.8)  # hairline at the forehead
    hairy = (height > line) | ((aside > 1.3) & (height > 0.66)) | ((aside > 1.85) & (height > 0.25))
    image[hairy] = strands[hairy]
    if hat is not None:
        image[height > 0.72] = hat
        image[np.abs(height - 0.73) < 0.02] = hat * 0.6
    return np.clip(image, 0, 255).astype(np.uint8)
