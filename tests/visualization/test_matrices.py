"""Matrices of training pattern against test pattern."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from posediff.visualization import matrices
from posediff.visualization.matrices import save_matrices

MIXSTE = np.array([[50.0, 60.0], [55.0, 52.0]])
WRAPPER = np.array([[49.0, 62.0], [55.0, np.nan]])


@pytest.fixture
def drawn(monkeypatch):
    """The figures that were saved."""
    figures = []

    class Kept(Figure):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            figures.append(self)

    monkeypatch.setattr(matrices, 'Figure', Kept)
    return figures


def cells(ax):
    return {tuple(map(int, text.get_position())): text.get_text() for text in ax.texts}


def test_two_methods_and_their_difference(tmp_path, drawn):
    rows = {'MixSTE': ['none', 'random'], 'Wrapper': ['random', 'none']}
    save_matrices(
        tmp_path / 'm.png', {'MPJPE, mm': {'MixSTE': MIXSTE, 'Wrapper': WRAPPER}}, rows, ['none', 'random'], dpi=40
    )
    first, second, difference = drawn[0].axes
    assert cells(first) == {(0, 0): '50.0', (1, 0): '60.0', (0, 1): '55.0', (1, 1): '52.0'}
    assert cells(second) == {(0, 0): '49.0', (1, 0): '62.0', (0, 1): '55.0'}  # what is NaN stays blank
    # Rows are matched by name: none is MixSTE's first and the wrapper's second.
    assert cells(difference) == {(0, 0): '-5.0', (0, 1): '6.0', (1, 1): '-10.0'}
    assert 'blue: Wrapper better' in difference.get_title()
    red, _, blue, _ = difference.images[0].cmap(difference.images[0].norm(6.0))
    assert blue > red
    assert Image.open(tmp_path / 'm.png').size[0] > 100


def test_one_method_has_no_difference(tmp_path, drawn):
    save_matrices(tmp_path / 'm.png', {'a': {'X': MIXSTE}, 'b': {'X': MIXSTE}}, {'X': ['p', 'q']}, ['p', 'q'], dpi=40)
    assert len(drawn[0].axes) == 2
