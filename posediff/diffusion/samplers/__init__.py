"""Samplers of the reverse process; they use only ``denoise(x_t, t)`` and the noise scheduler."""

from posediff.diffusion.samplers.base import BaseSampler, Step
from posediff.diffusion.samplers.ddim import DDIMSampler
from posediff.diffusion.samplers.ddpm import DDPMSampler
from posediff.diffusion.samplers.diffusers_adapter import DiffusersSampler
from posediff.diffusion.samplers.diffusers_flow import DiffusersFlowSampler
from posediff.diffusion.samplers.dpm_solver import DPMSolverSampler
from posediff.diffusion.samplers.stochastic_flow import StochasticFlowSampler
from posediff.diffusion.samplers.two_call import HeunSampler, MidpointSampler

__all__ = [
    'BaseSampler', 'DDIMSampler', 'DDPMSampler', 'DPMSolverSampler', 'DiffusersFlowSampler', 'DiffusersSampler',
    'HeunSampler', 'MidpointSampler', 'Step', 'StochasticFlowSampler',
]  # fmt: skip
