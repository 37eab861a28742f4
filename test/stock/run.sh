#!/usr/bin/env bash
# Runs docs/restore.md as a stranger would: needs python3 (with venv and PyPI), zstd and psql on the PATH.
set -euo pipefail
for tool in python3 zstd psql; do
  command -v "$tool" >/dev/null || { echo "npm run test:stock needs $tool on the PATH." >&2; exit 1; }
done
exec vitest run --config vitest.stock.config.ts
