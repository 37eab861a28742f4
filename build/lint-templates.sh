#!/usr/bin/env bash
# Synthesizes both environments of the checkout and looks over their templates with cfn-lint and checkov (PyPI, in an
# environment of their own). Exceptions and their reasons: .cfnlintrc, .checkov.yaml, lib/exceptions.ts.
set -eu
cd "$(dirname "$0")/.."
export PATH="$PWD/node_modules/.bin:$PATH"
requirements=build/lint-templates-requirements.txt
venv=.cloud/lint-venv

if ! cmp -s "$requirements" "$venv/installed.txt"; then
  rm -rf "$venv"
  mkdir -p .cloud
  python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements"
  cp "$requirements" "$venv/installed.txt"
fi

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
failed=0
for environment in example everything; do
  cdk synth --quiet -c env="$environment" --output "$out/$environment"
  templates=("$out/$environment"/*.template.json)
  printf '%s: %d templates\n' "$environment" "${#templates[@]}"
  [ -e "${templates[0]}" ] || failed=1
  "$venv/bin/cfn-lint" -t "${templates[@]}" || failed=1
  "$venv/bin/checkov" --config-file .checkov.yaml -d "$out/$environment" || failed=1
done
exit "$failed"
