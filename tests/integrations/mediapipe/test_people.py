"""Detector and pose network with MediaPipe's weights, on photographs and on what shows nobody."""

import subprocess
import sys

import cv2
import numpy as np
import pytest

from posediff.integrations.mediapipe import PoseDetectionNetwork, PoseLandmarkNetwork, weights
from posediff.structures.skeletons import MEDIAPIPE33

JOINTS = {name: number for number, name in enumerate(MEDIAPIPE33.joint_names)}


@pytest.fixture(scope='module')
def astronaut():
    """A portrait, (512, 512, 3) uint8 RGB."""
    return pytest.importorskip('skimage.data').astronaut()


def test_a_portrait_has_its_landmarks_where_they_are(networks, astronaut):
    people = networks.detector(astronaut)
    assert len(people) == 1
    poses = networks.estimator(astronaut, people.rois)
    assert poses.presence[0] > 0.9
    for name, place in {
        'nose': (223, 128),
        'left_eye': (249, 112),
        'right_eye': (204, 104),
        'left_shoulder': (306, 257),
        'right_shoulder': (112, 240),
    }.items():
        assert poses.scores[0, JOINTS[name]] > 0.9
        np.testing.assert_allclose(poses.keypoints[0, JOINTS[name]], place, atol=8)
    assert poses.scores[0, JOINTS['left_ankle']] < 0.1  # below the picture
    width = np.linalg.norm(poses.world[0, JOINTS['left_shoulder']] - poses.world[0, JOINTS['right_shoulder']])
    assert 0.25 < width < 0.45
    hips = poses.world[0, [JOINTS['left_hip'], JOINTS['right_hip']]].mean(axis=0)
    np.testing.assert_allclose(hips, 0, atol=0.01)
    x1, y1, x2, y2 = people.person_boxes[0]
    assert ((poses.keypoints[0, :13] > [x1, y1]) & (poses.keypoints[0, :13] < [x2, y2])).all()


def test_the_detector_sees_that_a_portrait_is_turned(networks, astronaut):
    upright = networks.detector(astronaut).rois[0, 3]
    for quarters in (1, 2, 3):
        people = networks.detector(np.rot90(astronaut, -quarters))
        assert len(people) == 1
        turned = people.rois[0, 3] - upright - quarters * np.pi / 2
        assert abs((turned + np.pi) % (2 * np.pi) - np.pi) < 0.5


def test_landmarks_of_a_turned_portrait_turn_along(networks, astronaut):
    x, y, size, rotation = networks.detector(astronaut).rois[0]
    upright = networks.estimator(astronaut, [[x, y, size, rotation]])
    # clockwise, (x, y) moves to (511 - y, x): the network is shown the same crop, its output has to turn
    turned = networks.estimator(np.rot90(astronaut, -1), [[511 - y, x, size, rotation + np.pi / 2]])
    quarter = np.array([[0, 1], [-1, 0]])
    np.testing.assert_allclose(turned.keypoints[0], upright.keypoints[0] @ quarter + [511, 0], atol=3)
    np.testing.assert_allclose(turned.world[0, :, :2], upright.world[0, :, :2] @ quarter, atol=0.01)
    np.testing.assert_allclose(turned.world[0, :, 2], upright.world[0, :, 2], atol=0.01)
    np.testing.assert_allclose(turned.next_rois[0, 2], upright.next_rois[0, 2], rtol=0.01)
    np.testing.assert_allclose(turned.next_rois[0, 3], upright.next_rois[0, 3] + np.pi / 2, atol=0.02)


def test_the_next_roi_finds_the_same_person(networks, astronaut):
    first = networks.estimator(astronaut, networks.detector(astronaut).rois)
    second = networks.estimator(astronaut, first.next_rois)
    assert second.presence[0] > 0.9
    face = slice(11)  # the rest is hidden by a suit, or not in the picture
    np.testing.assert_allclose(second.keypoints[0, face], first.keypoints[0, face], atol=15)


def test_people_do_not_influence_each_other(networks, astronaut):
    roi = networks.detector(astronaut).rois[0]
    rois = np.stack([roi, [100, 100, 150, 1.0]])
    both = networks.estimator(astronaut, rois)
    for number in range(2):
        alone = networks.estimator(astronaut, rois[number : number + 1])
        for field in ('keypoints', 'depths', 'scores', 'landmark_presence', 'world', 'presence', 'next_rois'):
            np.testing.assert_array_equal(getattr(both, field)[number], getattr(alone, field)[0])


