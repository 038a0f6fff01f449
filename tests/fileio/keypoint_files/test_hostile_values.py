"""Any content of a file is read, or is reported in one sentence that names the file."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.fileio.keypoint_files import FORMATS, FoundPerson, read_keypoint_file

sys.path.insert(0, str(Path(__file__).parent))
import writers  # noqa: E402

sys.path.pop(0)

JSON_WRITERS = [
    writers.coco, writers.coco_annotations, writers.alphapose, writers.alphapose_tracked, writers.mmpose,
    writers.mmpose_demo, writers.yolo_results, writers.rtmlib, writers.mediapipe, writers.mediapipe_js,
    writers.posediff_json,
]  # fmt: skip
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.just([]), st.just({}),
    st.sampled_from([1e300, -1, 2**70, [[[]]], [None], {'x': 1}, '7', 'a_1.jpg', {'keypoints': 3}]),
)  # fmt: skip
KEYS = ['keypoints', 'image_id', 'people', 'instances', 'frames', 'x']


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Yield the paths to all values; long lists are truncated."""
    found = [path] if path else []
    items: list[tuple[Any, Any]] = []
    if isinstance(document, dict):
        items = list(document.items())
    elif isinstance(document, list):
        items = list(enumerate(document))[:3]
    for key, value in items:
        found += places(value, (*path, key))
    return found


def read_or_refuse(path: Path, skeleton: str | None, name: str | None, file: str | None = None) -> None:
    refused = ''
    people: list[FoundPerson] = []
    try:
        record = read_keypoint_file(path, skeleton, format=name, img_shape=writers.SIZE)
        people = [person for held in record.people.values() for person in held]
    except (ValueError, KeyError) as error:
        assert isinstance(error, ValueError) or 'unknown skeleton' in error.args[0]  # noqa: PT017
        refused = str(error.args[0])
    assert people or (file or str(path)) in refused
    assert len(refused) < 3000
    for person in people:
        assert np.isfinite(person.keypoints).all()
        assert ((person.scores >= 0) & (person.scores <= 1)).all()


@settings(max_examples=40, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize('writer', JSON_WRITERS, ids=lambda writer: writer.__name__)
def test_a_value_that_is_changed(writer: Any, data: st.DataObject) -> None:
    skeleton = 'mediapipe33' if writer in (writers.mediapipe, writers.mediapipe_js) else 'coco17'
    people = writers.draw(skeleton, frames=3, two=writer is not writers.mediapipe_js)
    with tempfile.TemporaryDirectory() as folder:
        path = writer(Path(folder), people)
        document = json.loads(path.read_text(encoding='utf-8-sig'))
        *way, last = data.draw(st.sampled_from(places(document)))
        held = document
        for key in way:
            held = held[key]
        if data.draw(st.booleans()):
            held[last] = data.draw(VALUES)
        elif isinstance(held, dict):
            del held[last]
        path.write_text(json.dumps(document))
        name = next(form for one, form, *_ in writers.WRITERS if one is writer)
        read_or_refuse(path, data.draw(st.sampled_from([skeleton, None])), data.draw(st.sampled_from([name, None])))


@settings(max_examples=60, deadline=None)
@given(
    document=st.recursive(
        VALUES,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(['keypoints', 'image_id', 'people', 'instances', 'frames', 'x']), inner, max_size=3
            )
        ),
        max_leaves=8,
    ),
    name=st.sampled_from([None, *FORMATS]),
)
def test_any_json(document: Any, name: str | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'a.json'
        path.write_text(json.dumps(document))
        read_or_refuse(path, 'coco17', name)


@settings(max_examples=30, deadline=None)
@given(content=st.binary(max_size=60), suffix=st.sampled_from(['json', 'npz', 'npy', 'csv', 'txt']))
def test_any_bytes(content: bytes, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f'a.{suffix}'
        path.write_bytes(content)
        read_or_refuse(path, 'coco17', None)


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_line_of_labels_or_a_table_that_is_changed(data: st.DataObject) -> None:
    writer = data.draw(st.sampled_from([writers.yolo_labels, writers.deeplabcut]))
    with tempfile.TemporaryDirectory() as folder:
        path = writer(Path(folder), writers.draw('coco17', frames=3))
        file = path if path.is_file() else next((path / 'labels').iterdir())
        text = file.read_text(encoding='utf-8-sig')
        begin = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(begin, min(begin + 40, len(text))))
        file.write_text(text[:begin] + data.draw(st.text(max_size=4)) + text[end:])
        read_or_refuse(path, 'coco17', None, path.name)
