#!/usr/bin/env bash
# clang_format.sh [--fix]: do all sources look as .clang-format says? --fix makes them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source tests/style/find_tool.sh
find_tool clang-format

if [ "${1:-}" = --fix ]; then action=(-i); else action=(--dry-run -Werror); fi
folders=()
for folder in include src tests examples bench; do [ ! -d "$folder" ] || folders+=("$folder"); done
find "${folders[@]}" \( -name '*.cc' -o -name '*.h' \) -print0 |
  xargs -0 -P "$(nproc)" -n 20 "$tool" "${action[@]}" ||
  { echo "./run format puts it right"; exit 1; }
