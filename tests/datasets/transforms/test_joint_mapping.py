"""Labels of one set of joints from those of another."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip('mmpose')

from mmpose.datasets.datasets import JhmdbDataset, PoseTrack18Dataset  # noqa: E402
from mmpose.datasets.datasets.utils import parse_pose_metainfo  # noqa: E402
from mmpose.datasets.transforms import GenerateTarget, RandomFlip, RandomHalfBody  # noqa: E402

from posediff.datasets.transforms import ConvertKeypoints  # noqa: E402
from posediff.datasets.transforms.joint_mapping import label_set  # noqa: E402
from posediff.structures.posetrack_joints import POSETRACK18_KEYPOINTS  # noqa: E402
from posediff.structures.skeletons import SKELETONS  # noqa: E402

LIMBS = [
    f'{side}_{part}' for part in ('shoulder', 'elbow', 'wrist', 'hip', 'knee', 'ankle') for side in ('left', 'right')
]
FROM_JHMDB = {'nose': 'head', 'head_bottom': 'neck', **{name: name for name in LIMBS}}
UNANNOTATED = ('head_top', 'left_ear', 'right_ear')


@pytest.fixture(scope='module')
def jhmdb(tmp_path_factory):
    """Return a dataset of MMPose with one person whose right wrist is not annotated."""
    root = tmp_path_factory.mktemp('jhmdb')
    joints = np.random.default_rng(0).uniform(10, 90, (15, 2))
    visible = np.ones((15, 1))
    visible[11] = 0
    annotation = {
        'id': 1, 'image_id': 1, 'category_id': 1, 'bbox': [1, 1, 90, 90], 'iscrowd': 0, 'num_keypoints': 14,
        'keypoints': np.hstack([joints, visible]).ravel().tolist(),
    }  # fmt: skip
    image = {'id': 1, 'file_name': '00001.png', 'width': 100, 'height': 100}
    document = {'images': [image], 'annotations': [annotation], 'categories': [{'id': 1, 'name': 'person'}]}
    (root / 'train.json').write_text(json.dumps(document))
    return JhmdbDataset(ann_file='train.json', data_root=str(root))


@pytest.fixture(scope='module')
def item(jhmdb):
    """Return a function that returns the item, with a picture."""
    picture = {'img': [np.zeros((100, 100, 3), np.uint8)], 'img_shape': (100, 100), 'dataset': jhmdb}
    return lambda: jhmdb.get_data_info(0) | picture


def test_joints_keep_their_place_under_their_new_name(item):
    before, after = item(), ConvertKeypoints(FROM_JHMDB, 'posetrack18')(item())
    ids = before['dataset'].metainfo['keypoint_name2id']
    assert after['keypoints'].shape == (1, 17, 2)
    for index, name in enumerate(POSETRACK18_KEYPOINTS):
        if name in UNANNOTATED:
            assert after['keypoints_visible'][0, index] == 0
            assert not after['keypoints'][0, index].any()
        else:
            source = ids[FROM_JHMDB[name]]
            np.testing.assert_array_equal(after['keypoints'][0, index], before['keypoints'][0, source])
            assert after['keypoints_visible'][0, index] == before['keypoints_visible'][0, source]
    assert after['num_keypoints'] == 13
    assert after['skeleton'] == 'posetrack15'
    both = np.stack([before['keypoints_visible']] * 2, axis=-1)
    mapped = ConvertKeypoints(FROM_JHMDB, 'posetrack18')(item() | {'keypoints_visible': both})
    np.testing.assert_array_equal(mapped['keypoints_visible'], np.stack([after['keypoints_visible']] * 2, axis=-1))
    assert mapped['num_keypoints'] == 13


def test_what_mmpose_reads_is_that_of_its_own_dataset(item):
    after = ConvertKeypoints(FROM_JHMDB, 'posetrack18')(item())
    metainfo = parse_pose_metainfo(PoseTrack18Dataset.METAINFO)
    assert list(metainfo['keypoint_id2name'].values()) == list(POSETRACK18_KEYPOINTS)
    for name in ('flip_indices', 'flip_pairs', 'upper_body_ids', 'lower_body_ids', 'skeleton_links'):
        assert after[name] == metainfo[name], name
    np.testing.assert_array_equal(after['dataset_keypoint_weights'], metainfo['dataset_keypoint_weights'])
    after['flip_indices'].reverse()  # an item's own copy
    assert ConvertKeypoints(FROM_JHMDB, 'posetrack18')(item())['flip_indices'] == metainfo['flip_indices']


def test_flips_before_and_after_are_the_same(item):
    convert, flip = ConvertKeypoints(FROM_JHMDB, 'posetrack18'), RandomFlip(prob=1.0)
    first, last = flip(convert(item())), convert(flip(item()))
    np.testing.assert_array_equal(first['keypoints_visible'], last['keypoints_visible'])
    labelled = first['keypoints_visible'] > 0
    np.testing.assert_array_equal(first['keypoints'][labelled], last['keypoints'][labelled])


def test_half_bodies_and_targets_ignore_joints_without_a_source(item):
    after = ConvertKeypoints(FROM_JHMDB, 'posetrack18')(item())
    upper = [after['keypoints'][0, index] for index in after['upper_body_ids'] if after['keypoints_visible'][0, index]]
    half = RandomHalfBody(prob=1.0, upper_prioritized_prob=1.0)(after | {'bbox_center': 0, 'bbox_scale': 0})
    np.testing.assert_allclose(half['bbox_center'][0], np.mean(upper, axis=0), rtol=1e-6)
    encoder = {'type': 'UDPHeatmap', 'input_size': (100, 100), 'heatmap_size': (25, 25)}
    weights = GenerateTarget(encoder, use_dataset_keypoint_weights=True)(after)['keypoint_weights'][0]
    names = {name for name, weight in zip(POSETRACK18_KEYPOINTS, weights) if weight == 0}
    assert names == {*UNANNOTATED, 'right_wrist'}
    assert weights[POSETRACK18_KEYPOINTS.index('left_wrist')] == 1.5


@given(name=st.sampled_from(sorted(SKELETONS)))
def test_every_skeleton_is_a_set_of_labels(name):
    labels = label_set(name)
    metainfo, count = labels.metainfo, len(labels.names)
    assert labels.names == SKELETONS[name].joint_names
    flip = np.arange(count)
    for first, second in metainfo['flip_pairs']:
        flip[[first, second]] = second, first
    assert flip.tolist() == metainfo['flip_indices']
    assert sorted(metainfo['upper_body_ids'] + metainfo['lower_body_ids']) == list(range(count))
    lower = {labels.names[index] for index in metainfo['lower_body_ids']}
    assert {name for name in labels.names if any(part in name for part in ('hip', 'knee', 'ankle'))} <= lower
    assert not [name for name in lower if any(part in name for part in ('shoulder', 'elbow', 'wrist', 'nose'))]
    assert metainfo['dataset_keypoint_weights'].tolist() == [1] * count


def test_unknown_names_are_named(item):
    with pytest.raises(ValueError, match="unknown label set 'posetrack'; known: posetrack18, body25"):
        ConvertKeypoints({'nose': 'head'}, 'posetrack')
    with pytest.raises(ValueError, match="joints maps face, belly, 'posetrack18' has nose, head_bottom"):
        ConvertKeypoints({'face': 'head', 'nose': 'head', 'belly': 'belly'}, 'posetrack18')
    with pytest.raises(ValueError, match='joints maps no joint'):
        ConvertKeypoints({}, 'posetrack18')
    with pytest.raises(ValueError, match="joints names face, toe, dataset 'jhmdb' has neck, belly, head, right_should"):
        ConvertKeypoints({'nose': 'face', 'left_ankle': 'toe', 'left_hip': 'left_hip'}, 'posetrack18')(item())
