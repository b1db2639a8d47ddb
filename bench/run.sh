#!/usr/bin/env bash
# Speed and memory of U-Net beside PyTorch's, in one run. `./run bench` installs what this needs,
# builds and calls it; arguments go to compare.py (--help lists them).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Debian's own Python: the one that has Debian's PyTorch.
python=/usr/bin/python3
[ -x "$python" ] || python=python3
exec "$python" bench/compare.py --programs build/release/bin "$@"
