"""Rules for all formats: coordinates, scores, undetected keypoints, ids, and videos that do not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posediff.fileio.keypoint_files import KeypointRecord, read_keypoint_file
from posediff.fileio.keypoint_files.misfits import behind, doubts, refuse_misfit
from posediff.fileio.keypoint_files.track_ids import track_ids
from posediff.fileio.pose_files import read_keypoints
from posediff.structures.skeletons import get_skeleton
from posediff.structures.video_frame import VideoFrame

SIZE = (480, 640)


def pose(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform([20, 20], [600, 450], (17, 2))


def row(frame: Any = 0, points: np.ndarray | None = None, scores: Any = 0.9, **more: Any) -> dict[str, Any]:
    points = pose() if points is None else points
    values = np.concatenate([points, np.broadcast_to(scores, 17)[:, None]], -1)
    return {'image_id': frame, 'keypoints': values.ravel().tolist(), **more}


def read(folder: Path, document: Any, **options: Any) -> KeypointRecord:
    (folder / 'a.json').write_text(json.dumps(document))
    return read_keypoint_file(folder / 'a.json', 'coco17', **{'img_shape': SIZE, **options})


def relative(points: np.ndarray, unit: str) -> np.ndarray:
    height, width = SIZE
    if unit == 'normalised':
        return points / [width, height]
    if unit == 'screen':
        return points / width * 2 - [1, height / width]
    return points / [width, height] * 2 - 1


@pytest.mark.parametrize('unit', ['normalised', 'screen', 'ndc'])
@pytest.mark.parametrize('form', ['json', 'npz'])
def test_other_units_are_refused_until_they_are_named(unit: str, form: str, tmp_path: Path) -> None:
    poses = np.stack([pose(seed) for seed in range(4)])
    poses[0, 3] = [-80, 500]  # outside of the image
    poses[1, 4] = 0  # not detected
    given = relative(poses, unit)
    if form == 'json':
        path = tmp_path / 'a.json'
        path.write_text(json.dumps([row(frame, points) for frame, points in enumerate(given)]))
    else:
        path = tmp_path / 'a.npz'
        np.savez(path, keypoints_2d=given)
    with pytest.raises(ValueError, match=r'a\.\w+: x from .* does not fit pictures of 640x480 px.*--coordinates'):
        read_keypoint_file(path, 'coco17', img_shape=SIZE)
    record = read_keypoint_file(path, 'coco17', img_shape=SIZE, coordinates=unit)
    for frame, expected in enumerate(poses):
        np.testing.assert_allclose(record.people[frame][0].keypoints, expected, atol=1e-3)
    assert record.people[1][0].scores[4] == 0
    assert record.people[0][0].scores[3] > 0
    with pytest.raises(ValueError, match='need the size of the pictures'):
        read_keypoint_file(path, 'coco17', coordinates=unit)
    asked = read_keypoint_file(path, 'coco17', img_shape=SIZE, coordinates='px')
    assert np.abs(asked.people[2][0].keypoints).max() < 4


def test_pixels_are_not_taken_for_another_unit(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'is not normalised \(x from 0 to 1'):
        read(tmp_path, [row()], coordinates='normalised')
    with pytest.raises(ValueError, match='coordinates must be one of px, normalised, screen, ndc'):
        read(tmp_path, [row()], coordinates='metres')
    found = read(tmp_path, [row(0, pose() / 200), row(1), row(2)])  # one bad pose is accepted
    assert sorted(found.people) == [0, 1, 2]


def test_what_was_not_seen(tmp_path: Path) -> None:
    points, scores = pose(), np.full(17, 0.8)
    points[0], scores[0] = 0, 0.44
    points[1, 0] = np.nan
    scores[2], scores[3], scores[4] = 0, -0.01, np.nan
    points[5, 1] = 0.0  # at the upper edge
    text = json.dumps([row(0, points, scores)]).replace('NaN', 'null')
    (tmp_path / 'a.json').write_text(text)
    (person,) = read_keypoint_file(tmp_path / 'a.json', 'coco17').people[0]
    assert (person.scores == 0).tolist() == [True] * 5 + [False] * 12
    assert (person.keypoints[:5] == 0).all()
    np.testing.assert_allclose(person.keypoints[5:], points[5:], rtol=1e-6)


@pytest.mark.parametrize(('form', 'limit'), [('coco', 1.25), ('alphapose', 6), ('mmpose', 10), ('rtmlib', 10)])
def test_peaks_above_one_are_cut_and_other_scales_are_refused(form: str, limit: float, tmp_path: Path) -> None:
    def document(score: float) -> Any:
        one = {'keypoints': pose().tolist(), 'keypoint_scores': [score] * 17}
        return {
            'coco': [row(scores=score)],
            'alphapose': [row('0.jpg', scores=score, idx=0)],
            'mmpose': [{'frame_id': 0, 'instances': [one]}],
            'rtmlib': [{'frame_id': 0, 'keypoints': [pose().tolist()], 'scores': [[score] * 17]}],
        }[form]

    record = read(tmp_path, document(limit))
    assert record.format == form
    assert (record.people[0][0].scores == 1).all()
    for score in (limit + 0.5, 98.5, -20.0, float('inf')):
        with pytest.raises(ValueError, match=rf'a\.json: .*a score must be in \[0, 1\], got {score:g} of nose'):
            read(tmp_path, document(score))


def test_visibility_flags_of_coco_are_no_scores(tmp_path: Path) -> None:
    flags = np.array([2] * 9 + [1] * 4 + [0] * 4)
    (person,) = read(tmp_path, [row(scores=flags)]).people[0]
    assert person.scores.tolist() == [1.0] * 13 + [0.0] * 4


@pytest.mark.parametrize('value', [float('inf'), 1e12, 'left', [1, 2], {'a': 1}])
def test_values_that_are_no_places_are_one_error(value: Any, tmp_path: Path) -> None:
    held = row(1)
    held['keypoints'][3] = value
    with pytest.raises(ValueError, match=r'a\.json: entry 1: '):
        read(tmp_path, [row(), held])


def test_ids_that_are_numbers_stay_and_names_are_numbered() -> None:
    def ids(*given: Any) -> tuple[list[int | None], dict[int, str]]:
        return track_ids('a', [(f'entry {number}', number, track) for number, track in enumerate(given)])

    assert ids(7, 7.0, '7', -1, None, [-1], [3.0], [[0.0], [0.0]]) == ([7, 7, 7, None, None, None, 3, 0], {})
    assert ids('ann', 'bob', None, 'ann') == ([0, 1, None, 0], {0: 'ann', 1: 'bob'})
    assert ids(5, 'bob', 5) == ([0, 1, 0], {0: '5', 1: 'bob'})
    assert ids(2**40, 3) == ([0, 1], {0: str(2**40), 1: '3'})
    with pytest.raises(ValueError, match=r'two people of frame 4 \(the other: x\)'):
        track_ids('a', [('x', 4, 1), ('y', 4, 1)])
    for wrong in (True, float('nan'), {'a': 1}):
        with pytest.raises(ValueError, match='entry 0: a track id is a whole number or a text'):
            ids(wrong)


def test_alphapose_gives_everybody_one_id_where_it_did_not_track(tmp_path: Path) -> None:
    document = [row(f'{frame}.jpg', pose(seed), idx=[0.0]) for frame in range(3) for seed in range(2)]
    assert not read(tmp_path, document).has_track_ids
    assert read(tmp_path, document[::2]).has_track_ids  # one person may be number 0


@pytest.mark.parametrize(
    ('frames', 'first', 'open_'),
    [
        (range(1, 5), 1, False),  # numbering of the demo script
        (range(4), 0, False),
    ],
)
def test_demo_scripts_of_mmpose_count_from_one(frames: range, first: int, open_: bool, tmp_path: Path) -> None:
    one = {'keypoints': pose().tolist(), 'keypoint_scores': [0.9] * 17}
    rows = [{'frame_id': frame, 'instances': [one]} for frame in frames]
    record = read(tmp_path, {'meta_info': {'dataset_name': 'coco'}, 'instance_info': rows})
    assert (min(record.people), max(record.people), record.first_frame, record.first_is_open) == (0, 3, first, open_)
    inferencer = read(tmp_path, rows)  # it lists every frame: without frame 0 it is not from the inferencer
    assert inferencer.first_is_open == (frames[0] == 1)


def test_frames_that_seem_to_count_from_one_are_a_question(tmp_path: Path) -> None:
    document = [row(frame) for frame in range(2, 41)]
    record = read(tmp_path, document)
    with pytest.raises(ValueError, match='go up to 40, .* none is 0.* --first-frame 1 .*--first-frame 0'):
        refuse_misfit(record, 40)
    assert 'seem to count from 1' in str(behind(record, 40))
    refuse_misfit(record, 41)
    refuse_misfit(record, None)
    told = read(tmp_path, document, first_frame=1)
    refuse_misfit(told, 40)
    assert (min(told.people), behind(told, 40)) == (1, None)
    refuse_misfit(read(tmp_path, document, first_frame=0), 40)
    with pytest.raises(ValueError, match=r'frame 2 lies before the first frame, 3 \(--first-frame\)'):
        read(tmp_path, document, first_frame=3)


def test_poses_behind_the_video_are_counted(tmp_path: Path) -> None:
    record = read(tmp_path, [row(frame, pose(seed)) for frame in (0, 38, 41, 45) for seed in range(2)])
    assert behind(record, 40) == '4 poses at frames 41.. lie after the last frame (39)'
    assert behind(record, 46) is None
    far = read(tmp_path, [row(10003420000 + frame) for frame in range(3)])
    with pytest.raises(ValueError, match=r'3 poses at frames 10003420000\.\. lie after the last frame \(39\)'):
        refuse_misfit(far, 40)


def test_names_are_found_among_the_images_of_a_folder(tmp_path: Path) -> None:
    images = ['frame_0003.png', 'frame_0004.png', 'frame_0008.png']
    record = read(tmp_path, [row('frame_0004.jpg'), row('x/frame_0008.jpg')], image_names=images)
    assert sorted(record.people) == [1, 2]
    assert not record.first_is_open
    with pytest.raises(ValueError, match="'frame_0005.jpg' is none of the 3 images"):
        read(tmp_path, [row('frame_0004.jpg'), row('frame_0005.jpg')], image_names=images)
    assert sorted(read(tmp_path, [row('0.jpg'), row('2.jpg')], image_names=images).people) == [0, 2]


def test_times_place_frames_where_a_file_leaves_some_out(tmp_path: Path) -> None:
    marks = [{'x': 0.3, 'y': 0.1 + joint / 50, 'z': 0, 'visibility': 0.9} for joint in range(33)]
    frames = [{'timestamp_ms': time, 'landmarks': [marks]} for time in (0, 40, 80, 400, 440)]
    (tmp_path / 'a.json').write_text(json.dumps(frames))
    record = read_keypoint_file(tmp_path / 'a.json', img_shape=SIZE)
    there = [bool(record.at(VideoFrame(n, n / 25, np.zeros((2, 2, 3), np.uint8)))) for n in range(13)]
    assert there == [n in (0, 1, 2, 10, 11) for n in range(13)]


def test_twenty_five_keypoints_may_be_of_another_model(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    body = rng.uniform([100, 100], [400, 400], (25, 2))
    values = np.concatenate([body, np.full((25, 1), 0.9)], -1).ravel().tolist()
    (tmp_path / 'a.json').write_text(json.dumps({'people': [{'pose_keypoints_2d': values}]}))
    with pytest.raises(ValueError, match=r'--skeleton \(body25, body25b\)'):
        read_keypoint_file(tmp_path / 'a.json')
    assert read_keypoint_file(tmp_path / 'a.json', 'body25b').skeleton.name == 'body25b'


def test_utf_16_and_one_document_a_line(tmp_path: Path) -> None:
    text = '\n'.join(json.dumps(row(frame)) for frame in range(3))
    for encoding in ('utf-8', 'utf-8-sig', 'utf-16'):
        (tmp_path / 'a.jsonl').write_bytes(text.encode(encoding))
        assert sorted(read_keypoint_file(tmp_path / 'a.jsonl', 'coco17').people) == [0, 1, 2]


def test_joints_by_name(tmp_path: Path) -> None:
    """A table with some of the joints of a skeleton is read if the skeleton is stated."""
    head = ['scorer,x,x,x,x,x,x', 'bodyparts,LShoulder,LShoulder,LShoulder,Tail,Tail,Tail']
    head.append('coords,x,y,likelihood,x,y,likelihood')
    (tmp_path / 'a.csv').write_text('\n'.join([*head, '0,50,60,0.9,1,2,0.9', '1,,,,1,2,0.9', '2,52,62,0.9,1,2,0.9']))
    with pytest.raises(ValueError, match='joints LShoulder, Tail do not contain all joints of a known skeleton'):
        read_keypoint_file(tmp_path / 'a.csv')
    record = read_keypoint_file(tmp_path / 'a.csv', 'coco17')
    assert sorted(record.people) == [0, 2]
    assert np.flatnonzero(record.people[0][0].scores).tolist() == [5]
    (tmp_path / 'b.csv').write_text((tmp_path / 'a.csv').read_text().replace('LShoulder', 'Snout'))
    with pytest.raises(ValueError, match=r'b\.csv: none of its joints \(Snout, Tail\) is one of mpi15'):
        read_keypoint_file(tmp_path / 'b.csv', 'mpi15')


@pytest.mark.parametrize('key', ['frame_idx', 'frameNumber', 'Frame No', 'image_name', 'frame'])
def test_whatever_is_called_frame_numbers_the_entries(key: str, tmp_path: Path) -> None:
    marks = [{'x': 0.3, 'y': 0.1 + joint / 50, 'visibility': 0.9} for joint in range(33)]
    one = {'keypoints': pose().tolist(), 'keypoint_scores': [0.9] * 17}
    several = {'keypoints': [pose().tolist()], 'scores': [[0.9] * 17]}
    for entry in ({'landmarks': [marks]}, {'instances': [one]}, several, {'keypoints': row()['keypoints']}):
        document = [{key: f'{frame}.jpg' if key == 'image_name' else frame, **entry} for frame in (0, 2, 5)]
        (tmp_path / 'a.json').write_text(json.dumps(document))
        skeleton = None if 'landmarks' in entry else 'coco17'
        assert sorted(read_keypoint_file(tmp_path / 'a.json', skeleton, img_shape=SIZE).people) == [0, 2, 5]


def test_times_without_a_unit_are_used_only_where_they_say_nothing_else(tmp_path: Path) -> None:
    marks = [{'x': 0.3, 'y': 0.1 + joint / 50, 'visibility': 0.9} for joint in range(33)]

    def read_at(key: str, times: tuple[float, ...]) -> KeypointRecord:
        (tmp_path / 'a.json').write_text(json.dumps([{key: time, 'landmarks': [marks]} for time in times]))
        return read_keypoint_file(tmp_path / 'a.json', img_shape=SIZE)

    with pytest.raises(ValueError, match="the steps of 'time', from 0.04 to 0.32, .* its unit is not clear"):
        read_at('time', (0, 0.04, 0.08, 0.4))
    assert sorted(read_at('time', (0, 0.04, 0.08)).people) == [0, 1, 2]
    assert read_at('time_s', (0, 0.04, 0.08, 0.4)).times == pytest.approx([0, 0.04, 0.08, 0.4])
    assert read_at('timestampUs', (0, 4e4, 8e4, 4e5)).times == pytest.approx([0, 0.04, 0.08, 0.4])


def test_demo_scripts_may_write_their_frames_as_text(tmp_path: Path) -> None:
    one = {'keypoints': pose().tolist(), 'keypoint_scores': [0.9] * 17}
    for frames, first in (('0', '1'), 0), (('1', '2'), 1), ((0.0, 1.0), 0):
        rows = [{'frame_id': frame, 'instances': [one]} for frame in frames]
        record = read(tmp_path, {'meta_info': {}, 'instance_info': rows})
        assert (sorted(record.people), record.first_frame) == ([0, 1], first)


@pytest.mark.parametrize('write', [int, float, str])
def test_annotations_find_their_image_by_value(write: Any, tmp_path: Path) -> None:
    images = [{'id': 7 + number, 'file_name': f'{number:04d}.jpg'} for number in range(3)]
    marks = np.concatenate([pose(), np.full((17, 1), 2)], -1).ravel().tolist()
    annotations = [{'id': 1, 'image_id': write(8), 'keypoints': marks}]
    assert sorted(read(tmp_path, {'images': images, 'annotations': annotations}).people) == [1]
    annotations[0]['image_id'] = write(99)
    with pytest.raises(ValueError, match=r"annotation 0: image_id '?99(\.0)?'? is none of the images .* 7, 8, 9"):
        read(tmp_path, {'images': images, 'annotations': annotations})


def test_minus_one_is_no_place_in_a_picture(tmp_path: Path) -> None:
    points = pose()
    points[3] = -1, -1
    (person,) = read(tmp_path, [row(0, points)]).people[0]
    assert person.scores.tolist() == pytest.approx([0.9] * 3 + [0] + [0.9] * 13)


def test_a_few_points_far_off_do_not_hide_another_unit(tmp_path: Path) -> None:
    points = relative(pose(), 'normalised')
    points[[2, 9]] = 17.0, 21.0
    with pytest.raises(ValueError, match='does not fit pictures of 640x480 px'):
        read(tmp_path, [row(frame, points) for frame in range(3)])


def test_a_first_frame_of_one_is_a_doubt(tmp_path: Path) -> None:
    document = [row(frame) for frame in range(1, 5)]
    (doubt,) = doubts(read(tmp_path, document))
    assert doubt.startswith(f'{tmp_path / "a.json"}: its first frame is 1,')
    assert '--first-frame 1 reads' in doubt
    assert doubts(read(tmp_path, document, first_frame=1)) == []
    assert doubts(read(tmp_path, document, first_frame=0)) == []
    assert doubts(read(tmp_path, [row(frame) for frame in range(2, 5)])) == []


@pytest.mark.parametrize(
    ('frames', 'sparse'), [((0, 2, 4), True), ((3, 17, 40), True), ((0, 1, 2, 9), False), ((5,), False)]
)
def test_frames_that_stand_alone_are_told(frames: tuple[int, ...], sparse: bool, tmp_path: Path) -> None:
    record = read(tmp_path, [row(frame) for frame in frames])
    assert record.is_sparse == sparse
    assert any('no person in the frames before and after' in doubt for doubt in doubts(record)) == sparse


def test_an_archive_of_python_objects_is_named_as_one(tmp_path: Path) -> None:
    np.savez(tmp_path / 'data_2d_custom_a.npz', positions_2d=np.array({'a.mp4': {}}, dtype=object))
    with pytest.raises(ValueError, match='data_2d_custom_a.npz is not a readable .* it holds Python objects'):
        read_keypoint_file(tmp_path / 'data_2d_custom_a.npz', 'coco17')


def labels(folder: Path, *files: tuple[int, ...]) -> Path:
    """Return label files of 17 keypoints with three values each, followed by the given number of values."""
    for frame, extra in enumerate(files, start=1):
        values = np.concatenate([relative(pose(frame), 'normalised'), np.full((17, 1), 0.9)], -1).ravel()
        behind = {0: (), 1: (7,), 2: (0.8, 7)}
        lines = [' '.join(map(str, (0, 0.5, 0.5, 0.1, 0.2, *values, *behind[more]))) for more in extra]
        (folder / f'clip_{frame}.txt').write_text('\n'.join(lines))
    return folder


@pytest.mark.parametrize(
    ('files', 'ids'),
    [(((0,), (1,)), [None, 7]), (((2,), (2,)), [7, 7]), (((0,), (0,)), [None, None])],
)
def test_ids_of_yolo_may_be_missing_in_some_lines(files: Any, ids: list[int | None], tmp_path: Path) -> None:
    (tmp_path / 'classes.txt').write_text('person\n')
    record = read_keypoint_file(labels(tmp_path, *files), img_shape=SIZE)
    assert [person.track_id for frame in (0, 1) for person in record.people[frame]] == ids
    assert record.people[0][0].keypoints == pytest.approx(pose(1), abs=1e-3)


def test_lines_of_labels_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='lines have 56 and 58 values, expected a class'):
        read_keypoint_file(labels(tmp_path, (0,), (2,)), img_shape=SIZE)


def test_a_stray_keypoint_is_not_seen_and_told(tmp_path: Path) -> None:
    stray, lost = pose(), pose() + 1e5
    stray[4] = 1e5, 30
    record = read(tmp_path, [row(0, stray), row(1, pose()), row(2, lost)])
    assert [int((person.scores > 0).sum()) for (person,) in record.people.values()] == [16, 17, 17]
    (note,) = record.notes
    assert '1 keypoints are more than 5 image sizes off (1e+05, 30, …): they count as not detected' in note
    assert read_keypoints(tmp_path / 'a.json', 'coco17', 25.0, SIZE).notes == record.notes


def test_annotations_list_the_images_without_people_too(tmp_path: Path) -> None:
    marks = np.concatenate([pose(), np.full((17, 1), 2)], -1).ravel().tolist()
    annotations = [{'id': 1, 'image_id': 3, 'keypoints': marks}]
    images = [{'id': number, 'file_name': f'a_{number:04d}.jpg'} for number in range(1, 41)]
    record = read(tmp_path, {'images': images, 'annotations': annotations})
    with pytest.raises(ValueError, match='seem to count from 1'):
        refuse_misfit(record, 40)
    images[7]['file_name'] = 'cover.jpg'
    assert sorted(read(tmp_path, {'images': images, 'annotations': annotations}).people) == [3]


def annotations(points: np.ndarray, names: list[str], **image: Any) -> dict[str, Any]:
    values = np.concatenate([points, np.full((len(points), 1), 2)], -1)
    return {
        'images': [{'id': 7, 'file_name': 'frame_0.jpg', **image}],
        'annotations': [{'id': 1, 'image_id': 7, 'category_id': 1, 'keypoints': values.ravel().tolist()}],
        'categories': [{'id': 1, 'name': 'person', 'keypoints': names}],
    }


def read_annotations(folder: Path, document: Any, skeleton: str | None = None) -> KeypointRecord:
    (folder / 'a.json').write_text(json.dumps(document))
    return read_keypoint_file(folder / 'a.json', skeleton, img_shape=SIZE)


@pytest.mark.parametrize('skeleton', [None, 'coco17'])
def test_annotated_joints_are_found_by_their_names_in_any_order(skeleton: str | None, tmp_path: Path) -> None:
    names, points = list(get_skeleton('coco17').joint_names), pose()
    order = np.random.default_rng(1).permutation(17)
    document = annotations(points[order], [names[index].upper() for index in order])
    (person,) = read_annotations(tmp_path, document, skeleton).people[0]
    np.testing.assert_allclose(person.keypoints, points, rtol=1e-6)
    lacking = annotations(points[order[2:]], [names[index] for index in order[2:]])
    with pytest.raises(ValueError, match='--skeleton'):
        read_annotations(tmp_path, lacking)
    (person,) = read_annotations(tmp_path, lacking, 'coco17').people[0]
    assert set(np.flatnonzero(person.scores == 0)) == set(order[:2])
    np.testing.assert_allclose(person.keypoints[order[2:]], points[order[2:]], rtol=1e-6)


def test_annotated_joints_without_known_names_are_in_the_order_that_is_stated(tmp_path: Path) -> None:
    document = annotations(pose(), [f'kp_{number}' for number in range(17)])
    with pytest.raises(ValueError, match='--skeleton'):
        read_annotations(tmp_path, document)
    (person,) = read_annotations(tmp_path, document, 'coco17').people[0]
    np.testing.assert_allclose(person.keypoints, pose(), rtol=1e-6)
    named = annotations(pose(), list(get_skeleton('coco17').joint_names))
    with pytest.raises(ValueError, match='states skeleton coco17, not h36m17'):
        read_annotations(tmp_path, named, 'h36m17')


def test_annotations_of_pictures_of_another_size_are_refused(tmp_path: Path) -> None:
    names = list(get_skeleton('coco17').joint_names)
    assert read_annotations(tmp_path, annotations(pose(), names, height=480, width=640)).img_shape == SIZE
    with pytest.raises(ValueError, match='is of pictures of 1280x960 px, not 640x480'):
        read_annotations(tmp_path, annotations(pose(), names, height=960, width=1280))


def test_notes_beside_the_files_of_the_frames_are_no_frames(tmp_path: Path) -> None:
    people = [{'pose_keypoints_2d': np.insert(pose(), 2, 0.9, 1).ravel().tolist()}]
    for number in range(3):
        (tmp_path / f'a_{number:012d}_keypoints.json').write_text(json.dumps({'people': people}))
    (tmp_path / 'readme.txt').write_text('OpenPose 1.7')
    assert sorted(read_keypoint_file(tmp_path, img_shape=SIZE).people) == [0, 1, 2]
    (tmp_path / 'a_1.txt').write_text('0 0.5 0.5 0.1 0.1')
    with pytest.raises(ValueError, match=r'both \.json and \.txt files'):
        read_keypoint_file(tmp_path, img_shape=SIZE)
