"""MOTA and HOTA of sequences that are small enough to be counted by hand.

The last frame of every sequence is left out of MOTA, so that six frames make five.
"""

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.evaluation.posetrack import PoseTrackEvaluator, evaluate_folders
from posediff.structures.posetrack_joints import EVALUATED_JOINTS

NOSE = EVALUATED_JOINTS.index('nose')
KEYS = ('mota', 'motp', 'mot_precision', 'mot_recall', 'hota', 'deta', 'assa')


def evaluate(*scenes, protocol='poseval'):
    evaluator = PoseTrackEvaluator(protocol, tracking=True)
    for scene in scenes:
        evaluator.add(scene.truth, scene.predictions)
    return evaluator.result().tracking


def totals(*scenes, protocol='poseval'):
    tracking = evaluate(*scenes, protocol=protocol)
    return {measure: pytest.approx(tracking.total(measure)) for measure in KEYS}


def film(kit, num_frames, predict, num_persons=1, sequence='000001_mpii_test'):
    """Persons one below the other; ``predict`` adds the predictions of a frame."""
    scene = kit.Scene(sequence)
    for frame in range(num_frames):
        scene.frame()
        for person in range(num_persons):
            scene.person(kit.pose(dy=200 * person), track_id=person + 7)
        predict(scene, frame)
    return scene


@pytest.fixture
def perfect(kit):
    def predict(scene, frame):
        scene.predict(kit.pose(), track_id=3).predict(kit.pose(dy=200), track_id=1)

    return film(kit, 6, predict, num_persons=2)


@pytest.mark.parametrize('protocol', ['poseval', 'posetrack21'])
def test_perfect_tracking_is_100(perfect, protocol):
    assert totals(perfect, protocol=protocol) == dict.fromkeys(KEYS, 100)
    assert evaluate(perfect, protocol=protocol).num_switches.tolist() == [0] * 15


def test_one_switch(kit):
    """5 matches, one of which is a switch; half of six frames to each of two tracks: association 3 / 6."""
    scene = film(kit, 6, lambda scene, frame: scene.predict(kit.pose(), track_id=int(frame >= 3)))
    assert totals(scene) == {
        'mota': 100 * (1 - 1 / 5), 'motp': 100, 'mot_precision': 100, 'mot_recall': 100,
        'hota': 100 * np.sqrt(0.5), 'deta': 100, 'assa': 50,
    }  # fmt: skip
    assert evaluate(scene).num_switches.tolist() == [1] * 15


def test_two_who_exchange_their_ids_switch_both(kit):
    def predict(scene, frame):
        scene.predict(kit.pose(), track_id=int(frame >= 3)).predict(kit.pose(dy=200), track_id=int(frame < 3))

    scene = film(kit, 6, predict, num_persons=2)
    assert evaluate(scene).num_switches.tolist() == [2] * 15
    assert totals(scene)['mota'] == 100 * (1 - 2 / 10)
    assert totals(scene)['assa'] == 100 / 3  # 3 of 6 + 6 - 3


def test_one_miss(kit):
    """The second of two persons is not found in frame 2: 9 of 10 in five frames, 11 of 12 in six."""

    def predict(scene, frame):
        scene.predict(kit.pose(), track_id=0)
        if frame != 2:
            scene.predict(kit.pose(dy=200), track_id=1)

    scene = film(kit, 6, predict, num_persons=2)
    association = (6 * 1 + 5 * 5 / 6) / 11
    assert totals(scene) == {
        'mota': 90, 'motp': 100, 'mot_precision': 100, 'mot_recall': 90,
        'hota': 100 * np.sqrt(11 / 12 * association), 'deta': 100 * 11 / 12, 'assa': 100 * association,
    }  # fmt: skip


def test_one_false_positive(kit):
    def predict(scene, frame):
        scene.predict(kit.pose(), track_id=0)
        if frame == 2:
            scene.predict(kit.pose(dy=500), track_id=1)

    scene = film(kit, 6, predict)
    assert totals(scene) == {
        'mota': 100 * (1 - 1 / 5), 'motp': 100, 'mot_precision': 100 * 5 / 6, 'mot_recall': 100,
        'hota': 100 * np.sqrt(6 / 7), 'deta': 100 * 6 / 7, 'assa': 100,
    }  # fmt: skip


