"""Random content of a clip, determined by the seed, the split and the number of the clip."""

from __future__ import annotations

import numpy as np

from posediff.structures.named_generators import named_rng
from posediff.synthetic.body import AVERAGE_STATURE, stature_of
from posediff.synthetic.camera_path import CameraPath, draw_camera_path
from posediff.synthetic.motion_source import MotionSource
from posediff.synthetic.placement import LEAD_S, Walk, place_people
from posediff.synthetic.scene import CROWD_TRACK, ClipSettings, Person, Scene


def draw_scene(source: MotionSource, settings: ClipSettings, split: str, index: int) -> Scene:
    """Sample the content of a clip.

    Raises:
        FileNotFoundError, ValueError: The source has no motion for the split, or its files are damaged.
    """
    rng = named_rng(settings.seed, f'{split}/{index}/scene')
    height, width = settings.img_shape
    focal = 0.5 * max(height, width) / np.tan(np.radians(rng.uniform(42, 66)) / 2)
    tall = rng.uniform(0.35, 0.95)  # height of the first person relative to the image
    camera_height = rng.uniform(800, 2000)
    distance = focal * AVERAGE_STATURE / (tall * height)
    middle = np.arctan2(0.5 * AVERAGE_STATURE - camera_height, distance)  # elevation of the person's centre
    above = rng.uniform(-1, 1) * max(0.06, 0.42 * (0.95 - tall)) * height  # its offset below the image centre, px
    camera = draw_camera_path(rng, settings.img_shape, focal, camera_height, float(middle + np.arctan(above / focal)))
    count = int(rng.choice([1, 2, 3, 4, 5], p=[0.18, 0.3, 0.27, 0.15, 0.1]))
    motions = [source.draw(rng, split, settings.seconds + 2 * LEAD_S) for _ in range(count)]
    walks = place_people(rng, motions, camera, settings.seconds, distance)
    depths = [float(walk.joints[..., 1].max()) for walk in walks]
    wall = max(max(depths) + rng.uniform(1200, 4000), 6000.0)
    people = [
        _draw_person(rng, track, motion.subject, walk)
        for track, (motion, walk) in enumerate(zip(motions, walks, strict=False))
    ]
    if rng.random() < 0.35:
        wall = max(wall, 2.4 * max(depths))
        people += _draw_crowd(rng, source, settings, split, camera, (1.6 * max(depths), wall - 500))
    around, above_horizon = rng.uniform(-2.6, 2.6), np.radians(rng.uniform(25, 70))
    return Scene(
        split=split,
        index=index,
        settings=settings,
        camera=camera,
        people=people,
        background_seed=int(rng.integers(2**62)),
        wall_distance=float(wall),
        light_direction=np.array([
            np.sin(around) * np.cos(above_horizon),
            -np.cos(around) * np.cos(above_horizon),
            np.sin(above_horizon),
        ]),
        ambient=float(rng.uniform(0.38, 0.7)),
        diffuse=float(rng.uniform(0.25, 0.7)),
        shutter=float(rng.uniform(0.1, 0.8)),
        blur=float(rng.uniform(0.0, 0.7)),
        grain=float(rng.uniform(0.5, 6.0)),
        exposure=np.array([rng.uniform(0.75, 1.2), rng.normal(0, 8), rng.uniform(0, 6)]),
        quality=int(rng.integers(82, 96)),
        image_seed=int(rng.integers(2**62)),
    )  # fmt: skip


def _draw_person(rng: np.random.Generator, track_id: int, subject: str, walk: Walk) -> Person:
    waves = np.stack([rng.normal(0, (0.45, 0.16)), rng.uniform(0.5, 3.0, 2), rng.uniform(0, 2 * np.pi, 2)], axis=1)
    scale = stature_of(walk.joints) / AVERAGE_STATURE
    return Person(track_id, subject, walk, scale, int(rng.integers(2**62)), waves)


def _draw_crowd(
    rng: np.random.Generator,
    source: MotionSource,
    settings: ClipSettings,
    split: str,
    camera: CameraPath,
    depths: tuple[float, float],
) -> list[Person]:
    """Sample a group of persons in the far background."""
    lens = camera.at(0.0)
    middle = rng.uniform(-0.4, 0.4) * settings.img_shape[1] / lens.focal[0]
    people = []
    for _ in range(int(rng.integers(3, 7))):
        motion = source.draw(rng, split, settings.seconds + 2 * LEAD_S)
        depth = rng.uniform(*depths)
        place = np.array([(middle + rng.normal(0, 0.07)) * depth, depth, 0.0])
        walk = Walk.of(motion, rng.uniform(0, 2 * np.pi), place, settings.seconds / 2)
        people.append(_draw_person(rng, CROWD_TRACK, motion.subject, walk))
    return people
