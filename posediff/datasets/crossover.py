"""New motion for training from two recordings: the lower body of one and the upper body of the other."""

from __future__ import annotations

import numpy as np

from posediff.structures.skeletons import Skeleton

_LOWER = ('hip', 'knee', 'foot', 'ankle')
LEAST_WIDTH = 0.5  # of the mean distance of the hips: where their horizontal distance is less, the heading is not known


def crossover(lower: np.ndarray, upper: np.ndarray, skeleton: Skeleton) -> np.ndarray | None:
    """Return the root's path and the legs of one motion with trunk, arms and head of another.

    In every frame, the upper body is turned about the vertical through the root by the difference of the headings, the
    directions from the right to the left hip, of both motions.

    Args:
        lower: (T, K, 3), z up.
        upper: (T, K, 3), z up.
        skeleton: Skeleton of the K joints, with ``left_hip`` and ``right_hip``.

    Returns:
        (T, K, 3); None if the hips of one of the motions are one above the other in some frame, as of a person who lies
        on a side: there is no heading.
    """
    names = skeleton.joint_names
    hips = names.index('left_hip'), names.index('right_hip')
    turns = []
    for joints in (lower, upper):
        across = joints[:, hips[0]] - joints[:, hips[1]]
        width = np.hypot(across[:, 0], across[:, 1])
        if width.min() < LEAST_WIDTH * np.linalg.norm(across, axis=-1).mean():
            return None
        turns.append((across[:, 0] + 1j * across[:, 1]) / width)
    turn = turns[0] * turns[1].conj()
    legs = [index for index, name in enumerate(names) if name.removeprefix('left_').removeprefix('right_') in _LOWER]
    rest = np.setdiff1d(np.arange(len(names)), legs)
    relative = (upper - upper[:, [skeleton.root]])[:, rest]
    across = (relative[..., 0] + 1j * relative[..., 1]) * turn[:, None]
    joints = lower.copy()
    root = lower[:, [skeleton.root]]
    joints[:, rest] = root + np.stack([across.real, across.imag, relative[..., 2]], axis=-1)
    return joints
