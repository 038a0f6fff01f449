"""Convert a folder of CMU motion capture to one file a subject (layout: docs/data_formats.md)."""

from __future__ import annotations

import csv
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.interpolate import CubicSpline

from posediff.datasets.camera_sampling import draw_camera, get_camera_preset
from posediff.datasets.converters.bvh import read_bvh
from posediff.datasets.converters.cmu_joints import defect_of, joints_of_asf, joints_of_bvh, smooth_stretches
from posediff.datasets.mocap_files import MocapClip, floor_height, save_subject
from posediff.geometry import Camera

DEFAULT_SOURCE_FPS = 120.0  # of AMC files, which do not state it

# First match decides; the description is in lower case.
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
    """One of :data:`ACTIONS`, from CMU's description of a take."""
    text = description.lower()
    return next((name for name, pattern in _ACTION_PATTERNS if re.search(pattern, text)), OTHER_ACTION)


def resample(joints: np.ndarray, source_fps: float, fps: float) -> np.ndarray:
    """(F, K, 3) at another rate, by cubic splines through the positions (bone lengths change by less than 0.1 mm)."""
    if abs(source_fps - fps) < 1e-2 or len(joints) < 4:
        return joints
    duration = (len(joints) - 1) / source_fps
    times = np.arange(int(duration * fps + 1e-6) + 1) / fps
    return CubicSpline(np.arange(len(joints)) / source_fps, joints, axis=0)(times)


@dataclass(frozen=True)
class SourceTake:
    """One motion file and what is known about it."""

    name: str
    subject: str
    motion_path: Path
    skeleton_path: Path | None
    fps: float | None
    description: str


