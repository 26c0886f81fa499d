# Python 3.11+ and make are all that is needed: uv comes by pip into .tools, everything else by hashed locks.
PYTHON ?= python3
ARGS ?=
unexport PYTHONDONTWRITEBYTECODE  # eight processes start in the demo: without cached bytecode each takes seconds more
UV := .tools/bin/uv
RUN := .venv/bin
COMPILE := $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

.PHONY: demo test check chaos bench bench-models docs release lock clean
demo: .venv/server.stamp console/static/vendor/stamp ## live estate in a browser; ARGS="--headless --until ready --report F"
	$(RUN)/meterhouse demo $(ARGS)

test: .venv/dev.stamp console/static/vendor/stamp ## every test; REQUIRE_SERVERS=1 fails where a server is missing
	$(RUN)/pytest $(ARGS)

check: .venv/dev.stamp ## style, types, architecture, catalogues
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy
	$(RUN)/lint-imports
	$(RUN)/python tools/generated.py --check
	$(RUN)/meterhouse dashboards check --site demo/site.yaml

bench: .venv/dev.stamp console/static/vendor/stamp ## measure; writes bench/results/*.json
	$(RUN)/python -m bench.accounting
	$(RUN)/python -m bench.bus
	$(RUN)/python -m bench.edge
	$(RUN)/python -m bench.fuzz
	$(RUN)/python -m bench.catalogue
	$(RUN)/python -m bench.dashboards
	$(RUN)/python -m bench.departments
	$(RUN)/python -m bench.imports
	$(RUN)/python -m bench.demo
	$(RUN)/python -m bench.demo --store influx
	$(RUN)/python -m bench.rollups_cost
	$(RUN)/python -m bench.ingest
	tools/build_servers.sh peer
	$(RUN)/python -m bench.ingest --peer telegraf
	$(RUN)/python -m bench.ingest_profile
	$(RUN)/python -m bench.influx
	$(RUN)/python -m bench.outbox
	$(RUN)/python -m bench.backlog
	$(RUN)/python -m bench.backup
	$(RUN)/python -m bench.cases
	$(RUN)/python -m bench.oracle
	$(RUN)/python -m bench.chaos
	$(RUN)/python -m bench.now
	$(RUN)/python -m bench.hour_pass
	$(RUN)/python -m bench.gate
	$(RUN)/python -m bench.written
	$(RUN)/python -m bench.faults
	$(RUN)/python -m bench.soak
	for store in sqlite influx; do $(RUN)/python -m bench.stack --points 10000 --store $$store; done

DATA ?= ../shared/data
bench-models: .venv/bench.stamp ## measure models on public meters; DATA=folder of data sets, its scorers in ../bench beside it
	$(RUN)/python -m bench.models --data $(DATA) $(ARGS)

chaos: .venv/server.stamp ## kill everything, lose nothing; SEED=n repeats a run; ARGS="--ack-mode puback" must fail
	PYTHONPATH=tests $(RUN)/python -m chaos.run $(ARGS)

docs: .venv/dev.stamp ## regenerate what is generated: docs, device_profiles/schema.json, dashboards/generated
	$(RUN)/python tools/generated.py

release: .venv/dev.stamp console/static/vendor/stamp ## wheel, bill of materials, signed bundle; ARGS=--dry fetches and packs nothing
	$(RUN)/python -m tools.release $(ARGS)

lock: $(UV) ## refresh requirements/*.txt
	for set in edge server; do $(COMPILE) --extra $$set $$( [ $$set = server ] && echo --extra dashboards --extra embedded --extra influx --extra notify --extra oidc --extra postgres ) -o requirements/$$set.txt pyproject.toml; done
	$(COMPILE) \
	  --extra server --extra dashboards --extra embedded --extra influx --extra notify --extra oidc --extra postgres --group dev -c requirements/server.txt -o requirements/dev.txt pyproject.toml
	$(COMPILE) \
	  --group bench -c requirements/server.txt -o requirements/bench.txt
	$(COMPILE) \
	  --group front_end -o requirements/front_end.txt
	$(COMPILE) \
	  --group build -o requirements/build.txt

clean:
	rm -rf .venv .tools build console/static/vendor console/node_modules

$(UV): requirements/uv.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Meterhouse needs Python 3.11 or newer, this is " + sys.version.split()[0])'
	$(PYTHON) -m venv .tools
	.tools/bin/python -m pip install -q --require-hashes -r requirements/uv.txt
	@touch $@

.venv/server.stamp: $(UV) requirements/server.txt requirements/build.txt pyproject.toml
	[ -x .venv/bin/python ] || $(UV) venv -q --python $(PYTHON) .venv
	$(UV) pip install -q --python .venv/bin/python --require-hashes -r requirements/server.txt
	$(UV) pip install -q --python .venv/bin/python --no-deps --build-constraints requirements/build.txt -e .
	@touch $@

.venv/bench.stamp: .venv/dev.stamp requirements/bench.txt
	$(UV) pip install -q --python .venv/bin/python --require-hashes -r requirements/bench.txt
	@touch $@

.venv/dev.stamp: .venv/server.stamp requirements/dev.txt
	$(UV) pip install -q --python .venv/bin/python --require-hashes -r requirements/dev.txt
	@touch $@

console/static/vendor/stamp: console/package-lock.json .venv/server.stamp
	$(RUN)/python tools/front_end.py
	@touch $@
