#!/bin/sh
# Installs torch, Kraken and the other libraries of the recognizer into /opt/ketav.
# The argument is `cpu`, `pruned` or `cuda`, as services.Dockerfile describes them.
set -eu

install_all() {
  uv pip install --no-deps --require-hashes --requirements recognizer.txt
}

# The CPU index has files of its own, whose hashes the lock does not know; the versions are those of the lock.
install_without_cuda() {
  python /usr/local/bin/cpu_lock.py recognizer.txt locked.txt torch.txt
  uv pip install --no-deps --require-hashes --requirements locked.txt
  if [ -n "${TORCH_INDEX:-}" ]; then
    uv pip install --no-deps --requirements torch.txt --index "$TORCH_INDEX"
  else
    uv pip install --no-deps --requirements torch.txt --torch-backend cpu
  fi
}

case "$1" in
cpu)
  if install_without_cuda; then
    python /usr/local/bin/prune_libraries.py
  else
    echo "WARNING: torch's CPU index is not reachable; the ordinary build is installed and pruned." >&2
    install_all
    python /usr/local/bin/prune_libraries.py --gpu-files
  fi
  ;;
pruned)
  install_all
  python /usr/local/bin/prune_libraries.py --gpu-files
  ;;
cuda)
  install_all
  python /usr/local/bin/prune_libraries.py
  ;;
*)
  echo "TORCH is '$1'. Set it to cpu, pruned or cuda." >&2
  exit 2
  ;;
esac

# Shows that no file too many was deleted, and writes the bytecode of what is imported.
/opt/ketav/bin/python -c \
  "import kraken.lib.vgsl, kraken.models, torchvision, torch; torch.nn.Conv2d(1, 1, 3)(torch.ones(1, 1, 3, 3))"
