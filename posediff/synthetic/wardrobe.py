"""Random appearance of persons: build, skin, hair and clothes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posediff.synthetic.textures import Cloth, Layer, draw_cloth, paint_head, paint_part, plain, random_color

SKIN = np.array([[197, 219, 246], [150, 185, 230], [120, 158, 208], [86, 120, 170], [60, 86, 130], [42, 58, 92]], float)
HAIR = np.array([[25, 28, 32], [30, 45, 70], [45, 75, 120], [110, 165, 205], [150, 152, 155], [40, 60, 140]], float)


@dataclass(frozen=True)
class Looks:
    """Appearance of one person.

    Attributes:
        width: Factor of all radii.
        textures: Texture of each body part, by its name in :mod:`posediff.synthetic.body`.
        long_hair, baggy, backpack, visor: Whether the person has long hair, baggy shorts, a backpack, a visor.
    """

    width: float
    textures: dict[str, np.ndarray]
    long_hair: bool
    baggy: bool
    backpack: bool
    visor: bool


def draw_looks(rng: np.random.Generator) -> Looks:
    """Sample the appearance of a person."""
    skin = SKIN[rng.integers(len(SKIN))] * rng.uniform(0.92, 1.06)
    hair = HAIR[rng.integers(len(HAIR))] * rng.uniform(0.8, 1.15)
    top, bottom, other = draw_cloth(rng), draw_cloth(rng), draw_cloth(rng)
    shoes = random_color(rng, value=(0.08, 0.9))
    hat = random_color(rng) if rng.random() < 0.22 else None
    sleeve = float(rng.choice([0.0, 0.6, 1.0, 1.55, 2.0], p=[0.08, 0.32, 0.1, 0.1, 0.4]))
    baggy = bool(rng.random() < 0.15)
    leg = float(rng.choice([0.35, 0.85, 1.5, 2.0], p=[0.12, 0.18, 0.1, 0.6]))
    if baggy:
        leg = 0.35
    bare = Layer(plain(skin))

    def limb(cloth: Cloth, covered: float, length: float, radius: float) -> np.ndarray:
        layers = [bare, Layer(cloth, -1.0, covered)] if covered > 0 else [bare]
        return paint_part(rng, layers, length, radius, folds=0.12 if covered > 0.5 else 0.05)

    textures = {
        'belly': paint_part(rng, [Layer(bottom), Layer(top, 0.3, 2.0)], 420, 150),
        'chest': paint_part(rng, [Layer(_with_front(rng, top, other))], 460, 160),
        'shoulders': paint_part(rng, [Layer(top)], 450, 60),
        'neck': paint_part(rng, [bare], 140, 55, folds=0.03),
        'nose': paint_part(rng, [bare], 40, 15, folds=0.02),
        'head': paint_head(rng, skin, hair, hat),
        'hair': paint_part(rng, [Layer(plain(hair))], 250, 80, folds=0.2),
        'visor': paint_part(rng, [Layer(plain(hat if hat is not None else hair))], 150, 80),
        'pack': paint_part(rng, [Layer(other)], 450, 130),
        'baggy': paint_part(rng, [Layer(bottom)], 300, 120, folds=0.2),
    }
    for side in ('left', 'right'):
        textures |= {
            f'{side}_upper_arm': limb(top, sleeve, 290, 48),
            f'{side}_forearm': limb(top, sleeve - 1, 200, 38),
            f'{side}_hand': paint_part(rng, [bare], 170, 35, folds=0.06),
            f'{side}_thigh': limb(bottom, leg, 420, 80),
            f'{side}_shank': limb(bottom, leg - 1, 420, 55),
            f'{side}_foot': paint_part(rng, [Layer(plain(shoes))], 260, 42),
        }
    width = float(np.clip(rng.normal(1.0, 0.1), 0.82, 1.3))
    return Looks(
        width, textures, bool(hat is None and rng.random() < 0.35), baggy, bool(rng.random() < 0.15), hat is not None
    )


def _with_front(rng: np.random.Generator, top: Cloth, other: Cloth) -> Cloth:
    """Add a detail to the chest that distinguishes it from the back: a zip, an emblem, an open jacket, or nothing."""
    kind = rng.choice(['zip', 'emblem', 'open', 'none'], p=[0.25, 0.3, 0.2, 0.25])

    def paint(along: np.ndarray, around: np.ndarray) -> np.ndarray:
        marked = {
            'zip': np.abs(around) < 9,
            'emblem': np.hypot(around / 75, (along - 300) / 60) < 1,
            'open': np.abs(around) < 70,
            'none': np.zeros(along.shape, bool),
        }[str(kind)]
        return np.where(marked[..., None], other(along, around), top(along, around))

    return paint
