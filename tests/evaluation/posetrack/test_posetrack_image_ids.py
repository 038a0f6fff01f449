"""Persons belong to images by what their ids say, however they are written."""

from __future__ import annotations

import json

import pytest

from posediff.evaluation.posetrack.ground_truth import from_coco

WRITINGS = {
    'text': str,
    'float': float,
    'spaces': lambda image_id: f' {image_id} ',
    'leading zeros': lambda image_id: f'{image_id:012d}',
    'name': lambda image_id: f'000001_mpii_test/{image_id - 1000:06d}.jpg',
    'path': lambda image_id: f'images/val/000001_mpii_test/{image_id - 1000:06d}.jpg',
}


@pytest.fixture
def scene(kit):
    scene = kit.Scene().frame().person(kit.pose()).predict(kit.pose(), score=0.9)
    return scene.frame().person(kit.pose(dy=200)).predict(kit.pose(dy=203), score=0.8)


@pytest.mark.parametrize('protocol', ['poseval', 'posetrack21'])
@pytest.mark.parametrize('writing', WRITINGS)
def test_an_id_is_matched_by_its_value(scene, protocol, writing):
    expected = scene.result(protocol).to_dict()
    assert expected['ap'][-1] == 100
    for annotation in scene.predictions['annotations']:
        annotation['image_id'] = WRITINGS[writing](annotation['image_id'])
    assert scene.result(protocol).to_dict() == expected


@pytest.mark.parametrize('protocol', ['poseval', 'posetrack21'])
def test_images_may_have_their_ids_as_text_too(scene, protocol):
    expected = scene.result(protocol).to_dict()
    for image in scene.predictions['images']:
        image['id'] = str(image['id'])
    assert scene.result(protocol).to_dict() == expected


def test_numbers_of_frames_throughout_are_paired_by_position(scene):
    expected = scene.result().to_dict()
    for entry in (*scene.predictions['images'], *scene.predictions['annotations']):
        key = 'id' if 'id' in entry else 'image_id'
        entry[key] -= 1000
    assert scene.result().to_dict() == expected


@pytest.mark.parametrize('protocol', ['poseval', 'posetrack21'])
@pytest.mark.parametrize('image_id', [0, '1', 1.5, '000002_mpii_test/000000.jpg', '', None])
def test_the_first_id_of_no_image_is_named(scene, protocol, image_id):
    scene.predictions['annotations'][1]['image_id'] = image_id
    with pytest.raises(ValueError, match=r'predictions: annotations\[1\]: image_id .* is none of the images') as error:
        scene.result(protocol)
    assert repr(image_id) in str(error.value)


def test_a_name_of_two_images_is_none(scene):
    scene.predictions['images'][1]['file_name'] = 'images/val/000001_mpii_other/000000.jpg'
    scene.predictions['annotations'][0]['image_id'] = '000000.jpg'
    with pytest.raises(ValueError, match=r"annotations\[0\]: image_id '000000.jpg' is that of 2 images"):
        scene.result()


def test_a_frame_id_is_no_image_id(scene):
    annotation = scene.predictions['annotations'][0]
    annotation['frame_id'] = annotation.pop('image_id')
    with pytest.raises(ValueError, match=r"predictions: annotations\[0\] has no 'image_id'"):
        scene.result()


def test_predictions_of_other_pictures_are_refused(scene):
    for number, image in enumerate(scene.predictions['images']):
        image['file_name'] = f'images/val/000009_mpii_test/{number + 500:06d}.jpg'
    with pytest.raises(
        ValueError, match=r'predictions: none of its images .* images\[0\] is .*000009_mpii_test/000500'
    ):
        scene.result()


@pytest.mark.parametrize('protocol', ['poseval', 'posetrack21'])
def test_normalised_predictions_are_refused(scene, protocol):
    for annotation in scene.predictions['annotations']:
        keypoints = annotation['keypoints']
        annotation['keypoints'] = [value if place % 3 == 2 else value / 1000 for place, value in enumerate(keypoints)]
    with pytest.raises(
        ValueError, match='predictions: no keypoint lies further than .* they are normalised, not in px'
    ):
        scene.result(protocol)


def test_persons_of_a_coco_file_are_matched_too(scene, tmp_path):
    path = tmp_path / 'val.json'
    path.write_text(json.dumps(scene.truth))
    expected = list(from_coco(path))
    for annotation in scene.truth['annotations']:
        annotation['image_id'] = str(annotation['image_id'])
    path.write_text(json.dumps(scene.truth))
    found = list(from_coco(path))
    assert [name for name, _ in found] == [name for name, _ in expected]
    assert [len(document['annotations']) for _, document in found] == [2]
    scene.truth['annotations'][1]['image_id'] = 'x'
    path.write_text(json.dumps(scene.truth))
    with pytest.raises(ValueError, match=r"val\.json: annotations\[1\]: image_id 'x' is none of the images"):
        list(from_coco(path))
