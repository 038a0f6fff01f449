"""PoseTrack's AP as a metric of MMEngine. Run as a script, this file is one of two processes."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed
from mmengine.dataset import DefaultSampler
from mmengine.structures import InstanceData

from posediff.evaluation.metrics import PoseTrackAP
from posediff.evaluation.posetrack import evaluate_folders
from posediff.registry import METRICS
from posediff.structures import PoseDataSample
from posediff.structures.posetrack_joints import POSETRACK18_KEYPOINTS

NUM_SAMPLES = 15
SEQUENCES = ('000001_mpii_test', '000002_bonn_test')


def true_pose(person):
    """(17, 3): x, y, visibility; ears are not annotated."""
    pose = np.stack([100.0 + 20 * np.arange(17), np.full(17, 100.0 + 70 * person), np.ones(17)], axis=-1)
    pose[3:5] = 0
    return pose


def write_truth(folder):
    """Two sequences of three frames; three persons in each but the second."""
    folder.mkdir()
    for number, sequence in enumerate(SEQUENCES):
        images, annotations = [], []
        for frame in range(3):
            image_id = 100 * number + frame
            name = f'images/val/{sequence}/{frame:06d}.jpg'
            images.append(
                {'id': image_id, 'file_name': name, 'is_labeled': frame != 1}
                | {'ignore_regions_x': [], 'ignore_regions_y': []}
            )
            for person in range(3 if frame != 1 else 0):
                keypoints = true_pose(person).reshape(-1).tolist()
                annotations.append(
                    {'image_id': image_id, 'id': 10 * image_id + person, 'track_id': person, 'keypoints': keypoints}
                    | {'bbox_head': [90, 90, 30, 40], 'scores': [], 'category_id': 1, 'bbox': [90, 90, 400, 60]}
                )
        category = {'name': 'person', 'id': 1, 'keypoints': list(POSETRACK18_KEYPOINTS)}
        document = {'images': images, 'annotations': annotations, 'categories': [category]}
        (folder / f'{sequence}.json').write_text(json.dumps(document))
    return folder


def merge(folder, path):
    """One COCO-style file of all sequences."""
    parts = [json.loads(file.read_text()) for file in sorted(folder.glob('*.json'), reverse=True)]
    merged = {key: [entry for part in parts for entry in part[key]] for key in ('images', 'annotations')}
    for annotation in merged['annotations']:
        del annotation['track_id']
    path.write_text(json.dumps({**merged, 'categories': parts[0]['categories']}))
    return path


def make_sample(index):
    """A person of one of five images; joints are off by up to a head."""
    rng = np.random.default_rng(index)
    number, image, person = index % 2, index // 2 % 3, index // 6
    keypoints = true_pose(person % 3)[None, :, :2] + rng.normal(0, 10, (1, 17, 2))
    sample = PoseDataSample(
        metainfo={
            'id': 1000 - index,
            'img_id': 100 * number + image,
            'img_path': f'data/images/val/{SEQUENCES[number]}/{image:06d}.jpg',
        }
    )
    sample.pred_instances = InstanceData(
        keypoints=keypoints.astype(np.float32), keypoint_scores=rng.uniform(0.3, 1, (1, 17)).astype(np.float32)
    )
    sample.gt_instances = InstanceData(
        bbox_scores=rng.uniform(0.2, 1, 1).astype(np.float32), bbox_scales=np.array([[400.0, 60.0]], np.float32)
    )
    return sample.to_dict()


def samples():
    return [make_sample(index) for index in range(NUM_SAMPLES)]


def measure(metric, several=None):
    several = samples() if several is None else several
    metric.process(None, several)
    return metric.evaluate(len(several))


@pytest.fixture
def truth(tmp_path):
    return write_truth(tmp_path / 'gt')


def test_it_is_registered(truth):
    assert isinstance(METRICS.build({'type': 'PoseTrackAP', 'gt_folder': str(truth)}), PoseTrackAP)


def test_names_and_figures(truth):
    measured = measure(PoseTrackAP(str(truth)))
    assert list(measured) == [
        *(f'posetrack/{group} AP' for group in ('Head', 'Shou', 'Elb', 'Wri', 'Hip', 'Knee', 'Ankl')),
        'posetrack/AP', 'posetrack/precision', 'posetrack/recall',
    ]  # fmt: skip
    assert 0 < measured['posetrack/AP'] < 100


def test_exact_poses_of_everybody(truth):
    """All 12 persons found: AP 100, and a few strangers in frames that do not count."""
    several = []
    for index in range(18):
        sample = make_sample(index)
        sample['pred_instances']['keypoints'] = true_pose(index // 6)[None, :, :2]
        several.append(sample)
    assert measure(PoseTrackAP(str(truth)), several)['posetrack/AP'] == 100
    assert measure(PoseTrackAP(str(truth)), several[:-1])['posetrack/recall'] == pytest.approx(100 * 11 / 12)


@pytest.mark.parametrize('options', [{}, {'score_mode': 'keypoint_times_box'}, {'protocol': 'posetrack21'}])
def test_the_files_it_writes_evaluate_to_the_same(truth, tmp_path, options):
    metric = PoseTrackAP(str(truth), outfile_prefix=str(tmp_path / 'results' / 'val'), **options)
    measured = measure(metric)
    written = sorted(path.name for path in (tmp_path / 'results').iterdir())
    assert written == [f'{sequence}.json' for sequence in SEQUENCES]
    result = evaluate_folders(truth, tmp_path / 'results', options.get('protocol', 'poseval'))
    assert measured['posetrack/AP'] == result.total('ap')
    assert measured['posetrack/Wri AP'] == result.groups('ap')['Wrist']
    for name in written:
        listed, expected = (
            [(image['id'], image['file_name']) for image in json.loads((folder / name).read_text())['images']]
            for folder in (tmp_path / 'results', truth)
        )
        assert listed == expected


def test_the_box_multiplies_scores(truth, tmp_path):
    scores = {}
    for mode in ('keypoint', 'keypoint_times_box'):
        folder = tmp_path / mode
        measure(PoseTrackAP(str(truth), score_mode=mode, outfile_prefix=f'{folder}/x', format_only=True))
        document = json.loads((folder / f'{SEQUENCES[0]}.json').read_text())
        scores[mode] = np.array([annotation['scores'] for annotation in document['annotations']])
    by_image = [make_sample(index) for index in range(0, NUM_SAMPLES, 2)]
    by_image.sort(key=lambda sample: (sample['img_id'], sample['id']))
    boxes = np.array([float(sample['gt_instances']['bbox_scores'][0]) for sample in by_image])
    np.testing.assert_allclose(scores['keypoint_times_box'], scores['keypoint'] * boxes[:, None], rtol=1e-12)


def test_ground_truth_of_one_file_is_the_same(truth, tmp_path):
    merged = merge(truth, tmp_path / 'val.json')
    assert measure(PoseTrackAP(ann_file=str(merged))) == measure(PoseTrackAP(str(truth)))


def test_ground_truth_of_posetrack17_is_found_by_path(truth, tmp_path):
    expected = measure(PoseTrackAP(str(truth)))
    for file in truth.iterdir():
        document = json.loads(file.read_text())
        frames = []
        for image in document['images']:
            persons = [person for person in document['annotations'] if person['image_id'] == image['id']]
            frames.append({'image': [{'name': image['file_name']}], 'annorect': list(map(rectangle, persons))})
        file.write_text(json.dumps({'annolist': frames}))
    several = samples()
    for number, sample in enumerate(several):  # what clips look like
        sample['img_path'] = ['elsewhere', sample['img_path']]
        sample['key_index'] = 1
        if number % 2:
            sample['frame_path'] = sample['img_path'][1]
            sample['img_path'] = ['elsewhere']
    metric = PoseTrackAP(str(truth), outfile_prefix=str(tmp_path / 'results' / 'val'))
    assert measure(metric, several) == expected
    assert evaluate_folders(truth, tmp_path / 'results').total('ap') == expected['posetrack/AP']


def rectangle(person):
    order = ('right_ankle', 'right_knee', 'right_hip', 'left_hip', 'left_knee', 'left_ankle', 'right_wrist')
    order += ('right_elbow', 'right_shoulder', 'left_shoulder', 'left_elbow', 'left_wrist', 'head_bottom')
    keypoints = np.reshape(person['keypoints'], (17, 3))
    points = []
    for joint, name in enumerate((*order, 'nose', 'head_top')):
        x, y, _ = keypoints[POSETRACK18_KEYPOINTS.index(name)].tolist()
        points.append({'id': [joint], 'x': [x], 'y': [y]})
    head = {'x1': [90], 'y1': [90], 'x2': [120], 'y2': [130]}
    return {'track_id': [person['track_id']], 'annopoints': [{'point': points}], **head}


def test_order_and_duplicates_do_not_matter(truth):
    expected = measure(PoseTrackAP(str(truth)))
    several = samples()
    assert measure(PoseTrackAP(str(truth)), [*several[::-1], *several[:4]]) == expected


def test_tensors_and_persons_of_one_sample(truth):
    """Bottom-up models give all persons of an image at once, and box scores of their own."""
    expected = measure(PoseTrackAP(str(truth), score_mode='keypoint_times_box'))
    by_image = {}
    for sample in sorted(samples(), key=lambda sample: sample['id']):
        by_image.setdefault(sample['img_id'], []).append(sample)
    several = []
    for image, parts in by_image.items():
        predicted = {
            key: torch.from_numpy(np.concatenate([part['pred_instances'][key] for part in parts]))
            for key in ('keypoints', 'keypoint_scores')
        }
        predicted['bbox_scores'] = torch.from_numpy(np.concatenate([p['gt_instances']['bbox_scores'] for p in parts]))
        several.append({'id': [part['id'] for part in parts], 'img_id': image, 'pred_instances': predicted})
    assert measure(PoseTrackAP(str(truth), score_mode='keypoint_times_box'), several) == expected


def test_names_of_the_data_set_decide_the_order(truth):
    expected = measure(PoseTrackAP(str(truth)))
    order = [index for index in reversed(range(17)) if 'ear' not in POSETRACK18_KEYPOINTS[index]]
    several = samples()
    for sample in several:
        for key in ('keypoints', 'keypoint_scores'):
            sample['pred_instances'][key] = sample['pred_instances'][key][:, order]
    metric = PoseTrackAP(str(truth))
    metric.dataset_meta = {'keypoint_id2name': {n: POSETRACK18_KEYPOINTS[index] for n, index in enumerate(order)}}
    assert measure(metric, several) == expected
    metric.dataset_meta = {'keypoint_id2name': dict(enumerate(['nose', 'left_eye']))}
    with pytest.raises(ValueError, match='15 keypoints were predicted, but the data set has 2'):
        metric.process(None, several)
    metric.dataset_meta = {'keypoint_id2name': {n: f'keypoint {n}' for n in range(15)}}
    with pytest.raises(ValueError, match='predictions lack the keypoints right_ankle'):
        metric.process(None, several)


def test_suppression_keeps_one_of_two(truth):
    """Everybody twice, once a little off and lower scored: the exact one is kept."""
    pytest.importorskip('mmpose', reason='MMPose is not installed')
    several = []
    for index in range(18):
        for shift in (0.0, 2.0):
            sample = make_sample(index)
            sample['id'] = 2 * index + (shift == 0)
            sample['pred_instances']['keypoints'] = true_pose(index // 6)[None, :, :2] + shift
            sample['pred_instances']['keypoint_scores'] = np.full((1, 17), 0.9 - 0.1 * (shift > 0))
            several.append(sample)
    without = measure(PoseTrackAP(str(truth)), several)
    suppressed = measure(PoseTrackAP(str(truth), nms='oks'), several)
    assert without['posetrack/precision'] == pytest.approx(50)
    assert suppressed['posetrack/precision'] == pytest.approx(100)
    tolerant = measure(PoseTrackAP(str(truth), nms='oks', nms_threshold=0.9999), several)
    assert tolerant['posetrack/precision'] == pytest.approx(50)
    assert suppressed['posetrack/AP'] == 100


def followed(num_frames=8):
    """Two persons who move, each pose in a sample of its own; and ground truth of one sequence that they are in."""
    images, annotations, several = [], [], []
    for frame in range(num_frames):
        name = f'images/val/{SEQUENCES[0]}/{frame:06d}.jpg'
        regions = {'ignore_regions_x': [], 'ignore_regions_y': []}
        images.append({'id': frame, 'file_name': name, 'is_labeled': True, **regions})
        for person in range(2):
            pose = true_pose(3 * person) + [5.0 * frame, 0, 0] * (true_pose(0) != 0)
            head = {'bbox_head': [90, 90, 30, 40], 'image_id': frame, 'track_id': person + 5}
            annotations.append({**head, 'keypoints': pose.reshape(-1).tolist(), 'scores': []})
            least, most = pose[pose[:, 0] > 0, :2].min(0), pose[:, :2].max(0) + 50
            several.append({'id': 2 * frame + person, 'img_id': frame, 'img_path': name})
            several[-1]['pred_instances'] = {
                'keypoints': pose[None, :, :2],
                'keypoint_scores': np.full((1, 17), 0.9),
                'bboxes': np.array([[*least, *most]]),
                'bbox_scores': np.array([0.95]),
            }
    category = {'name': 'person', 'id': 1, 'keypoints': list(POSETRACK18_KEYPOINTS)}
    return {'images': images, 'annotations': annotations, 'categories': [category]}, several


def test_a_tracker_gives_ids_and_they_are_measured(tmp_path):
    """The first frame has no ids of tracks yet: those two are nobody's before, and switch once each."""
    truth, several = followed()
    (tmp_path / 'gt').mkdir()
    (tmp_path / 'gt' / f'{SEQUENCES[0]}.json').write_text(json.dumps(truth))
    options = {'gt_folder': str(tmp_path / 'gt'), 'outfile_prefix': str(tmp_path / 'results' / 'val')}
    without = measure(PoseTrackAP(**options), several)
    measured = measure(PoseTrackAP(**options, tracker={'type': 'PoseTracker'}), several)
    assert {name: measured[name] for name in without} == without
    assert [name.removeprefix('posetrack/') for name in measured if name not in without] == [
        'Head MOTA', 'Shou MOTA', 'Elb MOTA', 'Wri MOTA', 'Hip MOTA', 'Knee MOTA', 'Ankl MOTA', 'MOTA',
        'MOTP', 'mot_precision', 'mot_recall', 'HOTA', 'DetA', 'AssA', 'num_switches',
    ]  # fmt: skip
    assert measured['posetrack/MOTA'] == pytest.approx(100 * (1 - 2 / 14))  # seven frames of eight count
    assert measured['posetrack/num_switches'] == 2 * 15
    assert measured['posetrack/DetA'] == pytest.approx(100)
    document = json.loads((tmp_path / 'results' / f'{SEQUENCES[0]}.json').read_text())
    assert [person['track_id'] for person in document['annotations']] == [2, 3, *[0, 1] * 7]
    result = evaluate_folders(tmp_path / 'gt', tmp_path / 'results', tracking=True).tracking
    assert measured['posetrack/HOTA'] == result.total('hota')
    at_once = PoseTrackAP(**options, tracker={'type': 'PoseTracker', 'min_hits': 1})
    assert measure(at_once, several)['posetrack/MOTA'] == pytest.approx(100)


