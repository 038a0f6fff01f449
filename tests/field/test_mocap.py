"""Motion capture of other laboratories: their rates, units, separators, channels and names of files."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from posediff.datasets.converters.cmu import ConversionReport, convert_cmu
from posediff.datasets.mocap_files import load_subject


def measures(folder, subject='01'):
    """Frames, stature (foot to head), speed of the root and width of the shoulders; metres, seconds."""
    joints = load_subject(folder / f'{subject}.npz').clips[0].joints_3d
    return (
        len(joints),
        (joints[:, 10, 2] - joints[:, 3, 2]).mean(),
        np.linalg.norm(np.diff(joints[:, 0], axis=0), axis=-1).mean() * 50,
        np.linalg.norm(joints[0, 11] - joints[0, 14]),
    )


@pytest.fixture
def convert(field_case, tmp_path):
    def run(case: str, folder: str = 'mocap') -> ConversionReport:
        source = tmp_path / 'source'
        shutil.copytree(field_case(case) / folder, source)
        return convert_cmu(source, tmp_path / 'out')

    return run


def test_a_stated_rate(convert, tmp_path):
    convert('amc-samples-per-second')
    assert measures(tmp_path / 'out')[::2] == (100, pytest.approx(1.129, abs=1e-3))


@pytest.mark.parametrize('case', ['asf-commas', 'asf-other-length'])
def test_separators_and_units_of_asf(convert, tmp_path, case):
    report = convert(case)
    assert not report.skipped
    frames, stature, speed, _ = measures(tmp_path / 'out')
    assert (frames, stature, speed) == (63, pytest.approx(1.45, abs=0.005), pytest.approx(1.129, abs=1e-3))


def test_a_bone_that_changes_its_length(convert, tmp_path):
    report = convert('asf-length-dof')
    assert report.converted == ['01_01.amc']
    assert "02.asf: bone 'lradius' changes its length (dof rx l)" in report.skipped['02_01.amc']
    assert measures(tmp_path / 'out')[1] == pytest.approx(1.447, abs=1e-3)


@pytest.mark.parametrize(
    ('case', 'folder'),
    [
        ('bvh-some-position-channels', 'three_channels'),
        ('bvh-some-position-channels', 'some_six_channels'),
        ('bvh-bom', 'mocap'),
        ('bvh-uppercase-extension', 'mocap'),
    ],
)
def test_the_same_person_in_bvh(convert, tmp_path, case, folder):
    assert not convert(case, folder).skipped
    assert measures(tmp_path / 'out') == (63, *(pytest.approx(value, abs=1e-3) for value in (1.450, 1.129, 0.373)))
