#!/usr/bin/env bash
# Prints where ONNX Runtime's library lies: what SEGMENTUM_ONNXRUNTIME names, else that of its npm package, which is fetched
# once into build/peers. Debian packages none. Prints nothing where it cannot be had, and says why on standard error.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

[ -z "${SEGMENTUM_ONNXRUNTIME:-}" ] || exec echo "$SEGMENTUM_ONNXRUNTIME"
peers=build/peers
architecture=$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')
library() { find "$peers" -path "*linux/$architecture/libonnxruntime.so.1" -print -quit 2>/dev/null; }
if [ -z "$(library)" ]; then
  mkdir -p "$peers"
  # Its own install script, which would fetch GPU parts, is not run.
  npm install --ignore-scripts --no-audit --no-fund --fetch-retries=1 --fetch-timeout=60000 --prefix "$peers" \
    onnxruntime-node@1.30.0 >"$peers/npm.log" 2>&1 ||
    echo "no ONNX Runtime to compare with: $(tail -n 1 "$peers/npm.log")" >&2
fi
found=$(library)
[ -z "$found" ] || echo "$PWD/$found"
