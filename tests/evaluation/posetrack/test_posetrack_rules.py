"""Every rule of PoseTrack's AP on sequences that are small enough to count by hand."""

import math

import numpy as np
import pytest

from posediff.structures.posetrack_joints import EVALUATED_JOINTS, EVALUATED_KEYPOINTS, POSETRACK18_KEYPOINTS

ANKLE, KNEE, NOSE = (EVALUATED_JOINTS.index(name) for name in ('right_ankle', 'right_knee', 'nose'))
SQUARE = [(0, 0), (2000, 0), (2000, 2000), (0, 2000)]


@pytest.fixture
def scene(kit):
    return kit.Scene().frame()


@pytest.fixture
def pose(kit):
    return kit.pose


def counts(result, joint=slice(None)):
    """Annotated, predicted and right joints."""
    return tuple(int(np.sum(numbers[joint])) for numbers in (result.num_true, result.num_predicted, result.num_right))


# --- which joints there are -------------------------------------------------------------------------------------------


def test_an_exact_prediction_is_perfect(scene, pose):
    result = scene.person(pose()).predict(pose()).result()
    for measure in ('ap', 'precision', 'recall'):
        assert getattr(result, measure).tolist() == [100.0] * 15
        assert set(result.groups(measure).values()) == {100.0}


def test_visibility_0_with_coordinates_counts(scene, pose):
    hidden = {name: [x, y, 0] for name, (x, y) in pose().items()}
    assert counts(scene.person(hidden).predict(hidden).result()) == (15, 15, 15)


def test_a_joint_at_the_origin_with_visibility_counts(scene, pose):
    at_origin = pose() | {'nose': [0, 0, 1]}
    assert counts(scene.person(at_origin).predict(at_origin).result(), NOSE) == (1, 1, 1)


def test_zeros_are_no_joint(scene, pose):
    absent = pose() | {'nose': [0, 0, 0]}
    assert counts(scene.person(pose()).predict(absent).result(), NOSE) == (1, 0, 0)


def test_a_predicted_joint_that_is_not_annotated_is_wrong(scene, pose):
    result = scene.person(pose(joints=['nose'])).predict(pose()).result()
    assert counts(result) == (1, 15, 1)


@pytest.mark.parametrize('place', [(math.nan, 100.0), (100.0, math.nan), (math.inf, 100.0), (-5.0, -5.0)])
def test_wherever_a_prediction_lies_it_counts(scene, pose, place):
    result = scene.person(pose()).predict(pose() | {'nose': [*place]}).result()
    assert counts(result, NOSE) == (1, 1, 0)


def test_ears_do_not_count(scene, pose):
    ears = {'left_ear': [500, 500], 'right_ear': [500, 500]}
    assert counts(scene.person(pose()).predict(pose() | ears).result()) == (15, 15, 15)


# --- distances --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(('offset', 'right'), [((15.0, 0), 15), ((9, 12), 15), ((15.001, 0), 0), ((9, 12.001), 0)])
def test_half_a_head_is_near_enough(scene, pose, offset, right):
    assert counts(scene.person(pose()).predict(pose(*offset)).result()) == (15, 15, right)


def test_with_a_head_of_no_size_nothing_is_right(scene, pose):
    assert counts(scene.person(pose(), head=(90, 90, 0, 0)).predict(pose()).result()) == (15, 15, 0)


def test_a_head_box_is_needed_where_there_are_predictions(scene, pose):
    scene.person(pose())
    del scene.truth['annotations'][0]['bbox_head']
    assert counts(scene.result()) == (15, 0, 0)
    with pytest.raises(ValueError, match=r'000001_mpii_test/000000.jpg has no head box'):
        scene.predict(pose()).result()


# --- frames -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize('labelled', [True, False])
def test_frames_without_annotations_do_not_count(kit, pose, labelled):
    scene = kit.Scene().frame(is_labeled=labelled).predict(pose()).frame().person(pose()).predict(pose())
    assert counts(scene.result()) == (15, 15, 15)


