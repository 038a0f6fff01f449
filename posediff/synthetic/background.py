"""Painted walls and grounds: gradients, noise, furniture, trees, text, and distractors that resemble limbs."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from posediff.synthetic.textures import noise, random_color
from posediff.synthetic.wardrobe import SKIN

Painter = Callable[[np.random.Generator, np.ndarray, tuple[int, int], float], None]
"""Paints an object onto a (h, w, 3) uint8 image at (x, y) with a given size in px."""


def _point(x: float, y: float) -> tuple[int, int]:
    return round(x), round(y)


def _window(rng: np.random.Generator, image: np.ndarray, at: tuple[int, int], size: float) -> None:
    wide, high = size * rng.uniform(0.5, 1.5), size * rng.uniform(0.5, 1.3)
    frame, glass = random_color(rng, (0, 0.4)), random_color(rng, (0, 0.5))
    corner = _point(at[0] + wide, at[1] + high)
    cv2.rectangle(image, at, corner, glass.tolist(), -1)
    cv2.rectangle(image, at, corner, frame.tolist(), max(1, round(size * 0.06)))
    for share in np.linspace(0, 1, int(rng.integers(2, 5)))[1:-1]:
        middle = round(at[0] + share * wide)
        cv2.line(image, (middle, at[1]), (middle, corner[1]), frame.tolist(), max(1, round(size * 0.04)))


def _shelf(rng: np.random.Generator, image: np.ndarray, at: tuple[int, int], size: float) -> None:
    board = random_color(rng, (0.1, 0.6), (0.2, 0.6)).tolist()
    for level in range(int(rng.integers(2, 5))):
        base, x = at[1] + level * size * 0.45, float(at[0])
        while x < at[0] + 1.5 * size:
            wide, high = size * rng.uniform(0.04, 0.14), size * rng.uniform(0.2, 0.4)
            cv2.rectangle(image, _point(x, base - high), _point(x + wide, base), random_color(rng).tolist(), -1)
            x += wide * rng.uniform(1.0, 1.6)
        cv2.line(image, _point(at[0], base), _point(at[0] + 1.5 * size, base), board, max(2, round(size * 0.05)))


def _tree(rng: np.random.Generator, image: np.ndarray, at: tuple[int, int], size: float) -> None:
    bark = random_color(rng, (0.2, 0.6), (0.15, 0.5))
    leaves = np.array([40, 110, 60]) * rng.uniform(0.5, 1.5, 3)
    root = np.array(at, float) + [0, size]
    cv2.line(image, _point(*root), _point(at[0], at[1] - 0.3 * size), bark.tolist(), max(2, round(size * 0.14)))
    for _ in range(int(rng.integers(3, 7))):
        tip = np.array(at) + rng.normal(0, 0.5 * size, 2) - [0, 0.5 * size]
        cv2.line(image, at, _point(*tip), (bark * rng.uniform(0.8, 1.2)).tolist(), max(1, round(size * 0.05)))
        for _ in range(5):
            radius = max(1, round(size * rng.uniform(0.08, 0.25)))
            spot = _point(*(tip + rng.normal(0, 0.2 * size, 2)))
            cv2.circle(image, spot, radius, (leaves * rng.uniform(0.7, 1.3)).tolist(), -1, cv2.LINE_AA)


def _writing(rng: np.random.Generator, image: np.ndarray, at: tuple[int, int], size: float) -> None:
    board, ink = random_color(rng), random_color(rng).tolist()
    wide, lines, step = size * rng.uniform(0.8, 2.0), int(rng.integers(1, 5)), size * 0.25
    cv2.rectangle(image, at, _point(at[0] + wide, at[1] + lines * step + step), board.tolist(), -1)
    for line in range(lines):
        letters = ''.join(rng.choice(list('ABEFHKLMNRSTXZ257'), int(wide / step) + 2))
        cv2.putText(
            image, letters, _point(at[0] + 0.1 * size, at[1] + (line + 1.1) * step), cv2.FONT_HERSHEY_SIMPLEX,
            size * 0.008, ink, max(1, round(size * 0.03)), cv2.LINE_AA,
        )  # fmt: skip


def _polygon(rng: np.random.Generator, image: np.ndarray, at: tuple[int, int], size: float) -> None:
    angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 8))))
    radii = size * rng.uniform(0.2, 0.9, len(angles))
    corners = np.stack([np.cos(angles), np.sin(angles)], 1) * radii[:, None] + at
    cv2.fillPoly(image, [corners.round().astype(np.int32)], random_color(rng).tolist(), cv2.LINE_AA)


def _limb(rng: np.random.Generator, image: np.ndarray, at: tuple[int, int], size: float) -> None:
    """Paint two segments with a bend, shaded like an arm or a leg, in colours of skin or cloth."""
    color = SKIN[rng.integers(len(SKIN))] if rng.random() < 0.5 else random_color(rng)
    corner = np.array(at) + size * rng.normal(0, 0.5, 2)
    joints = [np.array(at), corner, corner + size * rng.normal(0, 0.4, 2)]
    thick = max(2, round(size * rng.uniform(0.12, 0.25)))
    for share, shade in ((1.0, 0.65), (0.7, 0.9), (0.35, 1.1)):
        points = np.round(np.array(joints) - (1 - share) * thick * 0.3).astype(np.int32)
        paint = np.minimum(color * shade, 255).tolist()
        cv2.polylines(image, [points], False, paint, max(1, round(thick * share)), cv2.LINE_AA)


def _disc(rng: np.random.Generator, image: np.ndarray, at: tuple[int, int], size: float) -> None:
    axes = _point(*np.maximum(size * rng.uniform(0.1, 0.5, 2), 1))
    cv2.ellipse(image, at, axes, rng.uniform(0, 180), 0, 360, random_color(rng).tolist(), -1, cv2.LINE_AA)


PAINTERS: tuple[Painter, ...] = (_window, _shelf, _tree, _writing, _polygon, _limb, _disc)


def paint_surface(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Return an empty wall or ground, (h, w, 3) float32: mottled, tiled, planked or striped."""
    height, width = shape
    base, other = random_color(rng, (0.02, 0.5), (0.25, 0.9)), random_color(rng, (0.02, 0.5), (0.2, 0.9))
    blend = np.clip(0.5 + 0.4 * noise(rng, shape, int(rng.integers(3, 10)), 4), 0, 1)[..., None]
    image = (base * (1 - 0.5 * blend) + other * 0.5 * blend).astype(np.float32)
    period, kind = int(rng.integers(10, 60)), rng.choice(['plain', 'tiles', 'bricks', 'planks', 'stripes'])
    rows, columns = np.arange(height)[:, None], np.arange(width)[None]
    if kind == 'tiles':
        image[np.broadcast_to((rows // period + columns // period) % 2 == 0, shape)] *= rng.uniform(0.7, 0.95)
    elif kind == 'bricks':
        shifted = columns + (rows // period % 2) * period
        image[np.broadcast_to(rows % period < 2, shape) | (shifted % (2 * period) < 2)] *= rng.uniform(0.5, 0.85)
    elif kind == 'planks':
        image *= rng.uniform(0.8, 1.1, width // period + 1).astype(np.float32)[columns[0] // period, None]
    elif kind == 'stripes':
        image[np.broadcast_to(columns % period < period // 2, shape)] *= rng.uniform(0.6, 0.95)
    return image * (1 + 0.06 * rng.standard_normal(shape, dtype=np.float32)[..., None])


def paint_wall(rng: np.random.Generator, shape: tuple[int, int], clutter: int) -> np.ndarray:
    """Return a wall with ``clutter`` objects of a few prevailing kinds, (h, w, 3) uint8."""
    height, width = shape
    image = np.clip(paint_surface(rng, shape), 0, 255).astype(np.uint8)
    weights = rng.dirichlet(np.full(len(PAINTERS), 0.7))
    for size in np.sort(rng.uniform(0.05, 0.35, clutter))[::-1] * height:
        painter = PAINTERS[int(rng.choice(len(PAINTERS), p=weights))]
        painter(rng, image, (int(rng.integers(-20, width)), int(rng.integers(0, height))), float(size))
    lighting = 1 + 0.2 * noise(rng, shape, 3, 2)[..., None]
    return np.clip(image * lighting, 0, 255).astype(np.uint8)


def paint_ground(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Return a ground, (h, w, 3) uint8, sometimes with lines and leaves."""
    image = np.clip(paint_surface(rng, shape), 0, 255).astype(np.uint8)
    for _ in range(int(rng.integers(0, 14))):
        start, end = rng.uniform(0, 1, (2, 2)) * shape[::-1]
        cv2.line(image, _point(*start), _point(*end), random_color(rng).tolist(), int(rng.integers(1, 6)))
    for _ in range(int(rng.integers(0, 60))):
        _disc(rng, image, _point(*(rng.uniform(0, 1, 2) * shape[::-1])), float(rng.uniform(4, 25)))
    return image
