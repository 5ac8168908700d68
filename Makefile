# `make fit`, `make play` and `make test` do all of their set-up themselves: they need Python 3.11 to 3.13 and make, nothing else.
PYTHON ?= $(firstword $(foreach name,python3.13 python3.12 python3.11 python3,\
	$(shell $(name) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $(name))))
BIN := .venv/bin
ORACLES := .venv-oracles

PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

.PHONY: fit play test quick pretrained tables tables-real check format requirements oracles clean

fit: .venv/run
	$(BIN)/python -m sflowgan_tf.fit --dataset minicity

play: .venv/play
	$(BIN)/python -m sflowgan_tf.play

test: .venv/dev
	$(PYTEST)

quick: .venv/dev # the tests that are not marked as slow: an answer within a minute
	$(PYTEST) -m "not slow"

pretrained: .venv/run # hours; the same command goes on where it stopped
	$(BIN)/python -m sflowgan_tf.fit --dataset minicity --config minicity-pretrained --data datasets/minicity-pretrained
	$(BIN)/python -m sflowgan_tf.evaluate --run minicity-pretrained --reference datasets/minicity-pretrained
	rm -rf sflowgan_tf/released/minicity
	for kind in "--release" "--tflite fp16"; do \
		$(BIN)/python -m sflowgan_tf.export --run minicity-pretrained --data datasets/minicity-pretrained --name minicity \
			$$kind --output sflowgan_tf/released || exit 1; \
	done

tables: .venv/run # hours; the same command goes on where it stopped
	$(BIN)/python -m benchmarks.tables

tables-real: .venv/run # make tables-real DATA=FOLDER JUDGE=SEGMENTER [CLASSES=FILE] [LEFT_OUT=REGEX]
	@test -n "$(DATA)" -a -n "$(JUDGE)" || { echo "Say what to train on and who scores: make tables-real DATA=FOLDER JUDGE=SEGMENTER"; exit 2; }
	$(BIN)/python -m benchmarks.tables --real "$(DATA)" --judge "$(JUDGE)" $(if $(CLASSES),--classes "$(CLASSES)") \
		$(if $(LEFT_OUT),--left-out '$(LEFT_OUT)')

check: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(PYTEST)

format: .venv/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "No Python 3.11 to 3.13 found. Install one, or say which: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12"; exit 2; }
	$(PYTHON) -m venv .venv || { rm -rf .venv; exit 2; }

.venv/run: requirements.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	touch $@

.venv/play: requirements-play.txt .venv/run
	$(BIN)/python -m pip install --quiet --requirement requirements-play.txt
	touch $@

.venv/dev: requirements-dev.txt .venv/run
	$(BIN)/python -m pip install --quiet --requirement requirements-dev.txt
	touch $@

requirements: .venv/dev # pins anew what the .in files ask for
	for name in requirements requirements-gpu requirements-play requirements-dev; do \
		$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-header --no-emit-index-url \
			$$name.in --output-file $$name.txt || exit 1; \
	done

oracles: # needs Python 3.11, the last that TensorFlow 2.15 runs on
	python3.11 -m venv $(ORACLES)
	$(ORACLES)/bin/python -m pip install --quiet --requirement tests/oracles/requirements.txt
	$(ORACLES)/bin/python tests/oracles/generate.py tests/oracles/golden.npz

clean:
	rm -rf .venv $(ORACLES)
