"""Published figures: each has an entry that says what made it, and the page says what the entry says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
METAFILES = sorted((ROOT / 'configs').rglob('metafile.yml'))
MODELS = [model for path in METAFILES for model in yaml.safe_load(path.read_text())['Models']]
LARGEST = {'3D lifting': 10e6, 'video 2D pose': 20e6}  # bytes of weights that ship
OWN_RESULTS = ('3D lifting: CMU motion capture', 'Video poses: the synthetic set')
COLUMNS = {
    '3D lifting': {'MPJPE', 'MPJPE unaligned', 'P-MPJPE', 'symmetry gap', 'segment std'},
    'video 2D pose': {
        'PCK@0.2',
        'PCK@0.1',
        'PCK@0.05',
        'Head',
        'Shoulder',
        'Elbow',
        'Wrist',
        'Hip',
        'Knee',
        'Ankle',
        'AP',
    },
}


@pytest.mark.parametrize('model', MODELS, ids=lambda model: model['Name'])
def test_an_entry_says_what_made_its_figures(model):
    assert (ROOT / model['Config']).is_file()
    metadata = model['Metadata']
    tasks = {result['Task'] for result in model['Results']}
    for key in ('Command', 'Commit', 'Seed', 'Training Data', *(['2D Input'] if tasks == {'3D lifting'} else [])):
        assert metadata.get(key) is not None, key
    assert re.fullmatch(r'[0-9a-f]{7,40}', metadata['Commit'])
    assert model['Results']
    if model['In Collection'] in ('DiffHPE', 'DiffPose'):
        assert metadata['Num Hypotheses'] >= 1
        assert metadata['Num Inference Steps'] >= 1
    for result in model['Results']:
        assert set(result['Metrics']) <= COLUMNS[result['Task']]
    weights = model.get('Weights')
    if weights is not None:
        assert (ROOT / weights).stat().st_size < min(LARGEST[task] for task in tasks)


def rows() -> list[tuple[str, dict[str, float]]]:
    """(name, figures) of every measured row of the tables of this project's own results."""
    sections = (ROOT / 'docs/benchmarks.md').read_text().split('\n## ')
    text = '\n'.join(section for section in sections if section.startswith(OWN_RESULTS))
    found, header = [], []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip('|').split('|')]
        if 'P-MPJPE' in cells or {'Wrist', 'AP'} <= set(cells):
            header = cells
        elif header and len(cells) == len(header) and not set(line) <= set('|-: '):
            values = {
                name: float(cell) for name, cell in zip(header, cells, strict=True) if re.fullmatch(r'[\d.]+', cell)
            }
            if values:
                found.append((cells[0], values))
        elif not line.startswith('|'):
            header = []
    return found


def test_the_page_shows_the_entries_and_nothing_else():
    published = {model['Name']: model['Results'][0]['Metrics'] for model in MODELS}
    shown = {}
    for name, values in rows():
        quoted = re.search(r'`([^`]+)`', name)
        shown[quoted.group(1) if quoted else name] = values
    # tables of PCK also have rows of models that are not published
    pck = {name for name, metrics in published.items() if 'PCK@0.2' in metrics}
    assert shown == {name: metrics for name, metrics in published.items() if name not in pck}
    page = (ROOT / 'docs/benchmarks.md').read_text()
    for name in pck:
        [row] = [line for line in page.splitlines() if line.startswith('|') and f'`{name}`' in line]
        figures = [float(cell) for cell in row.strip('| ').split('|') if re.fullmatch(r' [\d.]+ ?', cell)]
        assert figures == [published[name][f'PCK@{threshold}'] for threshold in (0.2, 0.1, 0.05)]
