"""MMPose's readers of annotated video with strict validation."""

from __future__ import annotations

import functools
import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from posediff.fileio.annolist import is_annolist


def open_source(reader: str, **kwargs: Any) -> Any:
    """Read the persons of a COCO-style file with a class of MMPose and :class:`StrictReading`.

    Args:
        reader: ``'PoseTrack18Dataset'`` or ``'JhmdbDataset'``.
        **kwargs: Arguments of MMPose's class.
    """
    return _source_class(reader)(**kwargs)


@functools.cache
def _source_class(reader: str) -> type:
    body = importlib.import_module('mmpose.datasets.datasets.body')  # lifting does not need MMPose
    return type(f'Strict{reader}', (StrictReading, getattr(body, reader)), {})


class StrictReading:
    """Mixin before MMPose's class: adds ``nframes`` of the video and ``frame_path`` to each person's record.

    MMPose omits persons without keypoints and accepts broken entries. Here broken entries raise an error.

    Args:
        ann_file, bbox_file: Must exist and be valid; other arguments as of MMPose's class.

    Raises:
        FileNotFoundError: A file does not exist.
        ValueError: A file is not JSON or lacks its lists, a keypoint or box is not finite, a box is empty or outside
            its image, or a detection belongs to no image of ``ann_file``.
    """

    ann_file: str
    bbox_file: str | None
    metainfo: dict[str, Any]

    def __init__(self, **kwargs: Any) -> None:
        self._checked: dict[int, dict[str, Any]] = {}
        super().__init__(**kwargs)

    def load_data_list(self) -> list[dict]:
        document = _read_json(self.ann_file)
        images = document.get('images') if isinstance(document, dict) else None
        if is_annolist(document):
            raise ValueError(
                f'{self.ann_file} is in the form of PoseTrack2017: posediff convert posetrack17 '
                'converts a split to what is needed here'
            )
        if not images or not isinstance(document.get('annotations'), list):
            raise ValueError(f'{self.ann_file}: no images and annotations in it; expected a COCO-style file')
        self._check_categories(document.get('categories'))
        self._checked = {image['id']: image for image in images}
        if not self.bbox_file:
            for number, annotation in enumerate(document['annotations']):
                self._check_annotation(number, annotation)
        else:
            self._check_detections(_read_json(self.bbox_file))
        records: list[dict] = super().load_data_list()  # type: ignore[misc]
        for record in records:
            image = self._checked[record['img_id']]
            record['nframes'] = self._num_frames(image)
            record['frame_path'] = image['file_name']
        if not records:
            raise ValueError(f'{self.ann_file}: no person with keypoints and a box in it')
        return records

    def _check_categories(self, categories: Any) -> None:
        names = list(self.metainfo['keypoint_id2name'].values())
        for category in categories or []:
            found = category.get('keypoints')
            if found is not None and list(found) != names:
                raise ValueError(
                    f'{self.ann_file} lists keypoints {", ".join(map(str, found))}; the configs are for '
                    f'{", ".join(names)}: another version of the annotations?'
                )

    def _check_annotation(self, number: int, annotation: dict[str, Any]) -> None:
        origin = f'{self.ann_file}: annotation {annotation.get("id", f"number {number}")}'
        image = self._checked.get(annotation.get('image_id'))  # type: ignore[arg-type]
        if image is None:
            raise ValueError(f'{origin} belongs to image {annotation.get("image_id")}, which is not in the file')
        keypoints = np.asarray(annotation.get('keypoints', []), dtype=np.float64)
        expected = 3 * self.metainfo['num_keypoints']
        if len(keypoints) not in (0, expected):
            raise ValueError(f'{origin} has {len(keypoints)} numbers of keypoints, expected {expected}')
        if not np.isfinite(keypoints).all():
            raise ValueError(f'{origin} ({image["file_name"]}) has a keypoint that is not finite')
        if len(keypoints) and keypoints.max() > 0 and not annotation.get('iscrowd', False):
            _check_box(origin, annotation.get('bbox'), image)

    def _check_detections(self, detections: Any) -> None:
        if not isinstance(detections, list):
            raise ValueError(f'{self.bbox_file}: expected a list of detections, got {type(detections).__name__}')
        for number, detection in enumerate(detections):
            origin = f'{self.bbox_file}: detection {number}'
            image = self._checked.get(detection.get('image_id'))
            if image is None:
                raise ValueError(
                    f'{origin} is of image {detection.get("image_id")}, which is not in {self.ann_file}: detections of '
                    'other images?'
                )
            if not np.isfinite(detection.get('score', np.nan)):
                raise ValueError(f'{origin} ({image["file_name"]}) has score {detection.get("score")}')
            _check_box(origin, detection.get('bbox'), image)

    def _num_frames(self, image: dict[str, Any]) -> int:
        count = image.get('nframes')
        if count is None or int(count) < 1:
            raise ValueError(f'{self.ann_file}: image {image["file_name"]} has nframes {count}, not the video length')
        return int(count)


def _read_json(path: str) -> Any:
    if not Path(path).is_file():
        raise FileNotFoundError(f'annotation file {path} does not exist')
    try:
        return json.loads(Path(path).read_bytes())
    except ValueError as error:
        raise ValueError(f'{path} is not readable JSON (truncated?): {error}') from error


def _check_box(origin: str, box: Any, image: dict[str, Any]) -> None:
    """Check that a box (x, y, w, h) is not empty and overlaps the image."""
    values = np.asarray([] if box is None else box[:4], dtype=np.float64)
    if values.shape != (4,) or not np.isfinite(values).all():
        raise ValueError(f'{origin} ({image["file_name"]}) has box {box}: four finite numbers are expected')
    x, y, w, h = values
    inside = x < image['width'] and y < image['height'] and x + w > 0 and y + h > 0
    if w <= 0 or h <= 0 or not inside:
        size = f'{image["width"]}x{image["height"]}'
        raise ValueError(f'{origin} ({image["file_name"]}, {size}) has box {box}: no area, or outside the image')
