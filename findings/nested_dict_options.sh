#!/usr/bin/env bash
# jsonargparse 4.53.0 (the parser behind LightningCLI): an option that names a key of a mapping keeps the other keys that
# a configuration gave, but one that names a key of a mapping inside that mapping drops its other keys without a word.
#
# Expected: both depths behave alike. Seen: with encoder: {width: 64, attention: {name: windowed, radius: 16}} in the
# configuration, --encoder.width 32 leaves attention alone, and --encoder.attention.radius 8 leaves {"radius": 8}.
# A training run then uses the defaults of whatever was dropped. genoformer joins such options before they are parsed
# (genoformer/cli/attention_options.py). Fails if this changes.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet ${PIP_ARGS:-} jsonargparse==4.53.0 PyYAML==6.0.3

cat >"$work/config.yaml" <<'YAML'
encoder:
  width: 64
  attention:
    name: windowed
    radius: 16
YAML
cat >"$work/parse.py" <<'PYTHON'
import json
import sys

from jsonargparse import ArgumentParser

parser = ArgumentParser()
parser.add_argument("--config", action="config")
parser.add_argument("--encoder", type=dict[str, int | str | dict[str, int | str]])
print(json.dumps(parser.parse_args(["--config", sys.argv[1], *sys.argv[2:]]).encoder))
PYTHON

outer=$("$work/venv/bin/python" "$work/parse.py" "$work/config.yaml" --encoder.width 32)
inner=$("$work/venv/bin/python" "$work/parse.py" "$work/config.yaml" --encoder.attention.radius 8)
printf 'one level:  %s\ntwo levels: %s\n' "$outer" "$inner"
test "$outer" = '{"width": 32, "attention": {"name": "windowed", "radius": 16}}'
test "$inner" = '{"width": 64, "attention": {"radius": 8}}'
echo "as described: the inner mapping lost its name"
