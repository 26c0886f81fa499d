"""A release is made dry from the tree; its bundle installs without a network, and only as it was signed."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile

import pytest
from rigs.bare_install import ROOT

from tools import release

pytestmark = pytest.mark.thorough


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
    release.fill(made, "{}", "9.9.9")
    digest = hashlib.sha256(small_wheel(made / "wheels").read_bytes()).hexdigest()
    (made / "requirements.txt").write_text(f"small==1 --hash=sha256:{digest}\n")
    release.seal(made, release.read_key(keys / "ours"))
    return made


def small_wheel(folder):
    """A package of one line."""
    file = folder / "small-1-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as wheel:
        wheel.writestr("small.py", "")
        wheel.writestr("small-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: small\nVersion: 1\n")
        wheel.writestr("small-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("small-1.dist-info/RECORD", "")
    return file


def install(bundle, folder, key, *before, **env):
    env = {"PATH": os.environ["PATH"], "PIP_INDEX_URL": "http://127.0.0.1:9/", **env}
    return run(*before, bundle / "install.sh", folder, key, **env)


def no_network():
    """Words before a command that has none, not even loopback; where that is not allowed, an index that is nowhere."""
    words = ["unshare", "--map-root-user", "--net"]
    return words if shutil.which("unshare") and run(*words, "true").returncode == 0 else []


def test_it_installs_without_a_network_and_keeps_what_was_there(bundle, keys, tmp_path):
    folder = tmp_path / "installed"
    folder.mkdir()
    (folder / "of-before").touch()
    done = install(bundle, folder, keys / "ours.pub", *no_network())
    assert done.returncode == 0, done.stderr
    assert run(folder / "bin" / "meterhouse").stdout == "meterhouse 9.9.9\n"
    assert run(folder / "bin" / "python", "-c", "import small").returncode == 0
    assert (tmp_path / "installed.before" / "of-before").exists()
    assert not (tmp_path / "installed.new").exists()


@pytest.mark.parametrize(
    "how", ["changed", "missing", "added", "linked", "other key", "no key", "no signature", "sums changed"]
)
def test_what_was_not_signed_so_is_not_installed(bundle, keys, tmp_path, how):
    key, wheel = keys / "ours.pub", next(bundle.glob("wheels/meterhouse*.whl"))
    says = f"a file of this bundle is missing or was changed, wheels/{wheel.name}"
    match how:
        case "changed":
            wheel.write_bytes(wheel.read_bytes() + b"\0")
        case "missing":
            wheel.unlink()
        case "added":
            shutil.copy(wheel, wheel.with_name("other-1-py3-none-any.whl"))
            says = "holds a file that nobody has signed, wheels/other-1-py3-none-any.whl"
        case "linked":
            wheel.with_name("meterhouse-10-py3-none-any.whl").symlink_to("/elsewhere/meterhouse-10-py3-none-any.whl")
            says = "holds a file that nobody has signed, wheels/meterhouse-10-py3-none-any.whl"
        case "other key":
            key = keys / "another.pub"
            says = f"the bundle in {bundle} was not signed with that key, {key}"
        case "no key":
            key = keys / "none.pub"
            says = f"there is no public key in {key} that can be read"
        case "no signature":
            (bundle / "SHA256SUMS.sig").unlink()
            says = "was not signed with that key"
        case "sums changed":
            (bundle / "SHA256SUMS").write_text("")
            says = "was not signed with that key"
    done = install(bundle, tmp_path / "installed", key)
    assert done.returncode == 1
    assert says in done.stderr
    assert done.stderr.endswith(": nothing was installed\n")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "installed").exists()


@pytest.mark.parametrize("page", ["administrator.md", "administrator.zh-Hans.md"])
def test_what_the_handbook_says_is_typed_in_the_folder_of_the_bundle(bundle, keys, tmp_path, page):
    text = (ROOT / "docs" / "handbook" / page).read_text("utf-8")
    (typed,) = re.findall(r"`(\./install\.sh [^`]+)`", text)
    shutil.copy(keys / "ours.pub", bundle.parent / "release.pub")
    typed = typed.replace("/opt/meterhouse", str(tmp_path / "opt"))
    done = run(*no_network(), "sh", "-c", f'cd "$1" && {typed}', "sh", bundle, PATH=os.environ["PATH"])
    assert done.returncode == 0, done.stderr
    assert run(tmp_path / "opt" / "bin" / "meterhouse").stdout == "meterhouse 9.9.9\n"
    assert re.findall(r"`\./images\.sh ([^`]+)`", text) == ["../release.pub"]


@pytest.mark.parametrize("how", ["a wheel lacks", "no folder", "no python", "an old python"])
def test_an_installation_that_fails_is_one_sentence_and_what_was_there_is_there(bundle, keys, tmp_path, how):
    folder, env, says = tmp_path / "installed", {}, "the installation failed ("
    folder.mkdir()
    (folder / "of-before").touch()
    match how:
        case "a wheel lacks":
            (bundle / "requirements.txt").write_text(f"another==1 --hash=sha256:{'0' * 64}\n")
            release.seal(bundle, release.read_key(keys / "ours"))
        case "no folder":
            (tmp_path / "file").touch()
            folder = tmp_path / "file" / "within"
        case "no python":
            env, says = {"PYTHON": "no-python"}, "no-python is no Python of 3.11 or later"
        case "an old python":
            (tmp_path / "old").write_text("#!/bin/sh\nexit 1\n")
            (tmp_path / "old").chmod(0o755)
            env, says = {"PYTHON": str(tmp_path / "old")}, "is no Python of 3.11 or later"
    done = install(bundle, folder, keys / "ours.pub", **env)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    assert says in done.stderr
    assert (tmp_path / "installed" / "of-before").exists()
    assert not (tmp_path / "installed.before").exists()


def test_what_an_image_runs_installs_from_the_wheels_of_a_bundle_alone(bundle, tmp_path):
    """A lock's packages, by their digests; pip is told of an index where nobody answers."""
    other = next(bundle.glob("wheels/meterhouse*.whl"))
    wheels, lock = tmp_path / "wheel", tmp_path / "lock.txt"
    shutil.copytree(bundle / "wheels", wheels)
    small = next(wheels.glob("small*.whl"))
    lock.write_text(f"small==1 --hash=sha256:{hashlib.sha256(small.read_bytes()).hexdigest()}\n")
    script = bundle / "image/deploy/image/install.sh"
    done = run(script, lock, wheels, tmp_path / "env", PATH=os.environ["PATH"], PIP_INDEX_URL="http://127.0.0.1:9/")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "meterhouse 9.9.9\n"
    assert run(tmp_path / "env/bin/python", "-c", "import small").returncode == 0
    lock.write_text(f"small==1 --hash=sha256:{hashlib.sha256(other.read_bytes()).hexdigest()}\n")
    assert run(script, lock, wheels, tmp_path / "other", PATH=os.environ["PATH"]).returncode != 0


