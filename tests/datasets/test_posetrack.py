"""PoseTrackClipDataset on a tiny dataset in PoseTrack format."""

import json
import random

import numpy as np
import pytest
import torch

from posediff.datasets.frame_windows import FrameNumbering, drawn_offsets, fixed_offsets, frame_number

pytest.importorskip('mmpose')
cv2 = pytest.importorskip('cv2')

from posediff.datasets.posetrack import PoseTrackClipDataset  # noqa: E402

FRAMES, WIDTH, HEIGHT = 6, 64, 48
KEYPOINTS = 17


def person(identity, image_id, **changes):
    keypoints = np.stack([np.linspace(10, 50, KEYPOINTS), np.linspace(8, 40, KEYPOINTS), np.ones(KEYPOINTS)], -1)
    annotation = {
        'id': identity, 'image_id': image_id, 'category_id': 1, 'bbox': [8, 6, 44, 36], 'iscrowd': 0,
        'num_keypoints': KEYPOINTS, 'keypoints': keypoints.ravel().tolist(), 'track_id': 0,
    }  # fmt: skip
    return annotation | changes


def write(root, base=0, digits=6, videos=('000001_bonn', '000002_mpii'), change=None):
    """Write two videos with a different grey in every frame and one person per frame."""
    images, annotations = [], []
    for video, name in enumerate(videos):
        folder = root / 'images' / name
        folder.mkdir(parents=True)
        for number in range(FRAMES):
            file = f'images/{name}/{base + number:0{digits}d}.jpg'
            image_id = 100 * (video + 1) + number
            cv2.imwrite(str(root / file), np.full((HEIGHT, WIDTH, 3), 40 * number + 20, np.uint8))
            images.append({
                'id': image_id, 'file_name': file, 'width': WIDTH, 'height': HEIGHT, 'nframes': FRAMES,
                'frame_id': image_id, 'is_labeled': True,
            })  # fmt: skip
            annotations.append(person(10 * image_id, image_id))
    document = {'images': images, 'annotations': annotations, 'categories': [{'id': 1, 'name': 'person'}]}
    if change is not None:
        change(document)
    (root / 'train.json').write_text(json.dumps(document))
    return root


@pytest.fixture
def root(tmp_path):
    return write(tmp_path)


def dataset(root, **options):
    options = {'pipeline': [{'type': 'LoadClip'}]} | options
    return PoseTrackClipDataset({'ann_file': 'train.json', 'data_root': str(root)}, **options)


def greys(item):
    return [round((int(frame[0, 0, 0]) - 20) / 40) for frame in item['img']]


@pytest.mark.parametrize('test_mode', [False, True])
def test_windows_are_in_temporal_order_and_end_with_the_video(root, test_mode):
    found = dataset(root, num_frames=5, test_mode=test_mode)
    assert len(found) == 2 * FRAMES
    assert [greys(found[index]) for index in (0, 1, 3, 5)] == [
        [0, 0, 0, 1, 2], [0, 0, 1, 2, 3], [1, 2, 3, 4, 5], [3, 4, 5, 5, 5],
    ]  # fmt: skip
    assert found[3]['key_index'] == 2
    assert found[3]['sample_id'] == 'images/000001_bonn/000003.jpg/1030'
    assert found[3]['skeleton'] == 'posetrack15'
    assert greys(dataset(root, num_frames=3, frame_step=2)[3]) == [1, 3, 5]
    assert greys(dataset(root, num_frames=1)[4]) == [4]


def test_posetrack17_counts_from_one_in_eight_digits(tmp_path):
    found = dataset(write(tmp_path, base=1, digits=8), frame_base=1)
    assert greys(found[0]) == [0, 0, 0, 1, 2]
    assert greys(found[5]) == [3, 4, 5, 5, 5]
    assert found[5]['img_path'][-1].endswith('000001_bonn/00000006.jpg')


def test_the_name_of_a_frame_is_its_number():
    assert frame_number('wave/one.avi/00012.png') == 12
    with pytest.raises(ValueError, match=r'wave/last\.png: the name of a frame must be a number'):
        frame_number('wave/last.png')


def test_the_wrong_base_is_found_before_training(root, tmp_path):
    with pytest.raises(ValueError, match=r'000000\.jpg: frame 0 lies outside 1\.\.6, .* numbered from 1'):
        dataset(root, frame_base=1)


