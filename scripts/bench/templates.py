"""Reads the templates that come with the project and prints how long that takes, in milliseconds.

"cold" is a fresh process that reads for the first time, without starting Python and importing the program; "warm" is again in
this process: the median and the slowest of a few rounds. Each scheme is read without plugins; a plugin's time is what it adds to
that. The last column compares with reading everything. The machine's load is printed, as it stretches all of them.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from app import config
from app.config import Settings
from app.schemes import loader, schemas

COLD = """
import time
from app import config
from app.schemes import loader
start = time.perf_counter()
loader.load_all(config.load({}))
print(time.perf_counter() - start)
"""


def timed(work: Callable[[], object], rounds: int) -> list[float]:
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return times


def cold() -> float:
    made = subprocess.run([sys.executable, "-c", COLD], cwd=config.ROOT, capture_output=True, text=True, check=True, timeout=120)
    return float(made.stdout)


def row(name: str, times: list[float], whole: float) -> None:
    median = statistics.median(times)
    print(f"{name:44}{median * 1000:9.0f}{max(times) * 1000:9.0f}{median / whole:9.0%}")


def only(folder: Path, name: str, source: Path) -> Path:
    """A folder that holds just this scheme or plugin."""
    home = folder / name
    shutil.copytree(source, home / source.name)
    return home


def main(rounds: int) -> None:
    settings: Settings = config.load({})
    first = [cold() for _ in range(min(rounds, 3))]
    warm = timed(lambda: loader.load_all(settings), rounds)
    whole = statistics.median(warm)
    print(f"{'milliseconds':44}{'median':>9}{'slowest':>9}{'of all':>9}")
    row("all, cold", first, whole)
    row("all, warm", warm, whole)
    catalogue = loader.load_all(settings)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "none").mkdir()
        bases: dict[str, tuple[Path, float]] = {}
        for scheme in dict.fromkeys(scheme for scheme, _ in catalogue.schemes):
            home = only(folder, f"scheme-{scheme}", settings.templates_dir / scheme)
            alone = replace(settings, templates_dir=home, plugins_dir=folder / "none")
            times = timed(partial(loader.load_all, alone), rounds)
            bases[scheme] = (home, statistics.median(times))
            row(f"scheme {scheme}", times, whole)
        for plugin in sorted(catalogue.contributions.values(), key=lambda one: one.plugin.id):
            scheme = next(one for one in plugin.plugin.extends if one in bases)
            home, base = bases[scheme]
            plugins = only(folder, f"plugin-{plugin.plugin.id}", plugin.plugin.folder)
            extended = replace(settings, templates_dir=home, plugins_dir=plugins)
            times = timed(partial(loader.load_all, extended), rounds)
            row(f"plugin {plugin.plugin.id}", [max(one - base, 0.0) for one in times], whole)
    for scheme, version in catalogue.schemes:
        ids = [plugin.id for plugin in loader.choices(catalogue, scheme, version)]
        template = loader.compose(catalogue, scheme, version, ids)
        composing = timed(partial(loader.compose, catalogue, scheme, version, ids), rounds)
        row(f"compose {scheme} {version} with {len(ids)} plugins", composing, whole)
        row(f"canonical JSON of {scheme} {version}", timed(partial(schemas.canonical, template), rounds), whole)
    print(f"\nload {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors, {rounds} rounds")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