def test_recorded_landmarks_are_reproduced(networks, reference_data):
    """The first frame of a clip that the original recorded: it saw no earlier frame, so nothing was smoothed."""
    folder = reference_data / 'video'
    capture = cv2.VideoCapture(str(folder / 'pose2sim_single' / 'cam03.mp4'))
    image = cv2.cvtColor(capture.read()[1], cv2.COLOR_BGR2RGB)
    with np.load(folder / 'keypoints_2d' / 'pose2sim_single_cam03.npz') as recorded:
        keypoints, world = recorded['kpts_px'][0], recorded['world_m'][0]
    poses = networks.estimator(image, networks.detector(image).rois)
    distance = np.linalg.norm(poses.keypoints[0] - keypoints[:, :2], axis=1)
    assert np.median(distance) < 1  # the person is 750 px tall
    assert distance.max() < 5
    assert np.linalg.norm(poses.world[0] - world, axis=1).max() < 0.01
    np.testing.assert_allclose(poses.scores[0], keypoints[:, 2], atol=0.05)


@pytest.mark.parametrize('shape', [(1, 640), (640, 1), (1, 1), (2, 3), (480, 640)])
@pytest.mark.parametrize('value', [0, 255])
def test_nobody_is_found_where_nobody_is(networks, shape, value):
    image = np.full((*shape, 3), value, np.uint8)
    people = networks.detector(image)
    assert len(people) == 0
    assert people.boxes.shape == people.person_boxes.shape == people.rois.shape == (0, 4)
    assert people.alignment_points.shape == (0, 4, 2)
    poses = networks.estimator(image, people.rois)
    assert len(poses) == 0
    assert poses.keypoints.shape == (0, 33, 2)
    assert poses.world.shape == (0, 33, 3)
    assert poses.scores.shape == poses.depths.shape == (0, 33)
    assert poses.next_rois.shape == (0, 4)


def test_a_region_without_a_person_has_no_presence(networks):
    noise = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)
    poses = networks.estimator(noise, [[50, 50, 100, 0], [5000, 50, 100, 0]])  # the second one lies outside
    assert (poses.presence < 0.5).all()
    assert np.isfinite(poses.keypoints).all()


def test_what_is_no_image_or_no_roi_is_an_error(networks):
    with pytest.raises(ValueError, match='PoseDetectionNetwork: the image must be'):
        networks.detector(np.zeros((4, 4, 3)))
    with pytest.raises(ValueError, match='PoseLandmarkNetwork: the image must be'):
        networks.estimator(np.zeros((0, 4, 3), np.uint8), np.zeros((0, 4)))
    with pytest.raises(ValueError, match='PoseLandmarkNetwork: roi 0 must be finite'):
        networks.estimator(np.zeros((4, 4, 3), np.uint8), [[np.nan, 1, 1, 0]])


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'score_threshold': 1.5}, r'score_threshold must be between 0 and 1, got 1\.5'),
        ({'iou_threshold': -0.1}, r'iou_threshold must be between 0 and 1, got -0\.1'),
        ({'score_threshold': float('nan')}, 'score_threshold must be a finite number'),
        ({'num_threads': 0}, 'num_threads must be a whole number of at least 1, got 0'),
    ],
)
def test_options_out_of_range_are_errors(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        PoseDetectionNetwork(**options, weights_file=tmp_path / 'not_read')


def test_files_that_are_not_the_network_are_errors(networks, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'weights file .*none\.tflite does not exist'):
        PoseDetectionNetwork(weights_file=tmp_path / 'none.tflite')
    with pytest.raises(ValueError, match=r'pose_landmark_full\.tflite has inputs and outputs of shapes .*256'):
        PoseDetectionNetwork(weights_file=weights.WEIGHTS.fetch(weights.LANDMARKS))
    truncated = tmp_path / 'truncated.tflite'
    truncated.write_bytes(weights.WEIGHTS.fetch(weights.DETECTION).read_bytes()[:1000])
    for network in (PoseDetectionNetwork, PoseLandmarkNetwork):
        with pytest.raises(ValueError, match=r'truncated\.tflite is not a readable \.tflite file'):
            network(weights_file=truncated)


def test_without_litert_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'ai_edge_litert.interpreter', None)
    file = tmp_path / 'some.tflite'
    file.touch()
    with pytest.raises(ImportError, match=r"need the package ai-edge-litert: pip install 'posediff\[mediapipe\]'"):
        PoseLandmarkNetwork(weights_file=file)


def test_importing_the_package_imports_neither_opencv_nor_litert():
    code = "import sys, posediff.integrations.mediapipe; sys.exit({'cv2', 'ai_edge_litert'} & {*sys.modules} != set())"
    assert subprocess.run([sys.executable, '-c', code]).returncode == 0
