"""The house rules, held by reading the code itself."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from flask import Flask

from app import permissions
from app.extensions import Base

ROOT = Path(__file__).resolve().parent.parent
APP = ROOT / "app"
FLASK_REQUEST_NAMES = {"request", "session", "current_user", "g", "flash"}


def modules(*folders: Path) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(path for folder in folders or (APP,) for path in folder.rglob("*.py")):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def test_floors_hold() -> None:
    done = subprocess.run([Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout


def test_commit_stands_once() -> None:
    found = [
        (name, node.lineno)
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    ]
    assert [name for name, _ in found] == ["app/extensions.py"], found


def test_only_the_edges_open_transactions() -> None:
    edges = ("app/web/", "app/cli.py", "app/jobs.py", "app/pipeline.py", "app/demo", "app/extensions.py")
    found = [
        name
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "transaction"
    ]
    assert sorted({name for name in found if not name.startswith(edges)}) == []


def test_flasks_request_appears_only_under_web() -> None:
    found = [
        (name, alias.name)
        for name, tree in modules()
        if not name.startswith("app/web/")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in ("flask", "flask_login")
        for alias in node.names
        if alias.name in FLASK_REQUEST_NAMES
    ]
    assert found == []


def test_nothing_waits_without_a_limit() -> None:
    """Neither the program nor its tests: what can hang for ever does so one day. A limit is an argument: ``thread.join(20)``."""
    in_the_sandbox = {"app/files/docx_cleaning.py", "tests/files/sandbox_probes.py"}  # where each call has a wall time
    endless = [
        f"{name}:{node.lineno} {ast.unparse(node.func)}"
        for name, tree in modules(APP, ROOT / "tests")
        if name not in in_the_sandbox
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if (node.func.attr in ("wait", "join", "communicate") and not node.args + node.keywords)
        or (ast.unparse(node.func) == "subprocess.run" and "timeout" not in {keyword.arg for keyword in node.keywords})
    ]
    assert endless == []


def test_relationships_point_from_child_to_parent() -> None:
    upward = [
        f"{mapper.class_.__name__}.{relation.key}"
        for mapper in Base.registry.mappers
        for relation in mapper.relationships
        if relation.direction.name != "MANYTOONE"
    ]
    assert upward == []


def test_every_endpoint_is_guarded(app: Flask) -> None:
    bare = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static" and not hasattr(app.view_functions[rule.endpoint], "guarded_action")
    ]
    assert sorted(set(bare)) == []


def test_every_guarded_action_is_in_the_table_of_rights(app: Flask) -> None:
    used = {getattr(view, "guarded_action", "") for view in app.view_functions.values()} - {""}
    assert used == set(permissions.ACTIONS)


def test_plugins_import_only_the_plugin_api() -> None:
    found = [
        (path.name, name)
        for path in (ROOT / "plugins").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in _imported(node)
        if name.split(".")[0] == "app" and name != "app.plugin_api"
    ]
    assert found == []


def test_the_plugin_api_imports_nothing_of_ours() -> None:
    tree = ast.parse((APP / "plugin_api.py").read_text(encoding="utf-8"))
    assert [name for node in ast.walk(tree) for name in _imported(node) if name.startswith("app")] == []


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
