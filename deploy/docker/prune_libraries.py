"""Delete files of the installed libraries that the services never open (a step of building the images)."""

import argparse
import shutil
import sysconfig
from collections.abc import Iterator
from pathlib import Path

SITE_PACKAGES = Path("/opt/ketav/lib") / f"python{sysconfig.get_python_version()}" / "site-packages"

UNUSED = (
    # Tests, headers, sources and static libraries.
    "**/tests",
    "**/SelfTest",
    "**/include",
    "**/*.a",
    "**/*.pyx",
    # Pillow imports without them, and no service reads AVIF.
    "PIL/_avif*",
    "pillow.libs/libavif*",
    # The services compare texts with rapidfuzz.distance alone, and rapidfuzz imports without the others.
    "rapidfuzz/fuzz_cpp*",
    "rapidfuzz/process_cpp*",
    # MinIO's client encrypts with Crypto.Cipher, which needs none of these.
    "Crypto/PublicKey",
    "Crypto/Math",
    "Crypto/Signature",
    # Helps to test dialects of SQLAlchemy.
    "sqlalchemy/testing",
    "alembic/testing",
    # The second build of the library, for PyPy.
    "zstandard/_cffi*",
    "torch/test",
    "torch/bin/test_*",
    "torch/bin/protoc*",
    "torch/share/cmake",
    # Kraken imports Arrow for files of lines: no RPC between Arrow servers, no files in S3.
    "pyarrow/src",
    "pyarrow/*flight*",
    "pyarrow/*s3*",
)
"""Files that the services never open."""

GPU_FILES = (
    # The compiler of torch.compile for GPUs.
    "triton",
    # libcudnn.so.9 opens these when a convolution runs on a GPU; torch links libcudnn.so.9 alone.
    "nvidia/cudnn/lib/libcudnn_*",
    # torch opens the first when linear algebra runs on a GPU; it alone links the second.
    "torch/lib/libtorch_cuda_linalg.so",
    "nvidia/cu13/lib/libcusolver*",
    # Second builds, profilers and device code, which nothing links.
    "nvidia/cu13/lib/libnvrtc.alt*",
    "nvidia/cu13/lib/libnvrtc-builtins*",
    "nvidia/cu13/lib/libnvperf*",
    "nvidia/cu13/lib/libcheckpoint*",
    "nvidia/cu13/lib/libcufftw*",
    "nvidia/cu13/lib/libnvblas*",
    "nvidia/**/*.bc",
    "nvidia/nvshmem/lib/nvshmem_*",
)
"""Files that only a GPU uses: torch imports, reads and trains without them (tests/containers)."""


def unused_files(root: Path, patterns: tuple[str, ...]) -> Iterator[Path]:
    """Yield the files and folders below `root` that match one of the patterns."""
    for pattern in patterns:
        yield from root.glob(pattern)


def main() -> None:
    """Delete the unused files, with --gpu-files also those that only a GPU uses."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gpu-files", action="store_true", help="also delete what only a GPU uses")
    patterns = UNUSED + (GPU_FILES if parser.parse_args().gpu_files else ())
    for path in sorted(unused_files(SITE_PACKAGES, patterns), reverse=True):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
