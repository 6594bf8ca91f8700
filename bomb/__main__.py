"""``python -m bomb`` is the command ``bomb``."""

import sys

from bomb.cli import main

sys.exit(main())