def test_a_frame_with_annotations_counts_though_it_is_not_labelled(kit, pose):
    scene = kit.Scene().frame(is_labeled=False).person(pose()).predict(pose())
    assert counts(scene.result()) == (15, 15, 15)


def test_a_person_without_joints_keeps_its_frame(scene, pose):
    assert counts(scene.person({}).predict(pose()).result()) == (0, 15, 0)


def test_frames_are_paired_by_position(kit, pose):
    scene = kit.Scene().frame().person(pose()).predict(pose())
    scene.frame().person(pose(dy=300)).predict(pose(dy=300))
    assert counts(scene.result()) == (30, 30, 30)
    scene.predictions['images'].reverse()
    said = r"in another order: images\[0\] is '.*000001.jpg', there it is '.*000000.jpg'; frames are paired by position"
    with pytest.raises(ValueError, match=said):
        scene.result()
    scene.predictions['images'][0]['file_name'] = 'images/val/000001_mpii_test/000007.jpg'
    assert counts(scene.result()) == (30, 30, 0)


def test_the_number_of_frames_has_to_be_equal(scene, pose):
    scene.frame().person(pose()).predict(pose())
    del scene.predictions['images'][0]
    with pytest.raises(ValueError, match='predictions: 1 frames, but the ground truth has 2'):
        scene.result()


def test_only_the_first_video_of_a_file_counts(scene, pose):
    scene.person(pose()).predict(pose())
    scene.frame(file_name='images/val/000002_mpii_test/000000.jpg').person(pose()).predict(pose())
    scene.predictions['images'][1]['file_name'] = scene.truth['images'][1]['file_name']
    assert counts(scene.result()) == (15, 15, 15)


# --- ignore regions ---------------------------------------------------------------------------------------------------


def around_ankle(width=19):
    """The right ankle is at (100, 100), its neighbour 20 px to the right."""
    return [(100 - width, 80), (100 + width, 80), (100 + width, 120), (100 - width, 120)]


def test_joints_in_regions_are_dropped_on_both_sides(kit, pose):
    scene = kit.Scene().frame(regions=[around_ankle()]).person(pose()).predict(pose())
    assert counts(scene.result()) == (14, 14, 14)
    assert counts(scene.result(), ANKLE) == (0, 0, 0)


@pytest.mark.parametrize('width', [0.0, 20.0])
def test_the_border_is_not_inside(kit, pose, width):
    """A polygon with an edge through the ankle, or through the knee."""
    region = [(100, 80), (100 + width, 80), (100 + width, 120), (100, 120)]
    scene = kit.Scene().frame(regions=[region]).person(pose()).predict(pose())
    assert counts(scene.result()) == (15, 15, 15)


def test_what_a_polygon_encloses_twice_is_not_inside(kit, pose):
    twice = [*around_ankle(), *around_ankle(15)]
    scene = kit.Scene().frame(regions=[twice]).person(pose()).predict(pose())
    assert counts(scene.result()) == (15, 15, 15)


def test_a_true_joint_outside_and_its_prediction_inside_is_a_miss(kit, pose):
    region = [(101, 80), (119, 80), (119, 120), (101, 120)]
    scene = kit.Scene().frame(regions=[region]).person(pose()).predict(pose() | {'right_ankle': [105, 100]})
    result = scene.result()
    assert counts(result, ANKLE) == (1, 0, 0)
    assert result.ap[ANKLE] == 0


def test_the_share_of_right_joints_is_of_those_outside_regions(kit, pose):
    """The second true person has 1 joint of 15 outside, and it is right; the first has 14 of 15."""
    region = [(0, 0), (2000, 0), (2000, 100.5), (0, 100.5)]
    scene = kit.Scene().frame(regions=[region])
    scene.person(pose(dy=10)).person(pose() | {'right_ankle': [100, 101]})
    scene.predict(pose(dy=10) | {'right_knee': [500, 500]})
    assert counts(scene.result(), ANKLE) == (2, 1, 1)
    assert counts(scene.result()) == (16, 15, 1)


