"""PCK as a metric of MMEngine. Run as a script, this file is one of two processes."""

import io
import json
import logging
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed
from mmengine.dataset import DefaultSampler
from mmengine.logging import MMLogger
from mmengine.structures import InstanceData

from posediff.evaluation.jitter import jitter
from posediff.evaluation.metrics import KeypointPCK
from posediff.evaluation.pck_counts import read_counts
from posediff.registry import METRICS
from posediff.structures import PoseDataSample
from posediff.structures.posetrack_joints import POSETRACK18_KEYPOINTS, POSETRACK18_SIGMAS

NUM_SAMPLES = 15
SHAPE = (240, 320)
HEAD_TOP, EARS = 2, slice(3, 5)
NOSE, LEFT_SHOULDER, RIGHT_HIP = (POSETRACK18_KEYPOINTS.index(name) for name in ('nose', 'left_shoulder', 'right_hip'))


def true_pose():
    """(17, 2) px: a column of joints 10 px apart."""
    return np.stack([np.full(17, 160.0), 20 + 10 * np.arange(17.0)], axis=-1)


def make_sample(index=0, clip='wave/one.avi', frame=1, offset=(0.0, 0.0), scores=1.0, **metainfo):
    """A person of JHMDB: box of 100 by 200 px, top of the head and ears not annotated, all predicted joints off."""
    visible = np.ones((1, 17), np.float32)
    visible[0, HEAD_TOP] = visible[0, EARS] = 0
    sample = PoseDataSample(
        metainfo={'id': index, 'img_id': index, 'ori_shape': SHAPE, 'frame_path': f'{clip}/{frame:05d}.png'} | metainfo
    )
    sample.gt_instances = InstanceData(
        keypoints=true_pose()[None].astype(np.float32),
        keypoints_visible=visible,
        bboxes=np.array([[110.0, 10.0, 210.0, 210.0]], np.float32),
    )
    sample.pred_instances = InstanceData(
        keypoints=(true_pose() + offset)[None].astype(np.float32),
        keypoint_scores=np.broadcast_to(np.float32(scores), (1, 17)).copy(),
    )
    return sample


def random_sample(index):
    """One of two clips, some frames missing, errors around the thresholds, several hypotheses."""
    rng = np.random.default_rng(index)
    scale = rng.uniform(5, 40, (17, 1))
    sample = make_sample(
        index, f'wave/{index % 2}', 1 + index // 2 + (index > 7), rng.normal(0, scale, (17, 2)), rng.random(17)
    )
    drawn = sample.pred_instances.keypoints + rng.normal(0, scale, (4, 17, 2))
    sample.pred_hypotheses = torch.from_numpy(drawn)
    return sample


def measure(metric, several=None):
    several = [random_sample(index) for index in range(NUM_SAMPLES)] if several is None else several
    metric.process(None, [sample.to_dict() for sample in several])
    return metric.evaluate(len(several))


def test_it_is_registered():
    assert isinstance(METRICS.build({'type': 'KeypointPCK'}), KeypointPCK)


def test_figures(tmp_path):
    """An error of 12 px is 0.06 of the box of 200 px and 0.17 of the torso of 70 px."""
    out = tmp_path / 'folder' / 'pck.json'
    metric = KeypointPCK(normalizers=('box', 'torso', 'head'), out_file=str(out))
    found = measure(metric, [make_sample(offset=(7.2, 9.6), scores=0.75)])
    area = 0.53 * 100 * 200
    counted = np.delete(POSETRACK18_SIGMAS, [HEAD_TOP, 3, 4])
    assert found == {
        'pck/PCK@0.2': 100, 'pck/PCK@0.1': 100, 'pck/PCK@0.05': 0,
        'pck/torso PCK@0.2': 100, 'pck/torso PCK@0.1': 0, 'pck/torso PCK@0.05': 0,
        'pck/OKS': pytest.approx(np.exp(-(12**2) / (2 * area * (2 * counted) ** 2)).mean()),
        'pck/ECE': 0.25,
    }  # fmt: skip
    document = json.loads(out.read_text())
    assert document['metrics'] == {name.removeprefix('pck/'): value for name, value in found.items()}
    assert document['joint_pck']['PCK@0.1']['head_top'] is None
    assert document['joint_pck']['torso PCK@0.2']['nose'] == 100
    assert document['joint_pck']['head PCK@0.2']['nose'] is None
    assert document['scores']['bins'] == [{'low': 0.7, 'high': 0.8, 'count': 14, 'score': 0.75, 'accuracy': 1}]
    assert document['scores']['score_knots'] == [[0.75, 1]]
    assert document['scores']['errors'] == [{'count': 14, 'score': 0.75, 'error': pytest.approx(0.06), 'accuracy': 1}]
    assert document['scores']['spread'] is None
    assert document['clips']['wave/one.avi']['totals']['box'] == [1, 1, 0, 0, 0, *[1] * 12]
    assert read_counts(out).measures()['PCK@0.1'] == 100


