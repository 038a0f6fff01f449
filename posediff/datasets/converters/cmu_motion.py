"""Reader of one take of motion capture: joints in metres and frame rate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posediff.datasets.converters.asf_amc import read_amc
from posediff.datasets.converters.asf_skeleton import CMU_LENGTH, METRES_PER_INCH, read_asf
from posediff.datasets.converters.bvh import read_bvh
from posediff.datasets.converters.cmu_joints import joints_of_asf, joints_of_bvh
from posediff.datasets.converters.cmu_takes import SourceTake

CMU_FPS = 120.0  # rate of CMU's AMC files, which do not state it
RATES = (1.0, 10_000.0)  # fps; values outside are a time in ms, or rate and time exchanged
SAME_RATE = 0.01  # relative tolerance between two stated rates

UNITS = {'m': 1.0, 'cm': 0.01, 'mm': 0.001, 'inch': METRES_PER_INCH, 'cmu': METRES_PER_INCH / CMU_LENGTH}
"""Metres per unit, by name."""


@dataclass(frozen=True)
class TakeMotion:
    """Joints of a take.

    Attributes:
        joints: (F, 17, 3) metres, z up, in the order of CMU17.
        fps: Frame rate.
        change: Description of the change applied, or None.
        assumed: Assumptions about properties that the file does not state.
    """

    joints: np.ndarray
    fps: float
    change: str | None
    assumed: tuple[str, ...] = ()


def read_take(take: SourceTake, source_fps: float | None = None, units: str | None = None) -> TakeMotion:
    """Read a take.

    Args:
        take: From :func:`~posediff.datasets.converters.cmu_takes.find_takes`.
        source_fps: Rate of an AMC file if neither it nor the index states one; None uses :data:`CMU_FPS`.
        units: A key of :data:`UNITS`; None uses the unit that the file states, and CMU's own if it states none.

    Raises:
        ValueError: A file is missing or malformed, or contradicts the rate of the index; the message names it.
    """
    if not take.motion_path.is_file():
        raise ValueError('listed in the index, but the file does not exist')
    metres = None if units is None else UNITS[units]
    if take.motion_path.suffix.lower() != '.amc':
        bvh = read_bvh(take.motion_path)
        joints, change = joints_of_bvh(bvh, metres)
        return TakeMotion(joints, _possible(take, _agreed(take, bvh.fps) or bvh.fps), change)
    if take.skeleton_path is None:
        raise ValueError(f'{take.motion_path}: no .asf beside it or named after its subject')
    skeleton = read_asf(take.skeleton_path)
    amc = read_amc(take.motion_path, skeleton)
    joints = joints_of_asf(skeleton, amc, take.skeleton_path, metres)
    assumed = []
    if skeleton.length is None and metres is None:
        assumed.append(f"no unit of length in the skeleton: assumed CMU's, {CMU_LENGTH:g} (override with --units)")
    rate = _agreed(take, amc.samples_per_second) or source_fps
    if rate is None:
        assumed.append(f"no frame rate in the file: assumed CMU's, {CMU_FPS:g} (override with --source-fps)")
    return TakeMotion(joints, _possible(take, rate or CMU_FPS), None, tuple(assumed))


def _possible(take: SourceTake, fps: float) -> float:
    """Return the rate; raise ValueError if it is outside of :data:`RATES`."""
    if not RATES[0] <= fps <= RATES[1]:
        raise ValueError(
            f'{take.motion_path}: {fps:.4g} fps, one frame every {1 / fps:.4g} s, expected {RATES[0]:g} to '
            f'{RATES[1]:g} fps: state frame times in seconds and rates in frames per second'
        )
    return fps


def _agreed(take: SourceTake, stated: float | None) -> float | None:
    """Return the rate that the index or the file states; None if neither does.

    Raises:
        ValueError: They state different rates.
    """
    if take.fps is None or stated is None:
        return take.fps or stated
    if abs(take.fps / stated - 1) > SAME_RATE:
        raise ValueError(f'{take.motion_path} states {stated:g} fps, but the index states {take.fps:g}')
    return take.fps
