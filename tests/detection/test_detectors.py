"""Boxes from files, and models by name."""

from __future__ import annotations

import json

import numpy as np
import pytest
from mmengine.registry import DefaultScope, init_default_scope

from posediff.detection import BoxesFileDetector, ProcessedVideo
from posediff.integrations.model_zoo import find_model
from posediff.registry import DETECTORS, POSE_ESTIMATORS
from posediff.structures.video_frame import VideoFrame


def frame(index: int) -> VideoFrame:
    return VideoFrame(index, 0.0, np.zeros((40, 60, 3), np.uint8))


def test_both_forms_of_a_file_say_the_same(tmp_path):
    entries = [
        {'frame_index': 0, 'bbox': [10, 8, 20, 30], 'score': 0.9},
        {'image_id': 2, 'bbox': [-5, -5, 10, 10]},
        {'frame_index': 2, 'bbox': [12, 8, 20, 30], 'score': 0.2},
        {'frame_index': 2, 'bbox': [70, 8, 20, 30], 'score': 0.9},
    ]
    (tmp_path / 'boxes.json').write_text(json.dumps(entries))
    (tmp_path / 'boxes.txt').write_text(
        '1,7,10,8,20,30,0.9,-1,-1,-1\n3,7,-5,-5,10,10\n3,8,12,8,20,30,0.2\n\n3,8,70,8,20,30,.9\n'
    )
    for name in ('boxes.json', 'boxes.txt'):
        found = BoxesFileDetector(tmp_path / name, score_threshold=0.3)([frame(0), frame(1), frame(2)])
        assert [people.boxes.tolist() for people in found] == [[[10, 8, 30, 38]], [], [[0, 0, 5, 5]]]
        assert found[0].scores.tolist() == pytest.approx([0.9])


@pytest.mark.parametrize(
    'text',
    [
        '1,1,10,8,20,30,-1,-1,-1,-1\n3,1,10,8,20,30,-1,-1,-1,-1\n',
        'frame,id,x,y,w,h,conf\n1,1,10,8,20,30,1\n3,1,10,8,20,30,1\n',
        '\ufeff1,1,10,8,20,30,,-1,-1,-1\n3,1,10,8,20,30,,-1,-1,-1\n',
        '1 1 10 8 20 30 -1 -1 -1 -1\n3 1 10 8 20 30 -1 -1 -1 -1\n',
        '1.0,1,10,8,20,30,1,1,0.5\n1,2,1,1,9,9,0,1,0.5\n1,3,1,1,9,9,1,3,1\n3,4,10,8,20,30,-1,7,0\n',
    ],
)
def test_boxes_of_motchallenge_without_scores(text, tmp_path):
    """A score of -1 or none, a line of names, a byte order mark, blanks, labels with a flag and a class."""
    (tmp_path / 'boxes.txt').write_text(text)
    found = BoxesFileDetector(tmp_path / 'boxes.txt')([frame(0), frame(1), frame(2)])
    assert [people.boxes.tolist() for people in found] == [[[10, 8, 30, 38]], [], [[10, 8, 30, 38]]]
    assert found[0].scores.tolist() == [1.0]


def test_nine_columns_may_be_scores(tmp_path):
    (tmp_path / 'boxes.txt').write_text('1,1,10,8,20,30,0.5,0,-1\n1,2,30,8,20,30,0.4,0,-1\n')
    (found,) = BoxesFileDetector(tmp_path / 'boxes.txt')([frame(0)])
    assert found.scores.tolist() == pytest.approx([0.5, 0.4])


def test_frames_of_boxes_by_name_and_text(tmp_path):
    entries = [{'image_id': f'img_{number}.jpg', 'bbox': [10, 8, 20, 30], 'score': None} for number in (0, 2)]
    (tmp_path / 'boxes.json').write_text(json.dumps(entries), encoding='utf-8-sig')
    found = BoxesFileDetector(tmp_path / 'boxes.json')([frame(0), frame(1), frame(2)])
    assert [len(people) for people in found] == [1, 0, 1]


def test_frames_of_boxes_are_found_among_the_images_of_a_folder(tmp_path):
    entries = [{'image_id': f'x/img_{number}.png', 'bbox': [10, 8, 20, 30]} for number in (7, 9)]
    (tmp_path / 'boxes.json').write_text(json.dumps(entries))
    detector = BoxesFileDetector(tmp_path / 'boxes.json', image_names=('img_7.jpg', 'img_8.jpg', 'img_9.jpg'))
    assert [len(people) for people in detector([frame(0), frame(1), frame(2)])] == [1, 0, 1]


def test_boxes_of_other_categories_are_nobody(tmp_path):
    entries = [{'image_id': 0, 'category_id': kind, 'bbox': [10, 8, 20, 30]} for kind in (1, 3, 17, 3)]
    file = tmp_path / 'boxes.json'
    file.write_text(json.dumps(entries))
    detector = BoxesFileDetector(file)
    assert [len(people) for people in detector([frame(0)])] == [1]
    assert detector.notes == [f'{file}: 3 of 4 boxes are of other categories: 17, 3']
    file.write_text(json.dumps(entries[1:]))
    with pytest.raises(ValueError, match='boxes are of the categories 17, 3; none is of 1'):
        BoxesFileDetector(file)
    file.write_text(json.dumps(entries[1:2]))
    assert [len(people) for people in BoxesFileDetector(file)([frame(0)])] == [1]


