"""`python -m ketav_local` runs the system; with arguments it runs that `ketav` command on its stores."""

import sys

from ketav_local.main import main
from ketav_local.settings import LocalSettings
from ketav_local.users import pass_on

if len(sys.argv) > 1:
    pass_on(sys.argv[1:], LocalSettings().data_dir)
sys.exit(main())
