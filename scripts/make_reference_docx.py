"""Makes dossier_templates/house_style/reference.docx anew: the styles of the Word document.

The secretariat may change the looks in Word itself (Modify Style, keep the names); this script is only needed to start
again from the beginning: ``python scripts/make_reference_docx.py``.
"""

from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import docx
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_LINE_SPACING, WD_TAB_ALIGNMENT
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor, Twips

TARGET = Path(__file__).parents[1] / "dossier_templates" / "house_style" / "reference.docx"
BODY, HEADINGS = "Calibri", "Georgia"
PETROL, DARK, GREY, OCHRE, WARNING, WHITE = "0F4C5C", "0A3641", "4A5565", "E9B44C", "7A4306", "FFFFFF"
LINE, TINT, PAPER = "CFD8DA", "EEF4F5", "F7F5F0"

# name, based on, font, points, colour, bold, space before, space after (points), keep with the next paragraph
PARAGRAPHS = [
    ("Normal", None, BODY, 10.5, "1B2430", False, 0, 7, False),
    ("Title", "Normal", HEADINGS, 30, WHITE, True, 0, 6, False),
    ("Subtitle", "Normal", BODY, 14, OCHRE, True, 0, 4, False),
    ("Cover Organisation", "Normal", BODY, 12, WHITE, True, 0, 150, False),
    ("Cover Candidate", "Normal", HEADINGS, 20, DARK, True, 30, 12, False),
    ("Heading 1", "Normal", HEADINGS, 21, DARK, True, 24, 12, True),
    ("Heading 2", "Normal", HEADINGS, 15, DARK, True, 18, 8, True),
    ("Heading 3", "Normal", HEADINGS, 12, DARK, True, 14, 6, True),
    ("Heading 4", "Normal", HEADINGS, 10.5, DARK, True, 12, 4, True),
    ("TOC Heading", "Normal", HEADINGS, 21, DARK, True, 0, 12, True),
    ("TOC 1", "Normal", BODY, 11, DARK, True, 8, 2, False),
    ("TOC 2", "Normal", BODY, 10, "1B2430", False, 0, 2, False),
    ("Lead", "Normal", BODY, 11.5, DARK, False, 0, 10, True),
    ("Hint", "Normal", BODY, 9, GREY, False, 0, 7, False),
    ("Label", "Normal", BODY, 11, PETROL, True, 14, 5, True),
    ("Kicker", "Normal", BODY, 9, WARNING, True, 14, 0, True),
    ("Area Size", "Normal", BODY, 9, GREY, False, 0, 10, True),
    ("Step", "Normal", BODY, 10, DARK, True, 8, 2, True),
    ("Caption", "Normal", BODY, 9.5, DARK, True, 8, 4, True),
    ("Cell", "Normal", BODY, 9.5, "1B2430", False, 2, 2, False),
    ("Small Cell", "Cell", BODY, 8.5, "1B2430", False, 2, 2, False),
    ("Hash Cell", "Cell", BODY, 7.5, "1B2430", False, 2, 2, False),
    ("Header Cell", "Cell", BODY, 9.5, WHITE, True, 2, 2, False),
    ("Row Header", "Cell", BODY, 9.5, DARK, True, 2, 2, False),
    ("Declaration", "Normal", BODY, 10.5, "1B2430", False, 3, 5, True),
    ("Evidence Reference", "Normal", BODY, 10.5, DARK, False, 2, 4, False),
    ("Signature Name", "Normal", HEADINGS, 14, DARK, True, 14, 2, True),
    ("Signature Line", "Normal", BODY, 9.5, GREY, False, 0, 0, True),
    ("Notice", "Normal", BODY, 10, WARNING, False, 8, 8, False),
    ("Table End", "Normal", BODY, 4, GREY, False, 0, 0, False),
    ("List Bullet", "Normal", BODY, 10.5, "1B2430", False, 0, 4, False),
    ("List Number", "Normal", BODY, 10.5, "1B2430", False, 0, 4, False),
    ("Header", "Normal", BODY, 8.5, GREY, False, 0, 0, False),
    ("Footer", "Normal", BODY, 8.5, GREY, False, 0, 0, False),
]

