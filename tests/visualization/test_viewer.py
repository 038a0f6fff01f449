"""The page: its data against poses.npz, and its pictures in a real browser."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from posediff.visualization import viewer
from posediff.visualization.viewer import write_viewer

BROWSER = next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))), None)
needs_browser = pytest.mark.skipif(BROWSER is None, reason='no Chromium is installed')
STAGE = slice(80, 380)  # rows of a screenshot with nothing but the canvas


def embedded(page: Path) -> dict[str, Any]:
    (text,) = re.findall(r'id="data">(.*?)</script>', page.read_text('utf-8'), re.DOTALL)
    return json.loads(text)


def columns(data: dict[str, Any]) -> dict[str, np.ndarray]:
    return {
        name: np.frombuffer(base64.b64decode(column['base64']), np.dtype(column['dtype'])).reshape(column['shape'])
        for name, column in data['columns'].items()
    }


def test_the_page_holds_what_poses_npz_holds(save_results):
    folder = save_results(frames=9, people=3, nobody_in=(2, 3), filled=(1,), lost=(2,))
    page = write_viewer(folder)
    assert sorted(path.name for path in folder.iterdir()) == ['poses.json', 'poses.npz', 'viewer.html']
    data = embedded(page)
    held = columns(data)
    with np.load(folder / 'poses.npz') as arrays:
        for name in ('frame_index', 'track_id', 'observed'):
            np.testing.assert_array_equal(held[name], arrays[name])
        level = np.array(data['level']).T
        np.testing.assert_allclose(held['root_position'], arrays['root_position'] @ level, rtol=1e-5)
        for name, expected in (
            ('joints_3d', arrays['joints_3d'] @ level),
            ('joints_3d_std', arrays['joints_3d_std']),
            ('joints_3d_radius_90', arrays['joints_3d_radius_90']),
        ):
            assert held[name].dtype == np.int16
            np.testing.assert_allclose(held[name], expected, atol=0.51)
        assert data['parents'] == arrays['parents'].tolist()
        assert data['fps'] == arrays['fps']
    assert np.isnan(held['root_position'][held['track_id'] == 2]).all()


def test_the_page_knows_which_joints_and_places_were_seen(save_results):
    held = columns(embedded(write_viewer(save_results(frames=9, people=2, unseen=(3, 6)))))
    assert (held['joint_shown'] == [joint not in (3, 6) for joint in range(17)]).all()
    assert held['root_observed'].all()
    held = columns(embedded(write_viewer(save_results(frames=9, people=2, unseen=(3, 6), seen_joints_only=True))))
    np.testing.assert_array_equal(np.isfinite(held['joints_3d']).all(-1), held['joint_shown'])


def test_poses_that_16_bits_do_not_hold_are_kept_as_they_are(save_results):
    folder = save_results(size=100.0)
    data = embedded(write_viewer(folder))
    held = columns(data)
    assert held['joints_3d'].dtype == np.float32
    with np.load(folder / 'poses.npz') as arrays:
        turned = arrays['joints_3d'] @ np.array(data['level']).T
        np.testing.assert_allclose(held['joints_3d'], turned, rtol=1e-5, atol=0.1)


def test_the_page_loads_nothing_and_no_name_breaks_it(save_results):
    page = write_viewer(save_results(video='a </script><b>&.mp4'))
    text = page.read_text('utf-8')
    assert embedded(page)['video'] == 'script><b>&.mp4'
    assert text.count('</script>') == 2
    assert not re.search(r'https?:|\bsrc=|@import|<link|url\(|\bfetch\(|\bimport\b', text)
    assert "default-src 'none'" in text


def test_nobody_makes_a_page_too(save_results):
    held = columns(embedded(write_viewer(save_results(frames=3, people=0))))
    assert {name: len(column) for name, column in held.items()} == dict.fromkeys(held, 0)


def browse(page: Path, words: str, out: Path, *options: str) -> tuple[str, list[str]]:
    """What the browser printed, and what the page logged."""
    command = [
        str(BROWSER), '--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--window-size=900,600',
        '--enable-logging=stderr', '--virtual-time-budget=1000', f'--user-data-dir={out / "profile"}', *options,
        f'{page.as_uri()}#{words}',
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if 'CONSOLE' in line]


def picture(page: Path, words: str, out: Path) -> np.ndarray:
    """The canvas's pixels; the page has logged nothing."""
    _, logged = browse(page, words, out, f'--screenshot={out / "shot.png"}')
    assert logged == []
    return np.asarray(Image.open(out / 'shot.png').convert('RGB'))[STAGE]


