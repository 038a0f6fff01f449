"""Person crops in video clips: the frames around a key frame with one common crop."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from posediff.datasets.frame_windows import FrameNumbering, drawn_offsets, fixed_offsets, missing_files
from posediff.datasets.passes import epoch_of
from posediff.datasets.posetrack_source import open_source
from posediff.registry import DATASETS, build_pipeline
from posediff.structures.argument_checks import require_one_of, require_whole
from posediff.structures.skeletons import match_skeleton


@DATASETS.register_module()
class PoseTrackClipDataset(Dataset):
    """Windows of 2δ + 1 frames around every annotated (or detected) person of PoseTrack2017, 2018 or 21.

    MMPose's ``PoseTrack18Dataset`` reads the persons; the windows are built here: exactly ``num_frames`` in temporal
    order with the key frame in the middle, in training and in test. Frames beyond the ends of a video are clamped to
    its first or last frame. The pipeline uses MMPose's transforms: after ``LoadClip`` they treat the list of
    frames as one image.

    An item depends only on ``(seed, epoch, index)`` in training and on ``(seed, index)`` in test. The global random
    generators used by MMPose's transforms are seeded for the item and restored after it.

    Args:
        source: Arguments of MMPose's class: ``ann_file``, ``data_root``, ``data_prefix``, ``bbox_file`` (test only),
            ``filter_cfg=dict(bbox_score_thr=0.4)``, ``metainfo``, …
        num_frames: T = 2δ + 1, odd.
        frame_step: Distance in frames between neighbours of the window, for ``sampling='fixed'``.
        sampling: ``'fixed'``; or ``'random'`` in training: δ frames on each side, sampled anew in every epoch from the
            ``reach`` nearest.
        reach: See ``sampling``; at least δ.
        frame_base: Number of a video's first frame: 1 in PoseTrack2017, 0 in the others.
        pipeline: Configs of transforms.
        test_mode: False: training. True: items do not depend on the epoch, frames have fixed offsets, and ``max_items``
            and ``bbox_file`` are used.
        items_per_epoch: Training items per epoch, without repetition until all persons are used; None: all persons.
        max_items: Keep this many test items, evenly spaced.
        seed: Random seed.

    Raises:
        FileNotFoundError: Annotations or required frames are missing; the message names the first.
        ValueError: See :class:`posediff.datasets.posetrack_source.StrictReading`; an argument is out of range.
    """

    def __init__(
        self,
        source: Mapping[str, Any],
        *,
        num_frames: int = 5,
        frame_step: int = 1,
        sampling: str = 'fixed',
        reach: int | None = None,
        frame_base: int = 0,
        pipeline: Sequence[Any] = (),
        test_mode: bool = False,
        items_per_epoch: int | None = None,
        max_items: int | None = None,
        seed: int = 0,
    ) -> None:
        owner = type(self).__name__
        counts = {'items_per_epoch': items_per_epoch, 'max_items': max_items}
        given = {name: value for name, value in counts.items() if value is not None}
        require_whole(owner, {'num_frames': num_frames, 'frame_step': frame_step, **given}, least=1)
        require_whole(owner, {'seed': seed, 'frame_base': frame_base}, least=0)
        require_one_of(owner, 'sampling', sampling, ('fixed', 'random'))
        if num_frames % 2 == 0:
            raise ValueError(f'{owner}: num_frames must be odd, with the key frame in the middle, got {num_frames}')
        self.num_frames = num_frames
        self.frame_step = frame_step
        self.reach = max(num_frames // 2, 1) if reach is None else reach
        if self.reach < num_frames // 2:
            raise ValueError(f'{owner}: reach {reach} leaves no {num_frames // 2} frames on each side to draw')
        self.random_window = sampling == 'random' and not test_mode
        self.numbering = FrameNumbering(frame_base)
        self.test_mode = test_mode
        self.seed = seed
        self.pipeline = build_pipeline(pipeline)
        # Shared memory: persistent workers read the epoch that the main process sets.
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()
        self.source = self._open(source)
        self._skeleton = _skeleton_of(self.source.metainfo)
        self._kept = self._keep(max_items)
        self._length = len(self._kept) if test_mode or items_per_epoch is None else items_per_epoch
        self._check_frames()

    def _open(self, source: Mapping[str, Any]) -> Any:
        return open_source('PoseTrack18Dataset', **source, test_mode=self.test_mode)

    def _candidates(self) -> np.ndarray:
        """Return the indices of the persons of the dataset."""
        return np.arange(len(self.source))

    def _keep(self, max_items: int | None) -> np.ndarray:
        people = self._candidates()
        if not self.test_mode or max_items is None or max_items >= len(people):
            return people
        return people[np.linspace(0, len(people) - 1, max_items).astype(int)]

    def _check_frames(self) -> None:
        """Check the existence of all files up front instead of failing within an epoch."""
        reach = self.reach if self.random_window else self.frame_step * (self.num_frames // 2)
        needed: dict[str, None] = {}
        for person in self._kept:
            record = self.source.get_data_info(int(person))
            offsets = (
                range(-reach, reach + 1) if self.random_window else fixed_offsets(self.num_frames, self.frame_step)
            )
            needed.update(dict.fromkeys(self.numbering.around(record['img_path'], record['nframes'], offsets)))
        missing = missing_files(list(needed))
        if missing:
            raise FileNotFoundError(
                f'{type(self).__name__}: {len(missing)} of {len(needed)} frames that the windows need do not exist, '
                f'first {missing[0]} (data_root, data_prefix.img and frame_base={self.numbering.base} decide the names)'
            )

    @property
    def metainfo(self) -> dict[str, Any]:
        """MMPose's metadata of the labels, after ``ConvertKeypoints`` if the pipeline has it."""
        metainfo: dict[str, Any] = self.source.metainfo
        for transform in self.pipeline:
            if hasattr(transform, 'convert_metainfo'):
                metainfo = transform.convert_metainfo(metainfo)
        return metainfo

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the following training items, in workers too."""
        self._epoch.fill_(epoch)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> dict[str, Any]:
        if not -len(self) <= index < len(self):
            raise IndexError(f'{type(self).__name__}: item {index} of {len(self)}')
        epoch = 0 if self.test_mode else epoch_of(index, int(self._epoch))
        index %= len(self)
        rng = np.random.default_rng((self.seed, epoch, index))
        results = self.source.get_data_info(int(self._person(index, epoch)))
        if self.random_window:
            offsets = drawn_offsets(self.num_frames, self.reach, rng)
        else:
            offsets = fixed_offsets(self.num_frames, self.frame_step)
        key_path = results['img_path']
        results |= {
            'img_path': self.numbering.around(key_path, results['nframes'], offsets),
            'frame_offsets': offsets,
            'key_index': self.num_frames // 2,
            'sample_id': f'{results["frame_path"]}/{results["id"]}',
            'dataset': self.source,
            'people': self._kept,  # of the source, for transforms that read a second person
            **({} if self._skeleton is None else {'skeleton': self._skeleton}),
        }
        with _global_generators(int(rng.integers(2**32))):
            for transform in self.pipeline:
                results = transform(results)
                if results is None:
                    raise ValueError(f'{key_path}: {type(transform).__name__} returned None for this person')
        return results

    def _person(self, index: int, epoch: int) -> int:
        """Return the index of the person of an item.

        If an epoch is shorter than the dataset, consecutive epochs together cover all persons, in an order that is
        shuffled anew for every pass.
        """
        if self.test_mode or self._length == len(self._kept):
            return self._kept[index]
        drawn, place = divmod(epoch * self._length + index, len(self._kept))
        return np.random.default_rng((self.seed, drawn)).permutation(self._kept)[place]


def _skeleton_of(metainfo: Mapping[str, Any]) -> str | None:
    """Return the name of the skeleton with the annotated joints; None if no known skeleton matches."""
    try:
        return match_skeleton(list(metainfo['keypoint_id2name'].values()))[0].name
    except ValueError:
        return None


@contextmanager
def _global_generators(seed: int) -> Iterator[None]:
    """Seed numpy's and Python's global generators inside the context and restore them after it."""
    before = np.random.get_state(), random.getstate()
    np.random.seed(seed)
    random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before[0])
        random.setstate(before[1])
