# make demo    see it work: detections in a street video, published over ZeroMQ
# make test    everything that must hold (make check first)
# make check   formatting, lint, types, layers
# make soak    a network camera that is killed 50 times and worse; an engine without time (as root, with limits
#              of time); 100,000 messages harmed on the way, and subscribers that are stopped; 1,000,000 harmful
#              commands, and keys that are taken away; a robot that follows a person through 100 faults; 10,000
#              mutated model files, each of which ends the command line in one line, or runs; 300,000 harmed
#              messages for the decoders in C++ and JavaScript
# make rig-v4l2     cameras: the kernel's own and a USB one, in an emulated machine (once: sudo
#                   tests/rigs/v4l2_vm/setup)
# make soak-v4l2    these cameras unplugged 20 times, and worse, with the times that it takes
# make rig-gstreamer   the tests that need GStreamer, which no Python package brings
# make rig-clients     the clients in C++, in Node over ZeroMQ, and in a browser: what Debian and npm have for them
# RUNTIME=gpu or openvino takes that build of ONNX Runtime; PYTHON=python3.12 another interpreter.

PYTHON ?= python3
RUNTIME ?= cpu
BIN := .venv/bin
# Half as many again as there are cores: a good part of the tests waits for cameras and clocks.
WORKERS := $(shell echo $$(( ($$(nproc 2> /dev/null || echo 2) * 3 + 1) / 2 )))

.PHONY: demo test check figures soak soak-v4l2 rig-clients rig-gstreamer rig-v4l2 clean

demo: .venv/demo-$(RUNTIME)
	$(BIN)/edge-engine run configs/demo.yaml

test: check
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

check: .venv/dev-$(RUNTIME)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

figures: .venv/dev-$(RUNTIME)
	$(BIN)/python tools/figures.py

soak: .venv/dev-$(RUNTIME)
	$(BIN)/python -m tests.sources.soak_network
	$(BIN)/python -m tests.sources.soak_load
	$(BIN)/python -m tests.client.soak_messages
	$(BIN)/python -m tests.client.soak_controller
	$(BIN)/python -m tests.control.soak_control
	$(BIN)/python -m tests.languages.soak
	$(BIN)/python -m tests.tools.soak_follow
	$(BIN)/python -m tests.models.soak --count 10000 --seed 0

rig-clients: .venv/dev-$(RUNTIME) build/clients/node_modules
	@test -e /usr/include/zmq.hpp -a -x /usr/bin/chromium || \
		{ echo "apt-get install g++ libzmq3-dev cppzmq-dev chromium"; exit 2; }
	$(BIN)/python -m pip install --quiet playwright
	$(BIN)/python -m pytest tests/languages

build/clients/node_modules:
	@command -v npm || { echo "apt-get install npm (Node 20.10 or newer)"; exit 2; }
	npm install --silent --no-save --prefix build/clients zeromq@6 typescript@5

# GStreamer's bindings are seen by the system's own Python alone, so its tests have an environment of their own.
rig-v4l2: .venv/dev-$(RUNTIME)
	tests/rigs/v4l2_vm/run "$(BIN)/python -m pytest tests/sources/test_v4l2_camera.py tests/sources/test_usb_camera.py"

soak-v4l2: .venv/dev-$(RUNTIME)
	tests/rigs/v4l2_vm/run "$(BIN)/python -m tests.sources.soak_v4l2"
	tests/rigs/v4l2_vm/run "$(BIN)/python -m tests.sources.soak_usb_camera"

rig-gstreamer: .venv-gstreamer/dev-$(RUNTIME)
	.venv-gstreamer/bin/python -m pytest tests/sources/test_gstreamer.py tests/sources/test_pipelines.py

.venv-gstreamer/dev-$(RUNTIME): pyproject.toml
	@/usr/bin/python3 -c 'import gi; gi.require_version("GstVideo", "1.0")' || \
		{ echo "apt-get install python3-gi gir1.2-gst-plugins-base-1.0 gstreamer1.0-libav" \
			"gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"; exit 2; }
	/usr/bin/python3 -m venv --system-site-packages .venv-gstreamer
	.venv-gstreamer/bin/python -m pip install --quiet --editable '.[$(RUNTIME),dev]'
	@touch $@

.venv/%-$(RUNTIME): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "edge_engine needs Python 3.10 or newer, $(PYTHON) is older: make PYTHON=python3.12 …"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || \
		{ echo "can't make a virtual environment: apt-get install python3-venv"; exit 2; }
	$(BIN)/python -m pip install --quiet --editable '.[$(RUNTIME),$*]'
	@$(BIN)/python -c 'import cv2' || { echo "OpenCV lacks a system library: apt-get install libgl1 libglib2.0-0"; exit 2; }
	@touch $@

clean:
	rm -rf .venv .venv-gstreamer build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
