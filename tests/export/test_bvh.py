"""BVH files against the joints that they were made from, read by this project's reader and by bvhio."""

from __future__ import annotations

import re
from dataclasses import replace

import bvhio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from posediff.datasets.converters.bvh import bvh_joint_frames, read_bvh
from posediff.export import Motion
from posediff.export.bvh import BVHExporter
from posediff.export.bvh_solver import BvhSolver, posed_joints
from posediff.export.rest_pose import rest_offsets
from posediff.structures.skeletons import CMU17, SKELETONS, get_skeleton

UP = np.array([0.0, -1.0, 0.0])


def rigid_motion(seed, skeleton, frames):
    """(F, K, 3) mm: bones of constant length, every joint turned at random in every frame, its bones as one body."""
    rng = np.random.default_rng(seed)
    offsets = rng.normal(size=(skeleton.num_joints, 3))
    offsets *= rng.uniform(50, 500, (skeleton.num_joints, 1)) / np.linalg.norm(offsets, axis=-1, keepdims=True)
    rotations = Rotation.random(frames * skeleton.num_joints, random_state=rng).as_matrix()
    rotations = rotations.reshape(frames, skeleton.num_joints, 3, 3)
    joints = np.zeros((frames, skeleton.num_joints, 3))
    joints[:, skeleton.root] = rng.uniform(-3000, 3000, (frames, 3))
    open_bones = list(skeleton.segments)
    placed = {skeleton.root}
    while open_bones:
        child, parent = open_bones.pop(0)
        if parent in placed:
            joints[:, child] = joints[:, parent] + rotations[:, parent] @ offsets[child]
            placed.add(child)
        else:
            open_bones.append((child, parent))
    return joints


def solved(joints, skeleton):
    return BvhSolver(rest_offsets(joints, skeleton), skeleton, 0.05)(joints)


def positions(path, skeleton):
    found, _ = bvh_joint_frames(read_bvh(path))
    return np.stack([found[name] for name in skeleton.joint_names], axis=1)


def errors_mm(path, motion, scale=1.0):
    return 1000 * np.linalg.norm(positions(path, motion.skeleton) / scale - motion.y_up_metres(), axis=-1)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(sorted(SKELETONS)), st.integers(1, 6))
def test_rigid_motion_comes_back_within_a_tenth_of_a_millimetre(tmp_path_factory, seed, name, frames):
    path = tmp_path_factory.mktemp('bvh') / 'rigid.bvh'
    skeleton = get_skeleton(name)
    motion = Motion(rigid_motion(seed, skeleton, frames), skeleton, 25.0, absolute=True, up=UP)
    about = BVHExporter()(motion, path)
    assert errors_mm(path, motion).max() < 0.1
    assert about['position_error_mm']['max'] < 0.1


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(['h36m17', 'cmu17']))
def test_bodies_that_bend_come_back_as_well(seed, name):
    """Constant bone lengths are enough: hips and spine, neck and shoulders move against each other."""
    skeleton = get_skeleton(name)
    rng = np.random.default_rng(seed)
    lengths = rng.uniform(0.05, 0.5, skeleton.num_joints)
    joints = np.zeros((8, skeleton.num_joints, 3))
    for child, parent in skeleton.segments:
        bone = rng.normal(size=(8, 3))
        joints[:, child] = joints[:, parent] + lengths[child] * bone / np.linalg.norm(bone, axis=-1, keepdims=True)
    posed = posed_joints(solved(joints, skeleton), skeleton.num_joints)
    np.testing.assert_allclose(posed, joints, atol=1e-9)


def test_helpers_keep_still_where_the_bones_of_a_joint_are_one_body():
    """One odd frame, the first, must not become the shape that all others are compared with."""
    joints = rigid_motion(5, CMU17, 30)
    odd = joints.copy()
    odd[0, [7, 9, 11]] += [[150.0, 0, 0], [0, 150.0, 0], [0, 0, 150.0]]
    for clip, limit in ((joints, 0.01), (odd, 3.0)):
        pose = solved(clip / 1000, CMU17)
        helpers = [index for index, node in enumerate(pose.nodes) if node.joint is None]
        assert len(helpers) == 6
        turned = Rotation.from_matrix(pose.rotations[1:, helpers].reshape(-1, 3, 3)).magnitude()
        assert np.degrees(turned).max() < limit


