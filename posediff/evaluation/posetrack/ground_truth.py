"""Ground truth per sequence, from a folder of PoseTrack's files or from one COCO-style file."""

from __future__ import annotations

import os.path
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from posediff.evaluation.posetrack.entries import Entry, read_json
from posediff.evaluation.posetrack.evaluator import sequence_files
from posediff.fileio import annolist
from posediff.fileio.image_ids import ImageIds

Documents = Iterator[tuple[str, dict[str, Any]]]
"""File name and content of each sequence."""


def from_folder(folder: str | Path) -> Documents:
    """Read the files in the order of their names."""
    for path in sequence_files(folder):
        yield path.name, read_json(path)


def from_coco(path: str | Path, tracks: bool = False) -> Documents:
    """Split a file of many sequences: the images of one folder form a sequence called ``<folder>.json``.

    Args:
        path: The file.
        tracks: Require track ids. Otherwise, as for average precision, persons without a track id get one.

    Raises:
        ValueError: An entry is missing; the message names file and entry.
    """
    document = read_json(Path(path))
    folders: dict[str, dict[str, Any]] = {}
    folder_of: dict[Any, str] = {}
    with Entry(path) as entry:
        for position, image in enumerate(document['images']):
            entry.place = ('images', position)
            folder = os.path.basename(os.path.dirname(image['file_name']))
            if folder not in folders:
                folders[folder] = {'images': [], 'annotations': [], 'categories': document.get('categories')}
            folders[folder]['images'].append(image)
            folder_of[image['id']] = folder
        entry.place = None
        ids = ImageIds(document['images'])
        for position, annotation in enumerate(document.get('annotations', [])):
            entry.place = ('annotations', position)
            several = folders[folder_of[ids.find(annotation['image_id'])]]['annotations']
            if tracks and 'track_id' not in annotation:
                raise ValueError('the person has no track_id, without which tracks cannot be measured')
            several.append({'track_id': len(several) % 10000, **annotation})
    for folder in sorted(folders):
        yield f'{folder}.json', folders[folder]


def frames_of(document: dict[str, Any], file: str) -> list[tuple[Any, str]]:
    """Return id and file name of each frame of a file; the id is None in PoseTrack17's files."""
    with Entry(file) as entry:
        if not annolist.is_annolist(document):
            entry.place = 'images'
            return [(image['id'], image['file_name']) for image in document['images']]
        entry.place = 'annolist'
        return [(None, annolist.image_name(image)) for image in document['annolist']]
