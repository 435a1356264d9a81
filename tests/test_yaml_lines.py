from pathlib import Path

import pytest

from app.config import ROOT
from app.errors import TemplateFault
from app.yaml_lines import MAX_BYTES, Document, read, shown_file, shown_path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "form.yaml"


def fault_of(path: Path, content: str | bytes) -> tuple[str, int | None, str, str]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(TemplateFault) as caught:
        read(path)
    fault = caught.value
    return Path(fault.file).name, fault.line, fault.key, fault.problem


def test_read_gives_data_and_the_line_of_every_key_and_item(path: Path) -> None:
    path.write_text("id: a\nlist:\n  - x: 1\n    y: 0.5\n  -\n    x: [true, ~]\nlevels:\n  1: {nl: Nee, en: No}\n")
    assert read(path) == Document(
        data={"id": "a", "list": [{"x": 1, "y": 0.5}, {"x": [True, None]}], "levels": {1: {"nl": "Nee", "en": "No"}}},
        lines={
            (): 1,
            ("id",): 1,
            ("list",): 2,
            ("list", 0): 3,
            ("list", 0, "x"): 3,
            ("list", 0, "y"): 4,
            ("list", 1): 6,
            ("list", 1, "x"): 6,
            ("list", 1, "x", 0): 6,
            ("list", 1, "x", 1): 6,
            ("levels",): 7,
            ("levels", 1): 8,
            ("levels", 1, "nl"): 8,
            ("levels", 1, "en"): 8,
        },
        file=str(path),
    )


def test_read_leaves_words_and_dates_and_quoted_numbers_as_text(path: Path) -> None:
    path.write_text("[yes, No, on, 2026-01-31, 12:30, 1_000, 0x1F, 010, 1e3, '1', \"true\", .5, =, <<]\n")
    assert read(path).data == [
        *("yes", "No", "on", "2026-01-31", "12:30", "1_000", "0x1F", "010", "1e3", "1", "true", ".5", "=", "<<"),
    ]


def test_read_copies_what_an_alias_names(path: Path) -> None:
    path.write_text("a: &levels {x: 1}\nb: *levels\n")
    assert read(path).data == {"a": {"x": 1}, "b": {"x": 1}}
    assert read(path).line(("b", "x")) == 2


EMPTY = "the file is empty; needed are keys and values, such as title: {nl: …, en: …}"
QUOTES = "a text with : # { } [ ] , or an apostrophe in it needs double quotes"
BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("content", "line", "key", "problem"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\n", 4, "b.c", "this key stands twice; the first is on line 3"),
        ("", 1, "", EMPTY),
        ("# only a remark\n", 1, "", EMPTY),
        ("a:\n\tb: 1\n", 2, "", "found a tab in the indentation; use spaces"),
        (b"a: 1\nb: caf\xe9\n", 2, "", "found byte 0xe9; save the file as UTF-8"),
        ("a: 1\nb: 'x\x01'\n", 2, "", "found the control character U+0001; remove it"),
        ("a: 1\nb: c: d\n", 2, "", f"no valid YAML: mapping values are not allowed in this context; {QUOTES}"),
        (
            "a: [1\nb: 2\n",
            2,
            "",
            "no valid YAML: while parsing a flow sequence did not find expected ',' or ']'; what it belongs to begins on line 1; "
            + QUOTES,
        ),
        ("a: 1\n--- \nb: 1\n", 3, "", "a second document starts here; use one document a file"),
        (
            "a:\n  b: !!python/object:os.system x\n",
            2,
            "a.b",
            "found the tag tag:yaml.org,2002:python/object:os.system; tags are not used here",
        ),
        ("a:\n  [1]: b\n", 2, "a", "a key must be a text or a whole number"),
        ("true: b\n", 1, "", "a key must be a text or a whole number"),
        ("a: *b\n", 1, "a", "*b refers to nothing above it"),
        ("a: &a\n  - *a\n", 2, "a[0]", "*a refers to nothing above it"),
        (BOMB, 5, "e[7]", "more than 100000 values, where each alias counts in full"),
        ("[" * 100_000, 1, "[0][0][0]", "nested deeper than 40 levels"),
        ("a: " + "{a: " * 900, 1, "a.a.a", "nested deeper than 40 levels"),
    ],
)
def test_read_refuses_with_line_and_key(path: Path, content: str | bytes, line: int, key: str, problem: str) -> None:
    assert fault_of(path, content) == ("form.yaml", line, key, problem)


def test_read_refuses_a_huge_or_missing_file(path: Path, tmp_path: Path) -> None:
    assert fault_of(path, b"#" * (MAX_BYTES + 1)) == ("form.yaml", None, "", "the file is larger than 1000000 bytes; split it up")
    with pytest.raises(TemplateFault, match="the file cannot be read: No such file or directory"):
        read(tmp_path / "none.yaml")


def test_line_falls_back_to_what_is_around(path: Path) -> None:
    path.write_text("a:\n  b: 1\n")
    assert [read(path).line(key) for key in (("a", "b", "c"), ("a", "x"), ("x",))] == [2, 1, 1]


def test_shown_file_and_path_read_well() -> None:
    assert shown_file(ROOT / "plugins" / "x" / "plugin.yaml") == "plugins/x/plugin.yaml"
    assert shown_path(("questions", 2, "words", "min")) == "questions[2].words.min"
