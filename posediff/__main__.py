"""``python -m posediff``."""

import sys

from posediff.cli.main import main

sys.exit(main())
