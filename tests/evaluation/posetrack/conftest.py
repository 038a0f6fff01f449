"""Small sequences that are put together person by person."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from posediff.evaluation.posetrack import PoseTrackEvaluator, PoseTrackResult
from posediff.structures.posetrack_joints import EVALUATED_JOINTS, EVALUATED_KEYPOINTS, POSETRACK18_KEYPOINTS

HEAD = (90, 90, 30, 40)  # x, y, w, h: the head's size is 0.6 * 50 = 30 px, so 15 px are near enough


def pose(dx: float = 0.0, dy: float = 0.0, joints=EVALUATED_JOINTS) -> dict[str, list[float]]:
    """x, y of joints in a row, 20 px apart."""
    return {
        name: [100.0 + 20 * index + dx, 100.0 + dy] for index, name in enumerate(EVALUATED_JOINTS) if name in joints
    }


class Scene:
    """A sequence and predictions for it, as files of PoseTrack18's form."""

    def __init__(self, sequence: str = '000001_mpii_test', keypoints=POSETRACK18_KEYPOINTS) -> None:
        self.sequence = sequence
        self.keypoints = tuple(keypoints)
        self.truth = {'images': [], 'annotations': [], 'categories': [self.category()]}
        self.predictions = {'images': [], 'annotations': [], 'categories': [self.category()]}

    def category(self):
        return {'name': 'person', 'id': 1, 'keypoints': list(self.keypoints)}

    def frame(self, regions=(), **image):
        number = len(self.truth['images'])
        shared = {'id': 1000 + number, 'file_name': f'images/val/{self.sequence}/{number:06d}.jpg'}
        polygons = {
            'ignore_regions_x': [[x for x, _ in region] for region in regions],
            'ignore_regions_y': [[y for _, y in region] for region in regions],
        }
        self.truth['images'].append({**shared, 'is_labeled': True, **polygons, **image})
        self.predictions['images'].append(dict(shared))
        return self

    def person(self, points, head=HEAD, **annotation):
        self._add(self.truth, points, {'bbox_head': list(head), 'scores': [], **annotation})
        return self

    def predict(self, points, score=0.5, **annotation):
        scores = [score] * len(self.keypoints) if not isinstance(score, list) else score
        self._add(self.predictions, points, {'scores': scores, **annotation})
        return self

    def _add(self, document, points, annotation):
        """Keypoints are x, y or x, y, visibility; what is not given is 0, 0, 0."""
        image_id = document['images'][-1]['id']
        keypoints = []
        for name in self.keypoints:
            x, y, *visibility = points.get('neck' if name == 'head_bottom' else name, (0, 0, 0))
            keypoints += [x, y, *(visibility or [1])]
        track_id = sum(other['image_id'] == image_id for other in document['annotations'])
        document['annotations'].append(
            {'image_id': image_id, 'track_id': track_id, 'keypoints': keypoints, **annotation}
        )

    def result(self, protocol: str = 'poseval') -> PoseTrackResult:
        return evaluate((self.truth, self.predictions), protocol=protocol)

    def write(self, folder: Path, old: bool = False) -> tuple[Path, Path]:
        for name, document in (('gt', self.truth), ('pred', self.predictions)):
            (folder / name).mkdir(parents=True, exist_ok=True)
            content = to_posetrack17(document) if old else document
            (folder / name / f'{self.sequence}.json').write_text(json.dumps(content))
        return folder / 'gt', folder / 'pred'


def evaluate(*pairs, protocol='poseval') -> PoseTrackResult:
    """Evaluate pairs of contents of files."""
    evaluator = PoseTrackEvaluator(protocol)
    for truth, predictions in pairs:
        evaluator.add(truth, predictions)
    return evaluator.result()


def to_posetrack17(document):
    """The same in PoseTrack17's form."""
    names = document['categories'][0]['keypoints']
    frames = []
    for image in document['images']:
        rectangles = []
        for person in document['annotations']:
            if person['image_id'] == image['id']:
                rectangles.append(_rectangle(person, names))
        frame = {'image': [{'name': image['file_name']}], 'annorect': rectangles}
        if image.get('ignore_regions_x'):
            frame['ignore_regions'] = [
                {'point': [{'x': [x], 'y': [y]} for x, y in zip(*region)]}
                for region in zip(image['ignore_regions_x'], image['ignore_regions_y'])
            ]
        frames.append(frame)
    return {'annolist': frames}


def _rectangle(person, names):
    points = []
    for index, name in enumerate(names):
        x, y, visibility = person['keypoints'][3 * index : 3 * index + 3]
        if name in EVALUATED_KEYPOINTS and (x, y, visibility) != (0, 0, 0):
            point = {'id': [EVALUATED_KEYPOINTS.index(name)], 'x': [x], 'y': [y]}
            if person['scores']:
                point['score'] = [person['scores'][index]]
            points.append(point)
    rectangle = {'track_id': [person['track_id']], 'annopoints': [{'point': points}]}
    if 'bbox_head' in person:
        x, y, w, h = person['bbox_head']
        rectangle |= {'x1': [x], 'y1': [y], 'x2': [x + w], 'y2': [y + h]}
    return rectangle


class Kit:
    """What the tests take from here."""

    Scene = Scene
    pose = staticmethod(pose)
    evaluate = staticmethod(evaluate)
    to_posetrack17 = staticmethod(to_posetrack17)


@pytest.fixture(scope='session')
def kit() -> type[Kit]:
    return Kit
