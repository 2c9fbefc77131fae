"""What fails for a whole request is caught by nothing that answers for a part of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import gateway

ROOT = Path(gateway.__file__).parent
ENDS = {"ENDS_REQUEST", "StoreUnavailable"}
BESIDE = {
    "eas/ahead.py": "fetched for a request to come, which asks itself",
    "eas/sending.py": "noted after the message was sent",
    "eas/stubs.py": "looked at in the background",
    "eas/wiping.py": "a device that was wiped does not come again; what follows tells of the store",
    "sync/exporting.py": "nothing is asked of the store there",
    "sync/intake.py": "in the background",
    "sync/notices.py": "in the background",
}
"""Files in which something is caught that is not for the answer to a request, and why that is so."""


def named(kind: ast.expr | None) -> set[str]:
    """The names of what is caught."""
    return {node.id for node in ast.walk(kind) if isinstance(node, ast.Name)} if kind else set()


def raises(handler: ast.ExceptHandler) -> bool:
    return isinstance(handler.body[-1], ast.Raise)


def swallowing(tree: ast.AST) -> Iterator[int]:
    """Lines at which a failing store would end as if it were a matter of a part."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Try):
            continue
        passed = False
        for handler in node.handlers:
            passed = passed or (bool(named(handler.type) & ENDS) and raises(handler))
            if "GatewayError" in named(handler.type) and not passed and not raises(handler):
                yield handler.lineno


def test_a_failing_store_is_a_matter_of_the_whole_request() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): lines
        for room in ("eas", "sync")
        for path in sorted((ROOT / room).rglob("*.py"))
        if (lines := [*swallowing(ast.parse(path.read_bytes()))])
    }
    assert {name: found.get(name) for name in found.keys() ^ BESIDE.keys()} == {}
    assert max(map(len, found.values())) == 1


def test_it_is_seen() -> None:
    caught = "try:\n    f()\nexcept {}:\n    raise\nexcept GatewayError:\n    pass\n"
    assert [*swallowing(ast.parse(caught.format("ValueError")))] == [5]
    assert [*swallowing(ast.parse(caught.format("ENDS_REQUEST")))] == []
