"""Models are built without a change to MMEngine's global state."""

from __future__ import annotations

from mmengine.registry import DefaultScope

import posediff


def test_the_default_scope_of_mmengine_is_left_alone():
    with DefaultScope.overwrite_default_scope('mmengine'):
        posediff.init_model('mixste-c64-d4_27f_cmu')
        assert DefaultScope.get_current_instance().scope_name == 'mmengine'
