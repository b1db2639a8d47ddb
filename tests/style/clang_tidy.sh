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
mkdir -p "$memory"

# Clang brings no omp.h of its own; the compiler's comes after everything else, since its vector headers are not for Clang.
export tool build memory after
after=$(dirname "$(c++ -print-file-name=include/omp.h)")

# check KEY FILE: prints what is wrong with FILE; remembers KEY when nothing is.
check() {
  local output
  output=$("$tool" -p "$build" --quiet --extra-arg=-idirafter --extra-arg="$after" "$2" 2>/dev/null) && {
    touch "$memory/$1"
    return 0
  }
  if grep -q '\[clang-diagnostic-error' <<<"$output" && ! grep -q ',-warnings-as-errors\]' <<<"$output"; then
    echo "not judged, Clang cannot read what GCC can: $(grep -m 1 '\[clang-diagnostic-error' <<<"$output")"
    return 0
  fi
  echo "$output"
  return 1
}
export -f check

# "KEY FILE" for each source that was compiled: KEY is a hash over it, the headers outside /usr that it includes, and the
# rules. Ninja knows what each object was made from, the source first.
list_sources() {
  local rules source headers file key
  rules=$("$tool" --version; cat .clang-tidy)
  ninja -C "$build" -t deps |
    awk '/^[^ ]/ { if (files) print files; files = "" } /^ / && $1 !~ "^/usr/" { files = files " " $1 } END { if (files) print files }' |
    while read -r source headers; do
      file=$(cd "$build" && realpath --relative-to="$OLDPWD" "$source")
      case $file in
        *_test.cc) ;;
        src/*.cc)
          key=$( (echo "$rules"; cd "$build"; cat "$source" $headers) | sha256sum)
          echo "${key:0:40} $file"
          ;;
      esac
    done | sort -u -k 2
}

list_sources | while read -r key file; do
  [ -e "$memory/$key" ] || echo "$key $file"
done | xargs -r -L 1 -P "$(nproc)" bash -c 'check "$@"' check
