"""PoseTrack's files as they arrive: ids as text, files of a Mac between them."""

from __future__ import annotations

import json
import shutil

import pytest

from posediff.datasets.converters.posetrack_merge import merge_posetrack
from posediff.evaluation.posetrack import evaluate_folders


def test_ids_as_text_are_ids(field_case):
    case = field_case('posetrack-string-image-id')
    result = evaluate_folders(case / 'gt', case / 'pred', tracking=True)
    assert result.total('ap') == 100
    assert result.tracking is not None
    assert result.tracking.total('mota') == 100


def test_an_id_of_no_image_ends_the_tool(field_case, tmp_path, cli, capsys):
    case = field_case('posetrack-string-image-id')
    path = tmp_path / 'pred' / '000342_mpii_test.json'
    path.parent.mkdir()
    document = json.loads((case / 'pred' / path.name).read_text())
    document['annotations'][0]['image_id'] = '5'
    path.write_text(json.dumps(document))
    tool = cli('eval_posetrack')
    with pytest.raises(SystemExit) as stopped:
        tool.main(['--gt', str(case / 'gt'), '--pred', str(path.parent), '--out', str(tmp_path / 'r.json')])
    assert stopped.value.code == 2
    assert "annotations[0]: image_id '5' is none of the images" in capsys.readouterr().err
    assert not (tmp_path / 'r.json').exists()


@pytest.mark.parametrize('tracking', [False, True])
def test_predictions_without_people_are_no_result(field_case, tmp_path, cli, capsys, tracking):
    case = field_case('posetrack-string-image-id')
    path = tmp_path / 'pred' / '000342_mpii_test.json'
    path.parent.mkdir()
    document = json.loads((case / 'pred' / path.name).read_text())
    path.write_text(json.dumps(document | {'annotations': []}))
    words = ['--gt', str(case / 'gt'), '--pred', str(path.parent), '--out', str(tmp_path / 'r.json')]
    with pytest.raises(SystemExit) as stopped:
        cli('eval_posetrack').main(words + ['--tracking'] * tracking)
    assert stopped.value.code == 2
    assert f'{path.parent} holds no predicted joint' in capsys.readouterr().err
    assert not (tmp_path / 'r.json').exists()
    for one in document['annotations']:
        one['keypoints'] = [value + 9000 for value in one['keypoints']]
    path.write_text(json.dumps(document))
    cli('eval_posetrack').main(words)
    assert 'warning: not one predicted joint' in capsys.readouterr().err


def test_files_of_a_mac_are_no_annotations(field_case, tmp_path):
    case = field_case('posetrack-appledouble')
    shutil.copytree(case, tmp_path / 'case')
    counts = merge_posetrack(tmp_path / 'case' / 'ann', tmp_path / 'case' / 'img', tmp_path / 'out.json')
    assert counts['videos'] == 1
    assert evaluate_folders(case / 'ann', case / 'ann').total('ap') == 100
