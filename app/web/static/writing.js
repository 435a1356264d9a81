// On pages with a long text: the buttons above it, lists that go on by themselves, and pasting.
// It types the small markup of app/schemes/markup.py into the plain text field; undo and saving work as for any typing.
//
// [data-writing]   around one textarea, its toolbar (hidden without script; a button's data-deed says what it does) and
//                  [data-pasted], which tells what could not be pasted

import { $, $$ } from "./dom.js";

const ITEM = /^[ \t]*(?:[-•]|([1-9]\d{0,2})\.)[ \t]+/;
const MARKED = /(\*{1,3})([^\s*](?:[^*\n]*[^\s*])?)\1/g;
const WORD = /[\p{L}\p{N}_]/u;

for (const box of $$("[data-writing]")) {
  const field = $("textarea", box);
  const bar = $("[role=toolbar]", box);
  const deeds = {
    bold: () => mark(field, 2),
    italic: () => mark(field, 1),
    bullets: () => list(field, false),
    numbers: () => list(field, true),
    whole: async () => (await import("./whole.js")).whole(box),
  };
  bar.hidden = false;
  bar.addEventListener("mousedown", (event) => event.preventDefault()); // the text keeps the focus and the selection
  bar.addEventListener("click", (event) => deeds[event.target.closest("button")?.dataset.deed]?.());
  rove(bar);
  field.addEventListener("keydown", (event) => {
    const deed = shortcut(event);
    if (deed) deeds[deed]();
    else if (event.key !== "Enter" || event.shiftKey || event.isComposing || !nextItem(field)) return;
    event.preventDefault();
  });
  field.addEventListener("paste", (event) => paste(event, field, $("[data-pasted]", box)));
}

function shortcut({ ctrlKey, metaKey, shiftKey, altKey, key, code }) {
  if (!(ctrlKey || metaKey) || altKey) return null;
  if (shiftKey) return { Digit7: "numbers", Digit8: "bullets" }[code];
  return { b: "bold", i: "italic" }[key.toLowerCase()];
}

/** One stop for Tab; the arrows go from button to button. */
function rove(bar) {
  const buttons = $$("button", bar);
  const go = (to) => buttons.forEach((button, at) => (button.tabIndex = at === to ? 0 : -1));
  go(0);
  bar.addEventListener("focusin", (event) => go(buttons.indexOf(event.target)));
  bar.addEventListener("keydown", ({ key, target }) => {
    const at = buttons.indexOf(target);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[key];
    if (to !== undefined) buttons.at(to % buttons.length).focus();
  });
}

