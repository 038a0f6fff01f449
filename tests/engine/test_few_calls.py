"""Flow matching, reflow, distillation and consistency training, at one and two calls on a mixture of two Gaussians.

    pytest -m slow -s tests/engine/test_few_calls.py

prints the table of docs/train.md.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import Hook
from torch import Tensor, nn

from posediff.diffusion.samplers import DDIMSampler, StochasticFlowSampler
from posediff.engine.consistency import ConsistencyHook
from posediff.engine.reflow import ReflowHook
from posediff.evaluation.tables import markdown_table
from posediff.models.denoisers.base import BaseDenoiser
from posediff.models.estimator import PoseDiffusionEstimator

POSE = (1, 17, 3)
MODES, SPREAD = (-1.0, 1.0), 0.3
ITERATIONS, CLIPS, TEACHER_CALLS = 600, 16, 20


class ElementwiseField(BaseDenoiser):
    """A velocity of every element by itself, from its value and the time."""

    def __init__(self) -> None:
        super().__init__()
        widths = (2, 64, 64, 64)
        hidden = [nn.Sequential(nn.Linear(*pair), nn.SiLU()) for pair in zip(widths, widths[1:], strict=False)]
        self.layers = nn.Sequential(*hidden, nn.Linear(64, 1))

    def forward(self, x_t: Tensor, timestep: Tensor, condition: Tensor) -> Tensor:
        time = timestep.reshape(-1, 1, 1, 1).expand_as(x_t)
        return self.layers(torch.stack([2 * x_t, 4 * time - 2], dim=-1)).squeeze(-1)


def condition(clips: int) -> Tensor:
    return torch.zeros(clips, 1, 17, 2)


def labels(clips: int) -> Tensor:
    """Elements that are drawn from the mixture independently."""
    modes = torch.tensor(MODES)[torch.randint(2, (clips, *POSE))]
    return modes + SPREAD * torch.randn(clips, *POSE)


def train(hook: Hook | None = None, begin: dict[str, Tensor] | None = None) -> PoseDiffusionEstimator:
    """Train from random weights, or from those of ``begin``."""
    torch.manual_seed(0)
    model = PoseDiffusionEstimator(
        conditioner={'type': 'Keypoints2DConditioner'},
        denoiser={'type': 'FMPose3DDenoiser', 'num_frames': 1, 'channels': 8, 'num_layers': 1, 'num_heads': 2},
        head={'type': 'LiftingHead'},
        noise_scheduler={'type': 'LinearPath'},
        sampler={'type': 'DDIMSampler'},
    )
    model.denoiser = ElementwiseField()
    if begin is not None:
        model.load_state_dict(begin)
    hook, runner = hook or Hook(), SimpleNamespace(model=model.train(), iter=0, max_iters=ITERATIONS)
    hook.before_train(runner)
    optimizer = torch.optim.Adam(model.denoiser.parameters(), lr=4e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, ITERATIONS)
    for runner.iter in range(ITERATIONS):
        hook.before_train_iter(runner, runner.iter)
        optimizer.zero_grad()
        model.diffusion_loss(labels(CLIPS), condition(CLIPS)).backward()
        optimizer.step()
        schedule.step()
        hook.after_train_iter(runner, runner.iter)
    hook.after_train(runner)
    return model.eval()


def energy_distance(values: Tensor) -> float:
    """Return sqrt(2 ∫ (F - G)²) of samples and mixture (Székely and Rizzo 2013, for one dimension)."""
    places = torch.linspace(-4, 4, 4001)
    found = torch.searchsorted(values.flatten().sort().values, places) / values.numel()
    exact = sum((1 + torch.erf((places - mode) / (SPREAD * 2**0.5))) / (2 * len(MODES)) for mode in MODES)
    return float((2 * torch.trapezoid((found - exact) ** 2, places)).sqrt())


def distance(model: PoseDiffusionEstimator, calls: int, sampler: object = None) -> float:
    model.sampler = sampler or DDIMSampler()
    return energy_distance(model.sample(condition(256), 4, calls, generator=torch.Generator().manual_seed(1)))


@pytest.mark.slow
def test_one_and_two_calls_on_a_mixture(tmp_path):
    flow = train()
    begin, checkpoint = flow.state_dict(), tmp_path / 'flow.pth'
    torch.save({'state_dict': begin}, checkpoint)
    fixed = (TEACHER_CALLS, TEACHER_CALLS)
    models = {
        'flow matching': flow,
        'reflow': train(ReflowHook(checkpoint, TEACHER_CALLS), begin),
        'consistency distillation': train(ConsistencyHook(checkpoint, fixed), begin),
        'consistency training': train(ConsistencyHook(intervals=(10, 160))),
    }
    found = {}
    for name, model in models.items():
        sampler = StochasticFlowSampler() if name.startswith('consistency') else None
        found[name] = [distance(model, 1), distance(model, 2, sampler)]
    many = distance(flow, TEACHER_CALLS)
    print('\n' + markdown_table(['model', '1 call', '2 calls'], [[name, *row] for name, row in found.items()], 3))
    print(f'flow matching, {TEACHER_CALLS} calls: {many:.3f}')
    assert many < 0.1
    assert found['flow matching'][0] > 0.8
    assert found['flow matching'][1] > 0.3
    for name in list(found)[1:]:
        assert max(found[name]) < 0.15
