"""Where PoseTrack21's evaluator differs."""

import math

import numpy as np
import pytest

from posediff.structures.posetrack_joints import EVALUATED_JOINTS

NOSE = EVALUATED_JOINTS.index('nose')
SQUARE = [(0, 0), (2000, 0), (2000, 2000), (0, 2000)]


@pytest.fixture
def scene(kit):
    return kit.Scene().frame()


@pytest.fixture
def pose(kit):
    return kit.pose


def counts(scene, joint=slice(None), protocol='posetrack21'):
    result = scene.result(protocol)
    return tuple(int(np.sum(numbers[joint])) for numbers in (result.num_true, result.num_predicted, result.num_right))


def test_what_both_agree_on(kit, pose):
    scene = kit.Scene()
    for region in ([], [[(300, 0), (400, 150), (300, 150)]]):
        scene.frame(regions=region).person(pose()).person(pose(dy=40) | {'nose': [0, 0, 0]})
        scene.predict(pose(3, 3), score=0.9).predict(pose(dy=50, dx=9), score=0.7).predict(pose(dx=700), score=0.8)
    expected = scene.result('poseval')
    assert 0 < expected.total('ap') < 100
    assert scene.result('posetrack21').to_dict() == expected.to_dict()


@pytest.mark.parametrize(('place', 'there'), [((-1.0, 100.0), 0), ((100.0, 0.0), 0), ((math.nan, 5), 0), ((1.0, 1), 1)])
def test_joints_beside_the_image_are_not_there(scene, pose, place, there):
    scene.person(pose()).predict(pose() | {'nose': [*place]})
    assert counts(scene, NOSE) == (1, there, 0)
    scene.truth['annotations'].clear()
    scene.person(pose() | {'nose': [*place]})
    assert counts(scene, NOSE)[0] == there


def test_frames_count_if_they_are_labelled(kit, pose):
    scene = kit.Scene().frame(is_labeled=False).person(pose()).predict(pose()).frame().person(pose()).predict(pose())
    assert counts(scene) == (15, 15, 15)
    assert counts(scene, protocol='poseval') == (30, 30, 30)


def test_a_joint_that_is_only_predicted_has_ap_0(scene, pose):
    result = scene.person(pose() | {'nose': [0, 0, 0]}).predict(pose()).result('posetrack21')
    assert result.ap[NOSE] == result.recall[NOSE] == result.precision[NOSE] == 0
    assert result.total('ap') == pytest.approx(100 * 14 / 15)


def integers(points):
    return {name: [int(x), int(y), 1] for name, (x, y) in points.items()}


@pytest.mark.parametrize(('score', 'other', 'ap'), [(0.9, 0.5, 25), (1.9, 0.5, 50), (-0.9, -0.5, 50)])
def test_scores_beside_integers_are_cut(scene, pose, score, other, ap):
    """A right pose in one frame and a wrong one in the next; towards 0, so 0.9 and -0.9 become 0."""
    scene.person(pose()).predict(integers(pose()), score=score)
    scene.frame().person(pose()).predict(pose(dx=900.5), score=other)
    assert scene.result('posetrack21').total('ap') == pytest.approx(ap)
    assert scene.result('poseval').total('ap') == pytest.approx(50 if score > other else 25)


def test_one_number_with_a_point_keeps_the_scores_of_its_frame(scene, pose):
    scene.person(pose()).predict(integers(pose()), score=0.9).predict(integers(pose(dx=900)), score=0.8)
    scene.predictions['annotations'][1]['keypoints'][0] = 5.5
    scene.predictions['annotations'].reverse()  # with scores cut, they would be equal and the later one first
    assert scene.result('posetrack21').total('ap') == 100


def test_keypoints_are_found_by_position(scene, pose):
    scene.person(pose()).predict(pose())
    for document in (scene.truth, scene.predictions):
        document['categories'] = []
    assert counts(scene) == (15, 15, 15)


def test_further_frames_of_predictions_are_not_looked_at(scene, pose):
    scene.person(pose()).predict(pose()).frame().person(pose()).predict(pose())
    del scene.truth['images'][1], scene.truth['annotations'][1]
    assert counts(scene) == (15, 15, 15)


