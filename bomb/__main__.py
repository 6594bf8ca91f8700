"""``python -m bomb`` is the command ``bomb``."""

import sys

try:
    from bomb.cli import main
except KeyboardInterrupt:  # while Python is still loading
    sys.exit("bomb: interrupted")

sys.exit(main())
