"""Converter from a folder of CMU motion capture to one file per subject (layout: docs/data_formats.md)."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.interpolate import CubicSpline

from posediff.datasets.camera_sampling import CAMERA_PRESETS, draw_camera, get_camera_preset
from posediff.datasets.converters.cmu_joints import defect_of, smooth_stretches
from posediff.datasets.converters.cmu_motion import UNITS, read_take
from posediff.datasets.converters.cmu_takes import SourceTake, find_takes
from posediff.datasets.mocap_files import MocapClip, floor_height, save_subject
from posediff.geometry.cameras import Camera
from posediff.structures.argument_checks import require_one_of
from posediff.structures.named_generators import named_rng

SPLINE_FRAMES = 4  # minimum for a cubic spline without end conditions

# The first match is used; descriptions are lower-cased.
_ACTION_PATTERNS = (
    ('animal', r'human subject'),
    ('acrobatics', r'flip|cartwheel|hand spring|dive'),
    ('climb', r'climb|ladder|playground'),
    ('dance', r'dance|salsa|indian'),
    ('fight', r'punch|box|kick$|jump kick|swordplay|empi|gedan|heian|mawashi|oiduki|syuto|yoko|martial'),
    ('ball', r'soccer|basketball'),
    ('clean', r'wash|mop'),
    ('drink', r'drink|soda'),
    ('exercise', r'jumping jacks|squats|range of motion|stretch'),
    ('sit', r'\bsit\b|stool'),
    ('reach', r'reach|bend over'),
    ('gesture', r'laugh|traffic|nursery|vacation|wave'),
    ('jump', r'jump|hop'),
    ('run', r'run|jog'),
    ('walk', r'walk'),
)
OTHER_ACTION = 'other'
ACTIONS = (*(name for name, _ in _ACTION_PATTERNS), OTHER_ACTION)


def action_of(description: str) -> str:
    """Return the action, one of :data:`ACTIONS`, for CMU's description of a take."""
    text = description.lower()
    return next((name for name, pattern in _ACTION_PATTERNS if re.search(pattern, text)), OTHER_ACTION)


def resample(joints: np.ndarray, source_fps: float, fps: float) -> np.ndarray:
    """Resample (F, K, 3) by cubic splines through the positions (bone lengths change by less than 0.1 mm).

    Raises:
        ValueError: The rates differ and there are fewer than the 4 frames that a cubic spline needs.
    """
    if abs(source_fps - fps) < 1e-2:
        return joints
    if len(joints) < SPLINE_FRAMES:
        raise ValueError(
            f'has {len(joints)} frames; resampling from {source_fps:g} to {fps:g} fps needs {SPLINE_FRAMES}'
        )
    duration = (len(joints) - 1) / source_fps
    times = np.arange(int(duration * fps + 1e-6) + 1) / fps
    return CubicSpline(np.arange(len(joints)) / source_fps, joints, axis=0)(times)


