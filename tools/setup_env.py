#!/usr/bin/env python3
"""Build the virtual environment; run by ``make setup``, needs nothing but Python.

The code is that of ``posediff setup``. It lies in the package, so that a wheel has it, and imports nothing that is not
in the standard library; ``import posediff`` does not either. So it can be run from the checkout before anything is
installed.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from posediff.installation.checkout import main  # noqa: E402

if __name__ == '__main__':
    sys.exit(main())