def test_a_frame_that_loses_all_its_truth_stays(kit, pose):
    scene = kit.Scene().frame(regions=[around_ankle()]).person(pose(joints=['right_ankle'])).predict(pose())
    assert counts(scene.result()) == (0, 14, 0)


def test_regions_are_of_their_frame(kit, pose):
    scene = kit.Scene().frame(regions=[SQUARE]).person(pose()).predict(pose()).frame().person(pose()).predict(pose())
    assert counts(scene.result()) == (15, 15, 15)


@pytest.mark.parametrize(('vertices', 'fails'), [(0, False), (1, True), (2, True), (3, False)])
def test_polygons_need_three_vertices_or_none(kit, pose, vertices, fails):
    scene = kit.Scene().frame(regions=[SQUARE, SQUARE[:vertices]]).person(pose()).predict(pose())
    if fails:
        with pytest.raises(ValueError, match=f'ground truth.*frame 0.*{vertices} vertices'):
            scene.result()
    else:
        assert counts(scene.result()) == (0, 0, 0)


def test_bad_regions_of_frames_that_do_not_count_do_not_matter(kit, pose):
    scene = kit.Scene().frame(regions=[SQUARE[:2]]).frame().person(pose()).predict(pose())
    assert counts(scene.result()) == (15, 15, 15)


# --- assignment -------------------------------------------------------------------------------------------------------


def test_who_loses_gets_no_second_best(scene, pose):
    """Both predictions are nearest to the first person; the worse one would fit the second."""
    scene.person(pose()).person(pose(dy=20))
    scene.predict(pose(dy=8)).predict(pose(dy=9) | {'nose': [0, 0, 0]})
    assert counts(scene.result()) == (30, 29, 15)


def test_the_first_of_equals_is_taken(scene, pose):
    shifted = pose(dy=5)
    scene.person(pose()).predict(pose(), score=0.1).predict(shifted, score=0.9)
    assert scene.result().ap[NOSE] == pytest.approx(50)


def test_the_first_of_equal_true_persons_is_chosen(scene, pose):
    """Were the second chosen, the prediction of the ankle alone would be right as well."""
    scene.person(pose()).person(pose(dy=1) | {'right_ankle': [0, 0, 0]}).predict(pose())
    assert counts(scene.result(), ANKLE) == (1, 1, 1)


def test_the_better_pose_wins_whatever_its_score(scene, pose):
    worse = pose() | {'nose': [900, 900]}
    result = scene.person(pose()).predict(worse, score=0.9).predict(pose(), score=0.1).result()
    assert counts(result) == (15, 30, 15)
    assert result.ap[KNEE] == pytest.approx(50)


def test_all_joints_of_an_unassigned_person_are_wrong(scene, pose):
    assert counts(scene.person(pose()).predict(pose()).predict(pose(dx=1000)).result()) == (15, 30, 15)


# --- figures ----------------------------------------------------------------------------------------------------------


def test_area_under_the_curve(kit):
    """Right, wrong, right, wrong, with 4 to find: 1/4 at precision 1, 1/4 at 2/3."""
    scene = kit.Scene()
    for index, (right, score) in enumerate([(True, 0.9), (False, 0.8), (True, 0.7), (False, 0.6)]):
        scene.frame().person({'nose': [100, 100]})
        scene.predict({'nose': [100, 100 if right else 300 + index]}, score=score)
    result = scene.result()
    assert result.ap[NOSE] == pytest.approx(100 * (1 / 4 + 1 / 4 * 2 / 3))
    assert result.precision[NOSE] == pytest.approx(50)
    assert result.recall[NOSE] == pytest.approx(50)


def test_precision_is_made_monotone_from_the_right(kit):
    """Wrong, right, right: the maximum to the right is 2/3 at both ranks."""
    scene = kit.Scene()
    for right, score in [(False, 0.9), (True, 0.8), (True, 0.7)]:
        scene.frame().person({'nose': [100, 100]}).predict({'nose': [100, 100 if right else 300]}, score=score)
    assert scene.result().ap[NOSE] == pytest.approx(100 * 2 / 3 * 2 / 3)


