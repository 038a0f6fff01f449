"""2D archives of Human3.6M whose joints are in another order, or that are not in px."""

from __future__ import annotations

import numpy as np
import pytest

from posediff.datasets.converters.human36m import convert_videopose3d
from posediff.fileio.restricted_pickle import load_object_npz


def test_coco_ordered_detections_are_converted(field_case, tmp_path):
    case = field_case('h36m-coco-detections')
    archive = case / 'data_2d_h36m_detectron_pt_coco.npz'
    frames = convert_videopose3d(case / 'data_3d_h36m.npz', tmp_path, {'coco': archive})
    assert frames == {'train': 88, 'test': 176}
    given = np.concatenate([np.asarray(views) for views in load_object_npz(archive)['positions_2d']['S1'].values()], 1)
    found = np.load(tmp_path / 'joint_2d_det_files' / 'coco_train.npy')
    # the root lies between the hips, the left wrist is where COCO has it
    np.testing.assert_allclose(found[:12, 0, :2], (given[0, :12, 11] + given[0, :12, 12]) / 2, rtol=1e-5)
    np.testing.assert_allclose(found[:12, 13, :2], given[0, :12, 9], rtol=1e-6)


def test_normalised_detections_are_refused(field_case, tmp_path):
    case = field_case('h36m-normalised-detections')
    with pytest.raises(ValueError, match=r"data_2d_h36m_norm\.npz: S1 'Walking 1' camera 0: .*they are normalised"):
        convert_videopose3d(case / 'data_3d_h36m.npz', tmp_path / 'out', {'norm': case / 'data_2d_h36m_norm.npz'})
    assert not (tmp_path / 'out').exists()