def test_a_tracker_takes_the_boxes_of_keypoints_where_there_are_no_others(tmp_path):
    truth, several = followed()
    (tmp_path / f'{SEQUENCES[0]}.json').write_text(json.dumps(truth))
    for sample in several:
        del sample['pred_instances']['bboxes'], sample['pred_instances']['bbox_scores']
    metric = PoseTrackAP(str(tmp_path), tracker={'type': 'PoseTracker', 'min_hits': 1}, fps=10.0)
    assert measure(metric, several)['posetrack/MOTA'] == pytest.approx(100)
    with pytest.raises(ValueError, match='fps must be positive, got 0'):
        PoseTrackAP(str(tmp_path), tracker={'type': 'PoseTracker'}, fps=0)


def test_tracks_of_one_file_need_ids(tmp_path):
    truth, several = followed()
    path = tmp_path / 'val.json'
    path.write_text(json.dumps(truth))
    tracker = {'type': 'PoseTracker', 'min_hits': 1}
    assert measure(PoseTrackAP(ann_file=str(path), tracker=tracker), several)['posetrack/MOTA'] == pytest.approx(100)
    del truth['annotations'][3]['track_id']
    path.write_text(json.dumps(truth))
    with pytest.raises(ValueError, match=r'val.json: annotations\[3\]: the person has no track_id'):
        measure(PoseTrackAP(ann_file=str(path), tracker=tracker), several)