def test_distances(kit):
    """3 px off, of a head of 30: similarity 0.80004, which is enough at 16 of the 19 thresholds."""
    scene = film(kit, 6, lambda scene, frame: scene.predict(kit.pose(dx=3), track_id=0))
    assert totals(scene) == {
        'mota': 100, 'motp': 90, 'mot_precision': 100, 'mot_recall': 100,
        'hota': 100 * 16 / 19, 'deta': 100 * 16 / 19, 'assa': 100 * 16 / 19,
    }  # fmt: skip


def test_a_frame_without_predictions(kit):
    """poseval: one miss and one false positive, whoever is there. PoseTrack21: all of the sequence is missed there."""

    def predict(scene, frame):
        if frame != 2:
            scene.predict(kit.pose(), track_id=0).predict(kit.pose(dy=200), track_id=1)

    scene = film(kit, 6, predict, num_persons=2)
    found = totals(scene)
    assert found['mota'] == 100 * (1 - 2 / 9)
    assert found['mot_precision'] == found['mot_recall'] == 100 * 8 / 9
    assert found['deta'] == 100 * 10 / 12
    assert found['assa'] == 100 * 5 / 6
    assert totals(scene, protocol='posetrack21')['deta'] == 100 * 10 / (10 + 12)


def test_no_predictions_at_all(kit):
    scene = film(kit, 6, lambda scene, frame: None, num_persons=2)
    for protocol in ('poseval', 'posetrack21'):
        assert totals(scene, protocol=protocol) == {
            'mota': -100, 'motp': 0, 'mot_precision': 0, 'mot_recall': 0, 'hota': 0, 'deta': 0, 'assa': 0
        }  # fmt: skip


def test_the_last_frame_is_no_part_of_mota(kit):
    wrong_at_the_end = film(kit, 6, lambda scene, frame: scene.predict(kit.pose(dy=500 * (frame == 5)), track_id=0))
    found = totals(wrong_at_the_end)
    assert found['mota'] == 100
    assert found['deta'] == 100 * 5 / 7
    assert totals(wrong_at_the_end.frame())['mota'] == 100  # a frame that does not count is not the last one


def test_one_frame_is_too_few_for_mota(kit, tmp_path):
    scene = film(kit, 1, lambda scene, frame: scene.predict(kit.pose(), track_id=0))
    document = evaluate_folders(*scene.write(tmp_path), tracking=True).to_dict()
    assert document['mota'] == [None] * 16
    assert document['motp'] == [0.0] * 16
    assert document['hota'] == [pytest.approx(100)] * 16
    assert totals(scene, film(kit, 2, lambda scene, frame: scene.predict(kit.pose(), track_id=0)))['mota'] == 100


def test_a_track_is_kept_though_another_is_nearer(kit):
    """In frame 0 one track is there, 9 px off; then there is another that is exact."""

    def predict(scene, frame):
        scene.predict(kit.pose(dx=9), track_id=0)
        if frame:
            scene.predict(kit.pose(), track_id=1)

    kept = evaluate(film(kit, 6, predict))
    assert kept.num_switches.tolist() == [0] * 15
    assert kept.total('motp') == pytest.approx(100 * (1 - 9 / 30))
    assert kept.total('mot_precision') == pytest.approx(100 * 5 / 9)
    both_at_once = evaluate(film(kit, 6, lambda scene, frame: predict(scene, 1)))
    assert both_at_once.total('motp') == 100


def test_as_many_as_possible_are_matched(kit):
    """True at 0 and 15, predicted at 1 and -14: who is nearest to the first would leave the second alone."""
    scene = kit.Scene()
    for _ in range(2):
        scene.frame().person(kit.pose(), track_id=0).person(kit.pose(dx=15), track_id=1)
        scene.predict(kit.pose(dx=1), track_id=0).predict(kit.pose(dx=-14), track_id=1)
    assert totals(scene)['mota'] == 100
    assert totals(scene)['motp'] == 100 * (1 - 14 / 30)