def test_sequences_are_pooled_not_averaged(kit):
    """A sequence of one right joint, and one of a wrong one that scores higher."""
    right = kit.Scene('000001_mpii_test').frame().person({'nose': [100, 100]}).predict({'nose': [100, 100]}, 0.1)
    wrong = kit.Scene('000002_mpii_test').frame().person({'nose': [100, 100]}).predict({'nose': [100, 500]}, 0.9)
    result = kit.evaluate((right.truth, right.predictions), (wrong.truth, wrong.predictions))
    assert result.ap[NOSE] == pytest.approx(25)


def test_scores_are_not_cut_off(scene, pose):
    assert scene.person(pose()).predict(pose(), score=-1e6).result().total('ap') == 100


def test_joints_without_score_come_last(scene, pose):
    """A wrong one without scores does no harm; -9999 is its score."""
    scene.person(pose()).predict(pose(), score=-9998.0).predict(pose(dx=1000), score=[])
    assert scene.result().total('ap') == 100
    del scene.predictions['annotations'][1]['scores']
    assert scene.result().total('ap') == 100
    scene.predictions['annotations'][0]['scores'] = [-10000.0] * 17
    assert scene.result().total('ap') == pytest.approx(50)


def test_a_joint_that_is_never_predicted_has_ap_0(scene, pose):
    """15 joints in the mean, one of them without prediction and annotation."""
    without = pose() | {'nose': [0, 0, 0]}
    result = scene.person(without).predict(without).result()
    assert [getattr(result, measure)[NOSE] for measure in ('ap', 'precision', 'recall')] == [0, 0, 0]
    assert result.total('ap') == pytest.approx(100 * 14 / 15)


def test_a_joint_that_is_only_predicted_has_no_ap(scene, pose):
    result = scene.person(pose() | {'nose': [0, 0, 0]}).predict(pose()).result()
    assert math.isnan(result.ap[NOSE])
    assert math.isnan(result.recall[NOSE])
    assert result.precision[NOSE] == 0
    assert result.total('ap') == result.total('recall') == 100
    assert result.total('precision') == pytest.approx(100 * 14 / 15)
    groups = result.groups('ap')
    assert math.isnan(groups.pop('Head'))
    assert set(groups.values()) == {100.0}
    document = result.to_dict()
    assert document['ap'][NOSE] is None
    assert document['groups']['ap'][0] is None


def test_the_head_weighs_three_joints_in_the_mean(scene, pose):
    scene.person(pose()).predict(pose(joints=['neck', 'nose', 'head_top']))
    result = scene.result()
    assert result.groups('ap') == {
        'Head': 100.0, 'Shoulder': 0.0, 'Elbow': 0.0, 'Wrist': 0.0, 'Hip': 0.0, 'Knee': 0.0, 'Ankle': 0.0,
        'Mean': pytest.approx(20.0),
    }  # fmt: skip


def test_nothing_at_all_is_0(kit):
    result = kit.Scene().frame().result()
    assert result.total('ap') == result.total('precision') == result.total('recall') == 0


def test_a_score_of_nan_ranks_first(scene, pose):
    scene.person(pose()).predict(pose(), score=0.9).predict(pose(dx=1000), score=math.nan)
    assert scene.result().total('ap') == pytest.approx(50)


# --- forms of files ---------------------------------------------------------------------------------------------------


def crowd(kit, pose, keypoints=POSETRACK18_KEYPOINTS):
    """Two frames with something of everything."""
    scene = kit.Scene(keypoints=keypoints)
    scene.frame(regions=[around_ankle(), [(300, 0), (400, 150), (300, 150)]]).person(pose()).person(pose(dy=40))
    scene.predict(pose(3, 3), score=0.9).predict(pose(dy=50, dx=9), score=0.7).predict(pose(dx=700), score=0.8)
    scene.frame().person(pose() | {'nose': [0, 0, 0], 'neck': [110, 90, 0]}).predict(pose(dx=14.5, dy=4), score=0.6)
    return scene.frame().predict(pose(), score=0.5)


