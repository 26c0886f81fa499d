"""A release is made dry from the tree; its bundle installs without a network, and only as it was signed."""

import shutil
import subprocess
import sys

import pytest
from rigs.bare_install import ROOT

from tools import release


def run(*words, **env):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, env=env or None)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    place = tmp_path_factory.mktemp("keys")
    release.make_key(place / "ours")
    release.make_key(place / "another")
    assert (place / "ours").stat().st_mode & 0o077 == 0
    return place


@pytest.fixture
def bundle(tmp_path, keys):
    """Signed, with one small package in the place of Meterhouse and all that it needs."""
    source, made = tmp_path / "source", tmp_path / "bundle"
    (source / "meterhouse").mkdir(parents=True)
    (source / "meterhouse" / "__init__.py").write_text("def main():\n    print('meterhouse 9.9.9')\n")
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "meterhouse"\nversion = "9.9.9"\n[project.scripts]\nmeterhouse = "meterhouse:main"\n'
    )
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", made / "wheels"], cwd=source, check=False
    )
    assert built.returncode == 0
    release.fill(made, "{}")
    (made / "requirements.txt").write_text("")
    release.seal(made, release.read_key(keys / "ours"))
    return made


def install(bundle, folder, key):
    return run(bundle / "install.sh", folder, key)


def test_it_installs_without_a_network_and_keeps_what_was_there(bundle, keys, tmp_path):
    folder = tmp_path / "installed"
    folder.mkdir()
    (folder / "of-before").touch()
    done = install(bundle, folder, keys / "ours.pub")
    assert done.returncode == 0, done.stderr
    assert run(folder / "bin" / "meterhouse").stdout == "meterhouse 9.9.9\n"
    assert (tmp_path / "installed.before" / "of-before").exists()
    assert not (tmp_path / "installed.new").exists()


@pytest.mark.parametrize("how", ["changed", "missing", "added", "other key", "no signature", "sums changed"])
def test_what_was_not_signed_so_is_not_installed(bundle, keys, tmp_path, how):
    key, wheel = keys / "ours.pub", next(bundle.glob("wheels/*.whl"))
    match how:
        case "changed":
            wheel.write_bytes(wheel.read_bytes() + b"\0")
        case "missing":
            wheel.unlink()
        case "added":
            shutil.copy(wheel, wheel.with_name("other-1-py3-none-any.whl"))
        case "other key":
            key = keys / "another.pub"
        case "no signature":
            (bundle / "SHA256SUMS.sig").unlink()
        case "sums changed":
            (bundle / "SHA256SUMS").write_text("")
    done = install(bundle, tmp_path / "installed", key)
    assert done.returncode == 1
    assert done.stderr.endswith("nothing was installed\n")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "installed").exists()


def test_it_runs_dry_from_this_tree(tmp_path):
    if not (ROOT / "console/static/vendor/stamp").exists():
        pytest.skip("the front end is missing (run tools/front_end.py)")
    done = run(sys.executable, "-m", "tools.release", "--dry", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "(dry)" in done.stdout
    (bundle,) = (tmp_path / "out").iterdir()
    assert {"SHA256SUMS", "SHA256SUMS.sig", "install.sh", "requirements.txt", "sbom.json", "wheels"} == {
        one.name for one in bundle.iterdir()
    }


def test_what_is_not_ready_is_one_sentence(tmp_path):
    with pytest.raises(release.ReleaseError, match=r"CHANGELOG.md says nothing under '## 9.9.9'"):
        release.check_changelog("# Changelog\n\n## 9.9.9\n\n## 9.9.8\n\n- a\n", "9.9.9", dry=False)
    assert release.check_changelog("## 9.9.9 (2026-12-01)\n\n- a\n", "9.9.9", dry=False).startswith("## 9.9.9")
    (tmp_path / "no-key").write_text("nonsense")
    for file in ("no-key", "none"):
        with pytest.raises(release.ReleaseError, match="is no key of ours"):
            release.read_key(tmp_path / file)
    with pytest.raises(release.ReleaseError, match="a release is signed"):
        release.release("9.9.9", tmp_path / "out", None, dry=False)
    assert not (tmp_path / "out").exists()
