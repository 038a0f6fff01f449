"""Motion capture files: round trip, and errors that name file and key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from posediff.datasets import CMUMocapDataset
from posediff.datasets.mocap_files import MocapClip, load_subject, save_subject

Arrays = dict[str, np.ndarray]


@pytest.fixture
def arrays(mocap_folder: Path) -> Arrays:
    """Return the arrays of a valid file: two clips of 60 and 20 frames, with two cameras each."""
    with np.load(mocap_folder / '02.npz') as file:
        return {name: file[name].copy() for name in file.files}


def read_again(folder: Path, arrays: Arrays) -> list[MocapClip]:
    np.savez(folder / '02.npz', **arrays)
    return load_subject(folder / '02.npz').clips


def test_files_round_trip(mocap_folder, tmp_path):
    one = load_subject(mocap_folder / '01.npz')
    save_subject(tmp_path / 'sub' / '01.npz', one.clips, fps=one.fps, seed=one.seed, preset=one.preset)
    two = load_subject(tmp_path / 'sub' / '01.npz')
    assert list((tmp_path / 'sub').iterdir()) == [tmp_path / 'sub' / '01.npz']
    assert (one.fps, one.seed, one.preset) == (two.fps, two.seed, two.preset)
    for clip, other in zip(one.clips, two.clips, strict=True):
        assert (clip.name, clip.action, clip.description) == (other.name, other.action, other.description)
        np.testing.assert_array_equal(clip.joints_3d, other.joints_3d)
        for camera, same in zip(clip.cameras, other.cameras, strict=True):
            np.testing.assert_allclose(camera.t, same.t)
            np.testing.assert_allclose(camera.R, same.R)
            assert camera.img_shape == same.img_shape


def test_a_file_of_the_older_skeleton_name_is_read(arrays, tmp_path):
    assert str(arrays['skeleton']) == 'cmu17'
    new = read_again(tmp_path, arrays)
    old = read_again(tmp_path, arrays | {'skeleton': np.array('h36m17')})
    for clip, other in zip(new, old, strict=True):
        np.testing.assert_array_equal(clip.joints_3d, other.joints_3d)


def changed(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Arrays], Arrays]:
    return lambda arrays: arrays | {name: change(arrays[name])}


def with_value(name: str, index: tuple[int, ...], value: float) -> Callable[[Arrays], Arrays]:
    def spoil(arrays: Arrays) -> Arrays:
        array = arrays[name].copy()
        array[index] = value
        return arrays | {name: array}

    return spoil


def without(*names: str) -> Callable[[Arrays], Arrays]:
    return lambda arrays: {name: value for name, value in arrays.items() if name not in names}


SPOILT = {
    'keys': (without('camera_R', 'fps'), 'fps, camera_R missing; keys: '),
    'no version': (without('format_version'), 'format_version is None, expected 1'),
    'version': (changed('format_version', lambda old: old + 1), 'format_version is 2, expected 1'),
    'skeleton': (changed('skeleton', lambda old: np.array('coco17')), "skeleton is 'coco17', expected 'cmu17' or "),
    'preset': (changed('camera_preset', lambda old: np.array('tame')), "camera_preset is 'tame', expected 'wild' or"),
    'joints': (changed('joints_3d', lambda old: old[:, :16]), r'joints_3d must be numbers of shape \(80, 17, 3\), got'),
    'flat': (changed('joints_3d', lambda old: old.reshape(80, 51)), r'joints_3d must be .* got float32 of shape \(80,'),
    'text': (changed('joints_3d', lambda old: old.astype(str)), 'joints_3d must be numbers .*, got <U'),
    'clips': (changed('actions', lambda old: old[:1]), r'actions must be text of shape \(2,\), got .* shape \(1,\)'),
    'cameras': (changed('camera_t', lambda old: old[:, :1]), r'camera_t must be numbers of shape \(2, 2, 3\), got'),
    'no clip': (
        lambda arrays: {
            name: value[:0] if name.startswith(('camera_', 'clip', 'act', 'desc', 'frame')) and value.ndim else value
            for name, value in arrays.items()
        },
        r'frame_counts \[\] do not divide the 80 frames',
    ),
    'counts': (changed('frame_counts', lambda old: old + 1), r'frame_counts \[61, 21\] do not divide the 80 frames'),
    'names': (changed('clip_names', lambda old: old[[0, 0]]), "clip_names has '02_01' more than once"),
    'fps 0': (changed('fps', lambda old: np.float64(0)), 'fps must be positive and finite, got 0.0'),
    'fps nan': (changed('fps', lambda old: np.float64('nan')), 'fps must be positive and finite, got nan'),
    'nan': (with_value('joints_3d', (63, 2, 1), np.nan), "joints_3d of clip '02_02' .* frame 3, right_knee is"),
    'mm': (changed('joints_3d', lambda old: old * 1000), r"joints_3d of clip '02_01' is a person 1\d\d\d m across"),
    'feet': (changed('joints_3d', lambda old: old * 3.28), 'must be in metres'),
    'a dot': (changed('joints_3d', lambda old: old * 0), "clip '02_01' is a person 0 m across"),
    'focal': (
        with_value('camera_focal', (1, 0, 1), 0),
        "camera_focal of clip '02_02', camera 0, must be positive, got",
    ),
    'center': (
        with_value('camera_center', (0, 1, 0), np.inf),
        "camera_center of clip '02_01', camera 1, must be finit",
    ),
    'size': (with_value('camera_img_shape', (0, 0, 0), -5), r'camera_img_shape .* must be positive, got \[-5, '),
    'R': (with_value('camera_R', (0, 1, 2, 2), 2), "camera_R of clip '02_01', camera 1, must be a rotation"),
    'mirror': (changed('camera_R', lambda old: -old), 'camera_R .* must be a rotation'),
    't nan': (with_value('camera_t', (0, 0, 0), np.nan), 'camera_t .* must be finite, got'),
    't in mm': (
        changed('camera_t', lambda old: old * 1000),
        r'camera_t .* 0\.3 to 1000 m in front, .* person at \d+ m',
    ),
    'behind': (changed('camera_t', lambda old: old - [0, 0, 99]), r'camera_t .* the person at -\d+'),
}


@pytest.mark.parametrize('case', SPOILT)
def test_what_makes_no_sense_is_named_by_file_and_key(arrays, tmp_path, case):
    spoil, message = SPOILT[case]
    with pytest.raises(ValueError, match=rf'02\.npz: .*{message}'):
        read_again(tmp_path, spoil(arrays))


def test_other_files_are_refused(arrays, mocap_folder, tmp_path):
    path = tmp_path / '02.npz'
    content = (mocap_folder / '02.npz').read_bytes()
    with pytest.raises(FileNotFoundError, match=r'02\.npz: no such motion capture file; .*posediff convert cmu'):
        load_subject(path)
    middle = len(content) // 2
    flipped = content[:middle] + bytes(255 - byte for byte in content[middle : middle + 8]) + content[middle + 8 :]
    for damaged in (b'', content[:100], content[:middle], flipped, b'some text\n'):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r'02\.npz: not a complete motion capture file'):
            load_subject(path)
    with path.open('wb') as file:
        np.save(file, arrays['joints_3d'])
    with pytest.raises(ValueError, match=r'02\.npz: .*a single array, expected an \.npz archive'):
        load_subject(path)


class Payload:
    def __reduce__(self):
        return (print, ('executed',))


def test_objects_are_not_unpickled(arrays, tmp_path, capsys):
    for actions in (arrays['actions'].astype(object), np.array([Payload(), Payload()], dtype=object)):
        with pytest.raises(ValueError, match=r'02\.npz: not a complete .*\(actions: Object arrays cannot be loaded'):
            read_again(tmp_path, arrays | {'actions': actions})
    assert 'executed' not in capsys.readouterr().out


def test_nothing_is_written_that_could_not_be_read(mocap_folder, tmp_path):
    one, two = load_subject(mocap_folder / '02.npz').clips
    metres = replace(two, joints_3d=two.joints_3d * 1000)
    for clips, message in (
        ([], 'of 0 clips'),
        ([one, replace(two, subject='05')], r"one subject, got \['02', '05'\] of 2 clips"),
        ([one, replace(two, cameras=two.cameras[:1])], r'one number of cameras, got \[1, 2\]'),
        ([one, replace(two, joints_3d=two.joints_3d[:, :16])], r'one number of joints, got \[\(16, 3\), \(17, 3\)\]'),
        ([one, metres], "joints_3d of clip '02_02' is a person"),
    ):
        with pytest.raises(ValueError, match=rf'02\.npz: .*{message}'):
            save_subject(tmp_path / '02.npz', clips, fps=50.0, seed=0, preset='wild')
    with pytest.raises(ValueError, match='fps must be positive and finite, got nan'):
        save_subject(tmp_path / '02.npz', [one], fps=float('nan'), seed=0, preset='wild')
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_write_leaves_the_older_file(mocap_folder, tmp_path, monkeypatch):
    (tmp_path / '02.npz').write_bytes(b'older')

    def run_out_of_space(path, **arrays):
        path.write_bytes(b'half')
        raise OSError('no space left on device')

    monkeypatch.setattr(np, 'savez_compressed', run_out_of_space)
    with pytest.raises(OSError, match='no space left'):
        save_subject(tmp_path / '02.npz', load_subject(mocap_folder / '02.npz').clips, fps=50.0, seed=0, preset='wild')
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [('02.npz', b'older')]


def test_a_subject_without_cameras_trains_but_is_not_tested(mocap_folder, tmp_path):
    clips = [replace(clip, cameras=[]) for clip in load_subject(mocap_folder / '02.npz').clips]
    save_subject(tmp_path / '02.npz', clips, fps=50.0, seed=0, preset='wild')
    assert len(CMUMocapDataset(str(tmp_path), 'all')) == 3
    with pytest.raises(ValueError, match='cmu/02/02_01 has 0 cameras'):
        CMUMocapDataset(str(tmp_path), 'all', test_mode=True)
