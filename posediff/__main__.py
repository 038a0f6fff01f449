"""``python -m posediff``."""

import sys

from posediff.cli import main

sys.exit(main())
