"""Walking stick figures and their simulated detections."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import pytest

from posediff.tracking import BaseTracker

HEIGHT = 200.0
FPS = 25.0


class Walker(NamedTuple):
    """A walking person.

    Attributes:
        x: Position of the hips, px, as a function of time in seconds.
        phase: Phase of the gait, radians.
        y: Position of the feet, px.
        frequency: Steps per second; different for two people.
    """

    x: Callable[[float], float]
    phase: float = 0.0
    y: float = 300.0
    frequency: float = 0.9

    def keypoints(self, time: float) -> np.ndarray:
        """Return (13, 2) px: head, shoulders, elbows, wrists, hips, knees, ankles."""
        angle = 2 * np.pi * self.frequency * time + self.phase
        swing = 0.22 * HEIGHT * np.sin(angle)
        hip, shoulder = 0.5 * HEIGHT, 0.8 * HEIGHT
        sides = []
        for side in (-1, 1):
            wide = 0.05 * HEIGHT * side
            sides.append([
                [wide, shoulder], [wide - 0.5 * side * swing, 0.65 * HEIGHT], [wide - side * swing, hip],
                [0.7 * wide, hip], [0.7 * wide + 0.5 * side * swing, 0.25 * HEIGHT], [0.7 * wide + side * swing, 0.0],
            ])  # fmt: skip
        points = np.array([[0.0, 0.95 * HEIGHT], *np.swapaxes(sides, 0, 1).reshape(-1, 2)])
        return points * [1, -1] + [self.x(time), self.y]

    def box(self, time: float) -> np.ndarray:
        """Return the box (4,) px, with constant width, so that it does not depend on the limbs."""
        return np.array([-0.25 * HEIGHT, -HEIGHT, 0.25 * HEIGHT, 0.0]) + [self.x(time), self.y] * 2


class Film:
    """Detections of walkers, frame by frame.

    Args:
        walkers: People.
        hidden: Whether a walker is not detected: (walker, frame) to bool.
    """

    def __init__(
        self,
        walkers: Iterable[Walker],
        hidden: Callable[[int, int], bool] = lambda walker, frame: False,
        noise_px: float = 2.0,
        seed: int = 0,
        score: float = 0.9,
    ) -> None:
        self.walkers, self.hidden, self.noise_px, self.score = list(walkers), hidden, noise_px, score
        self.rng = np.random.default_rng(seed)

    def track(
        self, tracker: BaseTracker, frames: Iterable[int], poses: bool = True, fps: float = FPS
    ) -> list[dict[int, int]]:
        """Track a video; returns for every frame the ids of the detected walkers."""
        tracker.reset(fps)
        found = []
        for frame in frames:
            present = [index for index in range(len(self.walkers)) if not self.hidden(index, frame)]
            present = [int(index) for index in self.rng.permutation(present)]
            time = frame / fps
            boxes = np.array([self.walkers[index].box(time) for index in present]).reshape(-1, 4)
            keypoints = np.array([self.walkers[index].keypoints(time) for index in present]).reshape(-1, 13, 2)
            boxes, keypoints = (
                values + self.rng.normal(0, self.noise_px, values.shape) for values in (boxes, keypoints)
            )
            scores = np.full(len(present), self.score)
            ids = tracker.update(frame, boxes, scores, keypoints if poses else None)
            found.append(dict(zip(present, ids.tolist(), strict=True)))
        return found


class Kit:
    """Return the helpers of this file for the tests."""

    Walker = Walker
    Film = Film
    FPS = FPS

    @staticmethod
    def ids_of(found: list[dict[int, int]], walker: int) -> list[int]:
        """Return the ids of a walker in order, without -1 and repetitions."""
        ids = [frame[walker] for frame in found if frame.get(walker, -1) >= 0]
        return list(dict.fromkeys(ids))


@pytest.fixture(scope='session')
def kit() -> type[Kit]:
    return Kit
