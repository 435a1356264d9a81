// What is pasted with a look (from Word, a web page, a mail) as plain text with our small markup. Loaded on the first such paste.

const BLOCK = /^(P|DIV|H[1-6]|UL|OL|LI|DL|DT|DD|TABLE|TR|BLOCKQUOTE|SECTION|ARTICLE|HR)$/;
const DRAWN = "[data-style*='mso-list:Ignore' i]"; // Word's own drawing of a bullet or number
const LEFT_OUT = `${DRAWN}, script, title, template, del, [data-style*='display:none'], [data-style*='mso-hide:all']`;
const BULLET = /^[·•▪◦‣●○■□\uf0a7\uf0b7\uf0d8]\s+/;
const AT_A_WORD = /[\p{L}\p{N}_*]/u;

/** {text, pictures}: the text, and whether there were pictures, which no text field can hold. */
export function cleaned(html) {
  // our content security policy forbids styles and scripts of others even here: styles are only read
  const bare = html.replace(/<style[\s\S]*?<\/style>|<!--[\s\S]*?-->/gi, "");
  const source = bare.replace(/<[^>]*>/g, (tag) => tag.replace(/\s(style|on\w+)\s*=/gi, " data-$1="));
  const page = new DOMParser().parseFromString(source, "text/html");
  return { text: joined(linesOf(page.body)), pictures: page.querySelector("img, v\\:imagedata") !== null };
}

/** The lines of an element: [{marker, kind, runs: [{text, stars}]}]; kind: item, row, break or nothing; stars: 2 bold, 1 italic. */
function linesOf(body) {
  const lines = [];
  let line = null; // null: text begins a new one
  const begin = (kind = "", marker = "") => lines.push((line = { kind, marker, runs: [] }));
  const filled = () => line?.runs.some(({ text }) => text.trim());
  const add = (text, stars) => {
    if (!line && !text.trim()) return;
    if (!line) begin();
    if (line.runs.at(-1)?.stars === stars) line.runs.at(-1).text += text;
    else line.runs.push({ text, stars });
  };
  const walk = (node, stars, inCell) => {
    for (const child of node.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) add(child.data.replace(/\s+/g, " "), stars);
      else if (child.nodeType === Node.ELEMENT_NODE && !child.matches(LEFT_OUT)) element(child, look(child, stars), inCell);
    }
  };
  const element = (one, stars, inCell) => {
    const block = BLOCK.test(one.tagName);
    const cells = one.cells?.length > 1; // a row of one cell is only there for the looks
    if (inCell) {
      if (block || one.tagName === "BR") add(" ", 0);
      if (one.cellIndex > 0) add(" | ", 0);
      return walk(one, stars, true);
    }
    const marker = itemOf(one);
    if (block && filled()) line = null;
    if (marker) begin("item", marker);
    else if (cells) begin("row");
    else if (one.tagName === "BR") begin("break");
    walk(one, stars, cells);
    if (block && (filled() || marker)) line = null;
  };
  walk(body, 0, false);
  return lines;
}

/** "- " or "2. " when the element is an item of a list, also of one of Word's. */
function itemOf(one) {
  if (one.tagName === "LI") {
    const list = one.parentElement;
    return list.tagName === "OL" ? `${list.start + [...list.children].indexOf(one)}. ` : "- ";
  }
  if (!/mso-list:(?!\s*none)/i.test(one.dataset.style) || !BLOCK.test(one.tagName)) return "";
  const drawn = one.querySelector(DRAWN)?.textContent.trim() ?? "";
  if (/^\d+[.)]$/.test(drawn)) return `${parseInt(drawn)}. `;
  return /^[\p{L}\d].*[.)]$/u.test(drawn) ? `${drawn} ` : "- "; // "a)" and "1.2." stay as they are
}

/** The stars of what stands in an element that itself stands in something with these stars. */
function look(one, stars) {
  const style = one.dataset.style ?? "";
  const is = (tags, yes, no, before) => !no.test(style) && (yes.test(style) || tags.test(one.tagName) || before);
  const bold = is(/^(B|STRONG|TH|H[1-6])$/, /(^|;)\s*font-weight:\s*(bold|[6-9]00)/i, /(^|;)\s*font-weight:\s*(normal|[1-5]00)/i, stars & 2);
  const italic = is(/^(I|EM)$/, /(^|;)\s*font-style:\s*italic/i, /(^|;)\s*font-style:\s*normal/i, stars & 1);
  return (bold ? 2 : 0) + (italic ? 1 : 0);
}

function joined(lines) {
  let [text, before] = ["", ""];
  for (const { kind, marker, runs } of lines) {
    const words = written(runs);
    if (!words) continue;
    const close = kind === "break" || (kind && kind === before);
    text += (text && (close ? "\n" : "\n\n")) + (marker + words).replace(BULLET, "- ");
    before = kind === "break" ? before : kind;
  }
  return text;
}

/** Runs as one line. Stars only work at the edges of words: elsewhere the look is left out. */
function written(runs) {
  let line = "";
  const kept = runs.filter(({ text }) => text);
  for (const [at, { text, stars }] of kept.entries()) {
    const inner = text.trim();
    const next = text.endsWith(" ") ? " " : (kept[at + 1]?.text[0] ?? " ");
    const before = text.startsWith(" ") ? " " : (line.at(-1) ?? " ");
    const fits = stars && inner && !inner.includes("*") && !AT_A_WORD.test(before) && !AT_A_WORD.test(next);
    const around = "*".repeat(fits ? stars : 0);
    line += text.replace(inner, () => around + inner + around);
  }
  return line.replace(/\s+/g, " ").trim();
}
