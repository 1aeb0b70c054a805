"""`python -m ketav_registry` is the command `ketav`."""

import sys

from ketav_registry.cli import run_command

run_command(sys.argv[1:])
