"""posediff export: the formats it lists, what it writes, and one line for each folder that it cannot use."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posediff.export.exporters import SIDECAR
from posediff.pipeline.pose_writer import PosesHeader, PoseWriter
from posediff.registry import EXPORTERS
from posediff.structures.results import FrameResult, PersonPose
from posediff.structures.skeletons import CMU17, COCO17


@pytest.fixture
def save(tmp_path: Path, camera_walk: np.ndarray) -> Callable[..., Path]:
    """Write a result folder of one person."""

    def write(frames: int, observed: bool = True, name: str = 'results') -> Path:
        header = PosesHeader(COCO17, CMU17, 25.0, (96, 128), {})
        writer = PoseWriter(tmp_path / name, header, seen_joints_only=not observed)
        for frame in range(frames):
            pose = camera_walk[frame].astype(np.float32)
            person = PersonPose(
                3, True, np.zeros(4, np.float32), np.ones((17, 2), np.float32), np.ones(17, np.float32),
                pose - pose[:1], np.ones(17, np.float32), pose[0], np.full(17, observed), True,
            )  # fmt: skip
            writer.add(FrameResult(frame, frame / 25, (person,)))
        writer.finish()
        return tmp_path / name

    return write


@pytest.fixture
def export(cli, exit_code, capsys) -> Callable[..., tuple[int, str, str]]:
    """Run the command; exit code, output and errors."""

    def run(*words: object) -> tuple[int, str, str]:
        code = exit_code(cli('export').main, [str(word) for word in words])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def test_it_writes_each_format_and_prints_the_files(save, export) -> None:
    folder = save(12, name='résultats 姿')
    names = ['track3.bvh', 'track3.trc', f'track3{SIDECAR}']
    assert export(folder, '--formats', 'bvh,trc') == (
        0, 'written ' + ', '.join(str(folder / name) for name in names) + '\n', ''
    )  # fmt: skip
    assert all((folder / name).stat().st_size for name in names)


def test_formats_are_listed_in_the_help_and_in_the_error(save, export) -> None:
    code, said, _ = export('--help')
    assert code == 0
    lines = said.partition('choices of --formats:\n')[2].splitlines()
    assert sorted(line.split()[0] for line in lines if line[2] != ' ') == sorted(EXPORTERS.module_dict)
    assert 'markers for OpenSim and Pose2Sim' in said
    assert 'scale=…: file units per metre' in said
    code, said, error = export(save(12), '--formats', 'bvh,fbx')
    assert (code, said) == (2, '')
    assert error.startswith(f"error: unknown export format: 'fbx'; known: {', '.join(sorted(EXPORTERS.module_dict))} (")


def changed(folder: Path, **changes: Any) -> None:
    """Replace arrays of poses.npz; None removes one."""
    arrays = dict(np.load(folder / 'poses.npz')) | changes
    np.savez(folder / 'poses.npz', **{name: value for name, value in arrays.items() if value is not None})


def cut(folder: Path) -> None:
    content = (folder / 'poses.npz').read_bytes()
    (folder / 'poses.npz').write_bytes(content[: len(content) // 2])


def flip_a_bit(folder: Path) -> None:
    content = bytearray((folder / 'poses.npz').read_bytes())
    content[content.find(b'joints_3d.npy') + 200] ^= 1
    (folder / 'poses.npz').write_bytes(bytes(content))


@pytest.mark.parametrize(
    ('damage', 'said'),
    [
        (cut, 'File is not a zip file'),
        (lambda folder: (folder / 'poses.npz').write_bytes(b''), 'File is not a zip file'),
        (flip_a_bit, 'the checksum of joints_3d is wrong'),
        (lambda folder: np.savez(folder / 'poses.npz', a=np.zeros(3)), 'it has no skeleton, fps, frame_index, '),
        (lambda folder: changed(folder, root_position=None), 'it has no root_position'),
        (lambda folder: changed(folder, skeleton='martian'), "unknown skeleton 'martian'"),
        (lambda folder: changed(folder, fps='fast'), 'could not convert string to float'),
        (lambda folder: changed(folder, fps=0.0), 'its frame rate is 0.0'),
        (lambda folder: changed(folder, joints_3d=np.array([{}], object)), 'joints_3d holds Python objects'),
        (lambda folder: changed(folder, joints_3d=np.zeros((12, 5, 3))), r'joints_3d has shape \(12, 5, 3\), which'),
        (lambda folder: changed(folder, track_id=np.zeros(3, int)), "its columns differ in length: .*'track_id': 3"),
    ],
)
def test_a_damaged_or_foreign_file_is_named(save, export, damage, said) -> None:
    folder = save(12)
    damage(folder)
    before = sorted(folder.iterdir())
    code, out, error = export(folder)
    assert (code, out) == (2, '')
    assert error.count('\n') == 1
    assert re.search(f'results/poses.npz is not a readable result of posediff video: {said}', error), error
    assert sorted(folder.iterdir()) == before


def test_results_without_persons_or_without_joints_are_errors(save, export) -> None:
    code, out, error = export(save(0))
    assert (code, out) == (2, '')
    assert 'results/poses.npz holds no persons' in error
    code, out, error = export(save(12, observed=False))
    assert (code, out) == (2, '')
    assert 'no person has a known joint' in error


def test_what_is_not_a_result_folder_is_named(save, export, tmp_path) -> None:
    folder = save(12)
    (tmp_path / 'other').mkdir()
    for path, said in (
        (tmp_path / 'missing', 'missing does not exist'),
        (folder / 'poses.npz', 'poses.npz is a file; give the folder'),
        (tmp_path / 'other', 'other holds no poses.npz: it is not a result folder'),
    ):
        code, out, error = export(path)
        assert (code, out) == (2, '')
        assert error.startswith('error: ')
        assert said in error
        assert error.count('\n') == 1


def test_options_of_a_format_are_set_by_name(save, export) -> None:
    folder = save(12)
    assert export(folder, '--formats', 'bvh,csv', '--options', 'bvh.scale=100', 'bvh.never_known=error')[0] == 0
    about = json.loads((folder / f'track3{SIDECAR}').read_text())
    assert about['files']['track3.bvh']['unit'] == '0.01 m'


@pytest.mark.parametrize(
    ('option', 'message'),
    [
        ('scale=100', '--options scale=100: expected CHOICE.NAME=VALUE, with one of'),
        ('fbx.scale=100', '--options fbx.scale=100: expected CHOICE.NAME=VALUE, with one of'),
        (
            'bvh.size=100',
            '--options size=100: expected NAME=VALUE with an option of bvh, which are: scale, gaps, never',
        ),
        ('csv.scale=100', '--options scale=100: expected NAME=VALUE with an option of csv, which are: none'),
        ('bvh.scale=-1', 'bvh: scale must be positive, got -1'),
    ],
)
def test_wrong_options_are_one_line_and_nothing_is_written(save, export, option, message) -> None:
    folder = save(12)
    before = sorted(folder.iterdir())
    code, _, error = export(folder, '--formats', 'bvh,csv', '--options', option)
    assert code == 2
    assert message in error
    assert error.count('\n') == 1
    assert sorted(folder.iterdir()) == before


def test_options_of_a_format_that_is_not_written_are_an_error(save, export) -> None:
    code, _, error = export(save(12), '--formats', 'csv', '--options', 'bvh.scale=100')
    assert code == 2
    assert 'bvh is not among the formats to write: csv' in error
