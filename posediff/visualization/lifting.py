"""Images and animations of lifted clips: 2D input, 3D pose from two viewpoints, spread of the hypotheses."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from PIL import Image
from scipy.ndimage import maximum_filter1d

from posediff.fileio.atomic_files import atomic_write
from posediff.structures.skeletons import Skeleton
from posediff.visualization.drawing import (
    SIDE_COLORS,
    UNSEEN_COLOR,
    UNSEEN_WIDTH,
    draw_floor,
    draw_skeleton,
    joint_colors,
    view_from,
)

VIEWS = ((0.0, 'from the camera'), (90.0, "from the camera's right"))
ELEVATION = 15.0  # degrees
FLOOR_HALF_SIZE = 1000.0  # mm
MAX_GHOSTS = 12


@dataclass(frozen=True)
class LiftedClip:
    """A lifted clip to draw.

    Attributes:
        keypoints_2d: (F, K, 2) px, NaN for unseen joints.
        joints_3d: (F, K, 3) mm relative to the root, camera axes; NaN for joints that are not drawn.
        hypotheses: (M, F, K, 3) mm.
        joints_3d_std: (F, K) mm, spread of the hypotheses; NaN for joints that are not drawn.
        skeleton: Skeleton of the joints.
        fps: Frames per second.
        title: One line above the panels.
        lifter_window_s: Duration of the lifter's window, s.
        in_picture: (F, K) bool, False for joints outside the image, which the camera did not see. None: all joints are
            inside.
    """

    keypoints_2d: np.ndarray
    joints_3d: np.ndarray
    hypotheses: np.ndarray
    joints_3d_std: np.ndarray
    skeleton: Skeleton
    fps: float
    title: str = ''
    lifter_window_s: float = math.inf
    in_picture: np.ndarray | None = None

    @cached_property
    def joint_observed(self) -> np.ndarray:
        """(F, K) bool: the joint was an input of the lifter in the frame and inside the image."""
        known = np.isfinite(self.keypoints_2d).all(-1)
        return np.asarray(known if self.in_picture is None else known & self.in_picture)

    def without_unseen(self) -> LiftedClip:
        """Return a copy in which joints are NaN in the frames where they were not observed.

        Raises:
            ValueError: No joint was observed in any frame.
        """
        if not self.joint_observed.any():
            raise ValueError('no joint of the lifter was observed: no joint would be left')
        unseen = ~self.joint_observed
        return replace(
            self,
            joints_3d=np.where(unseen[..., None], np.nan, self.joints_3d),
            hypotheses=np.where(unseen[..., None], np.nan, self.hypotheses),
            joints_3d_std=np.where(unseen, np.nan, self.joints_3d_std),
        )

    @cached_property
    def joint_shown(self) -> np.ndarray:
        """(F, K) bool: the joint is observed in the frame or within one lifter window before or after it."""
        reach = int(min(self.lifter_window_s * self.fps + 1e-9, len(self.keypoints_2d)))
        observed = self.joint_observed.astype(np.uint8)
        return maximum_filter1d(observed, 2 * reach + 1, axis=0, mode='constant') > 0

    @cached_property
    def crop_size(self) -> float:
        """Side in px of a square that fits the person in every frame."""
        seen = self.keypoints_2d[np.isfinite(self.keypoints_2d).any((1, 2))]
        extent = np.nanmax(seen, axis=1) - np.nanmin(seen, axis=1)
        return 1.25 * float(extent.max())

    @cached_property
    def view_size(self) -> float:
        """Side in mm of a square that fits the pose in every frame and from every viewpoint."""
        height = float(np.nanmax(self.joints_3d[..., 1]) - np.nanmin(self.joints_3d[..., 1]))
        width = 2 * float(np.nanmax(np.linalg.norm(self.joints_3d[..., [0, 2]], axis=-1)))
        return 1.2 * max(height, width)

    @cached_property
    def floor(self) -> float:
        """y of the lowest joint of the clip, mm below the root."""
        return float(np.nanmax(self.joints_3d[..., 1]))

    @cached_property
    def middle(self) -> float:
        """y halfway between the lowest and the highest joint of the clip."""
        return (self.floor + float(np.nanmin(self.joints_3d[..., 1]))) / 2

    @cached_property
    def spread_limit(self) -> float:
        """Upper limit of the spread axis, mm."""
        return max(10.0, 1.1 * float(np.nanmax(self.joints_3d_std)))


def save_picture(path: str | Path, clip: LiftedClip, frames: Iterable[int], dpi: int = 110) -> None:
    """Write a PNG with one row of panels per frame.

    Args:
        path: Output file.
        clip: The clip to draw.
        frames: Frame indices, from 0.
        dpi: Pixels per inch of a figure 13 inches wide.
    """
    chosen = list(frames)
    figure = Figure(figsize=(13.0, 1.0 + 3.25 * len(chosen)), dpi=dpi)
    _draw(figure, clip, chosen)
    with atomic_write(path) as temporary:
        figure.savefig(temporary)


def save_animation(
    path: str | Path,
    clip: LiftedClip,
    max_fps: float = 15.0,
    dpi: int = 80,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> None:
    """Write a GIF in real time that loops endlessly.

    Args:
        path: Output file.
        clip: The clip to draw.
        max_fps: Maximum frame rate; surplus frames are dropped.
        dpi: Pixels per inch of a figure 13 inches wide.
        progress: Wraps the frame numbers, e.g. :func:`tqdm.tqdm`.
    """
    step = max(1, round(clip.fps / max_fps))
    images = []
    for frame in progress(range(0, len(clip.joints_3d), step)):
        figure = Figure(figsize=(13.0, 4.25), dpi=dpi)
        canvas = FigureCanvasAgg(figure)
        _draw(figure, clip, [frame])
        canvas.draw()
        images.append(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3]))
    palette = images[0].quantize(255, method=Image.Quantize.MEDIANCUT)
    quantized = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    buffer = io.BytesIO()
    quantized[0].save(
        buffer,
        format='GIF',
        save_all=True,
        append_images=quantized[1:],
        duration=round(1000 * step / clip.fps),
        loop=0,
    )
    with atomic_write(path) as temporary:
        temporary.write_bytes(buffer.getvalue())


def _draw(figure: Figure, clip: LiftedClip, frames: list[int]) -> None:
    height = figure.get_figheight()
    vertical = {'top': 1 - 0.75 / height, 'bottom': 0.5 / height, 'hspace': 0.32}
    poses = figure.add_gridspec(len(frames), 3, left=0.05, right=0.735, wspace=0.1, **vertical)
    bars = figure.add_gridspec(len(frames), 1, left=0.815, right=0.985, **vertical)
    figure.text(0.05, 1 - 0.12 / height, clip.title, ha='left', va='top', fontsize=11)
    handles = [Line2D([], [], color=SIDE_COLORS[side], lw=3, label=f"person's {side}") for side in ('left', 'right')]
    if len(clip.hypotheses) > 1:
        handles.append(Line2D([], [], color=SIDE_COLORS['middle'], lw=0.9, alpha=0.5, label='single hypotheses'))
    if (np.isfinite(clip.joints_3d).all(-1) & ~clip.joint_shown).any():
        handles.append(Line2D([], [], color=UNSEEN_COLOR, lw=3 * UNSEEN_WIDTH, label='not seen'))
    figure.legend(handles=handles, loc='upper right', ncols=4, frameon=False, fontsize=9, bbox_to_anchor=(0.99, 1.0))
    for row, frame in enumerate(frames):
        _draw_input(figure.add_subplot(poses[row, 0]), clip, frame)
        for column, (azimuth, name) in enumerate(VIEWS, start=1):
            _draw_pose(figure.add_subplot(poses[row, column]), clip, frame, azimuth, name)
        _draw_spread(figure.add_subplot(bars[row, 0]), clip, frame)


def _draw_input(ax: Axes, clip: LiftedClip, frame: int) -> None:
    points = clip.keypoints_2d[frame]
    root_path = clip.keypoints_2d[:, clip.skeleton.root]
    ax.plot(*root_path.T, color='#B0B0B0', lw=1, zorder=0)
    draw_skeleton(ax, points, clip.skeleton)
    if np.isfinite(points).any():
        centre = (np.nanmax(points, axis=0) + np.nanmin(points, axis=0)) / 2
        ax.set_xlim(centre[0] - clip.crop_size / 2, centre[0] + clip.crop_size / 2)
        ax.set_ylim(centre[1] + clip.crop_size / 2, centre[1] - clip.crop_size / 2)
    else:
        ax.text(0.5, 0.5, 'no keypoints', transform=ax.transAxes, ha='center', color='#707070')
    ax.set_aspect('equal')
    ax.set_title(f'2D input, {frame / clip.fps:.2f} s', fontsize=10)
    ax.set_xlabel('x, px', fontsize=9)
    ax.set_ylabel('y, px', fontsize=9, labelpad=1)
    ax.tick_params(labelsize=8)
    ax.locator_params(nbins=4)


def _draw_pose(ax: Axes, clip: LiftedClip, frame: int, azimuth: float, name: str) -> None:
    draw_floor(ax, clip.floor, FLOOR_HALF_SIZE, azimuth, ELEVATION)
    num = len(clip.hypotheses)
    if num > 1:
        for index in np.linspace(0, num - 1, min(num, MAX_GHOSTS)).astype(int):
            ghost = view_from(clip.hypotheses[index, frame], azimuth, ELEVATION)
            ghost = np.where(clip.joint_shown[frame, :, None], ghost, np.nan)
            draw_skeleton(ax, ghost, clip.skeleton, width=0.9, alpha=0.25, joint_size=0)
    pose = view_from(clip.joints_3d[frame], azimuth, ELEVATION)
    draw_skeleton(ax, pose, clip.skeleton, seen=clip.joint_shown[frame])
    half, centre = clip.view_size / 2, -clip.middle * np.cos(np.deg2rad(ELEVATION))
    ax.set_xlim(-half, half)
    ax.set_ylim(centre - half, centre + half)
    ax.set_aspect('equal')
    ax.set_title(f'3D, {name}', fontsize=10)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.set_xlabel('floor grid: 0.5 m', fontsize=9)
    for spine in ax.spines.values():
        spine.set_visible(False)


def _draw_spread(ax: Axes, clip: LiftedClip, frame: int) -> None:
    names = [name.replace('_', ' ') for name in clip.skeleton.joint_names]
    rows = np.arange(len(names))
    ax.barh(rows, clip.joints_3d_std[frame], color=joint_colors(clip.skeleton), height=0.7)
    known = np.isfinite(clip.joints_3d_std)
    means = np.where(known, clip.joints_3d_std, 0).sum(0) / np.where(known.any(0), known.sum(0), np.nan)
    ax.plot(means, rows, '|', color='black', ms=8, mew=1.2, label='mean of the clip')
    ax.set_yticks(rows, names, fontsize=7)
    ax.invert_yaxis()
    ax.set_xlim(0, clip.spread_limit)
    ax.tick_params(axis='x', labelsize=8)
    num = len(clip.hypotheses)
    ax.set_title(f'Spread of {num} hypotheses' if num > 1 else 'One hypothesis: no spread', fontsize=10)
    ax.set_xlabel('std of the joint, mm', fontsize=9)
    ax.legend(loc='upper right', fontsize=7, frameon=False)  # bars of root and hips are short
    for side in ('top', 'right'):
        ax.spines[side].set_visible(False)
