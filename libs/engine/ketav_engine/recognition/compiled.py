"""Compilation of the decoder's inner loops by Numba."""

import os
from pathlib import Path
from typing import Final

from numba import njit

CACHED: Final = "NUMBA_CACHE_DIR" in os.environ or os.access(Path(__file__).parent, os.W_OK)
"""Whether machine code can be kept on disk: compiling takes four seconds, loading a tenth of one."""

compiled: Final = njit(cache=CACHED, nogil=True)
"""Decorator: compiles a function at its first call, for the types of that call."""
