"""Objects in a scene: furniture, trees, poles, balls; behind, among and in front of persons."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from posediff.synthetic.background import PAINTERS, paint_ground, paint_wall
from posediff.synthetic.planes import Panel
from posediff.synthetic.scene import Scene
from posediff.synthetic.solids import Solid
from posediff.synthetic.textures import Layer, draw_cloth, paint_part, plain, random_color
from posediff.synthetic.wardrobe import SKIN

WALL_MM, GROUND_MM = (26000.0, 9000.0), (14000.0, 14000.0)  # size of one image; it is mirrored beyond


@dataclass(frozen=True)
class Prop:
    """An object that is static or moves at constant velocity.

    Attributes:
        shape: Shape in the world frame.
        velocity: (3,) mm/s.
    """

    shape: Panel | Solid
    velocity: np.ndarray


@dataclass(frozen=True)
class Surroundings:
    """Everything in a scene except persons."""

    wall: Panel
    ground: Panel
    props: list[Prop]


def build_surroundings(scene: Scene) -> Surroundings:
    """Paint and place the surroundings of the persons of a scene."""
    rng = np.random.default_rng(scene.background_seed)
    # about the resolution of the wall in the image
    lens = scene.camera.at(0.0)
    density = min(lens.focal[0] / scene.wall_distance, 0.08)
    wall_shape = (int(WALL_MM[1] * density), int(WALL_MM[0] * density))
    wall = paint_wall(rng, wall_shape, int(rng.integers(25, 160)))
    ground = paint_ground(rng, (700, 700))
    left = np.array([-WALL_MM[0] / 2 + rng.uniform(-4000, 4000), scene.wall_distance, WALL_MM[1] - 300])
    far_left = np.array([-GROUND_MM[0] / 2, scene.wall_distance, 0.0])
    return Surroundings(
        Panel(left, np.array([WALL_MM[0], 0, 0]), np.array([0, 0, -WALL_MM[1]]), wall, endless=True),
        Panel(far_left, np.array([GROUND_MM[0], 0, 0]), np.array([0, -GROUND_MM[1], 0.0]), ground, endless=True),
        _draw_props(rng, scene),
    )


def _draw_props(rng: np.random.Generator, scene: Scene) -> list[Prop]:
    depths = np.array([person.walk.joints[:, 0, 1].mean() for person in scene.tracks])
    props = []
    for _ in range(int(rng.integers(1, 8))):  # behind and among persons
        depth = rng.uniform(depths.min(), scene.wall_distance - 100)
        props.append(_draw_prop(rng, scene, depth, rng.uniform(0.6, 2.4) * 1000, rng.uniform(-0.1, 1.1)))
    for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.3, 0.35, 0.25, 0.1]))):  # in front of persons
        depth = max(depths.min() * rng.uniform(0.5, 0.9), 900.0)
        high = depth / scene.camera.focal * scene.settings.img_shape[0]  # height that fills the image
        props.append(_draw_prop(rng, scene, depth, high * rng.uniform(0.2, 0.6), rng.uniform(0, 1)))
    return props


def _draw_prop(rng: np.random.Generator, scene: Scene, depth: float, size: float, column: float) -> Prop:
    lens = scene.camera.at(scene.settings.seconds / 2)
    width = scene.settings.img_shape[1]
    ray = np.array([(column * width - lens.center[0]) / lens.focal[0], 0.0, 1.0]) @ lens.R
    place = (lens.position + ray * (depth / max(ray[1], 0.2))) * [1, 1, 0]
    velocity = np.array([rng.normal(0, 1200), 0, 0]) * (rng.random() < 0.25)
    kind = rng.choice(['cutout', 'pole', 'limbs', 'ball', 'box'], p=[0.35, 0.2, 0.2, 0.1, 0.15])
    if kind in ('cutout', 'box'):
        return Prop(_draw_panel(rng, place, size, str(kind)), velocity)
    # colours of skin and sleeves make cylinders that resemble limbs
    cloth = plain(SKIN[rng.integers(len(SKIN))]) if rng.random() < 0.4 else draw_cloth(rng)
    texture = paint_part(rng, [Layer(cloth)], size, 80)
    if kind == 'ball':
        radius = size * rng.uniform(0.08, 0.25)
        middle = place + [0, 0, rng.uniform(radius, 1800)]
        velocity = rng.normal(0, (2000, 600, 800)) * (rng.random() < 0.7)
        return Prop(Solid(middle, middle + [1.0, 0, 0], radius, radius, np.array([0, -1.0, 0]), texture), velocity)
    radius = rng.uniform(35, 110)
    if kind == 'pole':
        top = place + [rng.normal(0, 100), 0, size * rng.uniform(0.8, 2.5)]
        return Prop(Solid(place, top, radius, radius * 0.8, np.array([0, -1.0, 0]), texture), velocity)
    start = place + [0, 0, rng.uniform(100, 1500)]
    end = start + size * 0.35 * rng.normal(0, 1, 3)
    return Prop(Solid(start, end, radius, radius * rng.uniform(0.6, 1), np.array([0, -1.0, 0]), texture), velocity)


def _draw_panel(rng: np.random.Generator, place: np.ndarray, size: float, kind: str) -> Panel:
    """Return a cut-out with a ragged outline, or a box: from the front both are panels."""
    side = 96
    image = np.zeros((side, side, 4), np.uint8)
    mask = np.zeros((side, side), np.uint8)
    colors = np.empty((side, side, 3), np.uint8)
    colors[:] = random_color(rng)
    for _ in range(int(rng.integers(1, 8))):
        painter = PAINTERS[int(rng.integers(len(PAINTERS)))]
        painter(rng, colors, (int(rng.integers(0, side)), int(rng.integers(0, side))), side * rng.uniform(0.1, 0.4))
    if kind == 'box':
        mask[:] = 255
    else:
        for _ in range(int(rng.integers(2, 9))):
            middle, axes = rng.uniform(0.15, 0.85, 2) * side, rng.uniform(0.05, 0.3, 2) * side
            cv2.ellipse(
                mask, middle.astype(int).tolist(), axes.astype(int).tolist(), rng.uniform(0, 180), 0, 360, 255, -1
            )
        foot = round(side * rng.uniform(0.02, 0.1))
        cv2.rectangle(mask, (side // 2 - foot, side // 2), (side // 2 + foot, side), 255, -1)
    shade = np.linspace(rng.uniform(0.7, 1.1), rng.uniform(0.5, 1.0), side)[:, None, None]
    image[..., :3] = np.clip(colors * shade, 0, 255)
    image[..., 3] = mask
    wide = size * rng.uniform(0.4, 1.2)
    across = np.array([wide, rng.normal(0, 0.3) * wide, 0])
    return Panel(place + [0, 0, size] - across / 2, across, np.array([0, 0, -size]), image)
