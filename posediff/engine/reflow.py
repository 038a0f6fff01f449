"""Training on the pairs of a trained model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmengine.hooks import Hook

from posediff.engine.model_wrappers import unwrap
from posediff.engine.teacher_denoiser import teacher_denoiser
from posediff.models.reflow import Teacher
from posediff.registry import HOOKS, SAMPLERS
from posediff.structures.argument_checks import require_whole

if TYPE_CHECKING:  # all registered components are imported for inference, which does not need MMEngine's Runner
    from mmengine.runner import Runner


@HOOKS.register_module()
class ReflowHook(Hook):
    """Hook for one round of reflow: distillation to few steps (Liu et al., ICLR 2023, section 2.2).

    The model is trained on pairs of noise and the sample that a trained model of the same config makes of it, instead
    of independent noise and true poses. Labels are not used, except for their shape and weights. Start from the same
    weights (``load_from``). If the hypotheses of the teacher have too little spread, so have those of the trained
    model. The teacher samples without ``guidance_scale`` and ``flip_…`` of ``test_cfg``. With
    ``train_cfg.states_per_clip``, each sample of the teacher is used for several times t.

    Args:
        checkpoint: Checkpoint of the trained model.
        num_inference_steps: Denoiser calls of the teacher per clip, without gradient.
        sampler: Config of the teacher's sampler, which must be deterministic. None: that of the model.

    Raises:
        ValueError: The checkpoint does not fit the model, a part besides the denoiser would be trained or differs from
            the checkpoint, or the sampler is stochastic.
    """

    priority = 'NORMAL'

    def __init__(self, checkpoint: str | Path, num_inference_steps: int, sampler: dict[str, Any] | None = None) -> None:
        require_whole('ReflowHook', {'num_inference_steps': num_inference_steps}, least=1)
        self.checkpoint = Path(checkpoint)
        self.num_inference_steps = num_inference_steps
        self.sampler = sampler

    def before_train(self, runner: Runner) -> None:
        """Set the teacher of the model to the denoiser of the checkpoint."""
        model: Any = unwrap(runner.model)
        if getattr(model, 'denoiser', None) is None:
            raise ValueError('ReflowHook needs a model with a denoiser')
        if model.conditioner.has_start_state:
            raise ValueError('ReflowHook makes pairs of standard normal noise, but the conditioner has a start state')
        denoiser = teacher_denoiser(model, self.checkpoint, type(self).__name__)
        sampler = model.sampler if self.sampler is None else SAMPLERS.build(self.sampler)
        budget = model.test_cfg.memory_budget_mb
        model.teacher = Teacher(denoiser, model.noise_scheduler, sampler, self.num_inference_steps, budget)

    def after_train(self, runner: Runner) -> None:
        """Remove the teacher from the model, which is then trained on labels again."""
        model: Any = unwrap(runner.model)
        model.teacher = None
