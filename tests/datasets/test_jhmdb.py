"""JHMDB: conversion of its layout, and JhmdbClipDataset on the result."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import savemat

pytest.importorskip('mmpose')
cv2 = pytest.importorskip('cv2')
av = pytest.importorskip('av')

from posediff.datasets.converters.jhmdb import JOINTS, convert_jhmdb, read_joints, read_split  # noqa: E402
from posediff.datasets.jhmdb import JhmdbClipDataset, is_validation  # noqa: E402

FRAMES, WIDTH, HEIGHT = 4, 64, 48
TRAIN, TEST = 'Film_One_catch_f_cm_np1_fr_med_0', 'Film_Two_catch_f_cm_np1_fr_med_10'


def joints(seed=0):
    """Return joints (T, 15, 2) inside the image, 1-based px."""
    return 1 + np.random.default_rng(seed).uniform(4, (WIDTH - 6, HEIGHT - 6), (FRAMES, len(JOINTS), 2))


def write(root, clips=((TRAIN, 1), (TEST, 2)), frames=True):
    (root / 'splits').mkdir(parents=True)
    (root / 'splits' / 'catch_test_split1.txt').write_text(''.join(f'{name}.avi {part} \n' for name, part in clips))
    for seed, (name, _) in enumerate(clips):
        folder = root / 'joint_positions' / 'catch' / name
        folder.mkdir(parents=True)
        savemat(folder / 'joint_positions.mat', {'pos_img': joints(seed).transpose(2, 1, 0)})
        if frames:
            images = root / 'Rename_Images' / 'catch' / name
            images.mkdir(parents=True)
            for number in range(FRAMES):
                cv2.imwrite(str(images / f'{number + 1:05d}.png'), np.full((HEIGHT, WIDTH, 3), 40 * number, np.uint8))
    return root


@pytest.fixture
def root(tmp_path):
    return write(tmp_path / 'jhmdb')


def dataset(root, file='split1_train.json', **options):
    source = {'ann_file': f'annotations/{file}', 'data_root': str(root), 'data_prefix': {'img': ''}}
    return JhmdbClipDataset(source, **{'pipeline': [{'type': 'LoadClip'}], 'num_frames': 3} | options)


def test_a_converted_clip_has_its_joints_0_based_and_its_windows(root):
    counts = convert_jhmdb(root)
    assert counts == {
        'train clips': 1, 'test clips': 1, 'train frames': FRAMES, 'test frames': FRAMES, 'frames without a person': 0,
    }  # fmt: skip
    found = dataset(root)
    assert len(found) == FRAMES
    for number in range(FRAMES):
        item = found[number]
        np.testing.assert_allclose(item['keypoints'][0], joints(0)[number] - 1, atol=1e-4)
        low, high = joints(0)[number].min(0) - 1, joints(0)[number].max(0) - 1
        np.testing.assert_allclose(item['bbox'][0], [*low, *high], atol=1e-4)
    greys = [[int(frame[0, 0, 0]) for frame in found[number]['img']] for number in range(FRAMES)]
    assert greys == [[0, 0, 40], [0, 40, 80], [40, 80, 120], [80, 120, 120]]
    assert found[1]['frame_path'] == f'Rename_Images/catch/{TRAIN}/00002.png'


def test_joints_outside_the_image_keep_their_place_and_widen_no_box(root):
    outside = joints(0)
    outside[:, 3] = -20, 70
    savemat(root / 'joint_positions/catch' / TRAIN / 'joint_positions.mat', {'pos_img': outside.transpose(2, 1, 0)})
    convert_jhmdb(root)
    item = dataset(root)[0]
    np.testing.assert_allclose(item['keypoints'][0, 3], (-21, 69))
    inside = np.delete(outside[0], 3, axis=0)
    np.testing.assert_allclose(item['bbox'][0], [*(inside.min(0) - 1), *(inside.max(0) - 1)], atol=1e-4)


def test_frames_come_from_videos_if_the_images_are_missing(tmp_path):
    root = write(tmp_path / 'jhmdb', frames=False)
    with pytest.raises(FileNotFoundError, match=f'{TRAIN}: no such folder'):
        convert_jhmdb(root)
    for name in (TRAIN, TEST):
        file = root / 'ReCompress_Videos' / 'catch' / f'{name}.avi'
        file.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(file), 'w') as container:
            stream = container.add_stream('mpeg4', rate=25)
            stream.width, stream.height = WIDTH, HEIGHT
            for number in range(FRAMES):
                image = np.full((HEIGHT, WIDTH, 3), 40 * number, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, 'rgb24')))
            container.mux(stream.encode())
    convert_jhmdb(root, videos=root / 'ReCompress_Videos')
    greys = [int(dataset(root, num_frames=1)[number]['img'][0][0, 0, 0]) for number in range(FRAMES)]
    np.testing.assert_allclose(greys, [0, 40, 80, 120], atol=6)
    assert not list(root.glob('Rename_Images/catch/.*'))


def test_what_is_no_video_is_named_and_leaves_no_folder(tmp_path):
    root = write(tmp_path / 'jhmdb', frames=False)
    folder = root / 'videos' / 'catch'
    folder.mkdir(parents=True)
    (folder / f'{TRAIN}.avi').write_bytes(b'no video')
    with pytest.raises(ValueError, match=rf'{TRAIN}\.avi is not a readable video'):
        convert_jhmdb(root, videos=root / 'videos')
    with av.open(str(folder / f'{TRAIN}.avi'), 'w', format='wav') as container:
        stream = container.add_stream('pcm_s16le', rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout='mono')
        sound.rate = 8000
        container.mux(stream.encode(sound))
        container.mux(stream.encode())
    with pytest.raises(ValueError, match=rf'{TRAIN}\.avi has no video stream'):
        convert_jhmdb(root, videos=root / 'videos')
    assert not list((root / 'Rename_Images').glob('catch/*'))


def test_a_part_without_clips_is_an_error(tmp_path):
    root = write(tmp_path / 'jhmdb', [(TRAIN, 1)])
    with pytest.raises(ValueError, match='split 1 has no test clips'):
        convert_jhmdb(root)
    assert not (root / 'annotations').exists() or not list((root / 'annotations').iterdir())


def test_fewer_frames_than_annotations_are_an_error(root):
    (root / 'Rename_Images/catch' / TRAIN / f'{FRAMES:05d}.png').unlink()
    with pytest.raises(ValueError, match=rf'{TRAIN} has 3 frames, but joints of 4 frames are annotated'):
        convert_jhmdb(root)
    (root / 'Rename_Images/catch' / TRAIN / '00002.png').unlink()
    with pytest.raises(ValueError, match=r'frame 00002\.png is missing, found 00003\.png'):
        convert_jhmdb(root)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ({'pos_world': np.zeros((2, 15, 4))}, r'pos_img has shape \(\w*0,?'),
        ({'pos_img': np.zeros((2, 13, 4))}, r'pos_img has shape \(2, 13, 4\), expected \(2, 15, frames\)'),
        ({'pos_img': np.full((2, 15, 4), np.nan)}, 'neck of frame 1 is not finite'),
    ],
)
def test_broken_annotations_are_named(tmp_path, content, message):
    file = tmp_path / 'joint_positions.mat'
    savemat(file, content)
    with pytest.raises(ValueError, match=message):
        read_joints(file)


def test_files_that_are_not_matlabs_are_named(tmp_path):
    file = tmp_path / 'joint_positions.mat'
    file.write_bytes(b'\0' * 200)
    with pytest.raises(ValueError, match=r'joint_positions\.mat is not a readable MATLAB file'):
        read_joints(file)
    with pytest.raises(FileNotFoundError, match=r'none\.mat does not exist'):
        read_joints(tmp_path / 'none.mat')


def test_a_split_names_its_parts(tmp_path):
    file = tmp_path / 'run_test_split2.txt'
    file.write_text('a b.avi 1\nc.avi 2\nunused.avi 0\n\n')
    assert read_split(tmp_path, 2) == {'run': {'a b': 'train', 'c': 'test'}}
    (tmp_path / '._run_test_split2.txt').write_bytes(b'\xb0')  # macOS writes such files beside copies
    file.write_text('a b.avi\t1\n')
    assert read_split(tmp_path, 2) == {'run': {'a b': 'train'}}
    file.write_text('a.avi 1\nb.avi 3\n')
    with pytest.raises(ValueError, match=r"run_test_split2\.txt, line 2: .* got 'b\.avi 3'"):
        read_split(tmp_path, 2)
    with pytest.raises(FileNotFoundError, match=r'no files \*_test_split1\.txt'):
        read_split(tmp_path, 1)


def test_mmposes_own_file_is_read(root):
    """Boxes of masks, no ``iscrowd`` and other image names, as in MMPose's ``Sub1_train.json``."""
    convert_jhmdb(root)
    file = root / 'annotations' / 'split1_train.json'
    document = json.loads(file.read_text())
    for image in document['images']:
        image['file_name'] = image['file_name'].removeprefix('Rename_Images/catch/')
    for annotation in document['annotations']:
        annotation['bbox'] = [5.0, 4.0, 40.0, 30.0]
        annotation.pop('iscrowd')
    (file.parent / 'Sub1_train.json').write_text(json.dumps(document))
    source = {
        'ann_file': 'annotations/Sub1_train.json', 'data_root': str(root),
        'data_prefix': {'img': 'Rename_Images/catch'},
    }  # fmt: skip
    item = JhmdbClipDataset(source, num_frames=3)[1]
    np.testing.assert_allclose(item['bbox'][0], [4, 3, 44, 33])


