"""Which steps are visited."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.diffusion.timesteps import SPACINGS, timestep_pairs


@given(length=st.integers(1, 1000), steps=st.integers(1, 1000), spacing=st.sampled_from(sorted(SPACINGS)))
def test_every_rule_descends_from_the_table_to_clean(length, steps, spacing):
    if steps > length or (spacing == 'diffpose' and steps == 1):
        with pytest.raises(ValueError, match='num_inference_steps'):
            timestep_pairs(length, steps, spacing)
        return
    if steps == 1 < length and spacing in ('leading', 'linspace'):
        with pytest.raises(ValueError, match='starts at t = 0'):
            timestep_pairs(length, steps, spacing)
        return
    pairs = timestep_pairs(length, steps, spacing)
    assert len(pairs) == (steps - 1 if spacing == 'diffpose' else steps)
    assert pairs[-1][1] == -1
    assert all(length > t > t_prev for t, t_prev in pairs)
    assert all(first[1] == second[0] for first, second in zip(pairs, pairs[1:], strict=False))
    if spacing in ('trailing', 'diffusiondet', 'diffpose'):
        assert pairs[0][0] == length - 1


@pytest.mark.parametrize(
    ('spacing', 'steps', 'expected'),
    [
        # D3DP's and DiffusionDet's walk
        ('diffusiondet', 5, [(999, 799), (799, 599), (599, 399), (399, 199), (199, -1)]),
        ('diffusiondet', 1, [(999, -1)]),
        ('diffusiondet', 4, [(999, 749), (749, 499), (499, 249), (249, -1)]),
        # DiffPose, algorithm 2, to the letter
        ('diffpose', 4, [(999, 665), (665, 332), (332, -1)]),
        ('trailing', 4, [(999, 749), (749, 499), (499, 249), (249, -1)]),
        ('leading', 4, [(750, 500), (500, 250), (250, 0), (0, -1)]),
        ('linspace', 4, [(999, 666), (666, 333), (333, 0), (0, -1)]),
        ([900, 20, 3], 3, [(900, 20), (20, 3), (3, -1)]),
    ],
)
def test_known_walks(spacing, steps, expected):
    assert timestep_pairs(1000, steps, spacing) == expected


@pytest.mark.parametrize(
    ('spacing', 'steps', 'said'),
    [
        ('tailing', 4, "unknown timestep spacing 'tailing'"),
        ('trailing', 0, r'1..1000, got 0'),
        ('trailing', 1001, r'1..1000, got 1001'),
        ('leading', 1, "'leading' with num_inference_steps=1 starts at t = 0.*use 'trailing'"),
        ('linspace', 1, "'linspace' with num_inference_steps=1 starts at t = 0"),
        ([0], 1, 'starts at t = 0'),
        ([5, 5], 2, 'must descend'),
        ([1000], 1, 'must descend within 999'),
        ([3, 2], 3, 'has 2 timesteps'),
    ],
)
def test_bad_walks_are_named(spacing, steps, said):
    with pytest.raises(ValueError, match=said):
        timestep_pairs(1000, steps, spacing)