@pytest.mark.parametrize('old', [(True, False), (False, True), (True, True)])
def test_posetrack17_files_give_the_same(kit, pose, old):
    scene = crowd(kit, pose)
    expected = scene.result()
    documents = [
        kit.to_posetrack17(document) if convert else document
        for document, convert in zip((scene.truth, scene.predictions), old)
    ]
    assert 0 < expected.total('ap') < 100
    assert kit.evaluate(documents).to_dict() == expected.to_dict()


@pytest.mark.parametrize('keypoints', [EVALUATED_KEYPOINTS, tuple(reversed(POSETRACK18_KEYPOINTS))])
def test_keypoints_are_found_by_name(kit, pose, keypoints):
    assert crowd(kit, pose, keypoints).result().to_dict() == crowd(kit, pose).result().to_dict()


def test_fields_that_do_not_matter(kit, pose):
    scene = crowd(kit, pose)
    expected = scene.result().to_dict()
    for annotation in (*scene.truth['annotations'], *scene.predictions['annotations']):
        annotation |= {'bbox': [1, 2, 3, 4], 'score': 0.0, 'category_id': 7, 'id': 0}
    for image in scene.truth['images']:
        image |= {'nframes': 99, 'vid_id': 'x', 'is_labeled': False}
    assert scene.result().to_dict() == expected


def test_points_of_posetrack17(kit, pose):
    """Ids that are not measured are left out, the first of two points of a joint counts, no score is -9999."""
    scene = kit.Scene().frame().person(pose()).predict(pose())
    truth, predictions = kit.to_posetrack17(scene.truth), kit.to_posetrack17(scene.predictions)
    points = predictions['annolist'][0]['annorect'][0]['annopoints'][0]['point']
    points += [{'id': [NOSE], 'x': [900], 'y': [900]}, {'id': [20], 'x': [1], 'y': [1]}, {'id': None}]
    for point in points[:-3]:
        del point['score']
    assert counts(kit.evaluate((truth, predictions))) == (15, 15, 15)


def test_rectangles_without_points_are_left_out(kit, pose):
    scene = kit.Scene().frame().person(pose()).predict(pose())
    truth, predictions = kit.to_posetrack17(scene.truth), kit.to_posetrack17(scene.predictions)
    for several in ([], [{}]):
        truth['annolist'][0]['annorect'][0]['annopoints'] = several
        assert counts(kit.evaluate((truth, predictions))) == (0, 15, 0)
    del truth['annolist'][0]['annorect'][0]
    assert counts(kit.evaluate((truth, predictions))) == (0, 0, 0)


# --- what is refused --------------------------------------------------------------------------------------------------


def spoil_nothing(scene):
    pass


def set_in(document, key, index, **changes):
    def spoil(scene):
        getattr(scene, document)[key][index].update(changes)

    return spoil


def delete(document, *path):
    def spoil(scene):
        *parents, last = path
        node = getattr(scene, document)
        for parent in parents:
            node = node[parent]
        del node[last]

    return spoil