TABLE = """<w:style {ns} w:type="table" w:customStyle="1" w:styleId="{id}"><w:name w:val="{name}"/>
<w:basedOn w:val="TableNormal"/>
<w:uiPriority w:val="99"/><w:qFormat/><w:tblPr><w:tblBorders>{borders}</w:tblBorders>
<w:tblCellMar><w:top w:w="30" w:type="dxa"/><w:left w:w="85" w:type="dxa"/><w:bottom w:w="30" w:type="dxa"/>
<w:right w:w="85" w:type="dxa"/></w:tblCellMar></w:tblPr>{conditions}</w:style>"""
SIDE = '<w:{side} w:val="single" w:sz="4" w:space="0" w:color="{colour}"/>'


def main() -> None:
    document = docx.Document()
    _drop_extras(document)
    styles = document.styles
    for name, based_on, font, points, colour, bold, before, after, keep in PARAGRAPHS:
        style = styles[name] if name in styles else styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        _look(style, font, points, colour, bold)
        style.base_style = styles[based_on] if based_on else None
        form = style.paragraph_format
        form.space_before, form.space_after = Pt(before), Pt(after)
        form.keep_with_next, form.widow_control = keep, True
        form.line_spacing_rule, form.line_spacing = WD_LINE_SPACING.MULTIPLE, 1.08 if font == HEADINGS else 1.15
    styles["TOC 2"].paragraph_format.left_indent = Mm(6)
    styles["Declaration"].paragraph_format.left_indent = Mm(7)
    styles["Declaration"].paragraph_format.first_line_indent = Mm(-7)
    for name in ("Signature Name", "Signature Line"):
        _frame(styles[name], "left", OCHRE, 24, PAPER)
    for name in ("Kicker", "Area Size"):
        _frame(styles[name], "left", OCHRE, 24, TINT, space=8)
        styles[name].paragraph_format.left_indent = Twips(180)
    _frame(styles["Notice"], None, "", 0, "FCEFD6")
    _frame(styles["Header"], "bottom", LINE, 4, None)
    _frame(styles["Footer"], "top", LINE, 4, None)
    for name in ("Header", "Footer"):
        stops = styles[name].paragraph_format.tab_stops
        stops.clear_all()
        stops.add_tab_stop(Mm(160), WD_TAB_ALIGNMENT.RIGHT)
    if "Hyperlink" not in styles:
        link = styles.add_style("Hyperlink", WD_STYLE_TYPE.CHARACTER)
        link.font.color.rgb, link.font.underline = RGBColor.from_string("0B5670"), True
    _tables(document)
    _numbering(document)
    _page(document)
    document.core_properties.author = ""
    document.core_properties.comments = ""
    document.save(str(TARGET))
    _fixed_times(TARGET)
    print(TARGET)


def _drop_extras(document: docx.document.Document) -> None:
    """Leaves out what python-docx's own template carries along: a thumbnail and a custom XML part."""
    package = document.part.package
    for owner in (package, document.part):
        for key, relation in list(owner.rels.items()):
            if relation.reltype.endswith(("/thumbnail", "/customXml", "/stylesWithEffects")):
                owner.rels.pop(key)


def _look(style: docx.styles.style.ParagraphStyle, font: str, points: float, colour: str, bold: bool) -> None:
    style.font.name, style.font.size = font, Pt(points)
    style.font.bold, style.font.italic = bold, False
    style.font.color.rgb = RGBColor.from_string(colour)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for kind in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{kind}"), None)
    for kind in ("ascii", "hAnsi", "cs"):
        fonts.set(qn(f"w:{kind}"), font)
    borders = style.element.get_or_add_pPr().find(qn("w:pBdr"))
    if borders is not None:
        style.element.pPr.remove(borders)
    style.quick_style, style.hidden, style.unhide_when_used = True, False, False


