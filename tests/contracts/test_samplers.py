"""Contract tests of the samplers of posediff and of installed plugins."""

from __future__ import annotations

from posediff.testing.contracts.samplers import SamplerContract

CASES = {
    'DDIMSampler': [{}, {'eta': 0.5}],
    'DDPMSampler': [{'variance': 'posterior'}, {'variance': 'beta'}],
    'DPMSolverSampler': [{}],
    'DiffusersFlowSampler': [{}, {'stochastic_sampling': True}, {'shift': 0.5}],
    'HeunSampler': [{}],
    'MidpointSampler': [{}],
    'StochasticFlowSampler': [{}],
    # one without noise after x_T, and one with noise in every step
    'DiffusersSampler': [{'scheduler': 'DDIMScheduler'}, {'scheduler': 'DDPMScheduler'}],
}


class TestSamplers(SamplerContract):
    cases = CASES
