"""Which version of the shipped schemes applies to whom on which day, and what a certificate from that day follows."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from app.config import Settings
from app.errors import NotFound
from app.schemes import loader, versions


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> loader.Catalogue:
    return loader.load_all(Settings(mode="demo", instance=tmp_path_factory.mktemp("instance")))


@pytest.mark.parametrize(
    ("scheme", "started", "on", "version", "years", "levels"),
    [
        ("initial", {}, date(2007, 1, 1), "2007", 3, 3),
        ("initial", {}, date(2020, 6, 30), "2007", 3, 3),
        ("initial", {}, date(2020, 7, 1), "2020", 4, 0),
        ("initial", {"2007": date(2020, 6, 1)}, date(2020, 7, 1), "2020", 4, 0),
        ("initial", {}, date(2025, 12, 31), "2020", 4, 0),
        ("initial", {}, date(2026, 1, 1), "2026.1", 4, 0),
        ("initial", {"2020": date(2025, 12, 1)}, date(2026, 1, 1), "2026.1", 4, 0),
        ("recertification", {}, date(2018, 9, 30), "2007", 3, 3),
        ("recertification", {}, date(2018, 10, 1), "2018", 3, 3),
        ("recertification", {}, date(2020, 6, 30), "2018", 3, 3),
        ("recertification", {}, date(2020, 7, 1), "2020", 4, 0),
        ("recertification", {"2018": date(2020, 6, 1), "2020": date(2021, 1, 1)}, date(2026, 5, 1), "2026.1", 4, 0),
    ],
)
def test_the_version_that_applies_to_a_person_on_a_day(
    shipped: loader.Catalogue,
    scheme: str,
    started: Mapping[str, date],
    on: date,
    version: str,
    years: int,
    levels: int,
) -> None:
    found = versions.for_person(shipped.ever(scheme), on, started)
    assert (found.version, found.validity_years, len(getattr(found, "levels", ()))) == (version, years, levels)


@pytest.mark.parametrize(("scheme", "day"), [("initial", date(2006, 12, 31)), ("specialisation", date(2025, 12, 31))])
def test_a_day_before_the_first_version_has_none(shipped: loader.Catalogue, scheme: str, day: date) -> None:
    with pytest.raises(NotFound, match="not in use on this date"):
        versions.for_person(shipped.ever(scheme), day, {})


def test_nobody_starts_on_a_version_that_is_only_history(shipped: loader.Catalogue) -> None:
    assert [one.version for one in shipped.templates("initial")] == ["2026.1"]
    with pytest.raises(NotFound):
        versions.for_person(shipped.templates("initial"), date(2025, 12, 31), {})


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (date(2015, 1, 1), date(2017, 12, 31), (date(2016, 12, 1), date(2017, 12, 31))),
        (date(2017, 3, 1), date(2020, 2, 29), (date(2017, 3, 1), date(2018, 12, 31))),
        (date(2019, 1, 1), date(2021, 12, 31), None),
        (date(2013, 12, 1), date(2016, 11, 30), None),
        (date(2026, 1, 1), date(2029, 12, 31), None),
    ],
)
@pytest.mark.parametrize("scheme", ["initial", "recertification"])
def test_a_certificate_is_accredited_on_the_days_of_the_claim_only(
    shipped: loader.Catalogue, scheme: str, first: date, last: date, expected: tuple[date, date] | None
) -> None:
    version = versions.for_person(shipped.ever(scheme), first, {})
    assert versions.accredited_days(version, first, last) == expected


def test_a_fault_in_the_earlier_versions_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "templates" / "initial"
    folder.parent.mkdir()
    root = Path(__file__).parents[2] / "dossier_templates"
    (folder / "2026.1").parent.mkdir()
    (folder / "2026.1").symlink_to(root / "initial" / "2026.1", target_is_directory=True)
    text = (root / "initial" / "earlier.yaml").read_text()
    settings = Settings(mode="demo", instance=tmp_path, templates_dir=tmp_path / "templates", plugins_dir=tmp_path / "none")

    def faults(old: str, new: str) -> list[str]:
        (folder / "earlier.yaml").write_text(text.replace(old, new, 1))
        return [str(one).partition("earlier.yaml")[2] for one in loader.load_all(settings).faults]

    assert faults("", "") == []
    assert faults("2020-06-30", "2020-05-30") == [
        (
            ":15: versions[1].effective_from: found '2020-07-01'; version 2007 ends on 2020-05-30, so there are days without a "
            "version; needed is the day after that"
        )
    ]
    assert faults('version: "2020"', 'version: "2007"')[0].startswith(":14: versions[1].version: found '2007' twice")
    assert faults("validity_years: 3", "validity_years: -3")[0].startswith(":8: versions[0].validity_years: found -3;")
