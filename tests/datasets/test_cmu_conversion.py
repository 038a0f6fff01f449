"""Conversion of CMU files: synthetic files in all formats, and real takes if they are available."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile

import numpy as np
import pytest

from posediff.datasets.converters.asf_amc import read_amc
from posediff.datasets.converters.asf_skeleton import read_asf
from posediff.datasets.converters.bvh import read_bvh
from posediff.datasets.converters.cmu import ACTIONS, action_of, convert_cmu, resample
from posediff.datasets.converters.cmu_joints import (
    METRES_PER_UNIT,
    defect_of,
    joints_of_asf,
    joints_of_bvh,
    smooth_stretches,
    to_z_up,
)
from posediff.datasets.converters.cmu_takes import find_takes
from posediff.datasets.mocap_files import load_subject
from posediff.structures.skeletons import CMU17

UNIT = 1 / METRES_PER_UNIT

# name, parent, vector in metres (y up, facing +z, left towards +x)
BONES = [
    ('lhipjoint', 'root', (0.1, -0.1, 0.0)),
    ('lfemur', 'lhipjoint', (0, -0.42, 0.0)),
    ('ltibia', 'lfemur', (0, -0.42, -0.02)),
    ('rhipjoint', 'root', (-0.1, -0.1, 0.0)),
    ('rfemur', 'rhipjoint', (0, -0.42, 0.0)),
    ('rtibia', 'rfemur', (0, -0.42, -0.02)),
    ('lowerback', 'root', (0, 0.11, 0)),
    ('upperback', 'lowerback', (0, 0.11, 0)),
    ('thorax', 'upperback', (0, 0.11, 0)),
    ('lowerneck', 'thorax', (0, 0.09, 0)),
    ('upperneck', 'lowerneck', (0, 0.09, 0)),
    ('head', 'upperneck', (0, 0.1, 0)),
    ('lclavicle', 'thorax', (0.18, 0.05, 0)),
    ('lhumerus', 'lclavicle', (0.28, 0, 0)),
    ('lradius', 'lhumerus', (0.2, 0, 0)),
    ('rclavicle', 'thorax', (-0.18, 0.05, 0)),
    ('rhumerus', 'rclavicle', (-0.28, 0, 0)),
    ('rradius', 'rhumerus', (-0.2, 0, 0)),
]
MOVING = ('lfemur', 'rfemur', 'lhumerus')

BVH_NAMES = {
    'lhipjoint': 'LeftHip', 'lfemur': 'LeftKnee', 'ltibia': 'LeftAnkle', 'rhipjoint': 'RightHip', 'rfemur': 'RightKnee',
    'rtibia': 'RightAnkle', 'lowerback': 'Chest', 'upperback': 'Chest2', 'lowerneck': 'Neck', 'upperneck': 'Head',
    'lclavicle': 'LeftShoulder', 'lhumerus': 'LeftElbow', 'lradius': 'LeftWrist', 'rclavicle': 'RightShoulder',
    'rhumerus': 'RightElbow', 'rradius': 'RightWrist',
}  # fmt: skip


def asf_text(bones=BONES) -> str:
    data = ''.join(
        f'  begin\n id 1\n name {name}\n direction {x * UNIT} {y * UNIT} {z * UNIT}\n length 1\n axis 0 0 0 XYZ\n'
        + (' dof rx ry rz\n' if name in MOVING else '')
        + '  end\n'
        for name, _, (x, y, z) in bones
    )
    hierarchy = ''.join(f'    {parent} {name}\n' for name, parent, _ in bones)
    return (
        ':units\n  length 0.45\n  angle deg\n'
        ':root\n  order TX TY TZ RX RY RZ\n  axis XYZ\n  position 0 0 0\n  orientation 0 0 0\n'
        f':bonedata\n{data}:hierarchy\n  begin\n{hierarchy}  end\n'
    )


def amc_text(frames: int, root_step: float = 0.02) -> str:
    lines = [':FULLY-SPECIFIED', ':DEGREES']
    for frame in range(frames):
        swing = 20 * np.sin(frame / 20)
        lines += [str(frame + 1), f'root 0 {0.95 * UNIT} {frame * root_step * UNIT} 0 0 0']
        lines += [f'lfemur {swing} 0 0', f'rfemur {-swing} 0 0', f'lhumerus 0 {swing} 0']
    return '\n'.join(lines) + '\n'


def bvh_text(frames: int) -> str:
    """Write the person as a ``Hips`` conversion: without thorax bone, with collars and neck attached to the spine."""
    children = {name: [] for name in ('root', *BVH_NAMES, 'thorax')}
    for name, parent, vector in BONES:
        if name in BVH_NAMES:
            children[parent].append((name, vector))
    children['upperback'] += children.pop('thorax')

    def block(name: str, vector, indent: str) -> str:
        below = ''.join(block(child, offset, indent + ' ') for child, offset in children.get(name, ()))
        if name == 'upperneck':
            below = f'{indent} End Site\n{indent} {{\n{indent}  OFFSET 0 {0.1 * UNIT} 0\n{indent} }}\n'
        elif not below:
            below = f'{indent} End Site\n{indent} {{\n{indent}  OFFSET 0 0 0\n{indent} }}\n'
        offset = ' '.join(str(value * UNIT) for value in vector)
        return (
            f'{indent}JOINT {BVH_NAMES[name]}\n{indent}{{\n{indent} OFFSET {offset}\n'
            f'{indent} CHANNELS 3 Zrotation Yrotation Xrotation\n{below}{indent}}}\n'
        )

    joints = ''.join(block(child, vector, ' ') for child, vector in children['root'])
    count = joints.count('JOINT')
    rows = ''.join(f'0 {0.95 * UNIT} {frame * 0.02 * UNIT} 0 0 0' + ' 0 0 0' * count + '\n' for frame in range(frames))
    return (
        'HIERARCHY\nROOT Hips\n{\n OFFSET 0 0 0\n'
        ' CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation\n'
        f'{joints}}}\nMOTION\nFrames: {frames}\nFrame Time: 0.0166667\n{rows}'
    )


def joints_of(skeleton_path, motion_path):
    skeleton = read_asf(skeleton_path)
    return joints_of_asf(skeleton, read_amc(motion_path, skeleton), skeleton_path)


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / 'source'
    (folder / '07').mkdir(parents=True)
    (folder / '07' / '07.asf').write_text(asf_text())
    (folder / '07' / '07_01.amc').write_text(amc_text(200))
    (folder / '07' / '07_02.amc').write_text(amc_text(90))
    (folder / '08_01.bvh').write_text(bvh_text(60))
    return folder


def test_joints_of_asf_are_in_place(source):
    joints = joints_of(source / '07' / '07.asf', source / '07' / '07_01.amc')
    assert joints.shape == (200, 17, 3)
    first = joints[0]
    expected = {
        'root': (0, 0, 0.95), 'right_hip': (-0.1, 0, 0.85), 'left_knee': (0.1, 0, 0.43), 'left_foot': (0.1, 0.02, 0.01),
        'spine': (0, 0, 1.17), 'thorax': (0, 0, 1.28), 'neck_base': (0, 0, 1.46), 'head': (0, 0, 1.56),
        'left_shoulder': (0.18, 0, 1.33), 'left_wrist': (0.66, 0, 1.33), 'right_elbow': (-0.46, 0, 1.33),
    }  # fmt: skip
    for name, position in expected.items():
        np.testing.assert_allclose(first[CMU17.joint_names.index(name)], position, atol=1e-9, err_msg=name)
    # walking along +z of the file, which is -y with z up
    np.testing.assert_allclose(joints[-1, 0] - joints[0, 0], [0, -0.02 * 199, 0], atol=1e-9)
    assert defect_of(joints, 60.0) is None


def test_the_thorax_bone_that_bvh_lacks_is_put_back(source, tmp_path):
    joints, change = joints_of_bvh(read_bvh(source / '08_01.bvh'))
    assert change == 'missing thorax bone inserted'
    still = tmp_path / 'still.amc'
    still.write_text(amc_text(1))
    expected = joints_of(source / '07' / '07.asf', still)
    np.testing.assert_allclose(joints[0], expected[0], atol=1e-9)


def test_y_up_to_z_up_keeps_handedness():
    np.testing.assert_allclose(to_z_up(np.eye(3)), [[1, 0, 0], [0, 0, 1], [0, -1, 0]])
    assert np.linalg.det(to_z_up(np.eye(3))) == pytest.approx(1)


def test_a_folder_becomes_one_file_a_subject(source, tmp_path):
    target = tmp_path / 'out'
    report = convert_cmu(source, target, source_fps=120.0, num_cameras=3)
    assert sorted(path.name for path in target.iterdir()) == ['07.npz', '08.npz']
    assert len(report.converted) == 3
    assert report.skipped == {}
    subject = load_subject(target / '07.npz')
    assert subject.fps == 50.0
    assert [clip.name for clip in subject.clips] == ['07_01', '07_02']
    clip = subject.clips[0]
    assert len(clip.joints_3d) == int(199 / 120 * 50) + 1  # 120 to 50 fps, same duration
    assert clip.joints_3d.dtype == np.float32
    assert len(clip.cameras) == 3
    assert len(load_subject(target / '08.npz').clips[0].joints_3d) == 50


def test_conversion_repeats_and_does_not_depend_on_the_company(source, tmp_path):
    convert_cmu(source, tmp_path / 'a', seed=3)
    convert_cmu(source, tmp_path / 'b', seed=3, subjects=['07'])
    assert not (tmp_path / 'b' / '08.npz').exists()
    assert (tmp_path / 'a' / '07.npz').read_bytes() == (tmp_path / 'b' / '07.npz').read_bytes()
    convert_cmu(source, tmp_path / 'c', seed=4, subjects=['07'])
    one, other = (load_subject(tmp_path / name / '07.npz').clips[0] for name in 'ac')
    assert not np.allclose(one.cameras[0].t, other.cameras[0].t)
    np.testing.assert_array_equal(one.joints_3d, other.joints_3d)


def test_an_index_names_subjects_rates_and_borrowed_skeletons(source):
    (source / '35').mkdir()
    (source / '35' / '35_01.amc').write_text(amc_text(60))
    (source / 'index.csv').write_text(
        'clip,subject,skeleton,format,file,frames,fps,description\n'
        '07_01,07,own,asf/amc,07/07_01.amc,200,60.0,"boxing, mostly"\n'
        '35_01,35,borrowed(07),asf/amc,35/35_01.amc,60,60.0,run/jog\n'
        '08_01,"unstated (likely 94)",own,bvh,08_01.bvh,60,60.0,\n'
    )
    takes = {take.name: take for take in find_takes(source)}
    assert takes['35_01'].skeleton_path == source / '07' / '07.asf'
    assert takes['08_01'].subject == '94'
    report = convert_cmu(source, source / 'out')
    assert len(report.converted) == 3
    clip = load_subject(source / 'out' / '07.npz').clips[0]
    assert clip.action == 'fight'
    assert len(clip.joints_3d) == int(199 / 60 * 50) + 1


HEADER = 'clip,subject,skeleton,format,file,frames,fps,description\n'
LINE = '07_01,07,own,asf/amc,07/07_01.amc,200,60.0,walk\n'


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        (
            HEADER.replace(',file', '') + LINE,
            r'index\.csv: column file missing; it has: clip, subject, skeleton, format,',
        ),
        ('', r'index\.csv: column clip, subject, skeleton, file, fps, description missing; it has: $'),
        (HEADER + LINE + '07_02,07,own,asf/amc\n', r'index\.csv, line 3: file, fps, description is empty'),
        (HEADER + LINE.replace('07/07_01.amc', ''), r'index\.csv, line 2: file is empty'),
        (HEADER + LINE.replace('60.0', 'fast'), r"index\.csv, line 2: fps must be a positive number, got 'fast'"),
        (HEADER + LINE.replace('60.0', '0'), r"index\.csv, line 2: fps must be a positive number, got '0'"),
        (HEADER + LINE.replace('07/07', '../07'), r'index\.csv, line 2: file must be a path below the folder'),
        (HEADER + LINE.replace('walk', 'd\xe9tour'), r'index\.csv: not a table .* in UTF-8'),
    ],
)
def test_a_damaged_index_is_one_error_that_names_the_line(source, tmp_path, text, said):
    (source / 'index.csv').write_bytes(text.encode('latin-1'))
    with pytest.raises(ValueError, match=said):
        convert_cmu(source, tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_an_index_may_come_from_a_spreadsheet_and_list_too_much(source, tmp_path):
    gone = LINE.replace('07_01', '07_09')
    (source / 'index.csv').write_text(HEADER + LINE + gone, encoding='utf-8-sig')
    report = convert_cmu(source, tmp_path / 'out')
    assert report.converted == ['07/07_01.amc']
    assert report.skipped == {'07/07_09.amc': 'listed in the index, but the file does not exist'}
    (source / 'index.csv').write_text(HEADER)
    with pytest.raises(FileNotFoundError, match=r'index\.csv: no lines after the header'):
        convert_cmu(source, tmp_path / 'out')


def mirrored_bones():
    """Left and right are exchanged, although the knees bend forward."""
    return [(name, parent, (-x, y, z)) for name, parent, (x, y, z) in BONES]


@pytest.mark.parametrize(
    ('skeleton', 'motion', 'reason'),
    [
        (asf_text(), amc_text(90, root_step=0.3), 'its root jumps'),
        (asf_text(mirrored_bones()), amc_text(90), 'left and right are exchanged'),
        (
            asf_text([(n, p, tuple(2.5 * np.array(v))) for n, p, v in BONES]),
            amc_text(90),
            r'leg \(hip to ankle\) measures 2',
        ),
        (asf_text(), amc_text(90).rsplit('lhumerus', 1)[0], 'lhumerus'),
        (asf_text(BONES[:12]), re.sub('lhumerus.*', '', amc_text(2)), 'lclavicle'),
        (asf_text(), amc_text(90).replace(f'root 0 {0.95 * UNIT}', 'root 0 nan'), 'NaN'),
        (asf_text(), amc_text(3), '^has 3 frames; resampling from 60 to 50 fps needs 4$'),
    ],
)
def test_bad_takes_are_left_out_and_named(source, tmp_path, skeleton, motion, reason):
    (source / '09').mkdir()
    (source / '09' / '09.asf').write_text(skeleton)
    (source / '09' / '09_01.amc').write_text(motion)
    report = convert_cmu(source, tmp_path / 'out', source_fps=60.0)
    assert list(report.skipped) == ['09/09_01.amc']
    assert re.search(reason, report.skipped['09/09_01.amc'])
    assert not (tmp_path / 'out' / '09.npz').exists()


def test_a_take_in_two_forms_is_converted_once(source, tmp_path):
    (source / '07_01.bvh').write_text(bvh_text(60))
    report = convert_cmu(source, tmp_path / 'out', source_fps=60.0)
    (reason,) = report.skipped.values()
    assert reason.startswith('take 07_01 of subject 07 is already converted, from 07/07_01.amc; ')


def test_subjects_are_told_apart_by_any_letter(tmp_path):
    for name in ('äb.bvh', 'öb.bvh'):
        (tmp_path / name).write_text(bvh_text(60))
    report = convert_cmu(tmp_path, tmp_path / 'out')
    assert report.converted == ['äb.bvh', 'öb.bvh']
    assert sorted(path.stem for path in (tmp_path / 'out').iterdir()) == ['äb', 'öb']


@pytest.mark.parametrize(
    'change',
    [
        lambda name: f'mixamorig{name}',
        lambda name: f'Character1_{name}',
        lambda name: re.sub('(?<=[a-z])(?=[A-Z])', ' ', name),
        lambda name: re.sub('(?<=[a-z])(?=[A-Z])', '_', name),
    ],
)
def test_joints_of_bvh_are_known_by_their_letters(tmp_path, change):
    text = bvh_text(60)
    (tmp_path / '01_01.bvh').write_text(text)
    (tmp_path / '02_01.bvh').write_text(re.sub(r'(?<=JOINT |\nROOT )\w+', lambda match: change(match[0]), text))
    report = convert_cmu(tmp_path, tmp_path / 'out')
    assert report.skipped == {}
    first, second = (load_subject(tmp_path / 'out' / f'{subject}.npz') for subject in ('01', '02'))
    np.testing.assert_array_equal(first.clips[0].joints_3d, second.clips[0].joints_3d)


def turned(text: str) -> str:
    """Write the rest pose with z up."""
    return re.sub(r'OFFSET (\S+) (\S+) (\S+)', lambda match: f'OFFSET {match[1]} {-float(match[3])} {match[2]}', text)


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        (turned, 'in its rest pose the head is at .* y has to be up'),
        (lambda text: text.replace('0.0166667', '16.6667'), '0.06 fps, one frame every 16.67 s'),
        (lambda text: text.replace('0.0166667', '60'), '0.01667 fps, one frame every 60 s'),
    ],
)
def test_what_other_programs_mean_otherwise_is_refused(tmp_path, change, said):
    (tmp_path / '01_01.bvh').write_text(change(bvh_text(60)))
    report = convert_cmu(tmp_path, tmp_path / 'out')
    assert re.search(said, report.skipped['01_01.bvh'])


def test_files_that_are_no_data_are_passed_over(source, tmp_path):
    for name in ('._07.asf', '07/._07.asf', '07/._07_01.amc', '._08_01.bvh', '.DS_Store', '__MACOSX/07/._07_01.amc'):
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'\x00\x05\x16\x07\x00')
    report = convert_cmu(source, tmp_path / 'out', source_fps=120.0)
    assert report.skipped == {}
    assert report.converted == ['07/07_01.amc', '07/07_02.amc', '08_01.bvh']


def test_the_case_of_names_of_files_does_not_matter(source, tmp_path):
    convert_cmu(source, tmp_path / 'a', source_fps=120.0)
    for path in [*source.rglob('*.amc'), *source.rglob('*.asf'), *source.rglob('*.bvh')]:
        path.rename(path.with_suffix(path.suffix.upper()))
    report = convert_cmu(source, tmp_path / 'b', source_fps=120.0)
    assert report.converted == ['07/07_01.AMC', '07/07_02.AMC', '08_01.BVH']
    for name in ('07.npz', '08.npz'):
        assert (tmp_path / 'a' / name).read_bytes() == (tmp_path / 'b' / name).read_bytes()


def frames_and_speed(folder, subject='07'):
    joints = load_subject(folder / f'{subject}.npz').clips[0].joints_3d
    return len(joints), np.linalg.norm(np.diff(joints[:, 0], axis=0), axis=-1).mean() * 50


def test_the_rate_that_a_file_states_is_obeyed(source, tmp_path):
    path = source / '07' / '07_01.amc'
    path.write_text(':SAMPLES-PER-SECOND 60\n' + path.read_text())
    report = convert_cmu(source, tmp_path / 'own', source_fps=100.0)  # for files that do not state it
    assert frames_and_speed(tmp_path / 'own') == (int(199 / 60 * 50) + 1, pytest.approx(0.02 * 60, rel=1e-3))
    assert not report.assumed
    assert convert_cmu(source, tmp_path / 'cmu').assumed == {
        "no frame rate in the file: assumed CMU's, 120 (override with --source-fps)": 1
    }
    (source / 'index.csv').write_text(HEADER + LINE.replace('60.0', '120'))
    report = convert_cmu(source, tmp_path / 'index')
    assert list(report.skipped) == ['07/07_01.amc']
    assert 'states 60 fps, but the index states 120' in report.skipped['07/07_01.amc']


@pytest.mark.parametrize(('length', 'scale'), [('length 0.5', 0.5 / 0.45), ('length 1.0', 1 / 0.45), ('', 1.0)])
def test_the_unit_that_a_skeleton_states_is_obeyed(source, tmp_path, length, scale):
    convert_cmu(source, tmp_path / 'cmu', source_fps=120.0)
    bones = [(name, parent, tuple(scale * np.array(vector))) for name, parent, vector in BONES]
    (source / '07' / '07.asf').write_text(asf_text(bones).replace('length 0.45', length))
    for path in (source / '07').glob('*.amc'):
        words = [line.split() for line in path.read_text().splitlines()]
        path.write_text(
            '\n'.join(
                ' '.join([*line[:1], *(str(float(value) * scale) for value in line[1:4]), *line[4:]])
                if line[0] == 'root'
                else ' '.join(line)
                for line in words
            )
        )
    convert_cmu(source, tmp_path / 'other', source_fps=120.0)
    one, other = (load_subject(tmp_path / name / '07.npz').clips[0].joints_3d for name in ('cmu', 'other'))
    np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize(('units', 'metres'), [('m', 1.0), ('cm', 0.01), ('mm', 0.001), ('inch', 0.0254)])
def test_a_unit_that_no_file_states_is_asked_for(source, tmp_path, units, metres):
    convert_cmu(source, tmp_path / 'cmu', subjects=['08'])
    path = source / '08_01.bvh'
    header, rows = path.read_text().split('Frame Time: 0.0166667\n')
    scale = METRES_PER_UNIT / metres
    header = re.sub(
        r'OFFSET (.*)', lambda found: 'OFFSET ' + ' '.join(str(float(v) * scale) for v in found[1].split()), header
    )
    values = np.array(rows.split(), dtype=float).reshape(60, -1)
    values[:, :3] *= scale
    path.write_text(header + 'Frame Time: 0.0166667\n' + '\n'.join(' '.join(map(str, row)) for row in values))
    report = convert_cmu(source, tmp_path / 'unknown', subjects=['08'])
    assert report.converted == []
    assert re.match(r'its leg \(hip to ankle\) measures .*Set --units', report.skipped['08_01.bvh'])
    assert convert_cmu(source, tmp_path / 'known', subjects=['08'], units=units).skipped == {}
    one, other = (load_subject(tmp_path / name / '08.npz').clips[0].joints_3d for name in ('cmu', 'known'))
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_skeleton_with_another_spine_is_no_form_of_cmu(source, tmp_path):
    path = source / '08_01.bvh'
    path.write_text(path.read_text().replace('JOINT Chest\n', 'JOINT Spine2\n'))
    report = convert_cmu(source, tmp_path / 'out', source_fps=60.0)
    assert 'unknown joint spine2' in report.skipped['08_01.bvh']


def test_a_flipping_limb_cuts_the_take(walker):
    joints = walker(200).astype(float)
    assert smooth_stretches(joints, 50.0) == [(0, 200)]
    knee, hip = joints[120, 2].copy(), joints[120, 1]
    joints[120, 2] = 2 * hip - knee
    assert smooth_stretches(joints, 50.0) == [(0, 120), (121, 200)]
    assert smooth_stretches(joints, 50.0, shortest=2.0) == [(0, 120)]


def test_a_take_that_flips_all_the_time_is_left_out(source, tmp_path):
    lines = amc_text(90).splitlines()
    frames = [number for number, line in enumerate(lines) if line.startswith('lhumerus')]
    for number in frames[20::20]:
        lines[number] = 'lhumerus 0 120 0'
    (source / '07' / '07_02.amc').write_text('\n'.join(lines))
    report = convert_cmu(source, tmp_path / 'out', source_fps=60.0, subjects=['07'])
    assert report.converted == ['07/07_01.amc']
    assert report.skipped == {'07/07_02.amc': 'limb flips leave no interval of 1 s'}
    assert report.changed == {}


def test_takes_of_few_frames_are_refused_only_where_they_must_be_resampled(walker):
    short = walker(3).astype(float)
    assert resample(short, 50.0, 50.0) is short
    with pytest.raises(ValueError, match='has 3 frames; resampling from 120 to 50 fps needs 4'):
        resample(short, 120.0, 50.0)
    assert len(resample(walker(4).astype(float), 120.0, 50.0)) == 2


def test_resampling_follows_smooth_motion(walker):
    times = np.arange(121) / 60
    circle = np.stack([np.cos(8 * times), np.sin(8 * times), times], axis=-1)[:, None]
    found = resample(circle, 60.0, 50.0)
    assert len(found) == 101
    at = np.arange(101) / 50
    np.testing.assert_allclose(found[:, 0], np.stack([np.cos(8 * at), np.sin(8 * at), at], axis=-1), atol=1e-4)
    assert resample(circle, 50.0, 50.0) is circle


def test_actions_come_from_descriptions():
    cases = {
        'walk, veer left': 'walk', 'run/jog, sudden stop': 'run', 'forward jump': 'jump', 'dance - pirouette': 'dance',
        'snake (human subject)': 'animal', 'sit on high stool, stand up': 'sit', 'soccer - kick ball': 'ball',
        'Empi': 'fight', 'wash windows': 'clean', 'climb ladder': 'climb', 'jump kick': 'fight',
        'something else': 'other',
    }  # fmt: skip
    assert {text: action_of(text) for text in cases} == cases
    assert set(cases.values()) <= set(ACTIONS)


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        ({'fps': 0.0}, 'fps must be positive, got 0.0'),
        ({'fps': float('nan')}, 'fps must be positive, got nan'),
        ({'source_fps': -1.0}, 'source_fps must be positive, got -1.0'),
        ({'num_cameras': 0}, 'at least 1 camera, got 0'),
        ({'units': 'feet'}, "units must be one of m, cm, mm, inch, cmu, got 'feet'"),
        ({'subjects': ['zz']}, 'no takes of subject zz'),
        ({'preset': 'tame'}, "preset must be one of wild, anywhere, h36m, got 'tame'"),
    ],
)
def test_senseless_settings_are_named_and_nothing_is_written(source, tmp_path, options, said):
    with pytest.raises(ValueError, match=said):
        convert_cmu(source, tmp_path / 'out', **options)
    assert not (tmp_path / 'out').exists()


def test_the_command_line_tells_what_it_did(source, tmp_path, repository, load_tool, exit_code, capsys):
    (source / '09_01.bvh').write_text('nonsense')
    (source / '07' / '07_03.amc').write_text(amc_text(2))
    command = [sys.executable, str(repository / 'tools/dataset_converters/cmu_mocap.py')]
    environment = {'PYTHONPATH': str(repository), 'PATH': '/usr/bin', 'OMP_NUM_THREADS': '1'}
    run = subprocess.run(
        [*command, str(source), str(tmp_path / 'out')], capture_output=True, text=True, env=environment
    )
    assert run.returncode == 0, run.stderr
    assert 'skipped 09_01.bvh' in run.stdout
    assert 'missing thorax bone inserted: 1 takes (08_01.bvh)' in run.stdout
    assert 'skipped 07/07_03.amc: has 2 frames; resampling from 120 to 50 fps needs 4' in run.stdout
    assert '3 takes converted, 2 skipped' in run.stdout
    (source / 'index.csv').write_text('clip,subject\n07_01,07\n')
    main = load_tool('dataset_converters/cmu_mocap.py').main
    assert exit_code(main, [str(source), str(tmp_path / 'none')]) == 2
    said = capsys.readouterr().err
    assert re.fullmatch(r'error: .*index\.csv: column skeleton, file, fps, description missing; .*\n', said)
    assert not (tmp_path / 'none').exists()
    assert exit_code(main, [str(tmp_path / 'none'), str(tmp_path)]) == 2
    assert 'none: no such folder' in capsys.readouterr().err


@pytest.mark.slow
def test_real_takes_agree_between_their_forms(reference_data, tmp_path):
    """Takes in ASF/AMC and BVH give the same joints, except for the inserted thorax bone."""
    wanted = {'asfamc/02/02.asf', 'asfamc/02/02_01.amc', 'bvh_walkcycles/02_01.bvh', 'asfamc/11/11.asf'}
    with tarfile.open(reference_data / 'mocap' / 'cmu_mocap_60fps.tar.xz') as archive:
        for member in archive:
            if any(member.name.endswith(name) for name in wanted):
                archive.extract(member, tmp_path, filter='data')
    find = {path.name: path for path in tmp_path.rglob('*.*')}
    own = joints_of(find['02.asf'], find['02_01.amc'])
    converted, _ = joints_of_bvh(read_bvh(find['02_01.bvh']))
    np.testing.assert_allclose(converted, own, atol=0.004)
    np.testing.assert_allclose(converted[:, :8], own[:, :8], atol=1e-4)
    assert defect_of(own, 60.0) is None
    assert 0.5 < own[:, 10, 2].mean() - own[:, 0, 2].mean() < 0.8
