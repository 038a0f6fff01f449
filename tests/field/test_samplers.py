"""Walks of diffusers' schedulers that people configure."""

from __future__ import annotations

import runpy

import pytest
import torch


@pytest.fixture(autouse=True)
def _needs_diffusers() -> None:
    pytest.importorskip('diffusers', reason='the diffusers adapter needs the optional extra')


def test_karras_sigmas_on_a_cosine_schedule(field_case) -> None:
    with pytest.raises(ValueError, match='use_karras_sigmas=True cannot be used .* in 20 steps') as refused:
        runpy.run_path(str(field_case('diffusers-karras-cosine') / 'check.py'))
    assert '\n' not in str(refused.value)


@pytest.mark.parametrize('name', ['DPMSolverMultistep', 'DPMSolverSinglestep', 'UniPCMultistep', 'DEISMultistep'])
@pytest.mark.parametrize('sigmas', ['karras', 'exponential', 'beta'])
@pytest.mark.parametrize('kind', ['epsilon', 'sample', 'v_prediction'])
def test_a_known_answer_comes_out_or_one_line_refuses(name: str, sigmas: str, kind: str) -> None:
    from posediff.registry import NOISE_SCHEDULERS, SAMPLERS

    for schedule_name, length in (('Cosine', 200), ('Linear', 100), ('Quadratic', 50)):
        schedule = NOISE_SCHEDULERS.build(
            {'type': f'{schedule_name}NoiseScheduler', 'num_train_timesteps': length, 'prediction_type': kind}
        )
        sampler = SAMPLERS.build({'type': f'diffusers.{name}Scheduler', f'use_{sigmas}_sigmas': True})
        for steps in (1, 3, 12):
            refused = ''
            try:
                draws = sampler.num_draws(schedule, steps)
            except ValueError as error:
                refused = str(error)
            if refused:
                assert f'diffusers.{name}Scheduler with use_{sigmas}_sigmas=True' in refused
                continue
            x_0 = torch.tensor([[0.7, -0.4, 1.8]])

            def denoise(x_t, t, schedule=schedule, x_0=x_0):
                a = schedule.alpha_bar_at(t)
                epsilon = (x_t - a**0.5 * x_0) / (1 - a) ** 0.5
                answers = {'epsilon': epsilon, 'sample': x_0.expand_as(x_t)}
                answers['v_prediction'] = a**0.5 * epsilon - (1 - a) ** 0.5 * x_0
                return answers[kind]

            noise = torch.randn(draws, 4, 3, generator=torch.Generator().manual_seed(steps))
            torch.testing.assert_close(
                sampler.sample(denoise, noise, schedule, steps), x_0.expand(4, 3), rtol=0, atol=0.05
            )
