"""``python -m genoformer`` is the ``genoformer`` command."""

import sys

from genoformer.cli.main import main

sys.exit(main())
