"""What the documents say is there, is there."""

import json
import re
from pathlib import Path

import pytest

from facility.quantities import Quantity

ROOT = Path(__file__).parent.parent
IS_A_FILE = re.compile(r"\.(db|health|json|lock|po|yaml)$")
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir()}
PACKAGES = {path.parent.name for path in ROOT.glob("*/__init__.py")}
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "demo").glob("*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page):
    links = re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_file_of_the_readings_walk_exists():
    text = (ROOT / "docs/architecture.md").read_text()
    files = re.findall(r"`([a-z_]+/[\w/]+\.py)`", text)
    assert len(files) > 25
    assert [file for file in files if not (ROOT / file).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_and_module_that_a_page_names_exists(page):
    """Of ``stores/migrations/versions/000N_<step>.py`` the part before what stands for a name must."""
    named = re.findall(r"`([\w.]+/[\w./<>*-]*)", page.read_text())
    paths = [path for path in named if path.endswith(".py") or path.partition("/")[0] in FOLDERS]
    assert [path for path in paths if not (ROOT / re.sub(r"[^/]*[<*].*", "", path)).exists()] == []
    dotted = [name for name in re.findall(r"`([a-z_]+(?:\.\w+)+)`", page.read_text()) if not IS_A_FILE.search(name)]
    modules = [name for name in dotted if name.partition(".")[0] in PACKAGES]
    assert [name for name in modules if not _is_there(name)] == []


def _is_there(name):
    """Whether a module, or something in one, is called so."""
    parts = name.split(".")
    for n in range(len(parts), 0, -1):
        place = ROOT.joinpath(*parts[:n])
        file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        if file.is_file():
            return all(re.search(rf"\b{part}\b", file.read_text()) for part in parts[n:])
    return False


def test_the_glossary_holds_every_quantity_with_its_unit():
    text = (ROOT / "docs/glossary.md").read_text()
    assert [q.word for q in Quantity if f"| `{q.word}` | {q.unit} | {q.kind} |" not in text] == []


def test_every_decision_is_listed_in_order_under_its_own_title_and_says_its_cost():
    index = (ROOT / "docs/adr/README.md").read_text()
    records = {file.name: file.read_text() for file in sorted((ROOT / "docs/adr").glob("0*.md"))}
    titles = [(name, *text.splitlines()[0].removeprefix("# ").split(" ", 1)) for name, text in records.items()]
    rows = re.findall(r"^\| \[(\d+)\]\((.+)\) \| (.+) \|$", index, re.MULTILINE)
    assert rows == [(number, name, title) for name, number, title in titles]
    assert [int(number) for number, _, _ in rows] == list(range(1, len(rows) + 1)), "each number once"
    parts = ("**Decided.**", "**Cost.**")
    lacking = {name: [part for part in parts if part not in text] for name, text in records.items()}
    assert {name: missing for name, missing in lacking.items() if missing} == {}


def test_every_make_target_of_the_readme_exists():
    makefile = (ROOT / "Makefile").read_text()
    for page in ("README.md", "CONTRIBUTING.md"):
        for target in re.findall(r"(?:^|`)make ([a-z]+)", (ROOT / page).read_text(), re.MULTILINE):
            assert re.search(rf"^(\S+ )*{target}( \S+)*:", makefile, re.MULTILINE), target


def test_what_the_readme_says_of_accounting_was_measured():
    kept = json.loads((ROOT / "bench/results/accounting.json").read_text())
    year = "year_of_2000_quarter_hourly_counters"
    said = re.search(
        r"cost in ([\d.]+) s a counter, read from and\s+written to SQLite \(2,000 counters in one file: (\d+) s\); "
        r"the arithmetic alone takes (\d+) s for 2,000 counters on\s+one core and (\d+) MiB\. "
        r"One late reading is accounted in (\d+) ms in one month of history, in (\d+) ms in twelve",
        (ROOT / "README.md").read_text(),
    )
    on_disk, in_memory = (kept[f"{where}_{year}_s"] for where in ("rollups_on_sqlite", "arithmetic_in_memory"))
    late = [kept[f"one_late_reading_in_{months}_ms"] for months in ("1_month", "12_months")]
    measured = [on_disk, in_memory, kept[f"arithmetic_in_memory_{year}_peak_mib"], *late]
    assert said.groups() == (f"{on_disk / 2000:.2f}", *(f"{figure:.0f}" for figure in measured))


FAULTS = {"E": 14, "N": 6, "B": 9, "I": 10, "S": 10, "A": 7, "P": 5, "D": 2, "C": 3, "X": 6}
WAITS_FOR = (
    "messages",
    "settings that the server sends to an agent",
)


def test_every_fault_names_a_test_that_exists_or_what_it_waits_for():
    text = (ROOT / "docs/reliability.md").read_text()
    rows = re.findall(r"^\| ([A-Z]\d+) \| [^|]+ \| ([^|]+) \|", text, re.MULTILINE)
    assert {row for row, _ in rows} == {f"{kind}{n}" for kind, many in FAULTS.items() for n in range(1, many + 1)}
    known = {
        name for path in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())
    }
    waiting = {row: words for row, words in rows if not words.startswith("`test_")}
    assert [
        row for row, words in waiting.items() if not words.startswith(tuple(f"waits for {x}" for x in WAITS_FOR))
    ] == []
    named = [(row, words.strip("`")) for row, words in rows if row not in waiting]
    assert [name for row, name in named if name not in known or f"{row}_" not in name] == []
    assert len(waiting) <= 3, "rows turn into tests, never back"


def test_the_project_speaks_of_itself_alone():
    hidden = re.compile(r"(^|[^A-Za-z0-9_.])/(work|farm)/|bash_jobs|registry\.npmjs|pypi\.org|files\.pythonhosted")
    texts = [p for p in ROOT.rglob("*") if p.suffix in {".py", ".md", ".json", ".yaml", ".toml", ".txt", ".js", ".css"}]
    skip = {".venv", ".tools", "node_modules", "build", "vendor", ".git", ".mypy_cache", ".ruff_cache", ".hypothesis"}
    skip |= {"demo-data", "meterhouse-data"}  # what commands leave in a checkout
    named = [p for p in texts if not skip & set(p.parts) and p.name != "test_docs.py" and hidden.search(p.read_text())]
    assert named == []
