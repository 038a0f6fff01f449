"""Generation of a whole set of clips in several processes; existing clips are kept."""

from __future__ import annotations

import json
import multiprocessing
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
from tqdm import tqdm

from posediff.datasets.posetrack_writing import SequenceName, is_written, merge
from posediff.datasets.set_description import DESCRIPTION, check_description
from posediff.fileio.atomic_files import atomic_write
from posediff.synthetic.motion_source import MotionSource, open_motion
from posediff.synthetic.scene import ClipSettings
from posediff.synthetic.scene_drawing import draw_scene
from posediff.synthetic.writing import CONTENT, write_sequence

VERSION = 1  # increase it when the same arguments give different clips


@dataclass(frozen=True)
class VideoSet:
    """Specification of a set of clips.

    Attributes:
        settings: Settings common to all clips.
        clips: Number of clips per split.
        motion: Folder of files written by ``posediff convert cmu``; None: generated motion.
        label_every: Interval of labelled frames in val; 4 labels every fourth frame, as in PoseTrack.
    """

    settings: ClipSettings
    clips: dict[str, int]
    motion: str | None = None
    label_every: int = 1


def generate_videos(root: str | Path, videos: VideoSet, workers: int = 1) -> dict[str, int]:
    """Generate a set, or complete or extend one that was generated with the same arguments.

    Clips depend only on the seed, their split and their number, not on the number of workers.

    Returns:
        Numbers of sequences ``written`` and ``kept``.

    Raises:
        FileNotFoundError: There is no motion for a split.
        FileExistsError: The folder has other content, or was generated with other arguments, or for more clips.
    """
    root = Path(root)
    source = open_motion(videos.motion, videos.settings.seed)
    for split, count in videos.clips.items():
        if count:
            source.subjects(split)
    _claim(root, videos, source)
    wanted = [(split, index) for split, count in videos.clips.items() for index in range(count)]
    missing = [
        (split, index) for split, index in wanted if not is_written(root, SequenceName.of(split, index, CONTENT))
    ]
    with tqdm(total=len(wanted), initial=len(wanted) - len(missing), unit='clip', disable=None) as progress:
        for _ in _work(root, videos, missing, workers):
            progress.update()
    for split, count in videos.clips.items():
        if count:
            merge(root, split, [SequenceName.of(split, index, CONTENT) for index in range(count)])
    return {'written': len(missing), 'kept': len(wanted) - len(missing)}


def _claim(root: Path, videos: VideoSet, source: MotionSource) -> None:
    """Write the description of the set to its folder; raise if the folder has other content."""
    settings = videos.settings
    description: dict[str, Any] = {
        'version': VERSION,
        'seed': settings.seed,
        'frames': settings.frames,
        'size': list(settings.img_shape[::-1]),
        'fps': settings.fps,
        'subframes': settings.subframes,
        'label_every': videos.label_every,
        **source.fingerprint(),
        'clips': videos.clips,
    }
    found = check_description(root, description, besides=('clips',))
    clips = {} if found is None else found.get('clips', {})
    for split, count in videos.clips.items():
        if clips.get(split, 0) > count:
            raise FileExistsError(f'{root} was made for {clips[split]} clips of {split}, not {count}')
    with atomic_write(root / DESCRIPTION) as temporary:
        temporary.write_text(json.dumps(description, indent=2) + '\n')


def _work(root: Path, videos: VideoSet, missing: list[tuple[str, int]], workers: int) -> Iterator[None]:
    """Render the missing clips; yield after each."""
    if workers == 1 or len(missing) < 2:
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        try:
            maker = _Maker(root, videos)
            for split, index in missing:
                maker.make(split, index)
                yield
        finally:
            cv2.setNumThreads(threads)
        return
    # Forked processes would lack the threads of OpenCV or torch that the parent has started.
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(min(workers, len(missing)), context, _start_worker, (root, videos)) as pool:
        tasks = [pool.submit(_make, split, index) for split, index in missing]
        try:
            for task in as_completed(tasks):
                task.result()
                yield
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


class _Maker:
    """Renders clips of a set and caches the motion."""

    def __init__(self, root: Path, videos: VideoSet) -> None:
        self.root, self.videos = root, videos
        self.source = open_motion(videos.motion, videos.settings.seed)

    def make(self, split: str, index: int) -> None:
        scene = draw_scene(self.source, self.videos.settings, split, index)
        write_sequence(self.root, scene, self.videos.label_every if split == 'val' else 1)


_maker: _Maker | None = None  # one per worker process


def _start_worker(root: Path, videos: VideoSet) -> None:
    global _maker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles the interrupt and ends the pool
    cv2.setNumThreads(1)
    _maker = _Maker(root, videos)


def _make(split: str, index: int) -> None:
    assert _maker is not None
    _maker.make(split, index)