def test_an_identity_is_remembered_for_ever(kit):
    """Away for three frames and back under another id, then under the first again."""

    def predict(scene, frame):
        scene.predict(kit.pose(dy=500), track_id=9)
        if frame in (0, 4, 5):
            scene.predict(kit.pose(), track_id=int(frame == 4))

    assert evaluate(film(kit, 7, predict)).num_switches.tolist() == [2] * 15


def test_joints_stand_alone(kit):
    """The nose alone is predicted: 100 for it, 0 for all others but for what is not missed."""
    scene = film(kit, 6, lambda scene, frame: scene.predict(kit.pose(joints=['nose']), track_id=0))
    tracking = evaluate(scene)
    for measure in ('mota', 'mot_recall', 'hota', 'deta', 'assa'):
        figures = tracking.figures[measure]
        assert figures[NOSE] == pytest.approx(100)
        assert figures[:15].sum() == pytest.approx(100)
        assert figures[15] == pytest.approx(100 / 15)  # HOTA of all joints: root of 1/15 detected and 1/15 associated
    assert np.isnan(tracking.figures['mot_precision']).sum() == 14
    assert tracking.total('mot_precision') == 100
    groups = tracking.groups('mota')
    assert list(groups) == ['Head', 'Shoulder', 'Elbow', 'Wrist', 'Hip', 'Knee', 'Ankle', 'Mean']
    assert groups['Head'] == pytest.approx(100 / 3)
    assert groups['Mean'] == pytest.approx(100 / 15)


def test_sequences_are_counted_together(kit, perfect):
    """10 and 5 matches, and one switch; ids of different sequences have nothing to do with each other."""
    switched = film(kit, 6, lambda scene, frame: scene.predict(kit.pose(), track_id=3 if frame < 3 else 1))
    found = totals(perfect, switched)
    assert found['mota'] == 100 * (1 - 1 / 15)
    assert found['assa'] == 100 * (12 + 6 * 0.5) / 18


def test_poses_are_measured_as_before(kit, perfect, tmp_path):
    folders = perfect.write(tmp_path)
    without, document = (evaluate_folders(*folders, tracking=tracking).to_dict() for tracking in (False, True))
    assert {*document} - {*without} == {*KEYS, 'num_switches'}
    assert {*document['groups']} - {*without['groups']} == set(KEYS)
    assert {name: value for name, value in document.items() if name in without and name != 'groups'} == {
        name: value for name, value in without.items() if name != 'groups'
    }
    assert all(document['groups'][name] == value for name, value in without['groups'].items())
    assert all(len(document[name]) == 16 and len(document['groups'][name]) == 8 for name in KEYS)
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_both_forms_of_files_are_the_same(kit, perfect, tmp_path):
    for name in ('new', 'old'):
        (tmp_path / name).mkdir()
    documents = [
        evaluate_folders(*perfect.write(tmp_path / name, old=name == 'old'), tracking=True).to_dict()
        for name in ('new', 'old')
    ]
    assert documents[0] == documents[1]


def test_a_track_id_that_occurs_twice_is_refused(perfect):
    perfect.truth['annotations'][3]['track_id'] = perfect.truth['annotations'][2]['track_id']
    with pytest.raises(ValueError, match='track_id 7 occurs twice in frame .*000001.jpg'):
        evaluate(perfect)


def test_a_track_id_that_is_no_number_is_refused(perfect):
    perfect.predictions['annotations'][0]['track_id'] = 'Ann'
    with pytest.raises(ValueError, match="person in frame .*000000.jpg has the track_id 'Ann', which is not a number"):
        evaluate(perfect, protocol='posetrack21')


