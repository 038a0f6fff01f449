"""Read keypoint files of any known format and validate them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from posediff.fileio.keypoint_files.contents import Contents, RawPerson
from posediff.fileio.keypoint_files.coordinates import COORDINATES, check_coordinates, in_pixels
from posediff.fileio.keypoint_files.documents import Source
from posediff.fileio.keypoint_files.formats import KeypointFormat, find_format
from posediff.fileio.keypoint_files.frame_numbers import frame_numbers, places_among
from posediff.fileio.keypoint_files.record import FoundPerson, KeypointRecord
from posediff.fileio.keypoint_files.track_ids import track_ids
from posediff.fileio.keypoint_files.undetected import PLACEHOLDER, without_corner, without_strays
from posediff.structures.argument_checks import require_one_of, require_whole
from posediff.structures.skeletons import Skeleton, get_skeleton


def read_keypoint_file(
    path: str | Path,
    skeleton: str | None = None,
    *,
    format: str | None = None,
    coordinates: str | None = None,
    first_frame: int | None = None,
    img_shape: tuple[int, int] | None = None,
    image_names: Sequence[str] = (),
    keep_track_ids: bool = True,
    by_time: bool = False,
) -> KeypointRecord:
    """Read a keypoint file of any known format and return its persons by frame, with keypoints in px.

    A keypoint counts as undetected if its coordinates are (0, 0) up to rounding, or (-1, -1) in px; if a coordinate or
    the score is NaN or null; if the score is 0 or negative (down to -1); or if it is a single outlier far outside of
    the picture. Scores above 1 are clipped to 1, up to the largest valid score of the format: peaks of SimCC heads
    (RTMPose) and of heatmaps are not probabilities.

    Args:
        path: The file, or a folder with one file per frame.
        skeleton: Skeleton of the keypoints, if the file does not state it.
        format: A name in :data:`posediff.fileio.keypoint_files.formats.FORMATS`; None: detected from the content.
        coordinates: A name in :data:`posediff.fileio.keypoint_files.coordinates.COORDINATES`; None: the format's
            default, with an error if the values do not fit it.
        first_frame: Index of the first picture in the file; None: as defined by the format, else 0.
        img_shape: (h, w) px of the pictures; required for relative coordinates.
        image_names: Image names, in order, if the video is a folder of images; named frames are looked up in them.
        keep_track_ids: False: track ids of the file are ignored.
        by_time: Assign frames by the times of the file, even if the file seems to list every picture of the video.

    Raises:
        FileNotFoundError: The file does not exist.
        KeyError: The skeleton is unknown.
        ImportError: The format needs a package that is not installed.
        ValueError: The format is unknown, the file is malformed or contradicts an argument, or holds no person; the
            message names the entry.
    """
    if coordinates is not None:
        require_one_of(str(path), 'coordinates', coordinates, COORDINATES)
    if first_frame is not None:
        require_whole(str(path), {'first_frame': first_frame}, 0)
    if skeleton is not None:
        get_skeleton(skeleton)
    source = Source.open(path)
    form, contents, raw = _contents(source, format, skeleton)
    if not raw:
        raise ValueError(f'{source.path} holds no poses ({form.name})')
    joints = _skeleton(source.path, contents, skeleton, raw[0])
    points, scores = zip(*(_checked(one, contents, joints) for one in raw), strict=True)
    points = _in_pixels(str(source.path), points, scores, contents, coordinates, img_shape)
    scores = [without_corner(*pair) for pair in zip(points, scores, strict=True)]
    scores, notes = without_strays(str(source.path), points, scores, img_shape or contents.img_shape)
    first = contents.first_frame if first_frame is None else first_frame
    stamps = np.array(contents.stamps) if len(contents.stamps) else None
    if by_time:
        contents, raw, stamps = *_by_time(source.path, contents, raw), None
    if contents.clock == 'time' and first_frame is not None:
        raise ValueError(
            f'{source.path}: its frames are placed by their times, a first frame is not used: leave out --first-frame '
            f'{first_frame}'
        )
    places = places_among([(one.where, one.frame) for one in raw], image_names)
    if places is not None:
        numbers, times, listed, first = places, None, range(len(image_names)), 0
    else:
        numbers, times, listed = _frames(str(source.path), raw, contents, first or 0)
    ids, own_ids = track_ids(
        str(source.path),
        [(one.where, number, one.track if keep_track_ids else None) for one, number in zip(raw, numbers, strict=True)],
    )
    people: dict[int, list[FoundPerson]] = {}
    for number, place, score, track in zip(numbers, points, scores, ids, strict=True):
        place = np.where(score[:, None] > 0, place, 0).astype(np.float32)
        people.setdefault(number, []).append(FoundPerson(place, score, track))
    return KeypointRecord(
        path=source.path,
        format=form.name,
        skeleton=joints,
        people=people,
        times=times,
        stamps=stamps,
        clock=contents.clock,
        first_frame=first or 0,
        first_is_open=first is None,
        listed=listed,
        track_names=own_ids,
        img_shape=contents.img_shape if img_shape is None else img_shape,
        fps=contents.fps,
        origin=contents.origin or source.path.name,
        notes=(*contents.notes, *notes),
    )


def _contents(
    source: Source, format: str | None, skeleton: str | None
) -> tuple[KeypointFormat, Contents, list[RawPerson]]:
    """Read all persons of a source; any failure on a malformed document is reported as one ValueError."""
    form = find_format(source, format)
    try:
        contents = form.read(source, skeleton)
        return form, contents, list(contents.people)
    except ValueError as error:
        if str(source.path) in str(error):
            raise
        raise ValueError(f'{source.path}: {error}') from error
    except (KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError) as error:
        raise ValueError(f'{source.path} is malformed ({form.name}): {type(error).__name__}: {error}') from error


def _by_time(file: Path, contents: Contents, raw: list[RawPerson]) -> tuple[Contents, list[RawPerson]]:
    """Return the contents with frame indices replaced by times."""
    if contents.clock == 'time':
        return contents, raw
    if not contents.stamps:
        raise ValueError(f'{file} has no times of its frames')
    placed = [replace(one, frame=contents.stamps[one.frame]) for one in raw]
    return replace(contents, clock='time', all_frames=[], stamps=[]), placed


def _skeleton(file: Path, contents: Contents, given: str | None, first: RawPerson) -> Skeleton:
    if contents.states_skeleton and given not in (None, contents.skeleton):
        raise ValueError(f'{file} states skeleton {contents.skeleton}, not {given}')
    name = given or contents.skeleton
    if name is None and contents.by_count:
        count = len(_array(first.where, 'keypoints', first.points))
        name = contents.by_count.get(count)
        if name is None:
            known = ', '.join(f'{number} ({one})' for number, one in contents.by_count.items())
            raise ValueError(f'{first.where}: {count} keypoints match no skeleton of this format: {known}; --skeleton')
    if name is None:
        raise ValueError(f'{file} does not state its skeleton: use --skeleton')
    if not isinstance(name, str):
        raise ValueError(f'{file}: its skeleton must be a name, got {name!r}')
    try:
        return get_skeleton(name)
    except KeyError as error:
        raise KeyError(f'{file}: {error.args[0]}') from None


def _checked(one: RawPerson, contents: Contents, joints: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """Return points (K, 2) float64 in the file's unit and scores (K,) float32; NaN and 0 for undetected keypoints."""
    points = _array(one.where, 'keypoints', one.points)
    scores = np.ones(len(points)) if one.scores is None else _array(one.where, 'scores', one.scores)
    if contents.by_count.get(len(points)) == joints.name and len(points) > joints.num_joints:
        points, scores = points[: joints.num_joints], scores[: joints.num_joints]
    if points.shape != (joints.num_joints, 2) or scores.shape != points.shape[:1]:
        raise ValueError(
            f'{one.where}: keypoints of {joints.name} must be ({joints.num_joints}, 2) with ({joints.num_joints},) '
            f'scores, got {points.shape} and {scores.shape}'
        )
    seen = ~np.isnan(points).any(-1) & ~np.isnan(scores) & (scores != 0)
    wrong = seen & (~np.isfinite(points).all(-1) | (np.abs(points) > 1e9).any(-1))
    if wrong.any():
        joint = int(wrong.argmax())
        raise ValueError(
            f'{one.where}: {joints.joint_names[joint]} is at {points[joint].tolist()}, which is not a valid position'
        )
    wrong = seen & ((scores < contents.min_score) | (scores > contents.max_score))
    if wrong.any():
        joint = int(wrong.argmax())
        raise ValueError(
            f'{one.where}: a score must be in [0, 1], got {scores[joint]:g} of {joints.joint_names[joint]}; peaks up '
            f'to {contents.max_score:g} are clipped to 1, percentages and logits are not read'
        )
    seen &= (scores > 0) & ((points != PLACEHOLDER).any(-1) | (contents.coordinates != 'px'))
    return np.where(seen[:, None], points, np.nan), np.where(seen, np.minimum(scores, 1), 0).astype(np.float32)


