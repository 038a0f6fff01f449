"""From a real clip to people in 3D: all that ``tools/video_to_3d.py`` makes of it, and a picture of how sure that is.

The clip, two people in a park, travels in the wheel of Sports2D (BSD-3-Clause) and is fetched from the package index,
9 MB, as MediaPipe's networks are, 36 MB. Arguments that are not listed here go to ``video_to_3d.py``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

import posediff
from posediff.assets import DEMO_VIDEO, LIFTER_CHECKPOINT, LIFTER_CONFIG
from posediff.command_line import one_line_errors
from posediff.evaluation.tables import markdown_table
from posediff.pose_files import KeypointClip
from posediff.visualization.lifting import LiftedClip, save_animation, save_picture

import lift_keypoints  # isort: skip  # beside this file
import video_to_3d  # isort: skip

PICTURE_FRAMES = 60


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', type=Path, default=Path('out/demo_video'), help='folder for the results')
    args, more = parser.parse_known_args(argv)
    with one_line_errors():
        clip, calibration = (DEMO_VIDEO.fetch(name) for name in ('demo.mp4', 'calibration.toml'))
    words = [str(clip), '--calibration', str(calibration), '--out', str(args.out), '--overwrite', *more]
    video_to_3d.main(words)
    with one_line_errors(), np.load(args.out / 'poses.npz', allow_pickle=False) as arrays:
        rows = {name: arrays[name] for name in arrays.files}
        print('\n' + people_table(rows))
        result = draw(rows, args.out, video_to_3d.parse_args(words))
        print(f'\n{result.title}\n')
        print(lift_keypoints.joint_table(result.skeleton, result.joints_3d_std, result.keypoints_2d))
        print(f'\nlook at {args.out}/viewer.html in a browser, at scene.mp4, and at lifted.gif for the hypotheses')


def people_table(rows: dict[str, np.ndarray]) -> str:
    """Who was there, for how long, how far away, and how sure the lifter is."""
    table: list[list[str | float]] = []
    for track in np.unique(rows['track_id']).tolist():
        own = rows['track_id'] == track
        times = rows['time_s'][own]
        depth = np.nanmedian(rows['root_position'][own, 2]) / 1000
        spread = float(rows['joints_3d_std'][own].mean())
        table.append([str(track), int(own.sum()), float(times[0]), float(times[-1]), float(depth), spread])
    return markdown_table(['person', 'frames', 'from, s', 'to, s', 'distance, m', 'mean spread, mm'], table, digits=1)


def draw(rows: dict[str, np.ndarray], folder: Path, args: argparse.Namespace) -> LiftedClip:
    """Lift the person who is seen longest once more, this time to keep the hypotheses, and draw these."""
    tracks, counts = np.unique(rows['track_id'][rows['observed']], return_counts=True)
    own = np.flatnonzero((rows['track_id'] == tracks[counts.argmax()]) & rows['observed'])
    breaks = np.flatnonzero(np.diff(rows['frame_index'][own]) > 1)
    runs = np.split(own, breaks + 1)
    longest = max(runs, key=len)[:PICTURE_FRAMES]
    height, width = rows['img_shape'].tolist()
    clip = KeypointClip(
        keypoints_2d=rows['keypoints_2d'][longest],
        keypoint_scores=rows['keypoint_scores'][longest],
        fps=float(rows['fps']),
        img_shape=(height, width),
        skeleton=str(rows['keypoint_skeleton']),
        source=str(rows['video']),
    )
    model = posediff.init_model(LIFTER_CONFIG, LIFTER_CHECKPOINT, device=args.device)
    result, _ = lift_keypoints.lift_clip(model, clip, args, f'person {tracks[counts.argmax()]}')
    frames = len(longest)
    save_picture(folder / 'lifted.png', result, sorted({frames // 6, frames // 2, (5 * frames) // 6}))
    progress = partial(tqdm, desc='drawing', unit='frame', leave=False, disable=None)
    save_animation(folder / 'lifted.gif', result, progress=progress)
    return result


if __name__ == '__main__':
    main()
