#!/usr/bin/env bash
# Migrates the repository in the current folder; multi-gitter commits what it leaves behind.
# MIGRATE_CACHE_REPORTS: a folder for the pull-request texts, outside the clones.
# MIGRATE_CACHE_ARGS: more options, split at blanks.
set -euo pipefail

read -r -a options <<<"${MIGRATE_CACHE_ARGS:-}" || true
report=$(mktemp)
trap 'rm -f "$report"' EXIT

code=0
migrate-cache ${options[@]+"${options[@]}"} --format markdown >"$report" || code=$?
# 3: some files failed, all others are done; the report names them.
if [[ $code -ne 0 && $code -ne 3 ]]; then
  exit "$code"
fi
if [[ -n ${MIGRATE_CACHE_REPORTS:-} ]] && ! git diff --quiet; then
  name=${REPOSITORY:-$(basename "$PWD")}
  mkdir -p "$MIGRATE_CACHE_REPORTS"
  cp "$report" "$MIGRATE_CACHE_REPORTS/${name//\//__}.md"
fi
