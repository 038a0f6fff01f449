"""Merge PoseTrack2018's and PoseTrack21's annotations (one file per video) into one file for MMPose's reader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from posediff.fileio.annolist import is_annolist
from posediff.fileio.atomic_files import atomic_write
from posediff.fileio.image_ids import ImageIds
from posediff.fileio.images import read_image
from posediff.fileio.input_files import data_files

LISTS = ('images', 'annotations', 'categories')


def merge_posetrack(annotations: str | Path, images: str | Path, destination: str | Path) -> dict[str, int]:
    """Write one COCO-style file for a split.

    Entries are copied with three exceptions: an ``image_id`` that is written differently from the image's ``id`` (as
    text, a float, or the image's name) is replaced by it; missing ``width`` and ``height`` are read from the video's
    first frame; missing ``nframes`` becomes the number of images of the file.

    Args:
        annotations: Folder of a split's ``.json`` files, one per video.
        images: Root folder of the image names.
        destination: File to write.

    Returns:
        Numbers of ``videos``, ``images`` and ``annotations``.

    Raises:
        FileNotFoundError: A folder, or a first frame whose size is needed, does not exist.
        ValueError: A file has another format, its categories differ from the first file's, or an id is duplicated; the
            message names the file.
    """
    folder = Path(annotations)
    files = data_files(folder, '.json')
    if not files:
        raise FileNotFoundError(f'{folder}: no such folder, or no .json files in it')
    merged: dict[str, list] = {'images': [], 'annotations': [], 'categories': []}
    owners: dict[tuple[str, Any], Path] = {}
    for file in files:
        document = _read(file)
        merged['categories'] = merged['categories'] or document['categories']
        if document['categories'] != merged['categories']:
            raise ValueError(f'{file}: its categories differ from those of {files[0]}: another version?')
        _complete(document['images'], file, Path(images))
        _find_images(document, file)
        for name in ('images', 'annotations'):
            for entry in document[name]:
                key = name, entry.get('id')
                if key in owners or key[1] is None:
                    first = owners.get(key, file)
                    raise ValueError(f'{file}: id {key[1]} of {name} is missing, or duplicated in {first}')
                owners[key] = file
            merged[name] += document[name]
    with atomic_write(destination) as draft:
        draft.write_text(json.dumps(merged))
    return {'videos': len(files), **{name: len(merged[name]) for name in ('images', 'annotations')}}


def _read(file: Path) -> dict[str, list]:
    try:
        document = json.loads(file.read_bytes())
    except ValueError as error:
        raise ValueError(f'{file} is not readable JSON (truncated?): {error}') from error
    if is_annolist(document):
        raise ValueError(f'{file} is of PoseTrack2017: posediff convert posetrack17 converts it')
    if not isinstance(document, dict) or not all(isinstance(document.get(name), list) for name in LISTS):
        raise ValueError(f'{file}: expected lists {", ".join(LISTS)}, as in PoseTrack2018')
    if not document['images']:
        raise ValueError(f'{file}: no images in it')
    return document


def _find_images(document: dict[str, list], file: Path) -> None:
    if not all('id' in image for image in document['images']):
        raise ValueError(f'{file}: an image has no id')
    ids = ImageIds(document['images'])
    for number, annotation in enumerate(document['annotations']):
        try:
            annotation['image_id'] = ids.find(annotation.get('image_id'))
        except ValueError as error:
            raise ValueError(f'{file}: annotations[{number}]: {error}') from error


def _complete(entries: list[dict[str, Any]], file: Path, images: Path) -> None:
    if not all('file_name' in entry for entry in entries):
        raise ValueError(f'{file}: an image has no file_name')
    if not all('width' in entry and 'height' in entry for entry in entries):
        height, width = read_image(str(images / entries[0]['file_name'])).shape[:2]
        for entry in entries:
            entry.update(width=width, height=height)
    for entry in entries:
        entry.setdefault('nframes', len(entries))
