"""The command benchmark conversion, on keypoints whose difference is known."""

import json

import numpy as np
import pytest

pytest.importorskip('av')

from posediff.detection import WholeFrameDetector  # noqa: E402
from posediff.structures.skeleton_conversion import convert_joints  # noqa: E402
from posediff.structures.skeletons import MEDIAPIPE17, POSETRACK15  # noqa: E402
from posediff.structures.video_frame import VideoFrame  # noqa: E402

HIP = [POSETRACK15.joint_names.index(f'{side}_hip') for side in ('left', 'right')]


@pytest.fixture
def command(cli):
    return cli('benchmark.conversion')


def save_poses(command, path, words, number=80):
    """Poses whose reference has hips a tenth of their distance further apart, in the reference's own skeleton."""
    joints = np.random.default_rng(0).uniform(0, 60, (number, 15, 2)) + 40 * np.arange(15)[None, :, None]
    scores = np.ones((number, 15))
    reference, sure, _ = convert_joints(joints, 'posetrack15', 'mediapipe17', scores)
    apart = 0.1 * (joints[:, HIP[0]] - joints[:, HIP[1]])
    for side, sign in (('left', 1), ('right', -1)):
        reference[:, MEDIAPIPE17.joint_names.index(f'{side}_hip')] += sign * apart
    sure[0] = 0.4  # too low: nothing of this pose counts
    arrays = {
        'pose': joints, 'pose scores': scores, 'reference': reference, 'reference scores': sure,
        'video': np.arange(number) // 2, 'pose skeleton': 'posetrack15', 'reference skeleton': 'mediapipe17',
    }  # fmt: skip
    command.write_poses(path, arrays, command.parse_args(words))


def test_the_missing_part_of_a_rule_is_found(command, tmp_path, capsys):
    poses, out = tmp_path / 'poses.npz', tmp_path / 'conversion.json'
    save_poses(command, poses, ['none.mp4'])
    command.main(['none.mp4', '--poses', str(poses), '--out', str(out)])
    found = {one['joint']: one for one in json.loads(out.read_text())['joints']}
    assert found['hip']['count'] == 2 * 79
    assert found['hip']['factors']['outward'] == pytest.approx(0.1, abs=1e-3)
    assert found['hip']['distance'] > 0.01
    assert found['hip']['fitted_distance'] < 1e-3
    for joint in ('knee', 'shoulder', 'head'):
        assert found[joint]['distance'] == pytest.approx(0, abs=1e-6)
        assert list(found[joint]['factors'].values()) == pytest.approx([0] * len(found[joint]['factors']), abs=1e-3)
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith('| hip'))
    assert [cell.strip() for cell in row.strip('|').split('|')][4::2] == ['outward', '+0.10']


def test_poses_of_other_arguments_are_refused(command, tmp_path, capsys, exit_code, monkeypatch):
    poses, out = tmp_path / 'poses.npz', tmp_path / 'conversion.json'
    (tmp_path / 'a.mp4').touch()
    monkeypatch.chdir(tmp_path)
    words = ['a.mp4', 'none.mp4', '--every', '5', '--pose-options', 'flip=True']
    save_poses(command, poses, words)
    more = ['--poses', str(poses), '--out', str(out)]
    command.main([str(tmp_path / 'a.mp4'), *words[1:], *more])
    capsys.readouterr()
    for changed, message in (
        (['a.mp4', 'other.mp4', *words[2:]], 'video 2 was none.mp4, is other.mp4'),
        (['a.mp4', *words[2:]], 'video 2 was none.mp4, is missing'),
        ([*words, '--every', '6'], '--every was 5, is 6'),
        ([*words, '--fps', '30'], '--fps was None, is 30.0'),
        ([*words, '--pose', 'movenet-lightning'], '--pose was diffpose, is movenet-lightning'),
        (words[:4], "--pose-options was ['flip=True'], is []"),
        (
            [*words, '--reference', 'b', '--reference-checkpoint', 'c.pth'],
            '--reference was mediapipe, is b; --reference-checkpoint was None, is c.pth',
        ),
    ):
        assert exit_code(command.main, [*changed, *more]) == 2
        assert f'--poses {poses} was written with other arguments: {message};' in capsys.readouterr().err
    np.savez(poses, pose=np.zeros((1, 15, 2)))
    assert exit_code(command.main, [*words, *more]) == 2
    assert f'--poses {poses} has no record of the arguments' in capsys.readouterr().err


def test_every_nth_frame_is_searched(command):
    frames = [VideoFrame(number, number / 25, np.zeros((8, 8, 3), np.uint8)) for number in range(8)]
    for every, expected in ((1, [1] * 8), (3, [0, 1, 0, 0, 1, 0, 0, 1]), (10, [0] * 5 + [1, 0, 0])):
        found = list(command.detected(iter(frames), WholeFrameDetector(), every))
        assert [frame.index for frame, _ in found] == list(range(8))
        assert [len(people) for _, people in found] == expected


def test_a_video_without_people_is_one_line(command, grey_video, tmp_path, capsys, exit_code):
    words = [str(grey_video(4)), '--pose', 'mediapipe', '--every', '2', '--out', str(tmp_path / 'a.json')]
    assert exit_code(command.main, words) == 2
    assert 'no person was found in 1 videos' in capsys.readouterr().err


def test_the_estimators_run_on_the_chosen_device(command, grey_video, tmp_path, capsys, exit_code):
    words = [str(grey_video(2)), '--pose', 'movenet-lightning', '--pose-checkpoint', 'random', '--device', 'nowhere']
    assert exit_code(command.main, [*words, '--out', str(tmp_path / 'a.json')]) == 2
    assert 'device string: nowhere' in capsys.readouterr().err