REFUSED = {
    'two persons of one track': (set_in('predictions', 'annotations', 1, track_id=0), 'track_id 0 occurs twice.*0.jpg'),
    'a track id that is too high': (
        set_in('predictions', 'annotations', 1, track_id=10000),
        r'predictions: annotations\[1\].*10000',
    ),
    'a track id of the truth that is too high': (
        set_in('truth', 'annotations', 0, track_id=10000),
        r'ground truth: annotations\[0\].*10000',
    ),
    'no track id': (delete('predictions', 'annotations', 1, 'track_id'), r"annotations\[1\] has no 'track_id'"),
    'no keypoints': (delete('predictions', 'annotations', 1, 'keypoints'), r"annotations\[1\] has no 'keypoints'"),
    'few keypoints': (set_in('predictions', 'annotations', 1, keypoints=[1.0]), r'annotations\[1\]: keypoints has 1'),
    'keypoints as text': (
        set_in('predictions', 'annotations', 1, keypoints=['1'] * 51),
        r'annotations\[1\].*not a number',
    ),
    'keypoints of null': (
        set_in('predictions', 'annotations', 1, keypoints=[None] * 51),
        r'annotations\[1\].*not a number',
    ),
    'few scores': (set_in('predictions', 'annotations', 1, scores=[1.0] * 3), r'annotations\[1\]: scores has 3'),
    'half a head box': (set_in('truth', 'annotations', 0, bbox_head=[1, 2]), r'annotations\[0\]: bbox_head has 2'),
    'no image id': (delete('truth', 'annotations', 0, 'image_id'), r"annotations\[0\] has no 'image_id'"),
    'no file name': (delete('predictions', 'images', 0, 'file_name'), r"predictions: images\[0\] has no 'file_name'"),
    'an odd folder': (set_in('truth', 'images', 0, file_name='walk/000000.jpg'), r'images\[0\].*walk/000000.jpg'),
    'an odd source': (set_in('truth', 'images', 0, file_name='000001_coco/000000.jpg'), r'images\[0\].*000001_coco'),
    'an odd frame': (set_in('truth', 'images', 0, file_name='000001_mpii/first.jpg'), r'images\[0\].*first.jpg'),
    'no images': (delete('truth', 'images', slice(None)), 'ground truth: images is empty'),
    'no list of images': (delete('truth', 'images'), "ground truth has no 'images'"),
    'no annotations': (delete('predictions', 'annotations'), "predictions has no 'annotations'"),
    'no category': (delete('truth', 'categories', 0), 'ground truth: categories.*one category'),
    'an animal': (set_in('truth', 'categories', 0, name='horse'), "categories.*called 'person'"),
    'no neck': (
        set_in('truth', 'categories', 0, keypoints=['neck', *EVALUATED_KEYPOINTS[1:]]),
        'categories: the keypoints right_ankle are missing',
    ),
    '16 keypoints': (set_in('truth', 'categories', 0, keypoints=[*EVALUATED_KEYPOINTS, 'ear']), '15 or 17.*not 16'),
}


@pytest.mark.parametrize(('spoil', 'said'), [(spoil_nothing, None), *REFUSED.values()], ids=['whole', *REFUSED])
def test_malformed_files_are_refused(scene, pose, spoil, said):
    scene.person(pose()).predict(pose()).predict(pose(dx=9))
    spoil(scene)
    if said is None:
        assert counts(scene.result()) == (15, 30, 15)
    else:
        with pytest.raises(ValueError, match=said):
            scene.result()


def spoil_first(key):
    def spoil(truth, predictions):
        del predictions['annolist'][0]['annorect'][0][key]

    return spoil


def spoil_point(key):
    def spoil(truth, predictions):
        del predictions['annolist'][0]['annorect'][0]['annopoints'][0]['point'][3][key]

    return spoil


def spoil_rectangles(truth, predictions):
    del truth['annolist'][0]['annorect']


def spoil_head(truth, predictions):
    del truth['annolist'][0]['annorect'][0]['x2']


@pytest.mark.parametrize(
    ('spoil', 'said'),
    [
        (spoil_first('track_id'), '000000.jpg has no track_id'),
        (spoil_point('x'), r"predictions: annolist\[0\] has no 'x'"),
        (spoil_point('id'), r"predictions: annolist\[0\] has no 'id'"),
        (spoil_rectangles, r"ground truth: annolist\[0\] has no 'annorect'"),
        (spoil_head, '000000.jpg has no head box'),
    ],
)
def test_malformed_posetrack17_files_are_refused(kit, scene, pose, spoil, said):
    scene.person(pose()).predict(pose())
    truth, predictions = kit.to_posetrack17(scene.truth), kit.to_posetrack17(scene.predictions)
    spoil(truth, predictions)
    with pytest.raises(ValueError, match=said):
        kit.evaluate((truth, predictions))