def test_images_are_built_from_a_bundle_as_it_was_signed_and_without_a_network(bundle, keys, tmp_path):
    """Where no Docker is, what it would be told is written down."""
    said = tmp_path / "said"
    (tmp_path / "docker").write_text(f'#!/bin/sh\necho "$@" >>{said}\nls "${{5#wheel=}}/wheel" >>{said}\n')
    (tmp_path / "docker").chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    refused = run(bundle / "images.sh", keys / "another.pub", PATH=path)
    assert (refused.returncode, "not signed with that key" in refused.stderr, said.exists()) == (1, True, False)
    done = run(bundle / "images.sh", keys / "ours.pub", PATH=path)
    assert done.returncode == 0, done.stderr
    for target in ("server", "edge"):
        assert re.search(rf"--network none .* --target {target} -t meterhouse-{target}:9.9.9 image\n", said.read_text())
    assert said.read_text().count(next(bundle.glob("wheels/meterhouse*.whl")).name) == 2
    bases = re.findall(r"^COPY --from=wheel (\S+)", (bundle / "image/Dockerfile").read_text(), re.MULTILINE)
    assert bases == ["/wheel", "/wheel"], "what a bundle puts in its place"


def test_it_runs_dry_from_this_tree(tmp_path):
    if not (ROOT / "console/static/vendor/stamp").exists():
        pytest.skip("the front end is missing (run tools/front_end.py)")
    done = run(sys.executable, "-m", "tools.release", "--dry", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "(dry)" in done.stdout
    (bundle,) = (tmp_path / "out").iterdir()
    assert {one.name for one in bundle.iterdir()} == {
        *("SHA256SUMS", "SHA256SUMS.sig", "requirements.txt", "sbom.json", "version", "wheels"),
        *("install.sh", "images.sh", "signed.sh", "image"),
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