@dataclass
class ConversionReport:
    """Outcome of the conversion of every file.

    Attributes:
        converted: Converted files.
        assumed: Assumption about a property that files do not state → number of files.
        changed: Change → changed files.
        skipped: Skipped file → reason.
    """

    converted: list[str] = field(default_factory=list)
    assumed: Counter[str] = field(default_factory=Counter)
    changed: dict[str, list[str]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Settings:
    """Validated arguments of :func:`convert_cmu`."""

    fps: float
    num_cameras: int
    preset: str
    seed: int
    source_fps: float | None
    units: str | None

    def __post_init__(self) -> None:
        for name in ('fps', 'source_fps'):
            rate = getattr(self, name)
            if rate is not None and not (np.isfinite(rate) and rate > 0):
                raise ValueError(f'{name} must be positive, got {rate}')
        if self.num_cameras < 1:
            raise ValueError(f'a clip needs at least 1 camera, got {self.num_cameras}')
        require_one_of('convert_cmu', 'preset', self.preset, CAMERA_PRESETS)
        if self.units is not None:
            require_one_of('convert_cmu', 'units', self.units, UNITS)


def draw_clip_cameras(joints: np.ndarray, clip_name: str, preset: str, count: int, seed: int) -> list[Camera]:
    """Sample static cameras that view a clip; they depend on the arguments only.

    Args:
        joints: (F, 17, 3) m, z up.
        clip_name: Name of the clip, which together with ``seed`` seeds the random generator.
        preset: A key of :data:`~posediff.datasets.camera_sampling.CAMERA_PRESETS`.
        count: Number of cameras.
        seed: Random seed.
    """
    rng = named_rng(seed, clip_name)
    every = max(len(joints) // 300, 1)
    points = joints[::every] * 1000.0
    return [draw_camera(points, floor_height(points), get_camera_preset(preset), rng) for _ in range(count)]


def convert_cmu(
    source: str | Path,
    destination: str | Path,
    *,
    fps: float = 50.0,
    num_cameras: int = 4,
    preset: str = 'wild',
    seed: int = 0,
    subjects: list[str] | None = None,
    source_fps: float | None = None,
    units: str | None = None,
) -> ConversionReport:
    """Convert a folder of CMU motion capture.

    Args:
        source: Folder of .asf, .amc and .bvh files, optionally with an ``index.csv``.
        destination: Folder to write ``<subject>.npz`` to.
        fps: Frame rate of the output.
        num_cameras: Static cameras per clip.
        preset: Name of a camera preset.
        seed: Seed of the cameras; stored for the detector noise too.
        subjects: Convert only these subjects.
        source_fps: Frame rate of AMC files if neither they nor an index state it; None uses CMU's 120.
        units: A key of :data:`~posediff.datasets.converters.cmu_motion.UNITS`, for all files; None uses the unit that
            each file states, and CMU's own if it states none.

    Returns:
        Converted, changed and skipped takes.

    Raises:
        FileNotFoundError: The folder has no motion files.
        ValueError: A rate, a number or a preset is invalid, the index is damaged, or a subject does not exist. A
            problem with one file is not an error: the file is skipped.
    """
    settings = _Settings(fps, num_cameras, preset, seed, source_fps, units)
    clips, report = _convert_takes(Path(source), _chosen_takes(source, subjects), settings)
    for subject, of_subject in sorted(clips.items()):
        save_subject(Path(destination) / f'{subject}.npz', of_subject, fps=fps, seed=seed, preset=preset)
    return report


def _convert_takes(
    source: Path, takes: list[SourceTake], settings: _Settings
) -> tuple[dict[str, list[MocapClip]], ConversionReport]:
    """Return the clips by subject, and the report."""
    clips: dict[str, list[MocapClip]] = {}
    report = ConversionReport()
    taken: dict[tuple[str, str], str] = {}
    for take in takes:
        label = str(take.motion_path.relative_to(source))
        if (take.subject, take.name) in taken:
            report.skipped[label] = (
                f'take {take.name} of subject {take.subject} is already converted, from '
                f'{taken[take.subject, take.name]}; rename them or add an index.csv to convert both'
            )
            continue
        try:
            found, changes, assumed = _clips_of(take, settings)
        except (ValueError, OSError) as error:
            report.skipped[label] = str(error)
            continue
        report.assumed.update(assumed)
        taken[take.subject, take.name] = label
        clips.setdefault(take.subject, []).extend(found)
        report.converted.append(label)
        for change, frames in changes.items():
            report.changed.setdefault(change, []).append(label + frames)
    return clips, report


def _chosen_takes(source: str | Path, subjects: list[str] | None) -> list[SourceTake]:
    """Return the takes of the subjects (default all), with the database's own ASF/AMC files first, as preferred."""
    takes = sorted(find_takes(source), key=lambda take: (take.motion_path.suffix.lower() != '.amc', take.name))
    if not subjects:
        return takes
    unknown = sorted(set(subjects) - {take.subject for take in takes})
    if unknown:
        raise ValueError(f'{source} has no takes of subject {", ".join(unknown)}')
    return [take for take in takes if take.subject in subjects]


def _clips_of(take: SourceTake, settings: _Settings) -> tuple[list[MocapClip], dict[str, str], tuple[str, ...]]:
    """Return the usable clips of a take, the changes with the frames concerned, and the assumptions.

    Raises:
        ValueError: The take is unusable; the message gives the reason.
    """
    motion = read_take(take, settings.source_fps, settings.units)
    joints, rate = motion.joints, motion.fps
    defect = defect_of(joints, rate)
    if defect:
        raise ValueError(defect)
    stretches = smooth_stretches(joints, rate)
    if not stretches:
        raise ValueError('limb flips leave no interval of 1 s')
    changes = {}
    if stretches != [(0, len(joints))]:
        kept = ', '.join(f'{begin}-{end}' for begin, end in stretches)
        changes['cut at limb flips'] = f' frames {kept} of {len(joints)}'
    if motion.change:
        changes[motion.change] = ''
    clips = []
    for begin, end in stretches:
        name = take.name if end - begin == len(joints) else f'{take.name}-{begin}'
        part = resample(joints[begin:end], rate, settings.fps).astype(np.float32)
        cameras = draw_clip_cameras(part, name, settings.preset, settings.num_cameras, settings.seed)
        clips.append(MocapClip(name, take.subject, action_of(take.description), take.description, part, cameras))
    return clips, changes, motion.assumed
