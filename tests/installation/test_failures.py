"""Known symptoms in the log of a step have their advice."""

from __future__ import annotations

import pytest

from posediff.installation.failures import report


@pytest.mark.parametrize(
    ('log', 'advice'),
    [
        ('The virtual environment was not created successfully because ensurepip is not\navailable.', 'python3-venv'),
        ('/usr/bin/python3: No module named pip', '-m ensurepip'),
        ('error: externally-managed-environment', 'python3 -m venv'),
        ("error: command 'g++' failed: No such file or directory", 'build-essential'),
        ('xtcocotools/_mask.c:6:10: fatal error: Python.h: No such file or directory', 'python3-dev'),
        ("ConnectionResetError: NewConnectionError('Failed to establish a new connection')", 'pip config list'),
        ('ERROR: ResolutionImpossible: for help visit', 'two pins exclude each other'),
        ('OSError: [Errno 28] No space left on device', 'the disk is full'),
        ('g++: fatal error: Killed signal terminated program cc1plus', 'MAX_JOBS=1 make setup'),
        ('RuntimeError: operator torchvision::nms does not exist', 'uninstall both'),
        ('ImportError: libGL.so.1: cannot open shared object file', 'libgl1'),
        ('The detected CUDA version (12.4) mismatches the version that was used to compile', 'CUDA_VISIBLE_DEVICES='),
        ('something nobody has seen before', 'the advice of the step'),
    ],
)
def test_known_symptoms_have_their_advice(log: str, advice: str) -> None:
    message = report('name', 'pip install x', log, 'the advice of the step')
    assert advice in message.split('what to do: ')[1]
    assert log.splitlines()[-1] in message


def test_advice_names_the_command_that_failed() -> None:
    message = report('mmcv', 'pip', 'Killed signal', '', again='posediff setup openmmlab')
    assert 'what to do: too little memory: MAX_JOBS=1 posediff setup openmmlab\n' in message
    assert '{' not in message
