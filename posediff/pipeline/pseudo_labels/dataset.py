"""A dataset of labelled videos in PoseTrack18's layout, to which videos can be added."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posediff.datasets.posetrack_writing import (
    MAX_FRAMES,
    SequenceName,
    annotation_file,
    image_entry,
    jpeg,
    merge,
    sequence_images,
    write_annotations,
)
from posediff.datasets.set_description import DESCRIPTION, check_description
from posediff.fileio.atomic_files import atomic_write
from posediff.pipeline.pseudo_labels.labeller import PersonLabel, PseudoLabeller
from posediff.pipeline.pseudo_labels.record import LabelRecord, total
from posediff.video import VideoSource
from posediff.video.names import find

VERSION = 2  # increase it when the same arguments give different labels
SPLIT = 'train'
RECORD = 'labels.json'
QUALITY = 95


class LabelledSet:
    """A folder of labelled videos; videos that are complete are not labelled again.

    Nothing is written before the first video is labelled.

    Args:
        root: The folder.
        settings: Everything that determines the labels of a video, as values for JSON.

    Raises:
        FileExistsError: The folder has other content, or was made with other settings.
    """

    def __init__(self, root: str | Path, settings: Mapping[str, Any]) -> None:
        self.root = Path(root)
        self._description = {'version': VERSION, **settings}
        check_description(self.root, self._description)
        self._numbers: dict[str, int] = {}
        self._records: dict[str, dict[str, Any]] = {}
        for file in sorted((self.root / 'annotations' / SPLIT).glob('*.json')):
            record = json.loads(file.read_text())['record']
            self._numbers[record['video']] = int(file.name.split('_')[0])
            self._records[record['video']] = record

    def __contains__(self, video: str | Path) -> bool:
        return video_key(video) in self._numbers

    @property
    def videos(self) -> list[str]:
        """The keys of the videos that are complete; see :func:`video_key`."""
        return list(self._numbers)

    def add(self, video: VideoSource, labeller: PseudoLabeller) -> LabelRecord:
        """Label a video and write its frames and annotations; without labels, no frames are written.

        Returns:
            What was kept, and why the rest was not.

        Raises:
            ValueError: The video is live, has more frames than a sequence of PoseTrack can have, or has another number
                of frames when it is read again.
            FileExistsError: See the class.
        """
        if video.is_live:
            raise ValueError(f'{video.name}: a camera or stream cannot be read again; record it to a file')
        _check_length(video, min(video.num_frames or 0, labeller.max_frames or video.num_frames or 0))
        labels, record = labeller(video)
        _check_length(video, record.frames)
        self._describe()
        number = max(self._numbers.values(), default=0) + 1
        sequence = SequenceName(SPLIT, number, 'pseudo')
        images = []
        if labels:
            with sequence_images(self.root, sequence) as folder:
                for frame in labeller.frames(video):
                    file = folder / f'{frame.index:06d}.jpg'
                    file.write_bytes(jpeg(frame.image[..., ::-1], QUALITY, str(file)))
                    images.append(image_entry(sequence, frame.index, record.frames, video.img_shape))
                if len(images) != record.frames:
                    raise ValueError(f'{video.name} had {record.frames} frames, but {len(images)} when read again')
        key = video_key(video.name)
        self._records[key] = {'video': key, **record.as_json()}
        people = _annotations(sequence, labels)
        write_annotations(annotation_file(self.root, sequence), images, people, record=self._records[key])
        self._numbers[key] = number
        return record

    def finish(self) -> LabelRecord:
        """Write the file with all annotations and the file with all counts, and return the sum of the counts."""
        self._describe()
        numbers = sorted(self._numbers.values())
        merge(self.root, SPLIT, [SequenceName(SPLIT, number, 'pseudo') for number in numbers])
        summed = total(self._records.values())
        videos = [self._records[key] for key in sorted(self._numbers, key=self._numbers.__getitem__)]
        with atomic_write(self.root / RECORD) as temporary:
            temporary.write_text(json.dumps({'total': summed.as_json(), 'videos': videos}, indent=1) + '\n')
        return summed

    def _describe(self) -> None:
        """Write the description if the folder has none."""
        if check_description(self.root, self._description) is None:
            with atomic_write(self.root / DESCRIPTION) as temporary:
                temporary.write_text(json.dumps(self._description, indent=2) + '\n')


def video_key(video: str | Path) -> str:
    """Return the name under which a video is remembered: its path without links and relative parts, or its URL."""
    try:
        path = find(video).path
    except FileNotFoundError:  # a video that is in the set may be gone
        path = Path(video)
    return str(video) if path is None else str(path.resolve())


def _check_length(video: VideoSource, frames: int) -> None:
    if frames > MAX_FRAMES:
        raise ValueError(f'{video.name}: {frames} frames are more than {MAX_FRAMES}; cut it, or set a maximum')


def _annotations(sequence: SequenceName, labels: Sequence[PersonLabel]) -> list[dict[str, Any]]:
    """Return the ``annotations`` entries of the labels, as values for JSON."""
    found: list[dict[str, Any]] = []
    for label in labels:
        image_id = sequence.image_id(label.frame)
        in_frame = sum(entry['image_id'] == image_id for entry in found[-100:])
        left, top, right, bottom = np.round(label.box.astype(float), 2).tolist()
        found.append({
            'keypoints': np.round(label.keypoints, 2).ravel().tolist(),
            'bbox': [left, top, round(right - left, 2), round(bottom - top, 2)],
            'num_keypoints': int(label.keypoints[:, 2].sum()),
            'track_id': label.track,
            'person_id': sequence.number * 10**6 + label.track,
            'image_id': image_id,
            'scores': [],
            'category_id': 1,
            'id': image_id * 100 + in_frame,
            'iscrowd': False,
        })  # fmt: skip
    return found