def test_drawn_windows_change_with_the_epoch_and_with_nothing_else(root):
    first, second = (dataset(root, num_frames=3, sampling='random', reach=3) for _ in range(2))
    drawn = [first[2]['frame_offsets']]
    assert second[2]['frame_offsets'] == drawn[0]
    for epoch in range(1, 8):
        first.set_epoch(epoch)
        drawn.append(first[2]['frame_offsets'])
    assert len({tuple(offsets) for offsets in drawn}) > 2
    assert all(offsets[0] < 0 == offsets[1] < offsets[2] for offsets in drawn)
    assert dataset(root, num_frames=3, sampling='random', test_mode=True)[2]['frame_offsets'] == [-1, 0, 1]


@pytest.mark.parametrize(('num_frames', 'reach'), [(1, 1), (3, 1), (5, 4)])
def test_drawn_offsets_are_different_and_in_order(num_frames, reach):
    offsets = drawn_offsets(num_frames, reach, np.random.default_rng(0))
    assert len(set(offsets)) == num_frames
    assert offsets == sorted(offsets)
    assert offsets[num_frames // 2] == 0
    assert fixed_offsets(5, 2) == [-4, -2, 0, 2, 4]


def test_global_generators_decide_nothing_and_keep_their_place(root):
    noisy = [{'type': 'LoadClip'}, lambda results: results | {'drawn': (np.random.rand(), random.random())}]
    found = dataset(root, pipeline=noisy)
    np.random.seed(1)
    expected = np.random.rand(2)
    np.random.seed(1)
    drawn = [np.random.rand(), found[3]['drawn'], np.random.rand()]
    np.random.seed(7)
    assert [drawn[0], drawn[2]] == expected.tolist()
    assert found[3]['drawn'] == drawn[1] != found[4]['drawn']


def test_fewer_items_an_epoch_go_through_everybody(root):
    found = dataset(root, items_per_epoch=5)
    seen = []
    for epoch in range(12):
        found.set_epoch(epoch)
        seen += [found._person(index, epoch) for index in range(len(found))]
    assert np.bincount(seen).tolist() == [5] * 12
    assert len(dataset(root, max_items=4, test_mode=True)) == 4


def test_mmpose_crops_all_frames_alike(root):
    codec = {'type': 'UDPHeatmap', 'input_size': (24, 32), 'heatmap_size': (6, 8)}
    steps = [
        {'type': 'LoadClip'}, {'type': 'mmpose.GetBBoxCenterScale', 'padding': 1.25},
        {'type': 'mmpose.RandomFlip', 'direction': 'horizontal'},
        {'type': 'mmpose.RandomBBoxTransform', 'shift_factor': 0.0, 'rotate_factor': 45, 'scale_factor': (0.65, 1.35)},
        {'type': 'mmpose.TopdownAffine', 'input_size': (24, 32), 'use_udp': True},
        {'type': 'mmpose.GenerateTarget', 'encoder': codec},
        {'type': 'mmpose.PackPoseInputs', 'meta_keys': ('id', 'sample_id', 'input_center', 'input_scale')},
    ]  # fmt: skip
    found = dataset(root, pipeline=steps)
    item, again = found[3], found[3]
    assert item['inputs'].shape == (5, 3, 32, 24)
    assert torch.equal(item['inputs'], again['inputs'])
    outside = item['inputs'] == 0  # outside of the image: the same position in every frame
    assert all(torch.equal(outside[0], frame) for frame in outside)
    assert item['data_samples'].gt_fields.heatmaps.shape == (KEYPOINTS, 8, 6)
    assert item['data_samples'].sample_id == 'images/000001_bonn/000003.jpg/1030'


def set_first(**changes):
    return lambda document: document['annotations'][0].update(changes)


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        (set_first(bbox=[8, 6, 0, 36]), r'annotation 1000 \(images/000001_bonn/000000\.jpg, 64x48\) has box .*no area'),
        (set_first(bbox=[90, 6, 10, 10]), 'outside the image'),
        (set_first(bbox=[1, 2, float('nan'), 4]), 'four finite numbers'),
        (set_first(keypoints=[float('nan')] * 51), 'annotation 1000 .* keypoint that is not finite'),
        (set_first(keypoints=[1.0] * 45), '45 numbers of keypoints, expected 51'),
        (set_first(image_id=9), 'belongs to image 9, which is not in the file'),
        (lambda document: document['images'][0].pop('nframes'), 'has nframes None'),
        (lambda document: document.update(images=[], annotations=[]), 'no images and annotations'),
        (lambda document: document.update(annotations=[]), 'no person with keypoints'),
    ],
)
def test_broken_annotations_are_named_before_training(tmp_path, change, said):
    with pytest.raises(ValueError, match=said):
        dataset(write(tmp_path, change=change))


