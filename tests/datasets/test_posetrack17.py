"""Conversion of PoseTrack2017 files, and reading of the result by MMPose and PoseTrackClipDataset."""

import json

import numpy as np
import pytest

from posediff.datasets.converters.posetrack17 import convert_posetrack17
from posediff.structures.posetrack_joints import EVALUATED_KEYPOINTS, POSETRACK18_KEYPOINTS

cv2 = pytest.importorskip('cv2')
FRAMES, WIDTH, HEIGHT = 4, 80, 60


def rect(shift=0.0, joints=range(15), track_id=3):
    points = [{'id': [j], 'x': [10.0 + 3 * j + shift], 'y': [8.0 + 2 * j], 'is_visible': [1]} for j in joints]
    return {
        'x1': [30 + shift], 'y1': [5], 'x2': [42 + shift], 'y2': [20], 'track_id': [track_id],
        'annopoints': [{'point': points}] if points else [],
    }  # fmt: skip


def write(root, change=None):
    folder = root / 'images' / 'bonn' / '000001_bonn'
    folder.mkdir(parents=True)
    frames = []
    for number in range(1, FRAMES + 1):
        name = f'images/bonn/000001_bonn/{number:08d}.jpg'
        cv2.imwrite(str(root / name), np.full((HEIGHT, WIDTH, 3), 50 * number, np.uint8))
        people = [rect(number), rect(joints=[], track_id=4)] if number != 2 else []
        region = [{'point': [{'x': [0], 'y': [0]}, {'x': [9], 'y': [0]}, {'x': [9], 'y': [9]}]}]
        frames.append({'image': [{'name': name}], 'annorect': people, 'ignore_regions': region if number == 1 else []})
    if change is not None:
        change(frames)
    (root / 'annotations').mkdir()
    (root / 'annotations' / '000001_bonn.json').write_text(json.dumps({'annolist': frames}))
    return root


def test_every_joint_finds_its_place(tmp_path):
    root = write(tmp_path)
    counts = convert_posetrack17(root / 'annotations', root, root / 'out.json')
    assert counts == {'videos': 1, 'images': FRAMES, 'annotations': 3}
    document = json.loads((root / 'out.json').read_text())
    assert [image['is_labeled'] for image in document['images']] == [True, False, True, True]
    assert document['images'][0]['ignore_regions_x'] == [[0, 9, 9]]
    assert document['images'][0]['nframes'] == FRAMES
    person = document['annotations'][0]
    keypoints = np.reshape(person['keypoints'], (17, 3))
    for joint, name in enumerate(EVALUATED_KEYPOINTS):
        assert keypoints[POSETRACK18_KEYPOINTS.index(name)].tolist() == [11.0 + 3 * joint, 8.0 + 2 * joint, 1]
    assert not keypoints[[3, 4]].any()
    assert person['bbox_head'] == [31, 5, 12, 15]
    # around 11..53 and 5..36, 15 % more on every side
    np.testing.assert_allclose(person['bbox'], [11 - 6.3, 5 - 4.65, 42 * 1.3, 31 * 1.3])
    assert person['track_id'] == 3


def test_files_that_are_no_annotations_are_passed_over(tmp_path):
    root = write(tmp_path)
    (root / 'annotations' / '._000001_bonn.json').write_bytes(b'\x00\x05\x16\x07')
    assert convert_posetrack17(root / 'annotations', root, root / 'out.json')['videos'] == 1


def test_the_clips_read_it(tmp_path):
    pytest.importorskip('mmpose')
    from posediff.datasets.posetrack import PoseTrackClipDataset

    root = write(tmp_path)
    convert_posetrack17(root / 'annotations', root, root / 'out.json')
    source = {'ann_file': 'out.json', 'data_root': str(root)}
    found = PoseTrackClipDataset(source, num_frames=3, frame_base=1, pipeline=[{'type': 'LoadClip'}])
    assert len(found) == 3
    greys = [[round(int(frame[0, 0, 0]) / 50) for frame in found[index]['img']] for index in range(3)]
    assert greys == [[1, 1, 2], [2, 3, 4], [3, 4, 4]]


def drop(*path):
    def change(frames):
        entry = frames[0]
        for key in path[:-1]:
            entry = entry[key]
        del entry[path[-1]]

    return change


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        (drop('image'), r"a frame has no image name \(KeyError: 'image'\)"),
        (drop('annorect', 0, 'x1'), "frame 0, person 0: KeyError: 'x1'"),
        (drop('annorect', 0, 'track_id'), "frame 0, person 0: KeyError: 'track_id'"),
        (lambda frames: frames[0]['annorect'][0].update(y2=[float('nan')]), 'frame 0, person 0: .* not finite'),
        (lambda frames: frames.clear(), 'its annolist is empty'),
    ],
)
def test_what_is_broken_is_named(tmp_path, change, said):
    root = write(tmp_path, change)
    with pytest.raises(ValueError, match=rf'000001_bonn\.json: .*{said}'):
        convert_posetrack17(root / 'annotations', root, root / 'out.json')
    assert not (root / 'out.json').exists()


def test_the_tool_says_in_one_line_what_is_missing(tmp_path, load_tool, exit_code, capsys):
    main = load_tool('dataset_converters/posetrack17_to_coco.py').main
    root = write(tmp_path)
    arguments = [str(root / 'annotations'), str(root), str(root / 'out.json')]
    assert exit_code(main, arguments) == 0
    assert '1 videos, 4 images, 3 annotations' in capsys.readouterr().out
    assert exit_code(main, [str(root / 'none'), *arguments[1:]]) == 2
    said = capsys.readouterr().err
    assert said.startswith('error: ')
    assert 'none: no such folder' in said
