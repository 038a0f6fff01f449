"""The command benchmark views, on a person with known 3D positions."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

pytest.importorskip('av')

from posediff.detection import WholeFrameDetector  # noqa: E402
from posediff.geometry import Camera, project_points  # noqa: E402
from posediff.geometry.calibration import CalibratedCamera  # noqa: E402
from posediff.pose_estimation.base import BasePoseEstimator  # noqa: E402
from posediff.structures.skeletons import COCO17, get_skeleton  # noqa: E402
from posediff.structures.video_frame import VideoFrame  # noqa: E402

FRAMES = 6


class Film:
    """A grey video."""

    fps = 25.0

    def __iter__(self):
        return (VideoFrame(n, n / self.fps, np.full((480, 640, 3), 90, np.uint8)) for n in range(FRAMES))


@pytest.fixture(scope='module')
def tool(cli) -> ModuleType:
    return cli('benchmark.views')


@pytest.fixture
def body() -> np.ndarray:
    """(F, 33, 3) mm in the world."""
    rng = np.random.default_rng(0)
    return rng.uniform(-700, 700, (1, 33, 3)) + rng.normal(0, 30, (FRAMES, 33, 3))


@pytest.fixture
def views(tool, body):
    found = []
    for number in range(4):
        turn = Rotation.from_euler('y', 80 * number, degrees=True).as_matrix()
        camera = Camera(np.array([800.0, 800.0]), np.array([320.0, 240.0]), (480, 640), turn, np.array([0, 0, 4000.0]))
        seen = body @ camera.R.T + camera.t
        points = project_points(seen, camera.focal, camera.center)
        lens = CalibratedCamera(f'cam{number}', camera, np.zeros(5))
        found.append(tool.View(lens, points, np.ones(points.shape[:2]), seen, 25.0))
    return found


def test_the_other_views_say_where_the_person_is(tool, views):
    chosen = tool.limbs(tool.MEDIAPIPE33)
    assert [tool.MEDIAPIPE33.joint_names[joint] for joint in chosen[:3]] == [
        'left_shoulder', 'right_shoulder', 'left_elbow',
    ]  # fmt: skip
    target, agreed, error = tool.reference(views, 2, max_error=1.0)
    assert agreed.all()
    assert error < 1e-3
    np.testing.assert_allclose(target, views[2].world[:, chosen], atol=1e-3)
    result = tool.score_limbs(views[2].world[:, chosen], target, agreed)
    assert result['frames'] == FRAMES
    assert result['p_mpjpe'] < 1e-3
    assert result['n_mpjpe'] < 1e-3


def test_scale_and_place_do_not_count_but_rotation_does_in_one_of_the_two(tool, views):
    target, agreed, _ = tool.reference(views, 0, max_error=1.0)
    turned = target @ Rotation.from_euler('y', 20, degrees=True).as_matrix().T
    moved = tool.score_limbs(1.3 * target + 500, target, agreed)
    assert moved['p_mpjpe'] < 1e-3
    assert moved['n_mpjpe'] < 1e-3
    rotated = tool.score_limbs(turned, target, agreed)
    assert rotated['p_mpjpe'] < 1e-3
    assert rotated['n_mpjpe'] > 50


def test_joints_on_which_views_disagree_do_not_count(tool, views):
    chosen = tool.limbs(tool.MEDIAPIPE33)
    views[1].keypoints[:3, chosen[4]] += 60  # a wrist
    views[1].keypoints[5, chosen[6]] = np.nan  # a hip
    target, agreed, _ = tool.reference(views, 0, max_error=5.0)
    assert not agreed[:3, 4].any()
    assert agreed[:3].sum() == 3 * 11
    assert tool.score_limbs(target, target, agreed)['frames'] == 5
    nobody = tool.score_limbs(target, target, np.zeros_like(agreed))
    assert nobody['frames'] == 0
    assert np.isnan(nobody['p_mpjpe'])


def test_what_makes_no_sense_is_one_line(tool, tmp_path, capsys, exit_code):
    calibration = tmp_path / 'a.toml'
    calibration.write_text('[a]\nsize = [64, 48]\nmatrix = [[70, 0, 32], [0, 70, 24], [0, 0, 1]]\n')
    assert exit_code(tool.main, [str(calibration), 'a.mp4', '--out', str(tmp_path)]) == 2
    assert '1 videos for the 1 cameras of' in capsys.readouterr().err
    assert exit_code(tool.main, [str(tmp_path / 'no.toml'), 'a.mp4']) == 2
    assert 'no.toml does not exist' in capsys.readouterr().err


def test_the_lifter_runs_on_the_chosen_device(tool, tmp_path, capsys, exit_code):
    calibration = tmp_path / 'a.toml'
    camera = 'size = [64, 48]\nmatrix = [[70, 0, 32], [0, 70, 24], [0, 0, 1]]\n'
    calibration.write_text(''.join(f'[cam{number}]\n{camera}' for number in range(3)))
    words = [str(calibration), 'a.mp4', 'b.mp4', 'c.mp4', '--device', 'nowhere']
    assert exit_code(tool.main, words) == 2
    assert 'device string: nowhere' in capsys.readouterr().err


def test_other_keypoints_are_converted_before_triangulation(tool, views):
    """The reference of a view does not depend on where the keypoints come from, if they are the same."""
    names, joints = tool.MEDIAPIPE33.joint_names, get_skeleton('mediapipe17')
    target, agreed, _ = tool.reference(views, 1, max_error=1.0)
    others = [tool.converted(view, joints) for view in views]
    assert others[0].keypoints.shape == (FRAMES, 17, 2)
    np.testing.assert_array_equal(
        others[0].keypoints[:, joints.joint_names.index('left_foot')], views[0].keypoints[:, names.index('left_ankle')]
    )
    found, also, _ = tool.reference(others, 1, max_error=1.0)
    assert agreed.all()
    assert also.all()
    np.testing.assert_allclose(found, target, atol=1e-3)


def test_keypoints_of_another_estimator_replace_mediapipes(tool, views):
    class Steady(BasePoseEstimator):
        """All joints in the middle of the box."""

        skeleton = COCO17
        score_threshold = 0.7

        def __call__(self, windows):
            found = []
            for window in windows:
                centres = (window.people.boxes[:, :2] + window.people.boxes[:, 2:]) / 2
                number = len(window.people)
                keypoints = np.broadcast_to(centres[:, None], (number, 17, 2)).astype(np.float32)
                found.append(window.poses(keypoints, np.full((number, 17), 0.8, np.float32)))
            return found

    args = tool.parse_args(['calibration.toml', 'a.mp4'])
    seen = tool.with_other_keypoints(views[0], Film(), Steady(), WholeFrameDetector(), args)
    assert seen.skeleton is COCO17
    assert seen.score_threshold == 0.7
    assert (seen.scores == np.float32(0.8)).all()
    np.testing.assert_allclose(seen.keypoints, np.broadcast_to([320, 240], (FRAMES, 17, 2)), atol=1)
    assert seen.world is views[0].world
