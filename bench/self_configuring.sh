#!/usr/bin/env bash
# What `segmentum train` chooses against its fixed defaults: five data sets, both for the same minutes on as many threads,
# one training after the other.
#
#   bench/self_configuring.sh DATA [MINUTES [THREADS [OUT]]]      (2 minutes, 1 thread, build/self_configuring)
#
# DATA holds the folders below. OUT keeps the runs; those that are finished are not trained again. SETS="isbi2012 ..." takes
# a part of the data sets, SEED=2 another seed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
data=${1:?usage: bench/self_configuring.sh DATA [MINUTES [THREADS [OUT]]]}
minutes=${2:-2} threads=${3:-1} out=${4:-build/self_configuring}
segmentum=${SEGMENTUM:-build/release/bin/segmentum}
sets=${SETS:-camvid isbi2012 dsb2018_nuclei magnetic_tile cvppp_a1_leaves}

# Prints the mean IoU of a training in percent: of the split test where there is one, else of val.
trained() {
  local folder=$1 pictures=$2 split=val
  shift 2
  [ -f "$data/$pictures/test.txt" ] && split=test
  if [ ! -f "$folder/eval.json" ]; then
    rm -rf "$folder" && mkdir -p "$folder"
    "$segmentum" train "$data/$pictures" --out "$folder" --minutes "$minutes" --threads "$threads" \
      --seed "${SEED:-1}" "$@" >"$folder.txt" 2>&1
    "$segmentum" eval "$folder/best.segmentum" "$data/$pictures" --split "$split" --threads "$threads" \
      --json "$folder/eval.json" >>"$folder.txt" 2>&1
  fi
  grep -o '"mean_iou": *[0-9.]*' "$folder/eval.json" | head -n 1 | awk '{ printf "%.1f", 100 * $2 }'
}

steps() { sed -n 's/^steps = \([0-9]*\) .*/\1/p' "$1/config.toml"; }

printf '%-18s %8s %8s   %s\n' "$minutes min x $threads" chosen fixed 'steps chosen, fixed'
for pictures in $sets; do
  chosen=$(trained "$out/$pictures-chosen" "$pictures")
  fixed=$(trained "$out/$pictures-fixed" "$pictures" --fixed)
  printf '%-18s %8s %8s   %s, %s\n' "$pictures" "$chosen" "$fixed" "$(steps "$out/$pictures-chosen")" \
    "$(steps "$out/$pictures-fixed")"
done
