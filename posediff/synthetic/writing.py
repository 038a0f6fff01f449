"""Writer of rendered sequences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from posediff.datasets.posetrack_writing import (
    SequenceName,
    annotation_file,
    jpeg,
    sequence_images,
    write_annotations,
)
from posediff.synthetic.annotation import annotate
from posediff.synthetic.rendering import render
from posediff.synthetic.scene import Scene

CONTENT = 'synthetic'
"""Word for rendered clips in the names of sequences."""


def write_sequence(root: Path, scene: Scene, label_every: int = 1) -> None:
    """Render a scene and write its images and annotations.

    Args:
        root: Folder of the set.
        scene: The scene.
        label_every: Label frames whose number is a multiple of it.
    """
    sequence = SequenceName.of(scene.split, scene.index, CONTENT)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    with sequence_images(root, sequence) as folder:
        for number, frame in enumerate(render(scene)):
            encoded = jpeg(frame.image, scene.quality, sequence.file_name(number))
            (folder / f'{number:06d}.jpg').write_bytes(encoded)
            image, people = annotate(scene, sequence, number, frame, labelled=number % label_every == 0)
            images.append(image)
            annotations += people
    write_annotations(annotation_file(root, sequence), images, annotations)