def test_every_joint_of_a_person_who_was_not_found_is_wrong(tmp_path):
    out = tmp_path / 'pck.json'
    people = [make_sample(number, frame=1 + number, scores=0.75).to_dict() for number in range(8)]
    people[4]['pred_instances'] = None
    metric = KeypointPCK(normalizers=('box', 'torso'), out_file=str(out))
    metric.process(None, people)
    found = metric.evaluate(len(people))
    for name in ('PCK@0.2', 'PCK@0.05', 'torso PCK@0.1'):
        assert found[f'pck/{name}'] == pytest.approx(100 * 7 / 8)
    assert found['pck/OKS'] == pytest.approx(7 / 8)
    assert found['pck/jitter'] == 0  # of frames 1 to 4 and 6 to 8
    assert found['pck/ECE'] == pytest.approx(0.25)  # of the seven others
    clip = json.loads(out.read_text())['clips']['wave/one.avi']
    assert clip['totals']['box'][NOSE] == 8
    assert clip['hits']['box']['0.2'][NOSE] == 7
    assert clip['jitter'][1] == (2 + 1) * 14


def test_nobody_was_found():
    metric = KeypointPCK()
    metric.process(None, [make_sample().to_dict() | {'pred_instances': None}])
    assert metric.evaluate(1) == {'pck/PCK@0.2': 0, 'pck/PCK@0.1': 0, 'pck/PCK@0.05': 0, 'pck/OKS': 0}


@pytest.fixture
def logged():
    """What MMEngine's logger is given."""
    text = io.StringIO()
    handler, logger = logging.StreamHandler(text), MMLogger.get_current_instance()
    logger.addHandler(handler)
    yield text
    logger.removeHandler(handler)


def test_a_table_per_joint_is_logged(logged):
    metric = KeypointPCK(normalizers=['box', 'head'], joints=['nose', 'head_top'])
    measure(metric, [make_sample(offset=(7.2, 9.6))])
    text = logged.getvalue()
    rows = [[cell.strip() for cell in line.strip('| ').split('|')] for line in text.splitlines() if '|' in line]
    assert rows[:1] + rows[2:] == [
        ['%', 'keypoints (box)', 'PCK@0.2', 'PCK@0.1', 'PCK@0.05'],
        ['nose', '1', '100.0', '100.0', '0.0'],
        ['head_top', '0', '–', '–', '–'],
        ['mean of joints', '1', '100.0', '100.0', '0.0'],
        ['all keypoints', '1', '100.0', '100.0', '0.0'],
    ]
    assert 'nothing to measure for head PCK@0.2, head PCK@0.1, head PCK@0.05, jitter' in text


def test_only_named_joints_inside_the_picture_count(tmp_path):
    sample = make_sample()
    sample.gt_instances.keypoints[0, NOSE] = 330, 100
    found = measure(KeypointPCK(joints=['nose', 'left_hip']), [sample])
    assert found['pck/PCK@0.2'] == 100
    found = measure(KeypointPCK(joints=['nose', 'left_hip'], inside_only=False), [sample])
    assert found['pck/PCK@0.2'] == 50
    with pytest.raises(ValueError, match='none has one of nose annotated inside the picture'):
        measure(KeypointPCK(joints=['nose']), [sample])


