#!/usr/bin/env bash
# Speed and memory beside PyTorch's, ONNX Runtime's and OpenCV's, in one run. `./run bench` installs what this needs,
# builds and calls it; arguments go to compare.py (--help lists them), or after the word "sizes" to sizes.py, which asks
# whether cost grows with pixels. Without arguments both run, the second up to 2048x2048.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Debian's own Python: the one that has Debian's PyTorch.
python=/usr/bin/python3
[ -x "$python" ] || python=python3
if [ "${1:-}" = sizes ]; then
  shift
  exec "$python" bench/sizes.py --programs build/release/bin "$@"
fi

# Debian packages no ONNX Runtime; its npm package holds the library. Its own install script, which would fetch GPU parts, is
# not run.
if [ -z "${SEGMENTUM_ONNXRUNTIME:-}" ]; then
  peers=build/peers
  library() { find "$peers" -path "*linux/$(dpkg --print-architecture 2>/dev/null | sed 's/amd64/x64/')/libonnxruntime.so.1" -print -quit 2>/dev/null; }
  if [ -z "$(library)" ]; then
    mkdir -p "$peers"
    npm install --ignore-scripts --no-audit --no-fund --prefix "$peers" onnxruntime-node@1.30.0 >"$peers/npm.log" 2>&1 ||
      echo "bench: no ONNX Runtime to compare with: $(tail -n 1 "$peers/npm.log")" >&2
  fi
  found=$(library)
  [ -z "$found" ] || export SEGMENTUM_ONNXRUNTIME=$PWD/$found
fi

"$python" bench/compare.py --programs build/release/bin "$@"
[ $# -gt 0 ] || exec "$python" bench/sizes.py --programs build/release/bin
