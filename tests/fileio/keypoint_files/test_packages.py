"""Formats that need a package: HDF5 tables written by pandas, .pose files written by pose-format."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posediff.fileio.keypoint_files import read_keypoint_file

sys.path.insert(0, str(Path(__file__).parent))
from writers import SIZE, People, deeplabcut_columns, deeplabcut_values, draw  # noqa: E402

sys.path.pop(0)


def table(people: People) -> Any:
    pandas = pytest.importorskip('pandas')
    columns = deeplabcut_columns(people)
    names = ['scorer', 'individuals', 'bodyparts', 'coords']
    if len(set(people.tracks)) == 1:
        columns, names = [(one[0], *one[2:]) for one in columns], [names[0], *names[2:]]
    return pandas.DataFrame(deeplabcut_values(people), columns=pandas.MultiIndex.from_tuples(columns, names=names))


@pytest.mark.parametrize('form', ['table', 'fixed'])
@pytest.mark.parametrize('two', [True, False])
def test_tables_of_deeplabcut(form: str, two: bool, tmp_path: Path) -> None:
    pytest.importorskip('tables')
    pytest.importorskip('h5py')
    people = draw('coco17', two=two)
    table(people).to_hdf(tmp_path / 'a.h5', key='df_with_missing', format=form, mode='w')
    record = read_keypoint_file(tmp_path / 'a.h5', img_shape=SIZE)
    assert (record.format, record.skeleton.name) == ('deeplabcut', 'coco17')
    assert {frame: len(held) for frame, held in record.people.items()} == {
        frame: len(rows) for frame, rows in people.by_frame().items()
    }
    for frame, rows in people.by_frame().items():
        for one, number in zip(record.people[frame], rows, strict=True):
            np.testing.assert_allclose(one.keypoints, people.points[number], rtol=1e-5)
            np.testing.assert_allclose(one.scores, people.scores[number], rtol=1e-5)
    names = {0: 'individual0', 1: 'individual3'}
    assert record.track_names == (names if two else {})


def write_as_pandas(path: Path, people: People, form: str) -> None:
    """Write the table without pandas, with only what a reader needs."""
    h5py = pytest.importorskip('h5py')
    columns, values = deeplabcut_columns(people), deeplabcut_values(people)
    with h5py.File(path, 'w') as file:
        group = file.create_group('df_with_missing')
        group.attrs['pandas_type'] = np.bytes_(b'frame_table' if form == 'table' else b'frame')
        if form == 'table':
            rows = np.zeros(len(values), [('index', 'i8'), ('values_block_0', 'f8', (values.shape[1],))])
            rows['index'], rows['values_block_0'] = np.arange(len(values)), values
            group['table'] = rows
            group['table'].attrs['values_block_0_kind'] = np.void(pickle.dumps(columns, 0))
            return
        group.attrs['nblocks'] = 1
        group['axis1'], group['block0_values'] = np.arange(len(values)), values
        for level in range(4):
            names = sorted({column[level] for column in columns})
            group[f'block0_items_level{level}'] = np.array(names, 'S')
            group[f'block0_items_label{level}'] = [names.index(column[level]) for column in columns]


@pytest.mark.parametrize('form', ['table', 'fixed'])
def test_tables_are_read_without_pandas(form: str, tmp_path: Path) -> None:
    people = draw('coco17')
    write_as_pandas(tmp_path / 'a.h5', people, form)
    record = read_keypoint_file(tmp_path / 'a.h5', img_shape=SIZE)
    for frame, rows in people.by_frame().items():
        for one, number in zip(record.people[frame], rows, strict=True):
            np.testing.assert_allclose(one.keypoints, people.points[number], rtol=1e-5)


@pytest.mark.parametrize('levels', [1, 3])
def test_labelled_images_count_by_their_names(levels: int, tmp_path: Path) -> None:
    pandas = pytest.importorskip('pandas')
    pytest.importorskip('tables')
    pytest.importorskip('h5py')
    frame = table(draw('coco17', two=False))
    names = [f'img{number:03d}.png' for number in range(len(frame))]
    if levels == 1:
        frame.index = [f'labeled-data/clip/{name}' for name in names]
    else:
        frame.index = pandas.MultiIndex.from_tuples([('labeled-data', 'clip', name) for name in names])
    frame.to_hdf(tmp_path / 'a.h5', key='df_with_missing', mode='w')
    frame.to_csv(tmp_path / 'a.csv')
    for name in ('a.h5', 'a.csv'):
        record = read_keypoint_file(tmp_path / name, img_shape=SIZE)
        assert sorted(record.people) == [0, 1, 2, 3, 4]
        assert record.first_is_open


def test_an_h5_file_runs_no_code(tmp_path: Path) -> None:
    h5py = pytest.importorskip('h5py')
    marker = tmp_path / 'was_run'

    class Evil:
        def __reduce__(self) -> Any:
            return Path.touch, (marker,)

    with h5py.File(tmp_path / 'evil.h5', 'w') as file:
        group = file.create_group('df_with_missing')
        group.attrs['pandas_type'] = np.bytes_(b'frame_table')
        rows = np.zeros(2, [('index', 'i8'), ('values_block_0', 'f8', (3,))])
        group['table'] = rows
        group['table'].attrs['values_block_0_kind'] = np.void(pickle.dumps(Evil(), 0))
    with pytest.raises(ValueError, match=r'evil\.h5 .*refused to unpickle'):
        read_keypoint_file(tmp_path / 'evil.h5')
    assert not marker.exists()


@pytest.mark.parametrize('content', [b'\x89HDF\r\n\x1a\n', b'\x89HDF\r\n\x1a\n' + b'\0' * 200])
def test_a_truncated_h5_file_is_one_error(content: bytes, tmp_path: Path) -> None:
    pytest.importorskip('h5py')
    (tmp_path / 'a.h5').write_bytes(content)
    with pytest.raises(ValueError, match=r'a\.h5 is not a readable HDF5 file'):
        read_keypoint_file(tmp_path / 'a.h5')


def pose_file(people: People, component: str, names: list[str], size: tuple[int, int]) -> bytes:
    pose_format = pytest.importorskip('pose_format')
    from io import BytesIO

    from pose_format.numpy import NumPyPoseBody
    from pose_format.pose_header import PoseHeader, PoseHeaderComponent, PoseHeaderDimensions

    held = PoseHeaderComponent(component, names, [], [], 'XYC')
    hands = PoseHeaderComponent('LEFT_HAND_LANDMARKS', ['WRIST'], [], [], 'XYC')
    header = PoseHeader(0.2, PoseHeaderDimensions(size[1], size[0]), [hands, held])
    number = max(people.frames) + 1
    data, confidence = np.zeros((number, 2, 1 + len(names), 2)), np.zeros((number, 2, 1 + len(names)))
    for frame, rows in people.by_frame().items():
        for person, row in enumerate(rows):
            data[frame, person, 1:] = people.points[row] * [size[1] / SIZE[1], size[0] / SIZE[0]]
            confidence[frame, person, 1:] = people.scores[row]
    file = BytesIO()
    pose_format.Pose(header, NumPyPoseBody(25.0, data, confidence)).write(file)
    return file.getvalue()


def openpose_name(name: str) -> str:
    """Return RShoulder for right_shoulder, MidHip for mid_hip."""
    words = ''.join(word.capitalize() for word in name.split('_'))
    return words.replace('Right', 'R').replace('Left', 'L')


@pytest.mark.parametrize(
    ('component', 'skeleton'), [('pose_keypoints_2d', 'body25'), ('POSE_LANDMARKS', 'mediapipe33')]
)
@pytest.mark.parametrize('size', [SIZE, (1000, 1000)])
def test_pose_files(component: str, skeleton: str, size: tuple[int, int], tmp_path: Path) -> None:
    """Coordinates are rescaled if the header states another image size than that of the video."""
    people = draw(skeleton)
    from posediff.structures.skeletons import get_skeleton

    joints = get_skeleton(skeleton).joint_names
    if component == 'pose_keypoints_2d':
        names = [openpose_name(name) for name in joints]
    else:
        names = [name.upper() for name in joints]
        names[9:11] = ['MOUTH_LEFT', 'MOUTH_RIGHT']
    (tmp_path / 'a.pose').write_bytes(pose_file(people, component, names, size))
    record = read_keypoint_file(tmp_path / 'a.pose', img_shape=SIZE)
    assert (record.format, record.skeleton.name, record.fps) == ('pose', skeleton, 25.0)
    for frame, rows in people.by_frame().items():
        for one, row in zip(record.people[frame], rows, strict=True):
            np.testing.assert_allclose(one.keypoints, people.points[row], atol=0.01)
            np.testing.assert_allclose(one.scores, people.scores[row], atol=1e-5)
    whole = (tmp_path / 'a.pose').read_bytes()
    for length in (3, 40, len(whole) // 2):
        (tmp_path / 'cut.pose').write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r'cut\.pose'):
            read_keypoint_file(tmp_path / 'cut.pose', img_shape=SIZE)