def test_ids_are_compared_where_frames_count(kit, pose):
    scene = kit.Scene().frame(is_labeled=False).frame().person(pose()).predict(pose())
    scene.predictions['images'][0]['id'] = 7
    assert counts(scene) == (15, 15, 15)
    scene.truth['images'][0]['is_labeled'] = True
    with pytest.raises(ValueError, match=r'predictions: images\[0\] has the id 7.*1000'):
        scene.result('posetrack21')


@pytest.mark.parametrize('joints', [EVALUATED_JOINTS, ()])
def test_labelled_frames_without_persons_are_refused(kit, pose, joints):
    scene = kit.Scene().frame().predict(pose())
    with pytest.raises(ValueError, match='000000.jpg is labelled but has no person'):
        scene.result('posetrack21')
    inside = kit.Scene().frame(regions=[SQUARE]).person(pose(joints=joints)).predict(pose())
    with pytest.raises(ValueError, match='ignore regions'):
        inside.result('posetrack21')
    assert counts(kit.Scene().frame().person({}).predict(pose())) == (0, 15, 0)


def test_track_ids_are_compared_after_regions(kit, pose):
    region = [(1000, 0), (2000, 0), (2000, 2000), (1000, 2000)]
    scene = kit.Scene().frame(regions=[region]).person(pose()).predict(pose()).predict(pose(dx=950), track_id=0)
    assert counts(scene) == (15, 15, 15)
    scene.predict(pose(dy=9), track_id=0)
    with pytest.raises(ValueError, match='track_id 0 occurs twice'):
        scene.result('posetrack21')
    twice = kit.Scene().frame().person(pose()).person(pose(dy=50), track_id=0)
    with pytest.raises(ValueError, match='track_id 0 occurs twice'):
        twice.result('posetrack21')
    assert counts(twice, protocol='poseval') == (30, 0, 0)


@pytest.mark.parametrize(
    ('document', 'key', 'field'),
    [
        ('truth', 'images', 'ignore_regions_x'),
        ('truth', 'images', 'ignore_regions_y'),
        ('truth', 'images', 'is_labeled'),
        ('truth', 'annotations', 'bbox_head'),
        ('truth', 'annotations', 'track_id'),
        ('predictions', 'annotations', 'track_id'),
        ('predictions', 'images', 'id'),
    ],
)
def test_what_has_to_be_given(scene, pose, document, key, field):
    scene.person(pose()).predict(pose())
    del getattr(scene, document)[key][0][field]
    with pytest.raises(ValueError, match=rf"{key}\[0\] has no '{field}'"):
        scene.result('posetrack21')


@pytest.mark.parametrize(
    ('changes', 'said'),
    [
        ({'scores': []}, 'scores has 0 numbers'),
        ({'image_id': 3}, 'image_id 3 is none of the images'),
        ({'keypoints': [1.0] * 45}, 'keypoints has 45'),
    ],
)
def test_malformed_predictions_are_refused(scene, pose, changes, said):
    scene.person(pose()).predict(pose(), **changes)
    with pytest.raises(ValueError, match=rf'predictions: annotations\[0\].*{said}'):
        scene.result('posetrack21')


def test_what_else_is_refused(kit, scene, pose):
    scene.person(pose()).predict(pose())
    documents = [kit.to_posetrack17(document) for document in (scene.truth, scene.predictions)]
    with pytest.raises(ValueError, match="ground truth has no 'images'"):
        kit.evaluate(documents, protocol='posetrack21')
    with pytest.raises(ValueError, match="protocol 'coco' is none of poseval, posetrack21"):
        scene.result('coco')
    scene.truth['images'][0]['ignore_regions_x'] = [[1, 2, 3]]
    scene.truth['images'][0]['ignore_regions_y'] = [[1, 2]]
    with pytest.raises(ValueError, match=r'images\[0\]: ignore region 0 has 3 x and 2 y'):
        scene.result('posetrack21')
    scene.truth['images'].append(scene.truth['images'][0])
    scene.truth['images'][0]['ignore_regions_x'] = []
    with pytest.raises(ValueError, match=r'images\[1\]: the id 1000 occurs twice'):
        scene.result('posetrack21')
    scene.truth['images'].pop()
    scene.predictions['images'].clear()
    scene.predictions['annotations'].clear()
    with pytest.raises(ValueError, match='predictions: 0 frames, but the ground truth has 1'):
        scene.result('posetrack21')
