"""Contract tests of the samplers of posediff and of installed plugins."""

from __future__ import annotations

from posediff.testing.contracts.samplers import SamplerContract

CASES = {
    'DDIMSampler': [{}, {'eta': 0.5}],
    'DDPMSampler': [{'variance': 'posterior'}, {'variance': 'beta'}],
    'DPMSolverSampler': [{}],
    # one that draws no noise after x_T, and one that draws at every step
    'DiffusersSampler': [{'scheduler': 'DDIMScheduler'}, {'scheduler': 'DDPMScheduler'}],
}


class TestSamplers(SamplerContract):
    cases = CASES
