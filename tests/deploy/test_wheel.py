"""The wheel carries everything a process needs; without the front end there is none."""

import os
import shutil
import subprocess
import tarfile
import tomllib
import zipfile
from datetime import UTC, datetime

import pytest
from rigs.bare_install import ROOT, build, install
from rigs.patience import until
from rigs.sample import make_sample
from rigs.servers import end, free_port

from tools.front_end import SERVED, VENDOR

PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"][
    "packages"
]
SHOWN = "() => document.querySelectorAll('[data-chart] canvas').length > 0"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    if not (VENDOR / "htmx.min.js").exists():
        pytest.skip("the front end is missing (run tools/front_end.py)")
    folder = tmp_path_factory.mktemp("dist")
    built = build(ROOT, folder)
    assert built.returncode == 0, built.stderr
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    return install(wheel, tmp_path_factory.mktemp("bare") / "venv")


def test_every_file_of_a_package_that_is_no_python_is_in_the_wheel(wheel):
    """Templates, texts of both languages, profiles, dashboards, migrations, the demo's data, and types."""
    inside = set(zipfile.ZipFile(wheel).namelist())
    listed = subprocess.run(["git", "ls-files", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=False)
    tracked = set(listed.stdout.split()) or {path for path in inside if not path.startswith("meterhouse-")}
    assert tracked - inside == set()
    assert {f"{package}/py.typed" for package in PACKAGES} <= inside
    assert {f"console/static/vendor/{name}" for name in SERVED} <= inside
    carried = {"wording/locale/en/LC_MESSAGES/", "wording/locale/zh_Hans/LC_MESSAGES/", "dashboards/generated/zh-Hans/"}
    carried |= {"console/templates/", "device_profiles/abb/", "stores/migrations/versions/", "demo/data/"}
    assert {place for place in carried if any(name.startswith(place) for name in inside)} == carried
    assert not any(part in name for name in inside for part in ("node_modules", "__pycache__", "/stamp", "tests/"))


def test_no_wheel_is_built_without_the_front_end(wheel, tmp_path):
    """Of the source archive, which carries it, a wheel can be made; of one that has lost a file of it none can."""
    assert build(ROOT, tmp_path, "sdist").returncode == 0
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path, filter="data")
    tree = tmp_path / archive.name.removesuffix(".tar.gz")
    whole = build(tree, tmp_path / "whole")
    assert whole.returncode == 0, whole.stderr
    (again,) = (tmp_path / "whole").glob("*.whl")
    assert zipfile.ZipFile(again).namelist() == zipfile.ZipFile(wheel).namelist()
    shutil.copytree(tree / "console/static/vendor", tmp_path / "vendor")
    (tree / "console/static/vendor/uPlot.min.js").unlink()
    refused = build(tree, tmp_path / "none")
    assert refused.returncode != 0
    assert "the wheel lacks uPlot.min.js in console/static/vendor" in refused.stderr
    assert not list((tmp_path / "none").glob("*.whl"))


def test_the_modules_of_an_installed_wheel_are_its_own(python, tmp_path):
    names = ", ".join(PACKAGES)
    command = f"import {names}; print(*(module.__file__ for module in ({names})))"
    printed = subprocess.run([python, "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert all(path.startswith(str(python.parent.parent)) for path in printed.stdout.split())


@pytest.mark.browser
def test_a_page_of_an_installed_wheel_has_its_charts_and_live_figures(python, chromium, tmp_path):
    sample = make_sample(tmp_path, datetime.now(UTC))
    address = f"127.0.0.1:{free_port()}"
    env = {**os.environ, "METERHOUSE_DATA": str(tmp_path), "METERHOUSE_LISTEN": address, "PYTHONPATH": ""}
    with (tmp_path / "log").open("wb") as log:
        console = subprocess.Popen(
            [python, "-m", "meterhouse", "console"], cwd=tmp_path, env=env, stdout=log, stderr=log
        )
    try:
        until(lambda: "listening" in (tmp_path / "log").read_text() or console.poll() is not None)
        assert console.poll() is None, (tmp_path / "log").read_text()
        context = chromium.new_context()
        context.add_cookies([{"name": "meterhouse_session", "value": sample.session(), "url": f"http://{address}"}])
        page = context.new_page()
        refused = []
        page.on("response", lambda answer: refused.append(answer.url) if answer.status >= 400 else None)
        page.goto(f"http://{address}/buildings/lib")
        page.wait_for_function(SHOWN)
        assert page.evaluate("() => typeof htmx") == "object"
        assert refused == []
        context.close()
    finally:
        end(console, 15)
        sample.store.close()
        sample.records.dispose()
