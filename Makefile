# Every task in this repository. Everything runs in .venv, which the first command makes.
# SAVE=--save keeps a measurement in benchmarks/RESULTS.md.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test test-heavy test-all coverage lint docs pictures teachers models bench bench-app bench-speed bench-fast bench-accuracy bench-files bench-hands bench-many fuzz wild clean

## demo: set up, then train on the embedded digits, score, and read some pictures
demo: $(VENV)/ready
	rm -rf demo && mkdir demo
	cd demo && ../$(BIN)/digits train --arch cnn --data sample
	cd demo && ../$(BIN)/digits eval --data sample --report report
	cd demo && ../$(BIN)/digits export-png pictures --data sample --split test --limit 10
	cd demo && ../$(BIN)/digits predict pictures

# Two processes, each with its own TensorFlow; the one that is done first takes tests of the other.
PYTEST = $(BIN)/python -m pytest -n 2 --dist worksteal

## test: set up, then all checks and the tests (eight minutes on two cores)
test: $(VENV)/ready lint
	$(PYTEST) -m "not heavy"

## test-heavy: the tests that take long, each more than 20 seconds
test-heavy: $(VENV)/ready
	$(PYTEST) -m heavy

## test-all: everything that CI runs
test-all: test test-heavy

## coverage: all tests, and which lines none of them reaches
coverage: $(VENV)/ready
	$(PYTEST) --cov --cov-report=term:skip-covered

lint: $(VENV)/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python tools/readme.py --check

## docs: write the command reference of the README and the model card
docs: $(VENV)/ready
	$(BIN)/python tools/readme.py
	$(BIN)/python tools/model_card.py

## pictures: make the pictures of the README again
pictures: $(VENV)/ready
	$(BIN)/python tools/example_pictures.py
	$(BIN)/python tools/page_pictures.py

## teachers: what the shipped models learn from; an hour for those that are missing, ten minutes
## for their soft targets. This and the targets below go on where they were interrupted.
teachers: models/teachers/soft-targets.npz
models/teachers/soft-targets.npz: $(VENV)/ready
	$(BIN)/python -m pip install --quiet '.[bench]'
	$(BIN)/python tools/teachers.py models/teachers

STUDENTS = $(BIN)/python benchmarks/accuracy.py models/seeds --soft-targets models/teachers/soft-targets.npz

## models: train the shipped models again on all of MNIST (about an hour)
models: models/teachers/soft-targets.npz
	$(STUDENTS) --seeds 0
	for family in dense cnn rnn; do cp models/seeds/$$family-best-0.h5 models/pretrained/$$family.h5; done
	$(BIN)/python tools/train_rejector.py
	$(BIN)/python tools/model_card.py

## bench-speed: whole commands and pictures a second, beside plain Keras (five minutes)
bench-speed: $(VENV)/ready
	$(BIN)/python benchmarks/speed.py $(SAVE)
	$(BIN)/python benchmarks/throughput.py $(SAVE)

## bench-app: the page's server under load, with a soak of ten minutes
bench-app: $(VENV)/ready
	$(BIN)/python benchmarks/app.py --soak 600 $(SAVE)

## bench-fast: seconds to 99 % beside plain Keras and PyTorch, ten seeds (fifteen minutes)
bench-fast: $(VENV)/ready
	$(BIN)/python -m pip install --quiet '.[bench]'
	$(BIN)/python benchmarks/time_to_accuracy.py $(SAVE)

## bench-accuracy: three seeds of each shipped model, kept in models/seeds (about two hours)
bench-accuracy: models/teachers/soft-targets.npz
	$(STUDENTS) $(SAVE)

## bench: each well-known recipe beside plain Keras on all of MNIST (about an hour)
bench: $(VENV)/ready
	$(BIN)/python benchmarks/recipes.py $(SAVE)

## wild: read other people's pictures, in the folder WILD (see the script), and what is no digit
wild: $(VENV)/ready
	$(BIN)/python benchmarks/wild.py $(WILD) --model cnn --model dense --model rnn $(SAVE)

## bench-hands: learn the handwriting of people in the folder WILD/drawn, and of simulated ones
bench-hands: $(VENV)/ready
	$(BIN)/python benchmarks/learn_a_hand.py $(if $(WILD),$(WILD)/drawn) $(SAVE)

## bench-many: memory and time over 100,000 picture files (ten minutes)
bench-many: $(VENV)/ready
	$(BIN)/python benchmarks/many_pictures.py $(SAVE)

## bench-files: data sets, models and pictures of every kind that people hand around (three minutes)
bench-files: $(VENV)/ready
	$(BIN)/python benchmarks/any_file.py $(SAVE)

## fuzz: 10,000 broken pictures through the decoder, and files that unpack to gigabytes; with
## TARGET=csv (or npz, idx, npy, picture, keras, h5), bytes that reach new code, MINUTES=60 of them,
## going on from fuzz/TARGET
MINUTES ?= 60
fuzz: $(VENV)/ready
ifdef TARGET
	$(BIN)/python -m pip install --quiet '.[fuzz]'
	$(BIN)/python benchmarks/coverage_fuzz.py $(TARGET) --minutes $(MINUTES)
else
	$(BIN)/python benchmarks/fuzz.py
	$(BIN)/python benchmarks/hostile_sizes.py
	@echo "To go on: make fuzz TARGET=npz MINUTES=60 (see benchmarks/coverage_fuzz.py)"
endif

$(VENV)/ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv demo dist build .coverage .*_cache