def test_joints_have_equal_weight():
    """The nose is right in the one picture in which it is annotated; the hip in one of three."""
    several = [make_sample(index, frame=index, offset=(0, 100 * (index > 1))) for index in (1, 2, 3)]
    for sample in several[1:]:
        sample.gt_instances.keypoints_visible[0, NOSE] = 0
    assert measure(KeypointPCK(joints=['nose', 'left_hip']), several)['pck/PCK@0.2'] == pytest.approx(
        100 * (1 + 1 / 3) / 2
    )


def test_mmpose_agrees():
    evaluation = pytest.importorskip('mmpose.evaluation', reason='MMPose is not installed')
    found = measure(KeypointPCK(prefix='m'))
    for threshold in (0.2, 0.1, 0.05):
        metric = evaluation.PCKAccuracy(thr=threshold, prefix='m')
        expected = measure(metric)['m/PCK']
        assert 0.1 < expected < 0.99
        assert found[f'm/PCK@{threshold}'] == pytest.approx(100 * expected)


def test_jitter_of_runs_of_one_person():
    """Frames 1 to 3 and 5 to 6 of one clip; a clip with two people without track ids; a clip with track ids."""
    rng = np.random.default_rng(0)
    moves = rng.normal(0, 5, (11, 17, 2))
    one = [make_sample(frame, 'a', frame, moves[frame]) for frame in (1, 2, 3, 5, 6)]
    diagonal = math.hypot(100, 200)
    counted = one[0].gt_instances.keypoints_visible[0] > 0
    expected = jitter(moves[1:4][:, counted], diagonal)
    assert measure(KeypointPCK(), one)['pck/jitter'] == pytest.approx(expected, rel=1e-4)
    assert 'pck/jitter' not in measure(KeypointPCK(), one[3:])
    crowd = [make_sample(20 + frame, 'b', frame % 3, moves[frame]) for frame in range(6)]
    assert measure(KeypointPCK(), one + crowd)['pck/jitter'] == pytest.approx(expected, rel=1e-4)
    for frame, sample in enumerate(crowd):
        sample.set_metainfo({'raw_ann_info': {'track_id': frame // 3}})
    runs = [expected, jitter(moves[:3][:, counted], diagonal), jitter(moves[3:6][:, counted], diagonal)]
    assert measure(KeypointPCK(), one + crowd)['pck/jitter'] == pytest.approx(np.mean(runs), rel=1e-4)
    crowd[3].set_metainfo({'raw_ann_info': {'track_id': 0}})
    with pytest.raises(ValueError, match='clip b: two people of frame 0 have track id 0'):
        measure(KeypointPCK(), crowd)


def test_spread_of_the_hypotheses(tmp_path):
    """Two hypotheses two px apart have a spread of √2 px; those of the nose, outside the picture, are 40 px apart."""
    sample = make_sample(offset=(9, 12))
    sample.gt_instances.keypoints[0, NOSE] = 330, 100
    drawn = np.stack([sample.pred_instances.keypoints[0]] * 2)
    drawn[0, :, 0] += 2
    drawn[0, NOSE, 0] += 38
    sample.pred_hypotheses = torch.from_numpy(drawn)
    measure(KeypointPCK(out_file=str(tmp_path / 'pck.json')), [sample])
    spread = json.loads((tmp_path / 'pck.json').read_text())['scores']['spread']
    assert spread['bins'] == [
        pytest.approx({'count': 13, 'spread': 2**0.5 / 200, 'error': 15 / 200, 'accuracy': 1}, abs=1e-6)
    ]
    assert spread['joints']['nose'] == {
        'count': 0, 'spread': None, 'error': None, 'rank_correlation': None, 'count_outside_picture': 1,
        'spread_outside_picture': pytest.approx(20 * 2**0.5 / 200),
    }  # fmt: skip
    assert spread['joints']['left_hip']['spread'] == pytest.approx(2**0.5 / 200, rel=1e-4)
    measure(KeypointPCK(out_file=str(tmp_path / 'pck.json')))
    assert json.loads((tmp_path / 'pck.json').read_text())['scores']['spread']['joints']['nose']['rank_correlation'] > 0


def test_order_and_duplicates_do_not_matter():
    expected = measure(KeypointPCK())
    several = [random_sample(index) for index in range(NUM_SAMPLES)]
    assert measure(KeypointPCK(), [*several[::-1], *several[:4]]) == expected


def test_other_joints_have_the_sigmas_of_their_data_set():
    sample = make_sample(offset=(9, 12))
    for instances in (sample.gt_instances, sample.pred_instances):
        for name in list(instances.keys()):
            if name != 'bboxes':
                instances.set_field(instances[name][:, :2], name)
    metric = KeypointPCK()
    metric.dataset_meta = {'keypoint_id2name': {0: 'tail', 1: 'ear'}, 'sigmas': np.array([0.1, 0.1])}
    expected = math.exp(-(15**2) / (2 * 0.53 * 100 * 200 * 0.2**2))
    assert measure(metric, [sample])['pck/OKS'] == pytest.approx(expected)
    del metric.dataset_meta['sigmas']
    metric.results.clear()
    assert 'pck/OKS' not in measure(metric, [sample])


def test_samples_of_the_clip_data_set(tmp_path):
    """What the pipeline of the configs packs; the boxes and keypoints of the picture, not of the crop."""
    pytest.importorskip('mmpose', reason='MMPose is not installed')
    cv2 = pytest.importorskip('cv2')
    from posediff.datasets.posetrack import PoseTrackClipDataset

    images, annotations = [], []
    (tmp_path / 'wave' / 'one').mkdir(parents=True)
    for number in (1, 2, 3):
        file = f'wave/one/{number:05d}.png'
        cv2.imwrite(str(tmp_path / file), np.zeros((*SHAPE, 3), np.uint8))
        images.append({'id': number, 'file_name': file, 'width': SHAPE[1], 'height': SHAPE[0], 'nframes': 3})
        visible = np.ones((17, 1))
        visible[HEAD_TOP] = visible[EARS] = 0
        annotations.append({
            'id': number, 'image_id': number, 'category_id': 1, 'bbox': [110, 10, 100, 200], 'iscrowd': 0,
            'num_keypoints': 14, 'keypoints': np.c_[true_pose() * visible, visible].ravel().tolist(), 'track_id': 0,
        })  # fmt: skip
    document = {'images': images, 'annotations': annotations, 'categories': [{'id': 1, 'name': 'person'}]}
    (tmp_path / 'test.json').write_text(json.dumps(document))
    meta_keys = ('id', 'img_id', 'img_path', 'sample_id', 'key_index', 'ori_shape', 'raw_ann_info', 'frame_path')
    pipeline = [
        {'type': 'LoadClip'}, {'type': 'mmpose.GetBBoxCenterScale', 'padding': 1.25},
        {'type': 'mmpose.TopdownAffine', 'input_size': (24, 32), 'use_udp': True},
        {'type': 'mmpose.PackPoseInputs', 'meta_keys': meta_keys},
    ]  # fmt: skip
    source = {'ann_file': 'test.json', 'data_root': str(tmp_path)}
    dataset = PoseTrackClipDataset(source, num_frames=3, frame_base=1, test_mode=True, pipeline=pipeline)
    several = []
    for index in range(3):
        sample = dataset[index]['data_samples']
        sample.pred_instances = InstanceData(
            keypoints=torch.from_numpy(true_pose()[None] + [7.2, 9.6 + 0.1 * index**2]),
            keypoint_scores=torch.ones(1, 17),
        )
        several.append(sample)
    metric = KeypointPCK(normalizers=('box', 'torso'), out_file=str(tmp_path / 'pck.json'))
    metric.dataset_meta = dataset.metainfo
    found = measure(metric, several)
    assert found['pck/PCK@0.1'] == found['pck/torso PCK@0.2'] == 100
    assert found['pck/torso PCK@0.1'] == 0
    assert found['pck/jitter'] == pytest.approx(0.2 / math.hypot(100, 200), rel=1e-4)
    counts = read_counts(tmp_path / 'pck.json')
    assert counts.clips == ('wave/one',)
    assert counts.joints == POSETRACK18_KEYPOINTS
    assert counts.totals[0, 0].tolist() == [3, 3, 0, 0, 0, *[3] * 12]


# --- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'thresholds': ()}, 'thresholds must be at least one'),
        ({'thresholds': (0.1, 0.1)}, 'each once'),
        ({'thresholds': (0.1, 0)}, 'thresholds must be positive, got 0'),
        ({'thresholds': (math.nan,)}, 'thresholds must be a finite number, got nan'),
        ({'normalizers': ('box', 'foot')}, "normalizers must be one of box, torso, head, got 'foot'"),
        ({'joints': []}, 'joints must be at least one'),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        KeypointPCK(**options)


def test_joints_that_the_data_set_has_not_are_refused():
    with pytest.raises(ValueError, match='joint tail is none of the data set: nose, head_bottom'):
        measure(KeypointPCK(joints=['nose', 'tail']), [make_sample()])
    metric = KeypointPCK(normalizers=['head'])
    metric.dataset_meta = {'keypoint_id2name': {index: f'joint {index}' for index in range(17)}}
    with pytest.raises(ValueError, match='head normalizer needs head_bottom'):
        measure(metric, [make_sample()])


def spoiled(group, field, value):
    sample = make_sample(sample_id='wave/1')
    sample.get(group).set_field(value, field)
    return sample


@pytest.mark.parametrize(
    ('sample', 'message'),
    [
        (spoiled('pred_instances', 'keypoints', np.full((1, 17, 2), np.nan)), 'pred_instances.keypoints is not finite'),
        (
            spoiled('pred_instances', 'keypoint_scores', np.ones((1, 16))),
            r'keypoint_scores is \(1, 16\), not \(1, 17\)',
        ),
        (spoiled('gt_instances', 'keypoints', np.full((1, 17, 2), np.inf)), 'an annotated keypoint is not finite'),
        (spoiled('gt_instances', 'bboxes', np.array([[5, 5, 5, 9]])), r'box \[5.0, 5.0, 5.0, 9.0\] .* has no area'),
        (make_sample(frame_path='00001.png', sample_id='wave/1'), "frame_path '00001.png' has no folder"),
        (make_sample(frame_path='wave/last.png', sample_id='wave/1'), 'name of a frame must be a number'),
    ],
)
def test_broken_samples_are_named(sample, message):
    with pytest.raises(ValueError, match=f"sample 'wave/1'.*{message}"):
        measure(KeypointPCK(), [sample])


def test_missing_fields_are_named():
    for name in ('id', 'ori_shape', 'pred_instances'):
        sample = make_sample().to_dict()
        del sample[name]
        with pytest.raises(ValueError, match=f'has no {name}'):
            KeypointPCK().process(None, [sample])
    sample = make_sample().to_dict()
    del sample['gt_instances']['bboxes']
    with pytest.raises(ValueError, match=r'has no gt_instances\.bboxes'):
        KeypointPCK().process(None, [sample])
    with pytest.raises(ValueError, match='the data set is empty'):
        KeypointPCK().compute_metrics([])


def test_two_people_of_one_sample_are_refused():
    sample = make_sample()
    sample.gt_instances = InstanceData.cat([sample.gt_instances] * 2)
    with pytest.raises(ValueError, match=r'keypoints is \(2, 17, 2\), not \(1, K, 2\): one person per sample'):
        measure(KeypointPCK(), [sample])


# --- two processes ----------------------------------------------------------------------------------------------------


def measure_rank(rank, folder):
    torch.distributed.init_process_group('gloo', init_method=f'file://{folder}/store', rank=rank, world_size=2)
    metric = KeypointPCK(collect_dir=f'{folder}/collected', out_file=f'{folder}/pck.json')
    for index in DefaultSampler(range(NUM_SAMPLES), shuffle=False):
        metric.process(None, [random_sample(index).to_dict()])
    measured = metric.evaluate(NUM_SAMPLES)
    (Path(folder) / f'rank{rank}.json').write_text(json.dumps(measured))
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_two_ranks_measure_what_one_does(tmp_path):
    ranks = [subprocess.Popen([sys.executable, __file__, str(rank), str(tmp_path)]) for rank in range(2)]
    assert [rank.wait(timeout=120) for rank in ranks] == [0, 0]
    expected = measure(KeypointPCK(out_file=str(tmp_path / 'one.json')))
    for rank in range(2):
        assert json.loads((tmp_path / f'rank{rank}.json').read_text()) == expected
    assert json.loads((tmp_path / 'pck.json').read_text()) == json.loads((tmp_path / 'one.json').read_text())


if __name__ == '__main__':
    measure_rank(int(sys.argv[1]), sys.argv[2])