@pytest.mark.slow
@needs_browser
def test_frames_sides_and_spread_are_seen(save_results, tmp_path_factory):
    page, out = write_viewer(save_results(frames=8, filled=(1,), nobody_in=(5,))), tmp_path_factory.mktemp('shots')
    shown = picture(page, 'frame=2', out)
    np.testing.assert_array_equal(shown, picture(page, 'frame=2', out))
    blue = (np.abs(shown.astype(int) - [0x00, 0x72, 0xB2]).sum(-1) < 30).sum()
    assert blue > 50  # the left sides
    for words in ('frame=7', 'frame=2&azimuth=-60', 'frame=2&spread=1', 'frame=2&radius=1', 'frame=2&person=0'):
        assert (picture(page, words, out) != shown).any(-1).sum() > 100, words
    empty = picture(page, 'frame=5', out)
    assert (np.ptp(empty.astype(int), axis=-1) < 20).all()  # no colour: nobody, but the floor
    assert (empty != empty[0, 0]).any()


@pytest.mark.slow
@needs_browser
def test_joints_that_were_not_seen_are_grey_or_hidden(save_results, tmp_path_factory):
    out, arms = tmp_path_factory.mktemp('shots'), (12, 13, 15, 16)
    shown = picture(write_viewer(save_results(people=1, unseen=arms)), 'frame=2', out)
    hidden = picture(write_viewer(save_results(people=1, unseen=arms)), 'frame=2&unseen=0', out)
    left_out = picture(write_viewer(save_results(people=1, unseen=arms, seen_joints_only=True)), 'frame=2', out)
    changed = (shown != hidden).any(-1)
    assert changed.sum() > 40
    assert (np.ptp(shown[changed].astype(int), axis=-1) < 25).mean() > 0.8
    assert np.abs(hidden.astype(int) - left_out).max() < 60  # 16 bits hold no NaN: those are not rounded


@pytest.mark.slow
@needs_browser
def test_an_error_of_the_page_would_be_noticed(save_results, tmp_path):
    page = write_viewer(save_results())
    broken = page.with_name('broken.html')
    broken.write_text(page.read_text('utf-8').replace('function drawFloor()', 'function drawCeiling()'), 'utf-8')
    _, logged = browse(broken, 'frame=1', tmp_path, '--dump-dom')
    assert any('drawFloor is not defined' in line for line in logged)


ACTIONS = """<script>
const said = [];
const key = (key) => window.dispatchEvent(new KeyboardEvent('keydown', { key }));
const note = (what) => said.push([what, $('play').textContent, Math.floor(state.frame), state.person, state.follow]);
note('start'); key(' '); note('space'); key(' '); note('space again');
$('scrub').value = 3; $('scrub').dispatchEvent(new Event('input')); note('scrub');
key('ArrowRight'); note('right'); key('ArrowLeft'); key('ArrowLeft'); note('left twice');
$('person').value = '1'; $('person').dispatchEvent(new Event('change')); $('follow').click(); note('follow 1');
draw(); said.push(state.target);
const before = [state.distance, state.azimuth];
canvas.dispatchEvent(new WheelEvent('wheel', { deltaY: 500, cancelable: true })); orbit(100, 0);
said.push([state.distance / before[0], state.azimuth - before[1]]);
$('reset').click(); said.push([state.azimuth, state.elevation, state.follow]);
setFrame(0); setPlaying(true); last = 0; tick(130); note('0.13 s');
$('loop').click(); setFrame(6); setPlaying(true); last = 0; tick(1000); note('end without loop');
document.body.dataset.said = JSON.stringify(said);
</script></body>"""


@pytest.mark.slow
@needs_browser
def test_keys_slider_and_wheel_do_what_they_say(save_results, tmp_path):
    page = write_viewer(save_results(frames=8))
    acted = page.with_name('acted.html')
    acted.write_text(page.read_text('utf-8').replace('</body>', ACTIONS), 'utf-8')
    printed, logged = browse(acted, 'frame=1', tmp_path, '--dump-dom')
    assert logged == []
    (text,) = re.findall(r'data-said="(.*?)"', printed)
    *_, target, moved, reset, played, end = said = json.loads(text.replace('&quot;', '"'))
    assert said[:7] == [
        ['start', 'Play', 1, 'all', False],
        ['space', 'Pause', 1, 'all', False],
        ['space again', 'Play', 1, 'all', False],
        ['scrub', 'Play', 3, 'all', False],
        ['right', 'Play', 4, 'all', False],
        ['left twice', 'Play', 2, 'all', False],
        ['follow 1', 'Play', 2, 1, True],
    ]
    level = np.array(embedded(page)['level'])
    assert target == pytest.approx((level @ [1080, 300, 5000]).tolist(), rel=1e-4, abs=1)
    assert moved == pytest.approx([np.exp(0.6), -35])
    assert reset == [35, 18, False]
    assert played == ['0.13 s', 'Pause', 3, 1, False]  # 25 frames a second
    assert end == ['end without loop', 'Play', 7, 1, False]


def test_long_files_are_thinned_out(save_results, monkeypatch):
    monkeypatch.setattr(viewer, 'MAX_ROWS', 10)
    data = viewer.viewer_data(save_results(frames=12, people=2))
    assert (data['every'], data['fps']) == (3, 25.0 / 3)
    shown = columns(data)
    assert shown['frame_index'].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert shown['root_position'][:, 0].tolist() == [0, 1000, 120, 1120, 240, 1240, 360, 1360]
