"""Plugins in ``tests/plugins``: each folder is named after what is right or wrong with it."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app import plugin_loader
from app.config import Settings
from app.plugin_api import BundleInfo, Facts, Finding, ListBlock, Paragraph, Receipt, Run, Table
from app.plugin_loader import Plugin, PluginFailed, call_hook, find_plugins
from app.schemes import question_types

PLUGINS = Path(__file__).parent / "plugins"
BUNDLE = BundleInfo(path="x.zip", sha256="1", snapshot_sha256="2", reference="HC-1", revision=1, scheme="small")
HOOKS = {"question_types": (), "check_dossier": ({"answers": {}},), "document_blocks": ({"answers": {}},), "deliver": (BUNDLE,)}
NOT_WORKING = "De uitbreiding “{}” werkt nu niet. Neem contact op met het secretariaat."


def found(folder: Path = PLUGINS) -> dict[str, Plugin]:
    return {plugin.id: plugin for plugin in find_plugins(Settings(plugins_dir=folder))}


def write(folder: Path, hooks: str, name: str = "written") -> Plugin:
    """A plugin with these hooks."""
    target = folder / name
    target.mkdir(parents=True)
    manifest = (PLUGINS / "raising" / "plugin.yaml").read_text().replace("raising", name)
    (target / "plugin.yaml").write_text(manifest)
    (target / "hooks.py").write_text(hooks)
    return found(folder)[name]


def test_find_plugins_gives_a_good_one_whole() -> None:
    plugin = found()["good"]
    assert (plugin.enabled, plugin.faults, plugin.version, plugin.kind, plugin.extends) == (
        True,
        (),
        "1.0",
        "extension",
        ("small",),
    )
    assert plugin.title == {"nl": "Proef good", "en": "Trial good"}
    assert set(plugin.hooks) == set(HOOKS)
    assert len(plugin.hooks_sha256) == 64
    assert plugin.manifest is not None
    assert plugin.manifest.data["after"] == "first"


def test_find_plugins_names_every_fault() -> None:
    keys = "id, title, description, version, api, kind, extends, group, after, entry, hours, check"
    plugins = found().items()
    faults = {
        name: tuple(fault.removeprefix(f"tests/plugins/{name}/") for fault in plugin.faults)
        for name, plugin in plugins
        if not plugin.enabled
    }
    exploding = faults.pop("exploding")
    assert faults == {
        "broken_yaml": (
            "plugin.yaml:3: no valid YAML: while parsing a flow mapping did not find expected ',' or '}'; what it belongs to begins on line 2; a text with : # { } [ ] , or an apostrophe in it needs double quotes",  # noqa: E501
        ),
        "forbidden_import": (
            "hooks.py:5: imports app.extensions; allowed are app.plugin_api and the standard library",
            "hooks.py:6: imports app.errors; allowed are app.plugin_api and the standard library",
        ),
        "misspelt_hook": (
            (f"hooks.py:4: check_dosier is no hook; hooks are {', '.join(HOOKS)}, and helpers start with an underscore"),
        ),
        "no_manifest": ("tests/plugins/no_manifest: the folder has no plugin.yaml",),
        "other_name": (
            ("plugin.yaml:1: id: found 'another_id'; it must be the name of the folder or entry point, 'other_name'"),
        ),
        "unknown_key": (
            f"plugin.yaml:7: colour: unknown key; allowed are {keys}",
            'plugin.yaml:1: version: is missing; needed is a text in quotes, such as "1.0"',
            "plugin.yaml:4: api: found 2; allowed is 1",
            "plugin.yaml:8: after: found 'First group'; allowed is the id of a group of the scheme",
        ),
        "wrong_parameters": (
            ("hooks.py:4: deliver: must be a function deliver(bundle_info: app.plugin_api.BundleInfo) -> app.plugin_api.Receipt"),
        ),
    }
    assert len(exploding) == 1
    assert exploding[0].startswith("hooks.py raised when it was read\nTraceback")
    assert exploding[0].endswith("SystemExit: gone\n")


def test_find_plugins_names_a_syntax_error(tmp_path: Path) -> None:
    plugin = write(tmp_path, "def deliver(:\n    pass\n")
    (fault,) = plugin.faults
    first, _, rest = fault.partition("\n")
    assert first == f"{tmp_path}/written/hooks.py:1: no valid Python: invalid syntax"
    assert "SyntaxError" in rest


@pytest.mark.parametrize(
    "hooks", ["async def deliver(bundle_info): ...", "def deliver(bundle_info):\n    yield 1", "deliver = 3"]
)
def test_find_plugins_refuses_hooks_that_are_no_plain_functions(tmp_path: Path, hooks: str) -> None:
    (fault,) = write(tmp_path, hooks).faults
    assert "deliver" in fault


def test_find_plugins_without_a_folder_finds_none(tmp_path: Path) -> None:
    assert found(tmp_path / "none") == {}


@pytest.mark.parametrize("name", list(HOOKS))
@pytest.mark.parametrize("plugin_id", ["raising", "wrong_type"])
def test_call_hook_disables_a_plugin_that_raises_or_gives_something_else(plugin_id: str, name: str) -> None:
    plugin = found()[plugin_id]
    assert plugin.enabled
    if name in ("question_types", "check_dossier"):
        assert not call_hook(plugin, name, *HOOKS[name])
    else:
        with pytest.raises(PluginFailed) as caught:
            call_hook(plugin, name, *HOOKS[name])
        assert caught.value.text["nl"] == NOT_WORKING.format(f"Proef {plugin_id}")
        assert caught.value.details == {"plugin": plugin_id}
    assert not plugin.enabled
    (fault,) = plugin.faults
    if plugin_id == "raising":
        assert fault.startswith(f"hooks.py: {name} raised LookupError\nhooks.py:")
        assert "went wrong" not in fault  # an error's words may hold answers
        assert [(one.hook, one.kind) for one in plugin.noted] == [(f"hooks.py: {name}", "LookupError")]
    else:
        assert fault == f"hooks.py: {name} gave int; see plugin_api for what it must give"
        assert [(one.hook, one.kind, one.place) for one in plugin.noted] == [(f"hooks.py: {name}", "gave int", "")]


def test_call_hook_gives_what_a_good_plugin_gives_and_keeps_the_callers_data() -> None:
    plugin = found()["good"]
    data = {"answers": {"good_area": {"story": "x"}}}
    assert call_hook(plugin, "check_dossier", data) == [Finding(section="good_area", text={"nl": "Let op.", "en": "Mind this."})]
    assert data == {"answers": {"good_area": {"story": "x"}}}
    assert call_hook(plugin, "document_blocks", data) == [Paragraph((Run("extra"),))]
    assert call_hook(plugin, "deliver", BUNDLE) == Receipt(reference="R-HC-1")


def test_call_hook_gives_the_default_for_a_hook_that_is_not_there(tmp_path: Path) -> None:
    plugin = write(tmp_path, "X = 1\n")
    assert [call_hook(plugin, name, *HOOKS[name]) for name in ("question_types", "check_dossier", "document_blocks")] == [
        {},
        [],
        [],
    ]
    with pytest.raises(PluginFailed):
        call_hook(plugin, "deliver", BUNDLE)
    assert plugin.enabled


def test_call_hook_of_a_disabled_plugin_leaves_out_no_content_in_silence() -> None:
    plugin = found()["exploding"]
    assert call_hook(plugin, "check_dossier", {}) == []
    with pytest.raises(PluginFailed):
        call_hook(plugin, "document_blocks", {})


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installed package whose entry point names a plugin ``installed``."""
    folder = tmp_path / "site" / "career_plugins" / "installed"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / "__init__.py").write_text("raise RuntimeError('must not be imported')")
    (folder / "plugin.yaml").write_text((PLUGINS / "raising" / "plugin.yaml").read_text().replace("raising", "installed"))
    info = tmp_path / "site" / "career_plugins-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: career-plugins\nVersion: 1\n")
    (info / "entry_points.txt").write_text(
        f"[{plugin_loader.ENTRY_POINTS}]\ninstalled = career_plugins.installed\nlost = nowhere_at_all\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    yield folder
    sys.modules.pop("career_plugins", None)


def test_find_plugins_finds_installed_packages(package: Path, tmp_path: Path) -> None:
    plugins = found(tmp_path / "none")
    assert (plugins["installed"].folder, plugins["installed"].faults) == (package, ())
    (fault,) = plugins["lost"].faults
    assert fault.startswith("entry point lost = nowhere_at_all has no plugin\nTraceback")


def test_find_plugins_disables_the_second_of_one_id(package: Path, tmp_path: Path) -> None:
    write(tmp_path / "plugins", "X = 1\n", name="installed")
    folder = tmp_path / "plugins" / "installed"
    both = [plugin for plugin in find_plugins(Settings(plugins_dir=tmp_path / "plugins")) if plugin.id == "installed"]
    assert [plugin.folder for plugin in both] == [folder, package]
    assert [plugin.faults for plugin in both] == [(), (f"{package}: id: 'installed' is taken by {folder}",)]


@pytest.mark.parametrize(
    ("result", "fits"),
    [
        ([Paragraph((Run("Tekst"),))], True),
        ([Paragraph("Tekst")], False),  # type: ignore[arg-type]  # the mistake that everybody makes
        ([ListBlock(((Run("een"),), (Run("twee"),)))], True),
        ([ListBlock(("een", "twee"))], False),  # type: ignore[arg-type]
        ([Facts((("Label", "waarde"),))], False),  # type: ignore[arg-type]
        ([Table("Kop", ("A",), (((Run("1"),),),))], True),
        ([Table("Kop", ("A",), (("1",),))], False),  # type: ignore[arg-type]
        (["Tekst"], False),
    ],
)
def test_blocks_are_looked_into(result: list[object], fits: bool) -> None:
    assert plugin_loader.is_blocks(result) is fits


@pytest.mark.parametrize(
    ("change", "fits"), [({}, True), ({"widget": "nope"}, False), ({"widget": "table"}, False), ({"read": None}, False)]
)
def test_question_types_need_a_widget_of_ours_and_functions(change: dict[str, object], fits: bool) -> None:
    made = replace(question_types.BUILT_IN["short_text"], name="own", **change)  # type: ignore[arg-type]
    assert plugin_loader._is_types({"own": made}) is fits