def test_boxes_that_cannot_be_used_are_told(tmp_path):
    file = tmp_path / 'boxes.txt'
    file.write_text('1,1,0.1,0.2,0.3,0.4,1\n2,1,0.1,0.2,0.3,0.4,1\n')
    with pytest.raises(ValueError, match='the box 0.1, 0.2, 0.3, 0.4, like most boxes of the file, looks normalised'):
        BoxesFileDetector(file)
    file.write_text('1,1,10,8,20,30,-0.5\n3,1,10,8,20,30,0.5\n')
    detector = BoxesFileDetector(file)
    assert detector.notes == [f'{file}: 1 of 2 boxes have a score below 0: left out']
    assert detector.warnings(ProcessedVideo(3, 3, is_complete=True)) == detector.notes
    assert detector.warnings(ProcessedVideo(2, 2, is_complete=False)) == detector.notes
    with pytest.raises(ValueError, match=r'1 boxes lie after the last picture \(1, .*\), the first of them at 2'):
        detector.warnings(ProcessedVideo(2, 2, is_complete=True))
    file.write_text('1,1,10,8,20,30\n3,1,10,8,20,30\n')
    (late,) = BoxesFileDetector(file).warnings(ProcessedVideo(2, 2, is_complete=True))
    assert late.endswith('the first of them at 2')


@pytest.mark.parametrize(
    ('name', 'text', 'said'),
    [
        ('a.json', '[{"bbox": [1, 2, 3, 4]}]', 'entry 0: KeyError'),
        ('a.json', '[{"frame_index": 0, "bbox": [1, 2, 0, 4]}]', 'entry 0: .*positive size'),
        ('a.json', '[{"frame_index": -1, "bbox": [1, 2, 3, 4]}]', 'a frame is a whole number from 0 .*, got -1'),
        ('a.json', '{"frame_index": 0}', 'expected a list of boxes, got dict'),
        ('a.json', '[{"frame_index"', 'truncated'),
        ('a.txt', '1,1,2,3\n', 'line 1: ValueError'),
        ('a.txt', '0,1,2,3,4,5\n', 'line 1: .*whole number from 1, got 0'),
        ('a.txt', '1.5,1,2,3,4,5\n', 'line 1: .*whole number from 1, got 1.5'),
        ('a.json', '[{"frame_index": 0.5, "bbox": [1, 2, 3, 4]}]', 'entry 0: a frame is a whole number'),
        ('a.txt', '1,1,2,3,4,5,nan\n', 'line 1: ValueError'),
    ],
)
def test_a_malformed_file_is_named_with_its_entry(tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=said):
        BoxesFileDetector(tmp_path / name)
    with pytest.raises(FileNotFoundError, match='nowhere'):
        BoxesFileDetector(tmp_path / 'nowhere.json')


def test_models_are_found_by_name_alias_and_file(tmp_path):
    pytest.importorskip('mmpose')
    config, weights = find_model('mmpose', 'human', None)
    assert config.endswith('rtmpose-m_8xb256-420e_body8-256x192.py')
    assert weights is not None
    assert weights.startswith('https://')
    assert find_model('mmpose', 'human', 'random') == (config, None)
    assert find_model('mmpose', config, 'random') == (config, None)
    with pytest.raises(ValueError, match=r"no model 'rtmpose-m'; names with it: rtmpose-m_8xb"):
        find_model('mmpose', 'rtmpose-m', None)
    with pytest.raises(ValueError, match='does not say where its weights are'):
        find_model('mmpose', config, None)
    with pytest.raises(FileNotFoundError, match=r'config no\.py does not exist'):
        find_model('mmpose', 'no.py', None)
    with pytest.raises(FileNotFoundError, match=r'checkpoint no\.pth of human does not exist'):
        find_model('mmpose', 'human', 'no.pth')


def test_models_of_other_packages_leave_the_scope_alone():
    """They make their package the place where MMEngine looks up names; what is built next is ours again."""
    pytest.importorskip('mmpose')
    init_default_scope('posediff')
    detector = DETECTORS.build({'type': 'MMDetDetector', 'checkpoint': 'random'})
    POSE_ESTIMATORS.build({'type': 'MMPoseEstimator', 'checkpoint': 'random'})
    detector([frame(0)])
    assert DefaultScope.get_current_instance().scope_name == 'posediff'


def test_a_file_of_boxes_whose_frames_begin_with_one_says_how_they_are_read(tmp_path):
    for first in (0, 1, 5):
        rows = [{'image_id': first + frame, 'bbox': [10, 10, 50, 90], 'score': 0.9} for frame in range(3)]
        (tmp_path / 'a.json').write_text(json.dumps(rows))
        notes = BoxesFileDetector(tmp_path / 'a.json').notes
        assert len(notes) == (first == 1)
        assert first != 1 or 'its first frame is 1' in notes[0]
