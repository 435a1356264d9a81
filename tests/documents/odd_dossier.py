"""The sample dossier of somebody whose names, words, tables and appendices are all unusual."""

from typing import Any

import sample_dossier
from sample_dossier import question, section, sha, text

NAME = "Şebnem Ðorđević-van ’t Hooft"
SUPERVISOR = "د. ليلى بنت محمد الحسيني"
LONG_WORD = "meervoudigepersoonlijkheidsontwikkelingstrajectbegeleidingsovereenkomst" * 3
NAMES = {
    "arabic": "محمد عبد الرحمن",
    "hebrew": "שלומית בן־דוד",
    "mixed": "Yusuf يوسف Öztürk (יוסף)",
    "emoji": "Team 👩🏽‍💼👨🏿‍🔧 Loopbaan 🚀",
    "marks": "Nguyễn Thị Ánh, Z̧ǎkî ẹ̀kọ́",
    "cyrillic": "Ольга Сергіївна Ґудзь",
    "no glyph": "王小明",
}
LONG_TABLE = 60
APPENDICES = 40


def snapshot(*, evidence: int = APPENDICES) -> dict[str, Any]:
    """With so many appendices (each of one page), of which the log of trainings uses all."""
    data = sample_dossier.snapshot(trainings=LONG_TABLE)
    data.update(organisation="Register Loopbaanprofessionals “Ÿ” & Zonen", candidate={"name": NAME, "email": "s@example.org"})
    names = section(
        "namen",
        "algemeen",
        "Namen en woorden",
        [
            *(question(f"naam_{number}", "short_text", f"Naam {number}") for number in range(len(NAMES))),
            question("lang", "short_text", f"Wat betekent {LONG_WORD}?"),
            question("uitleg", "long_text", "Uitleg", words={}),
            question("leeg", "long_text", "Hier staat niets", words={}),
            question("lege_lijst", "table", "Lege lijst", fields=[{"id": "a", "type": "short_text", "label": text("A")}]),
            question(
                "breed",
                "table",
                "Eén heel lange kolom",
                fields=[
                    {"id": "nr", "type": "short_text", "label": text("Nr")},
                    {"id": "verhaal", "type": "long_text", "label": text("Verhaal"), "words": {}},
                    {"id": "uren", "type": "number", "label": text("Uren")},
                ],
            ),
        ],
    )
    empty = section(
        "niets", "algemeen", "Onderdeel dat niet geldt", [question("x", "short_text", "X", shown_if="namen.lang == 'x'")]
    )
    data["template"]["sections"] += [names, empty]
    data["answers"]["namen"] = {
        **{f"naam_{number}": name for number, name in enumerate(NAMES.values())},
        "lang": LONG_WORD,
        "uitleg": "\n\n".join(f"{name} en {LONG_WORD}." for name in NAMES.values()),
        "breed": [{"row": "r1", "nr": "1", "verhaal": sample_dossier.CASE * 3, "uren": "12"}, {"row": "r2", "nr": LONG_WORD}],
    }
    data["statements"][0]["supervisor"]["name"] = SUPERVISOR
    data["statements"][0]["signed_name"] = SUPERVISOR
    data["signature"]["name"] = NAME
    titles = [*NAMES.values(), LONG_WORD, "IMG_0001", "a"]
    data["evidence"] = [
        sample_dossier._item(
            100 + n, n, f"{titles[n % len(titles)]}.pdf", titles[n % len(titles)], "pdf", 1, [["scholing", "lijst"]]
        )
        for n in range(1, evidence + 1)
    ]
    for answers in data["answers"].values():
        answers.update({name: [] for name in ("bewijs", "cv") if name in answers})
    for number, row in enumerate(data["answers"]["scholing"]["lijst"]):
        row["proof"] = [101 + number % evidence] if evidence else []
    data["template_sha256"] = sha("odd template")
    return data