def test_bvhio_reads_the_same_joints(motion, tmp_path):
    BVHExporter()(motion, tmp_path / 'walk.bvh')
    ours = positions(tmp_path / 'walk.bvh', CMU17)
    root = bvhio.readAsHierarchy(str(tmp_path / 'walk.bvh'))
    assert root.getKeyframeRange() == (0, 59)
    for frame in range(0, 60, 7):
        root.loadPose(frame)
        theirs = {joint.Name: joint.PositionWorld for joint, *_ in root.layout()}
        found = np.array([tuple(theirs[name]) for name in CMU17.joint_names])
        np.testing.assert_allclose(found, ours[frame], atol=1e-5)


def test_changing_bone_lengths_are_reported(motion, tmp_path):
    about = BVHExporter()(motion, tmp_path / 'a.bvh')
    errors = errors_mm(tmp_path / 'a.bvh', motion)
    assert errors.max() > 1  # the motion trembles
    assert about['position_error_mm'] == {
        'mean': pytest.approx(errors.mean(), abs=1e-3),
        'max': pytest.approx(errors.max(), abs=2e-3),
    }
    thigh = np.linalg.norm(motion.joints_3d[:, 2] - motion.joints_3d[:, 1], axis=-1)
    assert about['bone_lengths_mm']['right_knee'] == pytest.approx(np.median(thigh), abs=0.06)


