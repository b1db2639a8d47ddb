#!/usr/bin/env bash
# Speed and memory beside PyTorch's, ONNX Runtime's and OpenCV's, in one run. `./run bench` installs what this needs,
# builds and calls it; arguments go to compare.py (--help lists them), after the word "sizes" to sizes.py, which asks
# whether cost grows with pixels, or after the word "programs" to programs.py, which measures whole programs. Without
# arguments all three run, sizes.py up to 2048x2048, programs.py with the data of SEGMENTUM_DATA.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Debian's own Python: the one that has Debian's PyTorch.
python=/usr/bin/python3
[ -x "$python" ] || python=python3
if [ "${1:-}" = sizes ]; then
  shift
  exec "$python" bench/sizes.py --programs build/release/bin "$@"
fi

SEGMENTUM_ONNXRUNTIME=$(bench/onnxruntime.sh)
[ -z "$SEGMENTUM_ONNXRUNTIME" ] || export SEGMENTUM_ONNXRUNTIME

if [ "${1:-}" = programs ]; then
  shift
  exec "$python" bench/programs.py --programs build/release/bin "$@"
fi
"$python" bench/compare.py --programs build/release/bin "$@"
[ $# -eq 0 ] || exit 0
"$python" bench/sizes.py --programs build/release/bin
"$python" bench/programs.py --programs build/release/bin ${SEGMENTUM_DATA:+--data "$SEGMENTUM_DATA"}
