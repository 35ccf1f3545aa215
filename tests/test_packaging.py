"""The wheel: built from what is tracked, installed apart, and used from an empty folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, SAMPLES

SAMPLE = SAMPLES / "tallies" / "station-0413.jpg"


@pytest.fixture(scope="module")
def tracked() -> list[str]:
    """The files of the project; what else lies in a checkout is nobody's business."""
    listed = run("git", "ls-files", "-z", folder=REPOSITORY).stdout
    return [name for name in listed.split("\0") if name and (REPOSITORY / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tracked: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("source")
    for name in tracked:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, source / name)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", source)
    (built,) = (source / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment with the wheel; its dependencies are those of this environment."""
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, symlinks=True)
    own = next((environment / "lib").glob("python*")) / "site-packages"
    # As plain folder, without the .pth files in it: one of them would bring this checkout along.
    (own / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    run(
        *(sys.executable, "-m", "pip", "--python", str(environment / "bin" / "python")),
        *("install", "--no-deps", "--no-index", "--ignore-installed", "--quiet", str(wheel)),
    )
    return environment / "bin"


def run(*argv: str | Path, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("DIGITMILL_", "PYTHONPATH"))
    }
    ended = subprocess.run(
        [str(part) for part in argv], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended


def test_the_wheel_holds_what_runs_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {
        "migrations",
        "segmentation",
        "training",
        "worker",
    }
    for needed in (
        "worker/models/digits.onnx",
        "migrations/script.py.mako",
        "migrations/env.py",
        "segmentation/py.typed",
    ):
        assert needed in names
    assert any(name.startswith("migrations/versions/0001") for name in names)


def test_every_module_of_the_packages_is_in_the_wheel(wheel: Path, tracked: list[str]) -> None:
    packages = ("migrations/", "segmentation/", "training/", "worker/")
    modules = {name for name in tracked if name.startswith(packages) and name.endswith(".py")}

    assert modules <= set(zipfile.ZipFile(wheel).namelist())


def test_an_installed_wheel_reads_a_scan_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    run(installed / "digitmill", "--help", folder=tmp_path)
    run(installed / "digitmill", "db", "upgrade", folder=tmp_path)
    run(installed / "digitmill", "run", SAMPLE, "--batch", "one", folder=tmp_path)
    results = run(installed / "digitmill", "results", "one", "--format", "csv", folder=tmp_path)

    assert len(results.stdout.splitlines()) > 5
    assert [file.name for file in tmp_path.glob("*.db")] == ["digitmill.db"]


def test_it_is_the_wheel_that_is_used_and_not_the_checkout(installed: Path, tmp_path: Path) -> None:
    where = run(installed / "python", "-c", "import worker; print(worker.__file__)", folder=tmp_path)

    assert str(installed.parent) in where.stdout


def test_reading_never_loads_tensorflow(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "import worker.local_run, worker.tasks, worker.cli.run, worker.cli.overlay, worker.cli.report\n"
        "worker.recogniser.Recogniser.load()\n"
        "assert not {'tensorflow', 'keras', 'tf2onnx', 'onnx', 'matplotlib'} & set(sys.modules)"
    )

    run(sys.executable, "-c", script, folder=tmp_path)


def test_an_editable_install_gives_the_commands_of_the_checkout() -> None:
    for command in ("digitmill", "digitmill-train"):
        assert run(Path(sys.executable).with_name(command), "--help").stdout.startswith("Usage")
