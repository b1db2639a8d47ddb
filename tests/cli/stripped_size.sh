#!/usr/bin/env bash
# stripped_size.sh STRIP PROGRAM: is the program, stripped, smaller than the 15 MB that it may be?
set -euo pipefail
limit=15000000
stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
"$1" -o "$stripped" "$2"
size=$(stat -c %s "$stripped")
echo "$2, stripped: $size bytes, $limit at most"
((size < limit))
