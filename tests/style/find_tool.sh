# find_tool NAME: sets `tool` to NAME of the one version by which the tree is judged; others judge differently.
# Without it, says so and exits 77, which CTest shows as "Skipped".
find_tool() {
  local version=14
  for tool in "$1-$version" "$1"; do
    if command -v "$tool" >/dev/null && [[ $("$tool" --version) =~ version\ $version\. ]]; then
      return 0
    fi
  done
  echo "$1 $version is not here (neither $1-$version nor $1 is that version)"
  exit 77
}
