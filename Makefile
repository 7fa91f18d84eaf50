# make demo    see it work: detections in a street video, published over ZeroMQ
# make test    everything that must hold (make check first)
# make check   formatting, lint, types, layers
# make soak    10,000 mutated model files: each ends the command line in one line, or runs
# RUNTIME=gpu or openvino takes that build of ONNX Runtime; PYTHON=python3.12 another interpreter.

PYTHON ?= python3
RUNTIME ?= cpu
BIN := .venv/bin

.PHONY: demo test check figures soak clean

demo: .venv/demo-$(RUNTIME)
	$(BIN)/edge-engine run configs/demo.yaml

test: check
	$(BIN)/python -m pytest -n auto --dist loadfile

check: .venv/dev-$(RUNTIME)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

figures: .venv/dev-$(RUNTIME)
	$(BIN)/python tools/figures.py

soak: .venv/dev-$(RUNTIME)
	$(BIN)/python -m tests.models.soak --count 10000 --seed 0

.venv/%-$(RUNTIME): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "edge_engine needs Python 3.10 or newer, $(PYTHON) is older: make PYTHON=python3.12 …"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || \
		{ echo "can't make a virtual environment: apt-get install python3-venv"; exit 2; }
	$(BIN)/python -m pip install --quiet --editable '.[$(RUNTIME),$*]'
	@$(BIN)/python -c 'import cv2' || { echo "OpenCV lacks a system library: apt-get install libgl1 libglib2.0-0"; exit 2; }
	@touch $@

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
