"""Motion of clips, from motion capture files or from the built-in generator."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from posediff.datasets.mocap import VALIDATION_SUBJECTS
from posediff.datasets.mocap_files import SubjectFile, floor_height, load_subject
from posediff.fileio.input_files import data_files
from posediff.structures.named_generators import named_rng
from posediff.synthetic.body import SOLE
from posediff.synthetic.kinematics import draw_proportions, pose_skeleton
from posediff.synthetic.motion_styles import STYLES

GENERATED_FPS = 50.0
GENERATED_SUBJECTS = {'train': 40, 'val': 12}


@dataclass(frozen=True)
class SourceMotion:
    """An excerpt of a motion.

    Attributes:
        subject, action: Names of the subject and the action.
        joints: (N, 17, 3) float64 mm, world frame, z up, ground at 0; joints of ``cmu17``.
        fps: Frames per second.
    """

    subject: str
    action: str
    joints: np.ndarray
    fps: float


class MotionSource(ABC):
    """Source of motion with disjoint subjects per split; all random draws use the given generator."""

    @abstractmethod
    def subjects(self, split: str) -> list[str]:
        """Return the subjects of a split."""

    @abstractmethod
    def draw(self, rng: np.random.Generator, split: str, seconds: float) -> SourceMotion:
        """Return at least ``seconds`` of motion of a random subject of the split."""

    @abstractmethod
    def fingerprint(self) -> dict[str, Any]:
        """Return the values, for JSON, that determine the motion; a set with other values is not extended."""


class GeneratedMotion(MotionSource):
    """Generated motion (walking, running, waving, …) of seeded random bodies."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def subjects(self, split: str) -> list[str]:
        return [f'{split}_{number:02d}' for number in range(GENERATED_SUBJECTS[split])]

    def draw(self, rng: np.random.Generator, split: str, seconds: float) -> SourceMotion:
        subject = str(rng.choice(self.subjects(split)))
        weights = np.array([weight for _, weight in STYLES.values()])
        action = str(rng.choice(list(STYLES), p=weights / weights.sum()))
        time = np.arange(int(np.ceil(seconds * GENERATED_FPS)) + 2) / GENERATED_FPS
        offsets = draw_proportions(named_rng(self.seed, f'subject/{subject}'))
        joints = pose_skeleton(offsets, STYLES[action][0](rng, time))
        return SourceMotion(subject, action, joints * 1000, GENERATED_FPS)

    def fingerprint(self) -> dict[str, Any]:
        return {'motion': 'generated'}


class MotionFiles(MotionSource):
    """Files of :class:`posediff.datasets.CMUMocapDataset`; its validation subjects form ``val``.

    Raises:
        FileNotFoundError: The folder is missing, or has no subject for a split.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise FileNotFoundError(
                f'{self.folder}: no such folder; create it with posediff convert cmu, or leave out '
                '--motion for generated motion'
            )
        names = [path.stem for path in data_files(self.folder, '.npz')]
        self._loaded: dict[str, SubjectFile] = {}
        self._names = {
            'train': [name for name in names if name not in VALIDATION_SUBJECTS],
            'val': [name for name in names if name in VALIDATION_SUBJECTS],
        }

    def subjects(self, split: str) -> list[str]:
        if not self._names[split]:
            which = 'is of' if split == 'val' else 'is not of'
            raise FileNotFoundError(
                f'{self.folder}: no <subject>.npz {which} the validation subjects {", ".join(VALIDATION_SUBJECTS)}, '
                f'{split} has no subjects'
            )
        return self._names[split]

    def draw(self, rng: np.random.Generator, split: str, seconds: float) -> SourceMotion:
        """Return a random excerpt of a random take; subjects with more motion are sampled more often."""
        subjects = self.subjects(split)
        frames = np.array([sum(len(clip.joints_3d) for clip in self._load(name).clips) for name in subjects])
        weights = np.sqrt(frames)
        file = self._load(str(rng.choice(subjects, p=weights / weights.sum())))
        lengths = np.array([len(clip.joints_3d) for clip in file.clips])
        needed = int(np.ceil(seconds * file.fps)) + 2
        starts = np.maximum(lengths - needed + 1, 0)
        if not starts.any():  # all takes are too short: the last pose is held
            starts = np.where(lengths == lengths.max(), 1, 0)
        clip = file.clips[int(rng.choice(len(starts), p=starts / starts.sum()))]
        start = int(rng.integers(max(len(clip.joints_3d) - needed + 1, 1)))
        joints = clip.joints_3d[start : start + needed].astype(np.float64)
        joints = np.pad(joints, ((0, needed - len(joints)), (0, 0), (0, 0)), mode='edge') * 1000
        joints[..., 2] += SOLE - 1000 * floor_height(clip.joints_3d)
        return SourceMotion(clip.subject, clip.action, joints, file.fps)

    def fingerprint(self) -> dict[str, Any]:
        sizes = {path.stem: path.stat().st_size for path in data_files(self.folder, '.npz')}
        return {'motion': 'files', 'files': sizes}

    def _load(self, name: str) -> SubjectFile:
        if name not in self._loaded:
            self._loaded[name] = load_subject(self.folder / f'{name}.npz')
        return self._loaded[name]


def open_motion(folder: str | Path | None, seed: int) -> MotionSource:
    """Open the motion files of a folder, or the generator if the folder is None."""
    return GeneratedMotion(seed) if folder is None else MotionFiles(folder)
