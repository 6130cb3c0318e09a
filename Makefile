# make demo           train a small model on a made-up genome, predict the genes of another one, and score them (minutes)
# make demo FASTA=my.fa   the same, then the genes of your genome with the model that comes with the package
# make install        set everything up, with the genome browser of reports where npm is there
# make test           the tests, on as many cores as there are, at most eight; JOBS=2 takes two; SLOW=1 adds those that
#                     take longest, which CI=true always does
# make lint           style and types
# All set up everything in .venv first, or in VENV=folder. DEMO_STEPS=20 trains for 20 steps only. PIP_ARGS goes to pip.

PYTHON ?= python3
PIP_ARGS ?=
DEMO_STEPS ?=
FASTA ?=
JOBS ?= auto
SLOW ?=
VENV := .venv
STAMP := $(VENV)/.stamp-installed

.PHONY: demo install test lint clean
.DELETE_ON_ERROR:

demo: $(STAMP)
	PATH="$$(cd "$(VENV)" && pwd)/bin:$$PATH" DEMO_STEPS="$(DEMO_STEPS)" scripts/demo.sh $(if $(FASTA),"$(FASTA)")

install: $(STAMP)

test: $(STAMP)
	$(VENV)/bin/python -m pytest -n $(JOBS) --dist worksteal $(if $(SLOW),--slow)

lint: $(STAMP)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

$(STAMP): pyproject.toml constraints.txt genoformer/report/fetch_igv.py
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install $(PIP_ARGS) -c constraints.txt -e ".[dev]"
	-$(VENV)/bin/python genoformer/report/fetch_igv.py
	touch $@

clean:
	rm -rf $(VENV) demo runs/demo