@given(
    st.text('abcDEF_ 09', min_size=1, max_size=20), st.integers(0, 99), st.sampled_from(['fr', 'ba', 'le', 'ri']),
    st.sampled_from(['catch', 'throw', 'shoot_gun', 'kick_ball', 'brush_hair']),
)  # fmt: skip
def test_clips_of_one_source_video_are_in_one_part(video, number, direction, action):
    first = is_validation(f'Rename_Images/catch/{video}_catch_f_cm_np1_fr_med_0/00001.png')
    assert is_validation(f'{action}/{video}_{action}_u_nm_np2_{direction}_bad_{number}/00007.png') == first


def test_parts_split_the_training_clips(tmp_path):
    clips = [(f'Film{number}_catch_f_cm_np1_fr_med_0', 1) for number in range(12)] + [(TEST, 2)]
    root = write(tmp_path / 'jhmdb', clips)
    convert_jhmdb(root)
    found = {part: dataset(root, part=part, test_mode=True) for part in ('all', 'train', 'validation')}
    names = {part: {found[part][index]['frame_path'] for index in range(len(found[part]))} for part in found}
    assert names['train'] | names['validation'] == names['all']
    assert not names['train'] & names['validation']
    assert 0 < len(names['validation']) < len(names['train'])
    with pytest.raises(ValueError, match=r"no clips in part 'validation'"):
        dataset(write_single(tmp_path / 'single'), part='validation')
    with pytest.raises(ValueError, match='part must be one of'):
        dataset(root, part='val')