def _array(where: str, name: str, values: Any) -> np.ndarray:
    try:
        array = np.array(values, np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f'{where}: {name} must be numbers: {error}') from error
    if not array.ndim:
        raise ValueError(f'{where}: {name} must be a list, got {str(values)[:40]}')
    return array


def _in_pixels(
    file: str,
    points: Sequence[np.ndarray],
    scores: Sequence[np.ndarray],
    contents: Contents,
    coordinates: str | None,
    img_shape: tuple[int, int] | None,
) -> list[np.ndarray]:
    """Return points (K, 2) px, NaN for undetected keypoints."""
    unit = coordinates or contents.coordinates
    own = contents.img_shape
    size = img_shape if img_shape is not None else own
    # (0, 0) is ignored in the unit check: it means "not detected" in most formats
    told = [pose[(score > 0) & (pose != 0).any(-1)] for pose, score in zip(points, scores, strict=True)]
    check_coordinates(file, told, unit, size, asked=coordinates is not None)
    if unit != 'px' and size is None:
        raise ValueError(f'{file}: {unit} coordinates need the size of the pictures (--image-size)')
    if own is not None and img_shape is not None and own != img_shape and not contents.scaled and unit == 'px':
        raise ValueError(
            f'{file} is of pictures of {own[1]}x{own[0]} px, not {img_shape[1]}x{img_shape[0]}: these keypoints are '
            'of another video, or of one of another size'
        )
    if unit != 'px':
        assert size is not None
        return [in_pixels(pose, unit, size) for pose in points]
    if contents.scaled and own is not None and img_shape is not None:
        return [pose * (np.array(img_shape[::-1]) / np.array(own[::-1])) for pose in points]
    return list(points)


def _frames(
    file: str, raw: Sequence[RawPerson], contents: Contents, first: int
) -> tuple[list[int], np.ndarray | None, range]:
    """Return the frame index of each person, the times of the frames if given, and the range of frames of the file."""
    if contents.clock == 'time':
        seconds = [float(one.frame) for one in raw]
        times = np.unique(seconds)
        return np.searchsorted(times, seconds).tolist(), times, range(len(times))
    listed = [(one.where, one.frame) for one in raw] + [(file, frame) for frame in contents.all_frames]
    numbers = frame_numbers(listed)
    for one, number in zip(raw, numbers[: len(raw)], strict=True):
        if number < first:
            raise ValueError(f'{one.where}: frame {number} lies before the first frame, {first} (--first-frame)')
    return (
        [number - first for number in numbers[: len(raw)]],
        None,
        range(min(numbers) - first, max(numbers) - first + 1),
    )
