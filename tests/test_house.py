"""The rules of the repository that no other tool checks."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from gateway import policies
from gateway.config import Settings

ROOT = Path(__file__).parent.parent
PAGES = sorted(page for folder in (".", "deploy/**", "tests/**") for page in ROOT.glob(f"{folder}/*.md"))
ROOMS_WITH_IO = {"app", "cli", "demo", "store", "upstream", "web", "dav"}
COMES_WITH = {
    "PIL": "pillow",
    "opentelemetry": "opentelemetry_exporter_otlp_proto_http",
    "proxyprotocol": "pymap",
}
NOT_THE_GATEWAYS = {"deploy", "dev", "fuzz"}
LARGE = {"cryptography", "PIL", "ldap3", "asyncpg", "joserfc", "opentelemetry"}
"""What takes megabytes and is for few."""
LOADED_BY_OTHERS = {"httptools", "tzdata", "uvloop"}
"""uvicorn and zoneinfo use them where they are installed."""


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The top-level names of everything a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def settings() -> list[str]:
    """All configuration keys as `section.key`."""
    keys = []
    for section, field in Settings.model_fields.items():
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                keys += [f"{section}.{key}" for key in kind.model_fields]
    return keys + [f"policies.{key}" for key in policies.keys()]  # noqa: SIM118


def test_every_file_beside_the_code_is_installed_with_it() -> None:
    patterns = pyproject()["tool"]["setuptools"]["package-data"]
    beside = [
        path
        for folder in ("gateway", "wbxml")
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
        and path.suffix not in {".py", ".md"}
        and not any(part.startswith((".", "__")) for part in path.relative_to(ROOT).parts)
    ]
    assert {path.suffix for path in beside} >= {".sql", ".html", ".js", ".typed"}
    for path in beside:
        package = next(folder for folder in path.parents if (folder / "__init__.py").exists())
        name = ".".join(package.relative_to(ROOT).parts)
        inside = path.relative_to(package)
        globs = [*patterns["*"], *patterns.get(name, [])]
        assert any(inside.match(glob) and len(inside.parts) == glob.count("/") + 1 for glob in globs), path


@pytest.mark.parametrize("setting", settings())
def test_every_setting_is_in_the_admin_guide(setting: str) -> None:
    section, _, key = setting.partition(".")
    guide = (ROOT / "deploy/admin-guide.md").read_text()
    table = re.search(rf"^\| `\[{section}\]` .*?(?=\n\n)", guide, re.MULTILINE | re.DOTALL)
    assert table, f"no table for [{section}]"
    assert f"\n| `{key}` |" in table[0]


def test_the_admin_guide_says_what_the_defaults_are() -> None:
    guide = (ROOT / "deploy/admin-guide.md").read_text()
    compared = 0
    for section, table in re.findall(r"^\| `\[(\w+)\]` (.*?)(?=\n\n)", guide, re.MULTILINE | re.DOTALL):
        told = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", table, re.MULTILINE))
        whole = Settings.model_fields[section].annotation
        for kind in (whole, *get_args(whole)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                for key, one in kind.model_fields.items():
                    default = one.get_default(call_default_factory=True)
                    if isinstance(default, int | float | str) and default != "":
                        said = str(default).lower() if isinstance(default, bool) else str(default)
                        assert told[key].strip("`") == said, f"{section}.{key}"
                        compared += 1
    assert compared > 50


def test_the_admin_guide_invents_no_setting_and_tells_each_once() -> None:
    guide = (ROOT / "deploy/admin-guide.md").read_text()
    tables = re.findall(r"^\| `\[(\w+)\]` .*?(?=\n\n)", guide, re.MULTILINE | re.DOTALL)
    assert sorted(tables) == sorted(Settings.model_fields)
    told = [
        f"{section}.{key}"
        for section, table in re.findall(r"^\| `\[(\w+)\]` (.*?)(?=\n\n)", guide, re.MULTILINE | re.DOTALL)
        for key in re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    ]
    assert sorted(told) == sorted(settings())


def test_banners_are_one_line() -> None:
    broken = [
        str(path)
        for path in python_files("gateway", "wbxml", "tests")
        if re.search(r"^ *# *-+$", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
            known = {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}
            assert anchor in known, link


def test_every_room_without_io_is_held_to_it() -> None:
    contracts = pyproject()["tool"]["importlinter"]["contracts"]
    (contract,) = (one for one in contracts if "do no I/O" in one["name"])
    rooms = {path.parent.name for path in (ROOT / "gateway").glob("*/__init__.py")}
    assert {f"gateway.{room}" for room in rooms - ROOMS_WITH_IO} <= set(contract["source_modules"])


def test_dependencies_are_what_is_imported() -> None:
    project = pyproject()["project"]
    requirements = list(project["dependencies"])
    for extra, more in project["optional-dependencies"].items():
        requirements += more if extra not in NOT_THE_GATEWAYS else []
    declared = {re.split(r"[><=~\[ ]", one)[0].lower().replace("-", "_") for one in requirements}
    used = {
        COMES_WITH.get(name, name) for path in python_files("gateway", "wbxml") for name in imported(path)
    }
    assert used - set(sys.stdlib_module_names) - {"gateway", "wbxml"} == declared - LOADED_BY_OTHERS


def test_what_is_large_is_imported_when_it_is_needed() -> None:
    code = "import sys, gateway.app, gateway.cli; print(*{name.partition('.')[0] for name in sys.modules})"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    assert not LARGE & set(told.stdout.split())