def test_rest_pose_is_a_t_pose_of_that_person(motion, tmp_path):
    BVHExporter()(motion, tmp_path / 'a.bvh')
    text = (tmp_path / 'a.bvh').read_text()
    head, _, _ = text.partition('MOTION')
    path = tmp_path / 'rest.bvh'
    path.write_text(
        f'{head}MOTION\nFrames: 1\nFrame Time: 0.04\n{" ".join(["0"] * (3 + 3 * head.count("CHANNELS")))}\n'
    )
    rest = dict(zip(CMU17.joint_names, positions(path, CMU17)[0], strict=True))
    arm = rest['left_wrist'] - rest['left_shoulder']
    leg = rest['right_foot'] - rest['right_hip']
    np.testing.assert_allclose(arm / np.linalg.norm(arm), [1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(leg / np.linalg.norm(leg), [0, -1, 0], atol=1e-6)
    assert rest['head'][1] > rest['thorax'][1] > 0.2
    assert rest['left_hip'][0] > 0.05
    assert rest['right_shoulder'][0] < -0.1


def test_the_person_faces_the_camera_with_little_rotation(motion, tmp_path):
    """The rest pose faces +z, towards the camera, and so does the person of the fixture."""
    BVHExporter()(motion, tmp_path / 'a.bvh')
    _, rotations = bvh_joint_frames(read_bvh(tmp_path / 'a.bvh'))
    turned = np.degrees(Rotation.from_matrix(rotations['root']).magnitude())
    assert turned.max() < 15


def test_channels_frames_and_rate(motion, tmp_path):
    BVHExporter()(replace(motion, fps=23.976), tmp_path / 'a.bvh')
    text = (tmp_path / 'a.bvh').read_text()
    assert text.count('CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation') == 1
    assert text.count('CHANNELS 3 Zrotation Xrotation Yrotation') == text.count('JOINT ') == 22
    assert text.count('{') == text.count('}')
    assert text.count('End Site') == 5
    assert 'Frames: 60\n' in text
    assert read_bvh(tmp_path / 'a.bvh').fps == pytest.approx(23.976)
    assert set(re.findall(r'JOINT (\w+_to_\w+)', text)) >= {'root_to_spine', 'thorax_to_left_shoulder'}


def test_somebody_who_turns_on_the_spot_turns_on(motion, tmp_path):
    """Three turns in 120 frames: no channel jumps."""
    still = motion.joints_3d[:1] - motion.joints_3d[:1, :1]
    turns = Rotation.from_rotvec(np.linspace(0, 6 * np.pi, 120)[:, None] * [0.0, 1.0, 0.0]).as_matrix()
    BVHExporter()(Motion(np.einsum('fij,kj->fki', turns, still[0]), CMU17, 30.0, up=UP), tmp_path / 'a.bvh')
    angles = read_bvh(tmp_path / 'a.bvh').values[:, 3:]
    assert np.abs(np.diff(angles, axis=0)).max() < 10
    assert abs(angles[-1] - angles[0]).max() == pytest.approx(1080, abs=1e-3)


def test_scale_makes_centimetres(motion, tmp_path):
    about = BVHExporter(scale=100.0)(motion, tmp_path / 'a.bvh')
    assert about['unit'] == '0.01 m'
    BVHExporter()(motion, tmp_path / 'b.bvh')
    np.testing.assert_allclose(
        positions(tmp_path / 'a.bvh', CMU17), 100 * positions(tmp_path / 'b.bvh', CMU17), atol=1e-4
    )


def test_gaps_are_an_error_unless_interpolation_is_asked_for(gappy, tmp_path):
    with pytest.raises(ValueError, match=r"6 of 60 frames lack joints \(the first: frame 10, 'root'\)"):
        BVHExporter()(gappy, tmp_path / 'a.bvh')
    assert list(tmp_path.iterdir()) == []


def test_interpolation_fills_gaps_by_straight_lines_and_holds_the_ends(gappy, motion, tmp_path):
    about = BVHExporter(gaps='interpolate')(gappy, tmp_path / 'a.bvh')
    assert about['interpolated_frames'] == [[10, 12], [20, 20], [58, 59]]
    found = positions(tmp_path / 'a.bvh', CMU17)
    truth = motion.y_up_metres()
    line = truth[9, 0] + (truth[13, 0] - truth[9, 0]) * np.array([[0.25], [0.5], [0.75]])
    np.testing.assert_allclose(found[10:13, 0], line, atol=1e-6)
    np.testing.assert_allclose(found[[58, 59]], found[[57, 57]], atol=1e-6)
    assert 1000 * np.linalg.norm(found[20, 16] - truth[20, 16]) < 40
    complete = replace(gappy, joints_3d=gappy.joints_3d[:10], observed=None)
    BVHExporter()(complete, tmp_path / 'b.bvh')
    assert errors_mm(tmp_path / 'b.bvh', complete).mean() < 20


def test_filled_frames_do_not_shorten_bones(motion, tmp_path):
    """A straight line between two poses half a turn apart has bones of no length in its middle."""
    still = motion.joints_3d[0] - motion.joints_3d[0, 0]
    joints = np.full((41, 17, 3), np.nan)
    joints[0] = joints[1] = still
    joints[39] = joints[40] = still @ Rotation.from_euler('y', 170, degrees=True).as_matrix().T
    about = BVHExporter(gaps='interpolate')(Motion(joints, CMU17, 30.0, up=UP), tmp_path / 'a.bvh')
    assert about['bone_lengths_mm']['left_hip'] == pytest.approx(np.linalg.norm(still[4]), abs=0.06)


def test_bad_options_and_bodies_are_named(motion, tmp_path):
    path = tmp_path / 'a.bvh'
    with pytest.raises(ValueError, match='scale must be positive, got 0'):
        BVHExporter(scale=0)(motion, path)
    with pytest.raises(ValueError, match="gaps must be one of error, interpolate, got 'fill'"):
        BVHExporter(gaps='fill')(motion, path)
    names = [name.replace('shoulder', 'wing') for name in CMU17.joint_names]
    bird = replace(CMU17, name='bird', joint_names=tuple(names))
    with pytest.raises(ValueError, match="skeleton 'bird' lacks left_shoulder, right_shoulder"):
        BVHExporter()(replace(motion, skeleton=bird), path)
    joints = motion.joints_3d.copy()
    joints[:, 13] = np.nan
    with pytest.raises(ValueError, match="'left_wrist' is not known in any frame"):
        BVHExporter(gaps='interpolate')(replace(motion, joints_3d=joints), path)
    assert not path.exists()


def test_limbs_of_which_nothing_is_known_are_left_out_if_asked(motion, tmp_path):
    names = CMU17.joint_names
    joints = motion.joints_3d.copy()
    unknown = ('left_knee', 'left_foot', 'right_foot', 'head')
    joints[:, [names.index(name) for name in unknown]] = np.nan
    partial = replace(motion, joints_3d=joints)
    about = BVHExporter(never_known='leave out')(partial, tmp_path / 'a.bvh')
    assert sorted(about['left_out_joints']) == sorted(unknown)
    found, _ = bvh_joint_frames(read_bvh(tmp_path / 'a.bvh'))
    assert set(unknown).isdisjoint(found)
    kept = [name for name in names if name not in unknown]
    whole = motion.y_up_metres()[:, [names.index(name) for name in kept]]
    assert 1000 * np.linalg.norm(np.stack([found[name] for name in kept], axis=1) - whole, axis=-1).max() < 40
    with pytest.raises(ValueError, match="'right_foot' is not known in any frame"):
        BVHExporter(gaps='interpolate')(partial, tmp_path / 'b.bvh')
    joints[:, names.index('left_hip')] = np.nan
    with pytest.raises(ValueError, match="'left_hip' is not known in any frame"):
        BVHExporter(gaps='interpolate', never_known='leave out')(replace(motion, joints_3d=joints), tmp_path / 'b.bvh')