def write_single(root):
    assert not is_validation(f'catch/{TRAIN}/00001.png')
    write(root, [(TRAIN, 1), (TEST, 2)])
    convert_jhmdb(root)
    return root


def test_converted_labels_have_their_own_metadata(root):
    """The metric names the joints of the labels, not those of the file."""
    convert_jhmdb(root)
    pairs = {'nose': 'head', 'head_bottom': 'neck', 'left_wrist': 'left_wrist'}
    convert = {'type': 'ConvertKeypoints', 'to': 'posetrack18', 'joints': pairs}
    metainfo = dataset(root, pipeline=[convert]).metainfo
    assert metainfo['num_keypoints'] == 17
    assert [metainfo['keypoint_id2name'][index] for index in (0, 1, 9)] == ['nose', 'head_bottom', 'left_wrist']
    assert metainfo['keypoint_name2id']['left_wrist'] == 9
    assert not {'sigmas', 'keypoint_colors'} & set(metainfo)
    assert dataset(root).metainfo['num_keypoints'] == len(JOINTS)
    item = dataset(root, pipeline=[convert])[0]
    assert item['keypoints'].shape == (1, 17, 2)
    assert item['keypoints_visible'][0].tolist() == [1, 1] + 7 * [0] + [1] + 7 * [0]


def test_real_clips_keep_their_annotations(real_jhmdb):
    root, clips = real_jhmdb
    found = dataset(root, 'split1_test.json', num_frames=5, test_mode=True)
    assert len(found) == sum(len(joints) for joints in clips.values())
    item = found[len(found) - 1]
    assert item['img'][0].shape == (240, 320, 3)
    name = item['frame_path'].split('/')[2]
    np.testing.assert_allclose(item['keypoints'][0], clips[name][-1] - 1, atol=1e-3)
