"""Reader of Human3.6M's 2D keypoints in VideoPose3D's archives, according to their metadata."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from posediff.datasets.converters.human36m_cameras import LENSES
from posediff.datasets.plausible_poses import check_pixels
from posediff.fileio.keypoint_files.undetected import without_corner
from posediff.fileio.restricted_pickle import load_object_npz
from posediff.structures.skeleton_conversion import convert_joints
from posediff.structures.skeletons import COCO17, H36M17, Skeleton

LAYOUTS = {'h36m': H36M17, 'coco': COCO17}
"""Skeletons by their metadata names."""

SURPLUS = 1.5
"""Ratio of the number of frames to that of poses at or above which keypoints are taken to be of another frame rate.
Archives normally have a few surplus frames."""


class DetectionArchive:
    """An archive ``data_2d_h36m_*.npz``.

    Args:
        path: The file.
        layout: A key of :data:`LAYOUTS`, for an archive that does not state it.

    Raises:
        FileNotFoundError: The file does not exist.
        UnsafePickleError: The file holds objects other than arrays.
        ValueError: The file is not such an archive; its joint order is unknown or contradicts ``layout`` or its own
            metadata; its image sizes are not Human3.6M's.
    """

    def __init__(self, path: str | Path, layout: str | None = None) -> None:
        self.path = Path(path)
        content = load_object_npz(self.path)
        if not isinstance(content.get('positions_2d'), Mapping):
            raise ValueError(f'{self.path}: has {sorted(content)}, not positions_2d; expected a data_2d_h36m_*.npz')
        metadata = content.get('metadata')
        metadata = metadata if isinstance(metadata, Mapping) else {}
        self._keypoints = content['positions_2d']
        self.skeleton = _skeleton_of(metadata, layout, self.path)
        _check_pictures(metadata.get('video_metadata'), self.path)
        self._surplus: dict[tuple[str, str, int], int] = {}

    @property
    def changes(self) -> list[str]:
        """Sentences that describe the changes to the views read so far."""
        sentences = []
        if self.skeleton is not H36M17:
            sentences.append(f'joints were converted from {self.skeleton.name} to {H36M17.name}')
        if any(self._surplus.values()):
            views = sum(surplus > 0 for surplus in self._surplus.values())
            sentences.append(
                f'{sum(self._surplus.values())} frames beyond the last pose were left out, of {views} views'
            )
        return sentences

    def view(self, subject: str, action: str, number: int, frames: int) -> np.ndarray:
        """Return px and scores of one camera, (F, 17, 3) float32, in the order of H36M17, without surplus frames.

        Keypoints at (0, 0), where detectors put those that they did not find, get score 0.

        Args:
            subject, action: Names in the archive.
            number: Index of the camera.
            frames: F, the number of poses.

        Raises:
            ValueError: Keypoints are missing, too few or far too many, not finite or not in px; the message names file
                and entry.
        """
        place = f'{self.path}: {subject} {action!r} camera {number}'
        try:
            views = self._keypoints[subject][action]
            found = np.asarray(views[number], dtype=np.float64)
        except (KeyError, IndexError) as error:
            raise ValueError(f'{self.path}: nothing for {subject} {action!r} camera {number}') from error
        except (TypeError, ValueError) as error:
            raise ValueError(f'{place} holds no keypoints ({error})') from error
        if len(views) != len(LENSES):
            raise ValueError(f'{self.path}: {subject} {action!r} has {len(views)} cameras, expected {len(LENSES)}')
        joints = self.skeleton.num_joints
        if found.ndim != 3 or found.shape[1] != joints or found.shape[2] not in (2, 3) or len(found) < frames:
            raise ValueError(f'{place}: shape {found.shape}, expected ({frames}, {joints}, 2)')
        if len(found) >= SURPLUS * frames:
            raise ValueError(f'{place}: {len(found)} frames for {frames} poses: keypoints of another frame rate?')
        self._surplus[subject, action, number] = len(found) - frames
        found = found[:frames]
        if not np.isfinite(found).all():
            raise ValueError(f'{place} holds NaN or infinite keypoints')
        check_pixels(found[..., :2], place)
        scores = found[..., 2] if found.shape[2] == 3 else np.ones(found.shape[:2])
        points = found[..., :2]
        scores = without_corner(points, scores)
        if self.skeleton is not H36M17:
            points, scores, _ = convert_joints(points, self.skeleton.name, H36M17.name, scores)
        return np.concatenate([points, scores[..., None]], axis=-1).astype(np.float32)


def _skeleton_of(metadata: Mapping[str, Any], layout: str | None, path: Path) -> Skeleton:
    stated = metadata.get('layout_name')
    if stated is not None and str(stated).lower() not in LAYOUTS:
        raise ValueError(f'{path}: its layout of joints is {stated!r}; known: {", ".join(LAYOUTS)}')
    if stated is not None and layout is not None and str(stated).lower() != layout:
        raise ValueError(f'{path}: its layout of joints is {stated!r}, not {layout!r}')
    symmetry = metadata.get('keypoints_symmetry')
    joints = metadata.get('num_joints')
    name = layout if stated is None else str(stated).lower()
    candidates = [LAYOUTS[name]] if name else [known for known in LAYOUTS.values() if _has_sides(known, symmetry)]
    if joints is not None and int(joints) != H36M17.num_joints:
        raise ValueError(f'{path}: {joints} joints, expected {H36M17.num_joints}')
    if len(candidates) != 1:
        raise ValueError(
            f'{path}: its metadata does not say the order of joints (layout_name); set --layout {"|".join(LAYOUTS)}'
        )
    if symmetry is not None and not _has_sides(candidates[0], symmetry):
        raise ValueError(
            f'{path}: keypoints_symmetry {symmetry} is not that of the layout {candidates[0].name}: '
            f'{[list(candidates[0].left), list(candidates[0].right)]}'
        )
    return candidates[0]


def _has_sides(skeleton: Skeleton, symmetry: Any) -> bool:
    try:
        left, right = (sorted(int(index) for index in side) for side in symmetry)
    except (TypeError, ValueError):
        return False
    return left == sorted(skeleton.left) and right == sorted(skeleton.right)


def _check_pictures(videos: Any, path: Path) -> None:
    """Raise if the keypoints belong to images of another size."""
    known = {lens.img_shape for lens in LENSES.values()}
    for name, size in videos.items() if isinstance(videos, Mapping) else ():
        if isinstance(size, Mapping) and {'w', 'h'} <= size.keys() and (int(size['h']), int(size['w'])) not in known:
            sizes = ' or '.join(f'{width}x{height}' for height, width in sorted(known))
            raise ValueError(
                f'{path}: keypoints of {name!r} are of pictures of {size["w"]}x{size["h"]} px, those of Human3.6M have '
                f'{sizes}'
            )