def crowd(kit, seed):
    """Four persons who come and go, near each other; predictions that lose and exchange their ids."""
    rng = np.random.default_rng(seed)
    scene, ids = kit.Scene(), list(range(4))
    place = rng.uniform(0, 25, (4, 2))
    for _ in range(8):
        scene.frame()
        place += rng.normal(0, 4, place.shape)
        present = [person for person in range(4) if rng.random() < 0.8]
        for person in present:
            points = {name: at for name, at in kit.pose(*place[person]).items() if rng.random() < 0.8}
            scene.person(points, head=[90, 90, *rng.uniform(15, 40, 2).tolist()], track_id=person)
        if rng.random() < 0.4:
            ids = rng.permutation(6)[:4].tolist()
        for person in present:
            if rng.random() < 0.85:
                points = {
                    name: [float(v + rng.normal(0, 6)) for v in at] for name, at in kit.pose(*place[person]).items()
                }
                scene.predict(points, track_id=ids[person])
    return scene


def by_trying_all(scene):
    """CLEAR MOT's counts of the nose by the book, in frames with true and predicted persons: every assignment tried."""
    last, counts = {}, np.zeros(5)  # true, found, switched, wrong, distance
    frames = [
        [
            [p for p in document['annotations'] if p['image_id'] == image['id']]
            for document in (scene.truth, scene.predictions)
        ]
        for image in scene.truth['images']
    ]
    for true, predicted in [frame for frame in frames if frame[0]][:-1]:
        if not predicted:
            counts += [1, 0, 0, 1, 0]
            continue
        noses = [[(person, np.array(person['keypoints'][:2])) for person in several] for several in (true, predicted)]
        noses = [[(person, at) for person, at in several if at.any()] for several in noses]
        near = {}
        for (a, at), (b, found) in itertools.product(*noses):
            distance = np.hypot(*(at - found)) / (0.6 * np.hypot(*a['bbox_head'][2:]))
            if distance <= 0.5:
                near[a['track_id'], b['track_id']] = distance
        kept = {}
        for a, _ in noses[0]:
            pair = a['track_id'], last.get(a['track_id'])
            if pair in near and pair[1] not in kept.values():
                kept[pair[0]] = pair[1]
        rest = [p for p in near if p[0] not in kept and p[1] not in kept.values()]
        options = [
            option
            for size in range(len(rest) + 1)
            for option in itertools.combinations(rest, size)
            if len({a for a, _ in option}) == len({b for _, b in option}) == size
        ]
        best = min(options, key=lambda option: (-len(option), sum(near[pair] for pair in option)))
        switched = sum(a in last and last[a] != b for a, b in best)
        matched = {**kept, **dict(best)}
        last |= matched
        distance = sum(near[pair] for pair in matched.items())
        counts += [len(noses[0]), len(matched), switched, len(noses[1]) - len(matched), distance]
    return counts


@given(st.integers(0, 100_000))
@settings(max_examples=30, deadline=None)
def test_counts_are_those_of_the_book(kit, seed):
    scene = crowd(kit, seed)
    if not scene.truth['annotations']:
        return
    evaluator = PoseTrackEvaluator(tracking=True)
    evaluator.add(scene.truth, scene.predictions)
    counted = evaluator._tracking.clear_mot
    found = [counted.matches + counted.misses, counted.matches, counted.switches, counted.false_positives]
    np.testing.assert_allclose([*(c[NOSE] for c in found), counted.distances[NOSE]], by_trying_all(scene), atol=1e-9)


@given(st.integers(0, 100_000), st.sampled_from(['poseval', 'posetrack21']))
@settings(max_examples=15, deadline=None)
def test_neither_order_nor_names_of_tracks_matter(kit, seed, protocol):
    scene = crowd(kit, seed)
    occupied = {person['image_id'] for person in scene.truth['annotations']}
    for image in scene.truth['images']:
        image['is_labeled'] = image['id'] in occupied
    before = evaluate(scene, protocol=protocol)
    rng = np.random.default_rng(seed)
    for document in (scene.truth, scene.predictions):
        names = rng.permutation(1000).tolist()
        rng.shuffle(document['annotations'])
        for person in document['annotations']:
            person['track_id'] = names[person['track_id']]
    after = evaluate(scene, protocol=protocol)
    for measure in ('hota', 'deta', 'assa'):
        np.testing.assert_allclose(after.figures[measure], before.figures[measure], atol=1e-9)
    for measure in KEYS:
        assert (before.figures[measure][~np.isnan(before.figures[measure])] <= 100 + 1e-9).all()