/** Replaces a part of the text as if it were typed, so that it can be undone; then selects from start to end. */
function edit(field, from, to, text, start, end = start) {
  field.focus();
  field.setSelectionRange(from, to);
  if (!document.execCommand(text ? "insertText" : "delete", false, text)) {
    field.setRangeText(text);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  field.setSelectionRange(start, end);
}

/** The lines that the selection touches: where they begin and end in the text. */
function lines({ value, selectionStart, selectionEnd }) {
  const end = value.indexOf("\n", selectionEnd);
  return [value.lastIndexOf("\n", selectionStart - 1) + 1, end < 0 ? value.length : end];
}

/** Bold (2 stars) or italic (1): on, or off when all that is selected has it. Without a selection: the word at the caret. */
function mark(field, stars) {
  const { value, selectionStart: a, selectionEnd: b } = field;
  const [from, to] = lines(field);
  let at = from;
  const parts = [];
  for (const line of value.slice(from, to).split("\n")) {
    const part = stretch(line, a - at, b - at);
    if (part) parts.push({ ...part, from: at + part.from, to: at + part.to });
    at += line.length + 1;
  }
  if (!parts.length) {
    const both = "*".repeat(stars);
    return edit(field, a, b, both + value.slice(a, b) + both, a + stars, b + stars);
  }
  const has = ({ n }) => n === 3 || n === stars;
  const on = !parts.every(has);
  let [text, end] = ["", parts[0].from];
  for (const part of parts) {
    const around = "*".repeat(part.n + (has(part) === on ? 0 : on ? stars : -stars));
    text += value.slice(end, part.from) + around + part.inner + around;
    end = part.to;
  }
  const start = parts[0].from;
  const shift = on ? stars : -stars;
  if (a === b) return edit(field, start, end, text, a + shift);
  return edit(field, start, end, text, start, start + text.length);
}

/** What to mark of a line, given the selection in it: whole words, and whole what is marked already. n: its stars. */
function stretch(line, a, b) {
  const caret = a === b;
  let from = Math.max(a, ITEM.exec(line)?.[0].length ?? 0);
  let to = Math.min(b, line.length);
  while (from < to && /\s/.test(line[from])) from += 1;
  while (from < to && /\s/.test(line[to - 1])) to -= 1;
  if (from > to || (from === to && !caret)) return null;
  while (WORD.test(line[from - 1] ?? "")) from -= 1;
  while (WORD.test(line[to] ?? "")) to += 1;
  for (const found of line.matchAll(MARKED)) {
    const end = found.index + found[0].length;
    if (found.index > to || end < from) continue;
    [from, to] = [Math.min(from, found.index), Math.max(to, end)];
    if (to - from === found[0].length) return { from, to, inner: found[2], n: found[1].length };
  }
  return from === to ? null : { from, to, inner: line.slice(from, to).replace(MARKED, "$2"), n: 0 };
}

/** Makes the selected lines a list, or lines again when they are one of that kind. */
function list(field, numbered) {
  const { value, selectionStart: a, selectionEnd: b } = field;
  const [from, to] = lines(field);
  const old = value.slice(from, to).split("\n");
  const marker = (line) => ITEM.exec(line);
  const counts = (line) => line.trim() || old.length === 1;
  const off = old.every((line) => !counts(line) || (marker(line) && !marker(line)[1] === !numbered));
  let next = Number(marker(value.slice(0, Math.max(0, from - 1)).split("\n").at(-1))?.[1] ?? 0) + 1;
  const fresh = old.map((line) => {
    if (!counts(line)) return line;
    const words = line.replace(ITEM, "").trimStart();
    return off ? words : (numbered ? `${next++}. ` : "- ") + words;
  });
  const text = fresh.join("\n");
  const [end, rest] = renumbered(value, to, numbered && !off ? next : 1);
  const caret = Math.max(from, b + text.length - (to - from));
  edit(field, from, end, text + rest, a === b ? caret : from, a === b ? caret : from + text.length);
}

/** The numbered lines right after the line that ends at `at`, counted on from `next`: their end, and their text. */
function renumbered(value, at, next) {
  let [end, text] = [at, ""];
  for (const line of at < value.length ? value.slice(at + 1).split("\n") : []) {
    if (!ITEM.exec(line)?.[1]) break;
    text += `\n${line.replace(/\d+/, next++)}`;
    end += line.length + 1;
  }
  return [end, text];
}

/** Enter in a list: the next item, or the end of the list when this one is empty. Says whether it did anything. */
function nextItem(field) {
  const { value, selectionStart: at } = field;
  const [from, to] = lines(field);
  const [marker, number] = ITEM.exec(value.slice(from, to)) ?? [];
  if (!marker || at !== field.selectionEnd || at - from < marker.length) return false;
  if (from + marker.length === to) {
    edit(field, from, to, "", from);
    return true;
  }
  const fresh = `\n${number ? marker.replace(number, Number(number) + 1) : marker}`;
  const [end, rest] = number ? renumbered(value, to, Number(number) + 2) : [to, ""];
  edit(field, at, end, fresh + value.slice(at, to).trimStart() + rest, at + fresh.length);
  return true;
}

/** What comes with a look, as from Word, becomes plain text with our markup; everything else is pasted as always. */
async function paste(event, field, said) {
  const [html, plain] = ["text/html", "text/plain"].map((kind) => event.clipboardData.getData(kind));
  said.textContent = "";
  if (!/<(b|strong|i|em|li|p|h\d|table|img)\b/i.test(html)) return;
  event.preventDefault();
  const cleaned = await import("./pasting.js").then(
    (module) => module.cleaned(html),
    () => ({ text: plain }), // without a connection
  );
  const { selectionStart: from, selectionEnd: to } = field;
  const text = cleaned.text || plain.replaceAll("\r", "");
  if (text) edit(field, from, to, text, from + text.length);
  if (cleaned.pictures) said.textContent = said.dataset.pasted;
}
