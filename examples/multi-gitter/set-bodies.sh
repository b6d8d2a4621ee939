#!/usr/bin/env bash
# Gives each pull request that multi-gitter opened the text that migrate.sh wrote for it.
set -euo pipefail

branch=${1:-migrate-cache}
for report in "${MIGRATE_CACHE_REPORTS:?the folder that migrate.sh wrote to}"/*.md; do
  [[ -e $report ]] || continue
  name=$(basename "$report" .md)
  repository=${name/__//}
  # GitHub takes 65536 characters.
  head -c 65000 "$report" |
    gh pr edit "$branch" --repo "$repository" --body-file -
done
