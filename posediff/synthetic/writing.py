"""Writer of sequences; annotations are written last, so a sequence with annotations is complete."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2

from posediff.fileio.atomic_files import atomic_write
from posediff.synthetic.annotation import CATEGORIES, SequenceName, annotate
from posediff.synthetic.rendering import render
from posediff.synthetic.scene import Scene


def annotation_file(root: Path, sequence: SequenceName) -> Path:
    """Return the path of a sequence's annotations."""
    return root / 'annotations' / sequence.split / f'{sequence.name}.json'


def is_written(root: Path, sequence: SequenceName) -> bool:
    """Return whether a sequence is complete."""
    return annotation_file(root, sequence).is_file()


def write_sequence(root: Path, scene: Scene, label_every: int = 1) -> None:
    """Render a scene and write its images and annotations.

    An interrupted run leaves a hidden folder or images without annotations; rewriting the sequence removes them.

    Args:
        root: Folder of the set.
        scene: The scene.
        label_every: Label frames whose number is a multiple of it.
    """
    sequence = SequenceName.of(scene.split, scene.index)
    folder = root / 'images' / sequence.split / sequence.name
    unfinished = folder.with_name(f'.{folder.name}')
    for leftover in (folder, unfinished):
        if leftover.exists():
            shutil.rmtree(leftover)
    unfinished.mkdir(parents=True)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, frame in enumerate(render(scene)):
        encoded, data = cv2.imencode('.jpg', frame.image, [cv2.IMWRITE_JPEG_QUALITY, scene.quality])
        if not encoded:
            raise RuntimeError(f'{sequence.file_name(number)}: OpenCV could not encode the image')
        (unfinished / f'{number:06d}.jpg').write_bytes(data.tobytes())
        image, people = annotate(scene, sequence, number, frame, labelled=number % label_every == 0)
        images.append(image)
        annotations += people
    unfinished.rename(folder)
    write_annotations(annotation_file(root, sequence), images, annotations)


def write_annotations(path: Path, images: list[dict[str, Any]], annotations: list[dict[str, Any]]) -> None:
    """Write one file in PoseTrack18's format."""
    with atomic_write(path) as temporary:
        text = json.dumps({'images': images, 'annotations': annotations, 'categories': CATEGORIES})
        temporary.write_text(text)


def merge(root: Path, split: str, sequences: list[SequenceName]) -> None:
    """Write ``annotations/posetrack18_<split>.json``, the file of all sequences that MMPose's configs name."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for sequence in sequences:
        content = json.loads(annotation_file(root, sequence).read_text())
        images += content['images']
        annotations += content['annotations']
    write_annotations(root / 'annotations' / f'posetrack18_{split}.json', images, annotations)