def _frame(
    style: docx.styles.style.ParagraphStyle, side: str | None, colour: str, eighths: int, fill: str | None, space: int = 6
) -> None:
    """A line at one side of a paragraph and a colour behind it, in the order that the format wants."""
    properties = style.element.get_or_add_pPr()
    found = [properties.find(qn(f"w:{name}")) for name in ("keepNext", "keepLines", "widowControl")]
    place = 1 + max(properties.index(one) for one in found if one is not None)
    if side:
        line = f'<w:{side} w:val="single" w:sz="{eighths}" w:space="{space}" w:color="{colour}"/>'
        properties.insert(place, parse_xml(f"<w:pBdr {nsdecls('w')}>{line}</w:pBdr>"))
        place += 1
    if fill:
        properties.insert(place, parse_xml(f'<w:shd {nsdecls("w")} w:val="clear" w:color="auto" w:fill="{fill}"/>'))


def _tables(document: docx.document.Document) -> None:
    styles = document.styles.element
    for style in list(styles):
        if style.get(qn("w:type")) == "table" and style.get(qn("w:styleId")) != "TableNormal":
            styles.remove(style)
    inside = SIDE.format(side="insideH", colour=LINE)
    edges = SIDE.format(side="top", colour=LINE) + SIDE.format(side="bottom", colour=LINE)
    head = (
        '<w:tblStylePr w:type="firstRow"><w:rPr><w:b/><w:color w:val="FFFFFF"/></w:rPr><w:tcPr>'
        f'<w:shd w:val="clear" w:color="auto" w:fill="{PETROL}"/></w:tcPr></w:tblStylePr>'
        '<w:tblStylePr w:type="lastRow"><w:rPr><w:b/></w:rPr><w:tcPr>'
        f'<w:shd w:val="clear" w:color="auto" w:fill="{TINT}"/></w:tcPr></w:tblStylePr>'
    )
    for name, borders, conditions in (("Dossier Table", edges + inside, head), ("Facts Table", inside, "")):
        text = TABLE.format(ns=nsdecls("w"), id=name.replace(" ", ""), name=name, borders=borders, conditions=conditions)
        styles.append(parse_xml(text))


def _numbering(document: docx.document.Document) -> None:
    """One bullet and one number definition, tied to the list styles."""
    numbering = document.part.numbering_part.element
    for child in list(numbering):
        numbering.remove(child)
    for index, (style, kind, text) in enumerate((("ListBullet", "bullet", "•"), ("ListNumber", "decimal", "%1."))):
        level = (
            f'<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:pStyle w:val="{style}"/>'
            f'<w:lvlText w:val="{text}"/><w:lvlJc w:val="left"/><w:pPr><w:ind w:left="425" w:hanging="300"/></w:pPr>'
            f'<w:rPr><w:color w:val="{PETROL}"/></w:rPr></w:lvl>'
        )
        start = f'<w:abstractNum {nsdecls("w")} w:abstractNumId="{index}"><w:multiLevelType w:val="singleLevel"/>'
        numbering.append(parse_xml(f"{start}{level}</w:abstractNum>"))
    for index, name in enumerate(("List Bullet", "List Number")):
        numbering.append(parse_xml(f'<w:num {nsdecls("w")} w:numId="{index + 1}"><w:abstractNumId w:val="{index}"/></w:num>'))
        properties = document.styles[name].element.get_or_add_pPr()
        for one in properties.findall(qn("w:numPr")) + properties.findall(qn("w:contextualSpacing")):
            properties.remove(one)
        properties.get_or_add_numPr().get_or_add_numId().val = index + 1
    for style in document.styles.element:
        for number in style.iter(qn("w:numId")):
            if int(number.get(qn("w:val"))) > 2:
                number.getparent().getparent().remove(number.getparent())


def _page(document: docx.document.Document) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(25)
    section.top_margin, section.bottom_margin = Mm(28), Mm(26)
    section.header_distance = section.footer_distance = Mm(13)


def _fixed_times(path: Path) -> None:
    with ZipFile(path) as archive:
        entries = [(item.filename, archive.read(item)) for item in archive.infolist()]
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, ZIP_DEFLATED)


if __name__ == "__main__":
    main()
