"""``python -m console``: the command line, where ``capture`` is not on the path."""

from __future__ import annotations

import sys

from console.cli import main

sys.exit(main())
