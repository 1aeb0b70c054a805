"""`python -m ketav_local` runs the whole system."""

import sys

from ketav_local.main import main

sys.exit(main())
