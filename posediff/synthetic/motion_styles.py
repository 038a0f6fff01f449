"""Movements of the built-in motion generator: joint angles over time with random tempo and amplitude."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from posediff.synthetic.kinematics import Angles

Style = Callable[[np.random.Generator, np.ndarray], Angles]
"""Maps a random generator and times (F,) in seconds to joint angles."""


def _wander(rng: np.random.Generator, time: np.ndarray, size: float, columns: int | None = None) -> np.ndarray:
    """Return a slow random signal, (F,) or (F, columns), with an amplitude of about ``size``."""
    count = columns or 1
    rate, phase = rng.uniform(0.3, 1.6, (3, count)), rng.uniform(0, 2 * np.pi, (3, count))
    waves = np.sin(time[:, None, None] * rate * np.pi + phase).sum(1) * (size * 0.6)
    return waves if columns else waves[:, 0]


def _standing(rng: np.random.Generator, time: np.ndarray) -> Angles:
    """Stand upright with slight random movement."""
    angles = Angles(len(time))
    angles.lean, angles.sway, angles.twist = (_wander(rng, time, size) for size in (0.05, 0.03, 0.1))
    angles.nod = _wander(rng, time, 0.12)
    angles.hip = _wander(rng, time, 0.04, 2)
    angles.hip_out = np.full((len(time), 2), rng.uniform(0.02, 0.14))
    angles.knee = 0.08 + np.abs(_wander(rng, time, 0.06, 2))
    angles.shoulder = _wander(rng, time, 0.08, 2)
    angles.shoulder_out = 0.14 + np.abs(_wander(rng, time, 0.06, 2))
    angles.elbow = 0.25 + np.abs(_wander(rng, time, 0.12, 2))
    angles.heading = _wander(rng, time, 0.1)
    return angles


def _cycle(rng: np.random.Generator, time: np.ndarray, rate: tuple[float, float]) -> np.ndarray:
    """Return the phase (F,) of a cyclic movement with a random rate in cycles per second."""
    return 2 * np.pi * rng.uniform(*rate) * time + rng.uniform(0, 2 * np.pi)


def _steps(
    rng: np.random.Generator, time: np.ndarray, rate: tuple[float, float], stride: float, bend: float
) -> tuple[Angles, np.ndarray]:
    """Return angles of legs and arms for walking and running, and the (F, 2) phases of both sides."""
    angles = _standing(rng, time)
    phase = _cycle(rng, time, rate)[:, None] + np.array([0, np.pi])
    angles.hip = angles.hip + 0.12 + stride * np.sin(phase)
    angles.knee = angles.knee + bend * np.maximum(0, np.cos(phase + 0.5)) ** 2
    angles.shoulder = angles.shoulder - 1.1 * stride * np.sin(phase)
    angles.twist = angles.twist + 0.2 * stride * np.sin(phase[:, 0])
    angles.heading = angles.heading + rng.normal(0, 0.25) * time
    return angles, phase


def walk(rng: np.random.Generator, time: np.ndarray) -> Angles:
    return _steps(rng, time, (0.7, 1.1), rng.uniform(0.3, 0.5), rng.uniform(0.8, 1.1))[0]


def run(rng: np.random.Generator, time: np.ndarray) -> Angles:
    angles, phase = _steps(rng, time, (1.1, 1.45), rng.uniform(0.45, 0.7), rng.uniform(1.2, 1.6))
    angles.lean = angles.lean + rng.uniform(0.1, 0.25)
    angles.elbow = angles.elbow + rng.uniform(1.0, 1.5)
    angles.lift = 0.05 * np.abs(np.sin(phase[:, 0] + 0.6))
    return angles


def wave(rng: np.random.Generator, time: np.ndarray) -> Angles:
    angles = _standing(rng, time)
    phase, arms = _cycle(rng, time, (0.8, 2.0)), [0, 1] if rng.random() < 0.3 else [int(rng.integers(2))]
    for arm in arms:
        angles.shoulder_out[:, arm] = rng.uniform(1.2, 2.2)
        angles.shoulder_turn[:, arm] = np.pi / 2
        angles.elbow[:, arm] = rng.uniform(0.5, 1.1) + 0.45 * np.sin(phase + arm)
    return angles


def talk(rng: np.random.Generator, time: np.ndarray) -> Angles:
    angles = _standing(rng, time)
    angles.elbow = np.clip(rng.uniform(1.0, 1.8) + _wander(rng, time, 0.6, 2), 0.1, 2.4)
    angles.shoulder = rng.uniform(0.1, 0.5) + _wander(rng, time, 0.35, 2)
    angles.shoulder_turn = _wander(rng, time, 0.5, 2)
    angles.heading = angles.heading + _wander(rng, time, 0.3)
    return angles


def squat(rng: np.random.Generator, time: np.ndarray) -> Angles:
    angles = _standing(rng, time)
    depth = ((0.5 - 0.5 * np.cos(_cycle(rng, time, (0.35, 0.7)))) * rng.uniform(0.6, 1.1))[:, None]
    angles.hip, angles.knee = angles.hip + 1.6 * depth, angles.knee + 1.95 * depth
    angles.hip_out = angles.hip_out + 0.25 * depth
    angles.lean = angles.lean + 0.55 * depth[:, 0]
    angles.shoulder = angles.shoulder + rng.uniform(0.4, 1.5) * depth
    return angles


def jump(rng: np.random.Generator, time: np.ndarray) -> Angles:
    angles = _standing(rng, time)
    turn = np.mod(_cycle(rng, time, (0.6, 0.9)) / (2 * np.pi), 1)
    air = np.clip((turn - 0.55) / 0.35, 0, 1)
    crouch = np.interp(turn, [0, 0.2, 0.4, 0.55, 0.8, 0.92, 1.0], [0.5, 0.2, 1.0, 0.0, 0.15, 0.2, 0.5])[:, None]
    angles.lift = rng.uniform(0.15, 0.4) * 4 * air * (1 - air)
    angles.hip, angles.knee = angles.hip + 1.1 * crouch, angles.knee + 1.5 * crouch
    angles.lean = angles.lean + 0.5 * crouch[:, 0]
    swing = np.interp(turn, [0, 0.4, 0.65, 0.9, 1.0], [0.2, -0.8, 2.2, 0.6, 0.2])[:, None]
    angles.shoulder = angles.shoulder + rng.uniform(0.5, 1.2) * swing
    return angles


def jumping_jack(rng: np.random.Generator, time: np.ndarray) -> Angles:
    angles = _standing(rng, time)
    phase = _cycle(rng, time, (0.7, 1.1))
    spread = (0.5 - 0.5 * np.cos(phase))[:, None]
    angles.hip_out = angles.hip_out + 0.45 * spread
    angles.shoulder_out = angles.shoulder_out + rng.uniform(1.8, 2.6) * spread
    angles.lift = 0.1 * np.abs(np.sin(phase))
    return angles


def box(rng: np.random.Generator, time: np.ndarray) -> Angles:
    angles = _standing(rng, time)
    hit = np.maximum(0, np.sin(_cycle(rng, time, (0.7, 1.4))[:, None] + np.array([0, np.pi]))) ** 3
    angles.hip, angles.knee = angles.hip + np.array([0.35, -0.2]), angles.knee + 0.3
    angles.shoulder, angles.elbow = 0.7 + 0.8 * hit, 2.1 - 1.9 * hit
    angles.twist = angles.twist + 0.4 * (hit[:, 1] - hit[:, 0])
    return angles


def kick(rng: np.random.Generator, time: np.ndarray) -> Angles:
    angles = _standing(rng, time)
    leg, swing = int(rng.integers(2)), np.sin(_cycle(rng, time, (0.4, 0.8)))
    angles.hip[:, leg] += rng.uniform(0.7, 1.2) * swing + 0.3
    angles.knee[:, leg] += 0.3 + 0.9 * np.maximum(0, -swing)
    angles.shoulder_out = angles.shoulder_out + 0.4
    angles.lean = angles.lean - 0.2 * swing
    return angles


def reach(rng: np.random.Generator, time: np.ndarray) -> Angles:
    angles = _standing(rng, time)
    down = 0.5 - 0.5 * np.cos(_cycle(rng, time, (0.25, 0.5)))
    up = rng.uniform(1.0, 2.6) * (1 - down)
    angles.lean = angles.lean + rng.uniform(0.7, 1.3) * down
    angles.hip, angles.knee = angles.hip + 0.5 * down[:, None], angles.knee + 0.6 * down[:, None]
    angles.shoulder = angles.shoulder + (0.9 * down + up)[:, None] * rng.uniform(0.5, 1.0, 2)
    return angles


def dance(rng: np.random.Generator, time: np.ndarray) -> Angles:
    angles = _standing(rng, time)
    beat = _cycle(rng, time, (0.7, 1.3))[:, None]

    def moves(size: float, columns: int = 2) -> np.ndarray:
        multiple = rng.choice([0.5, 1.0, 1.0, 2.0], columns)
        return rng.uniform(0.3, 1.0, columns) * size * np.sin(multiple * beat + rng.uniform(0, 2 * np.pi, columns))

    angles.hip = angles.hip + 0.2 + moves(0.4)
    angles.knee = angles.knee + 0.2 + np.abs(moves(0.8))
    angles.hip_out = angles.hip_out + np.abs(moves(0.25))
    angles.shoulder, angles.shoulder_out = angles.shoulder + moves(0.9), 0.5 + np.abs(moves(1.4))
    angles.shoulder_turn, angles.elbow = moves(0.8), 0.9 + np.abs(moves(0.9))
    angles.sway, angles.twist = angles.sway + moves(0.2, 1)[:, 0], angles.twist + moves(0.5, 1)[:, 0]
    angles.heading = angles.heading + rng.normal(0, 0.5) * time
    return angles


STYLES: dict[str, tuple[Style, float]] = {
    'walk': (walk, 5.0),
    'run': (run, 2.0),
    'wave': (wave, 1.0),
    'talk': (talk, 1.0),
    'squat': (squat, 1.0),
    'jump': (jump, 1.0),
    'jumping_jack': (jumping_jack, 0.7),
    'box': (box, 1.0),
    'kick': (kick, 1.0),
    'reach': (reach, 1.0),
    'dance': (dance, 2.0),
}
"""Movements by name, with their relative probability."""
