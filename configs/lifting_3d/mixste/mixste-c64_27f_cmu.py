_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/datasets/cmu.py',
    '../../_base_/models/mixste.py',
    '../../_base_/schedules/one_cycle.py',
]