def test_missing_and_truncated_files_are_named(root):
    with pytest.raises(FileNotFoundError, match=r'none\.json does not exist'):
        PoseTrackClipDataset({'ann_file': 'none.json', 'data_root': str(root)})
    text = (root / 'train.json').read_text()
    (root / 'train.json').write_text(text[: len(text) // 2])
    with pytest.raises(ValueError, match=r'train\.json is not readable JSON'):
        dataset(root)
    (root / 'train.json').write_text(text)
    frame = root / 'images/000002_mpii/000003.jpg'
    content = frame.read_bytes()
    frame.unlink()
    with pytest.raises(FileNotFoundError, match=r'1 of 12 frames .* first .*000002_mpii/000003\.jpg'):
        dataset(root)
    frame.write_bytes(b'')
    with pytest.raises(ValueError, match=r'000003\.jpg is not a readable image'):
        dataset(root)[9]
    cv2.imwrite(str(frame), np.zeros((HEIGHT, WIDTH + 2, 3), np.uint8))
    with pytest.raises(ValueError, match=r'000003\.jpg is 66x48 px, but .*000001\.jpg of the same clip is 64x48'):
        dataset(root)[9]
    frame.write_bytes(content)
    assert len(dataset(root)[9]['img']) == 5


def test_detections_are_taken_by_score_and_must_belong_to_the_images(root):
    boxes = [{'image_id': 103, 'category_id': 1, 'bbox': [8, 6, 44, 36], 'score': score} for score in (0.9, 0.1)]
    source = {'ann_file': 'train.json', 'data_root': str(root), 'bbox_file': str(root / 'boxes.json')}

    def open_with(detections):
        (root / 'boxes.json').write_text(json.dumps(detections))
        options = {'filter_cfg': {'bbox_score_thr': 0.4}}
        return PoseTrackClipDataset(source | options, pipeline=[{'type': 'LoadClip'}], test_mode=True)

    found = open_with(boxes)
    assert len(found) == 1
    assert greys(found[0]) == [1, 2, 3, 4, 5]
    with pytest.raises(ValueError, match=r'boxes\.json: detection 0 is of image 5, which is not in .*train\.json'):
        open_with([boxes[0] | {'image_id': 5}])
    with pytest.raises(ValueError, match='detection 0 .* has box .*no area'):
        open_with([boxes[0] | {'bbox': [8, 6, -4, 36]}])


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        ({'num_frames': 4}, 'num_frames must be odd'),
        ({'sampling': 'all'}, 'sampling must be one of fixed, random'),
        ({'num_frames': 7, 'sampling': 'random', 'reach': 2}, 'reach 2 leaves no 3 frames'),
    ],
)
def test_senseless_arguments_are_refused(root, options, said):
    with pytest.raises(ValueError, match=said):
        dataset(root, **options)


def test_a_frame_that_is_no_number_is_named():
    with pytest.raises(ValueError, match='the name of a frame must be a number'):
        FrameNumbering().around('images/a/frame_3.jpg', 6, [0])


def test_real_files_are_read(reference_data):
    root = reference_data / 'mmpose' / 'posetrack18'
    source = {'ann_file': 'annotations/test_posetrack18_val.json', 'data_root': str(root)}
    found = PoseTrackClipDataset(source, num_frames=1, pipeline=[{'type': 'LoadClip'}], test_mode=True)
    assert len(found) == 14
    assert found[0]['img'][0].shape == (1080, 1920, 3)
    with pytest.raises(FileNotFoundError, match='frames that the windows need do not exist'):
        PoseTrackClipDataset(source, num_frames=3)