def test_format_only_needs_no_annotations(truth, tmp_path):
    for file in truth.iterdir():
        document = json.loads(file.read_text())
        file.write_text(json.dumps({'images': document['images']}))
    metric = PoseTrackAP(str(truth), outfile_prefix=str(tmp_path / 'out' / 'test'), format_only=True)
    assert measure(metric) == {}
    assert len(list((tmp_path / 'out').iterdir())) == 2


@pytest.mark.parametrize(
    ('options', 'error', 'said'),
    [
        ({}, ValueError, 'either gt_folder or ann_file'),
        ({'gt_folder': 'a', 'ann_file': 'b'}, ValueError, 'either gt_folder or ann_file'),
        ({'gt_folder': 'a', 'score_mode': 'box'}, ValueError, "score_mode 'box'"),
        ({'gt_folder': 'a', 'nms': 'soft'}, ValueError, "nms 'soft'"),
        ({'gt_folder': 'a', 'protocol': 'coco'}, ValueError, "protocol 'coco'"),
        ({'gt_folder': 'a', 'format_only': True}, ValueError, 'format_only needs outfile_prefix'),
    ],
)
def test_options_are_checked(options, error, said):
    with pytest.raises(error, match=said):
        PoseTrackAP(**options)


def test_what_does_not_fit_is_refused(truth):
    with pytest.raises(FileNotFoundError, match='no ground truth at nowhere'):
        measure(PoseTrackAP('nowhere'))
    stranger = make_sample(0) | {'img_id': 77}
    with pytest.raises(ValueError, match='1 of the images that were predicted are in no sequence.*77'):
        measure(PoseTrackAP(str(truth)), [stranger])
    for key in ('id', 'img_id', 'pred_instances'):
        sample = make_sample(0)
        del sample[key]
        with pytest.raises(ValueError, match=f'has no {key}'):
            measure(PoseTrackAP(str(truth)), [sample])
    sample = make_sample(0)
    sample['pred_instances']['keypoint_scores'] = np.zeros((1, 3))
    with pytest.raises(ValueError, match=r'keypoint_scores \(1, 3\)'):
        measure(PoseTrackAP(str(truth)), [sample])
    (truth / 'again.json').write_text((truth / f'{SEQUENCES[0]}.json').read_text())
    with pytest.raises(ValueError, match=r'image id 0 of again.json|image id 0 of 000001'):
        measure(PoseTrackAP(str(truth)))


# --- two processes ----------------------------------------------------------------------------------------------------


def measure_rank(rank, folder):
    torch.distributed.init_process_group('gloo', init_method=f'file://{folder}/store', rank=rank, world_size=2)
    metric = PoseTrackAP(f'{folder}/gt', collect_dir=f'{folder}/collected')
    for index in DefaultSampler(range(NUM_SAMPLES), shuffle=False):
        metric.process(None, [make_sample(index)])
    measured = metric.evaluate(NUM_SAMPLES)
    (Path(folder) / f'rank{rank}.json').write_text(json.dumps(measured))
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_two_ranks_measure_what_one_does(truth, tmp_path):
    ranks = [subprocess.Popen([sys.executable, __file__, str(rank), str(tmp_path)]) for rank in range(2)]
    assert [rank.wait(timeout=120) for rank in ranks] == [0, 0]
    expected = measure(PoseTrackAP(str(truth)))
    for rank in range(2):
        assert json.loads((tmp_path / f'rank{rank}.json').read_text()) == expected


if __name__ == '__main__':
    measure_rank(int(sys.argv[1]), sys.argv[2])
