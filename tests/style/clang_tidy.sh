#!/usr/bin/env bash
# clang_tidy.sh BUILD_DIR: do the sources of src/ (tests aside) keep the habits of .clang-tidy?
# A file found clean is remembered in BUILD_DIR, and read again only when it, a header of ours that it includes, or the
# rules have changed.
set -euo pipefail
build=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
source tests/style/find_tool.sh
find_tool clang-tidy
memory=$build/clang-tidy
mkdir -p "$memory/include"
# Clang cannot read what GCC has precompiled, and judges each source by what it includes itself.
sed -E 's/ -Winvalid-pch| -include [^ ]*cmake_pch\.hxx//g' "$build/compile_commands.json" >"$memory/compile_commands.json"
export tool build memory

# Sources that Clang cannot read though GCC can, and why: these alone may go unjudged.
export unreadable=" "

# Clang brings no omp.h of its own, and does not know one form of an attribute in GCC's.
sed 's/__malloc__ (omp_free)/__malloc__/' "$(c++ -print-file-name=include/omp.h)" >"$memory/include/omp.h"

# check KEY FILE: prints what is wrong with FILE; remembers KEY when nothing is.
check() {
  local output
  output=$("$tool" -p "$memory" --quiet --extra-arg=-isystem"$memory/include" "$2" 2>&1) && {
    touch "$memory/$1"
    return 0
  }
  if grep -q '\[clang-diagnostic-error' <<<"$output" && ! grep -q ',-warnings-as-errors\]' <<<"$output"; then
    echo "$2: not judged, Clang cannot read what GCC can: $(grep -m 1 '\[clang-diagnostic-error' <<<"$output")"
    [[ $unreadable == *" $2 "* ]] && return 0
    echo "write it so that Clang can, or name it in tests/style/clang_tidy.sh and say why"
    return 1
  fi
  echo "$output"
  return 1
}
export -f check

# "KEY FILE" for each source that was compiled: KEY is a hash over it, the headers outside /usr that it includes, and the
# rules. Ninja knows what each object was made from, the source first.
list_sources() {
  local rules files source key
  rules=$("$tool" --version; cat .clang-tidy)
  ninja -C "$build" -t deps |
    awk '/^[^ ]/ { if (files) print files; files = "" }
         /^ / && $1 !~ "^/usr/" { files = files " " $1 }
         END { if (files) print files }' |
    while read -r files; do
      source=$(cd "$build" && realpath --relative-to="$OLDPWD" "${files%% *}")
      case $source in
        *_test.cc) ;;
        src/*.cc)
          [ -e "$source" ] || continue  # the log also knows objects of sources that are gone
          key=$( (echo "$rules"; cat "$(dirname "$source")/.clang-tidy" 2>/dev/null || true; cd "$build"; cat $files 2>/dev/null || true) | sha256sum)
          echo "${key:0:40} $source"
          ;;
      esac
    done | sort -u -k 2
}

sources=$(list_sources)
[ -n "$sources" ] || { echo "nothing was compiled with Ninja in $build, so there is nothing to judge"; exit 1; }
while read -r key file; do
  [ -e "$memory/$key" ] || echo "$key $file"
done <<<"$sources" | xargs -r -L 1 -P "$(nproc)" bash -c 'check "$@"' check