@dataclass
class ConversionReport:
    """What happened to every take; nothing is left out without an entry."""

    converted: list[str] = field(default_factory=list)
    changed: dict[str, list[str]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def note(self, change: str, take: str) -> None:
        self.changed.setdefault(change, []).append(take)


def _subject_name(text: str) -> str:
    """``02`` stays; ``60/61`` is a pair, ``unstated (..., likely 94)`` a guess."""
    guess = re.search(r'likely (\d+)', text)
    return guess.group(1) if guess else re.sub(r'[^0-9A-Za-z]+', '-', text).strip('-')


def _find_skeleton(motion_path: Path, subject: str, source: Path) -> Path | None:
    beside = sorted(motion_path.parent.glob('*.asf'))
    if len(beside) == 1:
        return beside[0]
    return next(iter(sorted(source.rglob(f'{subject}.asf'))), None)


def find_takes(source: str | Path) -> list[SourceTake]:
    """List the motion files of a folder, by its ``index.csv`` if it has one, else by file names ``<subject>_<take>``.

    Raises:
        FileNotFoundError: No such folder, or it holds no motion.
    """
    source = Path(source)
    if not source.is_dir():
        raise FileNotFoundError(f'{source}: no such folder')
    index = source / 'index.csv'
    takes = []
    if index.is_file():
        with index.open(newline='', encoding='utf-8') as file:
            for row in csv.DictReader(file):
                path = source / row['file']
                borrowed = re.search(r'borrowed\((\w+)\)', row['skeleton'])
                owner = borrowed.group(1) if borrowed else row['subject']
                skeleton = _find_skeleton(path, owner, source) if path.suffix == '.amc' else None
                words = row['description'] or row['clip'].replace('_', ' ')
                takes.append(
                    SourceTake(row['clip'], _subject_name(row['subject']), path, skeleton, float(row['fps']), words)
                )
    else:
        for path in sorted((*source.rglob('*.amc'), *source.rglob('*.bvh'))):
            subject = path.stem.rsplit('_', 1)[0]
            skeleton = _find_skeleton(path, subject, source) if path.suffix == '.amc' else None
            takes.append(
                SourceTake(path.stem, _subject_name(subject), path, skeleton, None, path.stem.replace('_', ' '))
            )
    if not takes:
        raise FileNotFoundError(f'{source}: no .amc or .bvh file in it')
    return takes


def _read_take(take: SourceTake, source_fps: float) -> tuple[np.ndarray, float, str | None]:
    """(F, 17, 3) metres, z up; their rate; what was changed."""
    if take.motion_path.suffix == '.amc':
        if take.skeleton_path is None:
            raise ValueError(f'{take.motion_path}: no .asf beside it or named after its subject')
        return joints_of_asf(take.skeleton_path, take.motion_path), take.fps or source_fps, None
    motion = read_bvh(take.motion_path)
    joints, change = joints_of_bvh(motion)
    return joints, take.fps or motion.fps, change


def draw_clip_cameras(joints: np.ndarray, clip_name: str, preset: str, count: int, seed: int) -> list[Camera]:
    """Static cameras of one clip, (F, 17, 3) metres, z up; the same for a (seed, clip) whatever else is converted."""
    digest = hashlib.sha256(f'{seed}/{clip_name}'.encode()).digest()
    rng = np.random.default_rng(np.frombuffer(digest, dtype=np.uint32))
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
    source_fps: float = DEFAULT_SOURCE_FPS,
) -> ConversionReport:
    """Convert a folder of CMU motion capture.

    Args:
        source: Folder of .asf, .amc and .bvh files, with or without an ``index.csv``.
        destination: Folder to write ``<subject>.npz`` to.
        fps: Frame rate of the output.
        num_cameras: Static cameras drawn per clip.
        preset: Name of a camera preset.
        seed: Of the cameras, stored for the detector noise too.
        subjects: Convert these only.
        source_fps: Frame rate of AMC files where there is no index that says.

    Returns:
        What was converted, changed and skipped, by take.

    Raises:
        FileNotFoundError: There is no motion in the folder.
        ValueError: A rate or a number is senseless, or a subject is not there.
    """
    for name, rate in (('fps', fps), ('source_fps', source_fps)):
        if not (np.isfinite(rate) and rate > 0):
            raise ValueError(f'{name} must be positive, got {rate}')
    if num_cameras < 1:
        raise ValueError(f'a clip needs at least 1 camera, got {num_cameras}')
    report = ConversionReport()
    # The database's own files come first: a take that exists in several forms is converted once.
    takes = sorted(find_takes(source), key=lambda take: (take.motion_path.suffix != '.amc', take.name))
    unknown = sorted(set(subjects or ()) - {take.subject for take in takes})
    if unknown:
        raise ValueError(f'{source} has no takes of subject {", ".join(unknown)}')
    clips: dict[str, dict[str, MocapClip]] = {}
    taken: set[tuple[str, str]] = set()
    for take in takes:
        if subjects and take.subject not in subjects:
            continue
        label = str(take.motion_path.relative_to(source))
        if (take.subject, take.name) in taken:
            report.skipped[label] = 'the take is already converted from another form'
            continue
        try:
            joints, rate, change = _read_take(take, source_fps)
            defect = defect_of(joints, rate)
        except ValueError as error:
            defect = str(error)
        if defect:
            report.skipped[label] = defect
            continue
        stretches = smooth_stretches(joints, rate)
        if stretches != [(0, len(joints))]:
            kept = ', '.join(f'{begin}-{end}' for begin, end in stretches) or 'none'
            report.note('cut where a limb flips over', f'{label} frames {kept} of {len(joints)}')
        if change:
            report.note(change, label)
        for begin, end in stretches:
            whole = end - begin == len(joints)
            name = take.name if whole else f'{take.name}-{begin}'
            part = resample(joints[begin:end], rate, fps).astype(np.float32)
            cameras = draw_clip_cameras(part, name, preset, num_cameras, seed)
            action = action_of(take.description)
            clips.setdefault(take.subject, {})[name] = MocapClip(
                name, take.subject, action, take.description, part, cameras
            )
        taken.add((take.subject, take.name))
        report.converted.append(label)
    for subject, by_name in sorted(clips.items()):
        save_subject(Path(destination) / f'{subject}.npz', list(by_name.values()), fps=fps, seed=seed, preset=preset)
    return report
