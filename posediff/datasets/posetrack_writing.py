"""Write video datasets in PoseTrack18's layout.

The annotations of a sequence are written after its images, so a sequence with annotations is complete.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from posediff.fileio.atomic_files import atomic_write
from posediff.structures.posetrack_joints import POSETRACK18_KEYPOINTS

MAX_FRAMES = 9999
"""Maximum number of frames of a sequence: PoseTrack's image ids have four digits for the frame."""

# PoseTrack's list of keypoint pairs, numbered from 1.
BONES = [
    [16, 14], [14, 12], [17, 15], [15, 13], [12, 13], [6, 12], [7, 13], [6, 7], [6, 8], [7, 9], [8, 10], [9, 11],
    [2, 3], [1, 2], [1, 3], [2, 4], [3, 5], [4, 6], [5, 7],
]  # fmt: skip
CATEGORIES = [
    {'supercategory': 'person', 'id': 1, 'name': 'person', 'keypoints': list(POSETRACK18_KEYPOINTS), 'skeleton': BONES}
]


@dataclass(frozen=True)
class SequenceName:
    """Names and numbers of a clip in PoseTrack's scheme.

    Attributes:
        split: ``train`` or ``val``.
        number: 1, 2, … in train; above 500000 in val, so that all sequences have different numbers.
        content: Word in the name that says what the clips are.
    """

    split: str
    number: int
    content: str

    @classmethod
    def of(cls, split: str, index: int, content: str) -> SequenceName:
        """Return the names of clip ``index``, from 0, of a split."""
        return cls(split, index + 1 + 500_000 * (split == 'val'), content)

    @property
    def name(self) -> str:
        """Name of folder and file. After the number, poseval accepts ``mpii``, ``bonn`` and ``mpiinew``."""
        return f'{self.number:06d}_mpiinew_{self.content}_{"train" if self.split == "train" else "test"}'

    def image_id(self, frame: int) -> int:
        """Return the image id as in poseval: 3 for mpiinew, six digits of the sequence, four of the frame."""
        return 3 * 10**10 + self.number * 10**4 + frame

    def file_name(self, frame: int) -> str:
        """Return the path of a frame's image, relative to the root of the set."""
        return f'images/{self.split}/{self.name}/{frame:06d}.jpg'


def annotation_file(root: Path, sequence: SequenceName) -> Path:
    """Return the path of a sequence's annotations."""
    return root / 'annotations' / sequence.split / f'{sequence.name}.json'


def is_written(root: Path, sequence: SequenceName) -> bool:
    """Return whether a sequence is complete."""
    return annotation_file(root, sequence).is_file()


def image_entry(
    sequence: SequenceName, frame: int, num_frames: int, img_shape: tuple[int, int], labelled: bool = True
) -> dict[str, Any]:
    """Return the ``images`` entry of a frame, as values for JSON.

    Args:
        sequence: Names of the clip.
        frame: Index of the frame, from 0.
        num_frames: Number of frames of the clip.
        img_shape: (h, w) px.
        labelled: False: the frame has no annotations, as most of PoseTrack's validation frames.
    """
    image_id = sequence.image_id(frame)
    height, width = img_shape
    return {
        'has_no_densepose': True,
        'is_labeled': labelled,
        'file_name': sequence.file_name(frame),
        'nframes': num_frames,
        'frame_id': image_id,
        'vid_id': f'{sequence.number:06d}',
        'id': image_id,
        'width': width,
        'height': height,
        'ignore_regions_x': [],  # PoseTrack21's evaluation requires them in every frame
        'ignore_regions_y': [],
    }


@contextmanager
def sequence_images(root: Path, sequence: SequenceName) -> Iterator[Path]:
    """Yield a hidden folder for the images of a sequence; it gets its name if the block succeeds.

    An interrupted run leaves a hidden folder or images without annotations; writing the sequence again removes them.
    """
    folder = root / 'images' / sequence.split / sequence.name
    unfinished = folder.with_name(f'.{folder.name}')
    for leftover in (folder, unfinished):
        if leftover.exists():
            shutil.rmtree(leftover)
    unfinished.mkdir(parents=True)
    yield unfinished
    unfinished.rename(folder)


def jpeg(image: np.ndarray, quality: int, name: str = 'image') -> bytes:
    """Encode an image as JPEG.

    Args:
        image: (H, W, 3) BGR uint8.
        quality: 0..100.
        name: Name of the image, for the error message.

    Raises:
        RuntimeError: OpenCV does not encode the image; the message names it.
    """
    import cv2  # imported here because lifting runs without OpenCV

    encoded, data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not encoded:
        raise RuntimeError(f'{name}: OpenCV could not encode {image.shape[1]}x{image.shape[0]} px as JPEG')
    return data.tobytes()


def write_annotations(path: Path, images: list[dict[str, Any]], annotations: list[dict[str, Any]], **more: Any) -> None:
    """Write one file in PoseTrack18's format; ``more`` are further entries of the file."""
    with atomic_write(path) as temporary:
        text = json.dumps({'images': images, 'annotations': annotations, 'categories': CATEGORIES, **more})
        temporary.write_text(text)


def merge(root: Path, split: str, sequences: Sequence[SequenceName]) -> None:
    """Write ``annotations/posetrack18_<split>.json``, the file of all sequences that MMPose's configs name."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for sequence in sequences:
        content = json.loads(annotation_file(root, sequence).read_text())
        images += content['images']
        annotations += content['annotations']
    write_annotations(root / 'annotations' / f'posetrack18_{split}.json', images, annotations)
