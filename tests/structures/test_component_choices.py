"""Components declare the words that choose them on a command line; those of plugins are choices too."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest

from posediff.detection import MediaPipeDetector, WholeFrameDetector
from posediff.registry import DETECTORS, POSE_ESTIMATORS, SMOOTHERS, TRACKERS
from posediff.structures.component_choices import (
    CommandLineChoice,
    choices_help,
    command_line_choices,
    component_config,
)


@pytest.fixture
def radar() -> Iterator[type]:
    """A plugin's detector, registered for one test."""

    @DETECTORS.register_module()
    class RadarDetector(WholeFrameDetector):
        command_line = (
            CommandLineChoice(
                'radar:<station>',
                'persons seen by a radar, 50% of them',
                arguments=lambda chosen: {'station': chosen.value, 'weights': chosen.checkpoint},
                checkpoint='required',
            ),
        )

    yield RadarDetector
    del DETECTORS.module_dict['RadarDetector']


def test_a_detector_of_a_plugin_is_in_the_help(radar, load_tool, exit_code, capsys):
    assert exit_code(load_tool('video_to_3d.py').main, ['--help']) == 0
    said = ' '.join(capsys.readouterr().out.split())
    assert 'radar:<station> persons seen by a radar, 50% of them' in said
    assert 'mmdet:<config file or name> a detector of MMDetection' in said


def test_a_detector_of_a_plugin_is_chosen(radar):
    config = component_config(DETECTORS, '--detector', 'radar:north', 'a.pth')
    assert config == {'type': 'RadarDetector', 'station': 'north', 'weights': 'a.pth'}
    with pytest.raises(ValueError, match=r"--detector radar:north needs --detector-checkpoint \(or 'random'\)"):
        component_config(DETECTORS, '--detector', 'radar:north')


def test_a_subclass_does_not_inherit_the_word_of_its_base(radar):
    assert command_line_choices(DETECTORS)['whole-frame'][0] == 'WholeFrameDetector'


def test_two_components_with_one_word_are_an_error(radar, monkeypatch):
    monkeypatch.setattr(radar, 'command_line', MediaPipeDetector.command_line)
    with pytest.raises(ValueError, match="MediaPipeDetector and RadarDetector both declare the choice 'mediapipe'"):
        command_line_choices(DETECTORS)


@pytest.mark.parametrize(
    ('registry', 'text', 'checkpoint', 'expected'),
    [
        (DETECTORS, 'mediapipe', None, {'type': 'MediaPipeDetector'}),
        (DETECTORS, 'boxes.JSON', None, {'type': 'BoxesFileDetector', 'path': 'boxes.JSON'}),
        (
            DETECTORS, 'mmdet:a.py', 'b.pth',
            {'type': 'MMDetDetector', 'model': 'a.py', 'checkpoint': 'b.pth', 'device': 'cuda'},
        ),
        (
            POSE_ESTIMATORS, 'mmpose:a.py', None,
            {'type': 'MMPoseEstimator', 'model': 'a.py', 'checkpoint': None, 'device': 'cuda'},
        ),
        (
            POSE_ESTIMATORS, 'a.py', 'random',
            {'type': 'DiffPoseEstimator', 'config': 'a.py', 'checkpoint': 'random', 'device': 'cuda'},
        ),
        (
            POSE_ESTIMATORS, 'diffpose_vit-t_synthetic-128x96', 'a.pth',
            {
                'type': 'DiffPoseEstimator', 'config': 'diffpose_vit-t_synthetic-128x96', 'checkpoint': 'a.pth',
                'device': 'cuda',
            },
        ),
        (TRACKERS, 'byte', None, {'type': 'ByteTrackTracker'}),
        (SMOOTHERS, 'savitzky-golay', None, {'type': 'SavitzkyGolaySmoother'}),
    ],
)  # fmt: skip
def test_a_text_becomes_a_config(registry, text, checkpoint, expected):
    assert component_config(registry, '--x', text, checkpoint, 'cuda') == expected


@pytest.mark.parametrize(
    ('registry', 'text', 'checkpoint', 'said'),
    [
        (SMOOTHERS, 'median', None, '--x median is neither .*gaussian'),
        (DETECTORS, 'whole-frame', 'a.pth', '--x-checkpoint a.pth has no use: --x whole-frame takes no checkpoint'),
        (
            POSE_ESTIMATORS, 'diffpose_vit-t_synthetic-128x97', 'random',
            '--x diffpose_vit-t_synthetic-128x97 is neither .*; did you mean diffpose_vit-t_synthetic-128x96',
        ),
        (POSE_ESTIMATORS, 'a.py', None, r"--x a.py needs --x-checkpoint \(or 'random'\)"),
    ],
)  # fmt: skip
def test_a_wrong_text_is_an_error_that_names_the_flag(registry, text, checkpoint, said):
    with pytest.raises(ValueError, match=said):
        component_config(registry, '--x', text, checkpoint)


def test_options_are_set_by_name():
    config = component_config(TRACKERS, '--tracker', 'pose', options=['min_hits=3', 'pose_weight=0.25'])
    assert config == {'type': 'PoseTracker', 'min_hits': 3, 'pose_weight': 0.25}
    tracker = TRACKERS.build(config)
    assert (tracker.min_hits, tracker.pose_weight) == (3, 0.25)


@pytest.mark.parametrize('option', ['min_hits', 'sigma=3', '=3'])
def test_an_option_that_the_choice_does_not_have_is_an_error(option):
    with pytest.raises(ValueError, match=rf'--tracker-options {option}: expected NAME=VALUE .* max_lost_s, min_hits'):
        component_config(TRACKERS, '--tracker', 'pose', options=[option])
    with pytest.raises(ValueError, match=r'an option of --detector whole-frame, which are: none'):
        component_config(DETECTORS, '--detector', 'whole-frame', options=[option])


@pytest.mark.parametrize('registry', [DETECTORS, POSE_ESTIMATORS, TRACKERS, SMOOTHERS])
def test_every_declared_option_is_an_argument_of_its_component(registry):
    lines = [line.strip() for line in choices_help(registry).splitlines()]
    for component, choice in command_line_choices(registry).values():
        parameters = inspect.signature(registry.get(component)).parameters
        for name, text in choice.options.items():
            assert name in parameters
            assert f'{name}=…: {text}' in lines


def test_a_component_that_reads_images_by_name_gets_their_names():
    config = component_config(DETECTORS, '--detector', 'boxes.json', image_names=['a.png', 'b.png'])
    assert config == {'type': 'BoxesFileDetector', 'path': 'boxes.json', 'image_names': ('a.png', 'b.png')}
    assert 'image_names' not in component_config(DETECTORS, '--detector', 'boxes.json')
