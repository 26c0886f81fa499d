"""The shape of the repository, held by tests: whose names they are, how long files get, how sockets open."""

import ast
import re
import sys
import tomllib
from collections import Counter, defaultdict
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
OWN_FILES = [
    path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "node_modules" not in path.parts
]
MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in OWN_FILES}
HOUSE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
LINTER = PROJECT["tool"]["importlinter"]["contracts"]
"""The architecture as drawn for people, and as checked by import-linter."""
LONGEST_FILE = 300


def test_our_top_level_names_belong_to_this_distribution_alone():
    owners = packages_distributions()
    strangers = {name: owners[name] for name in PACKAGES if set(owners.get(name, ["meterhouse"])) != {"meterhouse"}}
    assert not strangers


def test_every_package_is_shipped_checked_and_linted():
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert folders == set(PACKAGES) == set(PROJECT["tool"]["mypy"]["packages"])
    assert folders == set(PROJECT["tool"]["importlinter"]["root_packages"])


def test_the_lines_drawn_for_people_are_those_that_the_linter_checks():
    checked = next(contract["layers"] for contract in LINTER if contract["type"] == "layers")
    assert _layers() == [_side_by_side(layer) for layer in checked]
    assert sorted(name for line in _layers() for name in line) == sorted(PACKAGES), "each package stands on one line"


def test_a_package_imports_what_its_row_names_and_nothing_else():
    """Imports for types alone count too, and those inside a function."""
    rows, imports = _rows(), {package: set() for package in PACKAGES}
    for path in OWN_FILES:
        package = path.relative_to(ROOT).parts[0]
        imports[package] |= {name.partition(".")[0] for name in _imports(path)} - {package}
    assert rows.keys() == set(PACKAGES), "every package has a row"
    beyond = {package: imports[package] - rows[package] for package in PACKAGES}
    assert {package: names for package, names in beyond.items() if names} == {}


def test_a_row_names_only_what_the_linter_lets_its_package_import():
    lines = _layers()
    forbidden = [contract for contract in LINTER if contract["type"] == "forbidden"]
    for package, named in _rows().items():
        line = next(n for n, side_by_side in enumerate(lines) if package in side_by_side)
        below = {name for side_by_side in lines[line + 1 :] for name in side_by_side}
        never = {name for one in forbidden if package in one["source_modules"] for name in one["forbidden_modules"]}
        assert named <= below - never, package


def _layers():
    """The packages of each line, from the top."""
    lines = re.search(r"## The direction of imports\n.*?```\n(.*?)```", HOUSE, re.DOTALL)[1]
    return [_side_by_side(re.split(r"  +", line)[0]) for line in lines.splitlines()]


def _side_by_side(layer):
    return sorted(name.strip() for name in layer.split("|"))


def _rows():
    """Package → the packages that it may import, by the table."""
    table = re.search(r"## The packages\n\n(.*?)\n\n", HOUSE, re.DOTALL)[1]
    rows = {}
    for line in table.splitlines()[2:]:
        package, _job, named = line.strip("| ").split(" | ")
        package = package.strip("`/")
        rows[package] = set(PACKAGES) - {package} if named == "all" else set(re.findall(r"`(\w+)`", named))
        assert named in {"all", "–"} or rows[package], line
    return rows


@pytest.mark.parametrize("path", OWN_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_short(path):
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


def test_broad_excepts_stand_only_where_a_thread_must_survive():
    """Each is listed with the thread or process it keeps alive."""
    allowed = {
        path.strip() for path in (ROOT / "docs/broad-excepts.txt").read_text().splitlines() if not path.startswith("#")
    }
    broad = re.compile(r"except(\s+\(?(Base)?Exception\b.*)?:")
    found = {str(path.relative_to(ROOT)) for path in OWN_FILES if broad.search(path.read_text())}
    assert found <= allowed


def test_nothing_listens_beyond_loopback_by_default():
    every = re.compile(r"(?<![\d.])0\.0\.0\.0(?![\d.])")
    wide = [str(path.relative_to(ROOT)) for path in OWN_FILES if every.search(path.read_text())]
    assert wide == []


def test_locks_are_hashed_and_name_no_index():
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text()
        assert "://" not in text, lock.name
        pins = re.findall(r"^[a-z0-9].*==", text, re.MULTILINE)
        hashed = re.findall(r"^[a-z0-9].*==\S+( ;.*)? \\$", text, re.MULTILINE)
        assert len(pins) == len(hashed), lock.name


def test_no_modules_import_each_other_in_a_circle():
    """Imports for types alone count too: what needs the other's types cannot be read, or moved, without it."""
    imports = {name: _imports(path) - {name} for name, path in MODULES.items()}
    reached = {name: _reached(name, imports) for name in imports}
    circles = {frozenset(n for n in reached[name] if name in reached[n]) for name in reached if name in reached[name]}
    assert circles == set()


def _imports(path):
    """The modules of ours that a file imports, wherever in it: for types alone, or inside a function."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports name the whole path"
            inside = (f"{node.module}.{alias.name}" for alias in node.names)
            found |= {name if name in MODULES else node.module for name in inside}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & MODULES.keys()


def _reached(start, imports):
    """What a module imports, and what that imports, to the end."""
    reached, ahead = set(), {start}
    while ahead:
        new = imports[ahead.pop()] - reached
        reached |= new
        ahead |= new
    return reached


def test_no_two_public_classes_share_a_name():
    """Whoever reads a name in a log, a docstring or a search should know which class it is."""
    places = defaultdict(list)
    for name, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(name)
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_the_console_sees_what_is_kept_through_a_view_alone():
    """Whoever could hold a store would see past scopes and levels. Only what puts the console together holds them."""
    composing = {"console.app", "console.__main__", "console.server"}
    allowed = {"stores.access", "stores.counter_rows"}
    found = {
        (name, other)
        for name, path in MODULES.items()
        if name.startswith("console.") and name not in composing
        for other in _imports(path)
        if other.partition(".")[0] == "stores" and other not in allowed
    }
    assert found == {("console.guard", "stores.records.people")}, "guard knows the type of who comes in, no more"
    makers = [name for name, path in MODULES.items() if "access.view(" in path.read_text()]
    assert makers == ["console.visit"], "a view is made for who asks, in one place"


def test_no_two_test_files_share_a_name():
    """Tests are no package: of two files called alike only one could be collected."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("test_*.py"))
    assert [name for name, times in names.items() if times > 1] == []


def test_no_test_is_imported_by_another():
    """What tests share is in tests/rigs: a test file can be moved, renamed or run alone."""
    found = set()
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            named += [node.module] if isinstance(node, ast.ImportFrom) else []
            found |= {(path.name, name) for name in named if re.search(r"(^|\.)(test_|conftest$)", name)}
    assert not found


PYDANTIC = ("", "_core", "_settings")
BEGINNING = {"facility", "process", "paho", "prometheus_client", "structlog"} | {f"pydantic{part}" for part in PYDANTIC}
BEGINNING |= {"threadpoolctl"}  # only where numpy is
"""What every process loads before anything else, on the smallest machine too."""


def test_what_every_process_begins_with_imports_next_to_nothing():
    found = set()
    for path in (ROOT / "process").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module)
    strangers = {name for name in found if name.split(".")[0] not in BEGINNING | set(sys.stdlib_module_names)}
    assert strangers == set()
