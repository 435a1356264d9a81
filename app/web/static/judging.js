// The assessor's screen beside the reader (assessor/read.html). Without it everything stands below each other and works too.
//
// [data-view-to]     one of the two tabs of a narrow screen: "documents" or "rubric"
// .judging__tabs a   one of the documents: shows its panel, hides the others
// [data-split-to]    how the width is divided; kept in this browser
// [data-go="place"]  a named place of the pdf; [data-go-page="12"] a page: shown in the reader instead of a new tab
// [data-refer="id"]  adds the reader's page to the field with that id; [data-page-links="id"] are that field's links
// [data-scored]      the label of an area: counts the criteria that have a score

import { $, $$ } from "./dom.js";

const SPLIT = "judging-split";
const screen = $(".judging");
const split = $(".judging__split");

// --- what is shown

function view(name) {
  screen.dataset.view = name;
  for (const link of $$("[data-view-to]")) {
    if (link.dataset.viewTo === name) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

function panel(id) {
  for (const link of $$(".judging__tabs a")) {
    const shown = link.hash === `#${id}`;
    $(link.hash).hidden = !shown;
    if (shown) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

function divide(name) {
  split.dataset.split = name;
  for (const button of $$("[data-split-to]")) button.setAttribute("aria-pressed", String(button.dataset.splitTo === name));
}

for (const link of $$("[data-view-to]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    view(link.dataset.viewTo);
  });
}
for (const link of $$(".judging__tabs a")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    panel(link.hash.slice(1));
  });
}
for (const button of $$("[data-split-to]")) {
  button.addEventListener("click", () => {
    divide(button.dataset.splitTo);
    localStorage.setItem(SPLIT, button.dataset.splitTo);
  });
}
panel("stuk-dossier");
view(location.hash === "#beoordeling" ? "rubric" : screen.dataset.view);
divide(localStorage.getItem(SPLIT) ?? "middle");

// --- to a place in the document

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-go], [data-go-page]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !$("[data-reader][data-ready]")) return;
  event.preventDefault();
  panel("stuk-dossier");
  view("documents");
  const detail = { place: link.dataset.go, page: Number(link.dataset.goPage) };
  document.dispatchEvent(new CustomEvent("reader:go", { detail }));
});

// --- references to pages

const pages = (field) => [...new Set((field.value.match(/\d+/g) ?? []).map(Number))].filter(Boolean).sort((a, b) => a - b);

for (const button of $$("[data-refer]")) {
  const field = document.getElementById(button.dataset.refer);
  button.addEventListener("click", () => {
    const here = Number.parseInt($(".reader__number").value, 10);
    if (here) field.value = [...new Set([...pages(field), here])].sort((a, b) => a - b).join(", ");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
for (const box of $$("[data-page-links]")) {
  const field = document.getElementById(box.dataset.pageLinks);
  field.addEventListener("input", () => {
    box.replaceChildren(
      ...pages(field).flatMap((page) => {
        const link = document.createElement("a");
        Object.assign(link, { className: "govuk-link", target: "_blank", rel: "noopener", href: `${box.dataset.pdf}#page=${page}` });
        link.dataset.goPage = page;
        link.textContent = box.dataset.words.replace("{page}", page);
        return [link, " "];
      }),
    );
  });
}

// --- how far

for (const chip of $$("[data-scored]")) {
  const form = $("form", chip.closest("details"));
  form?.addEventListener("change", () => {
    const n = new Set($$("[name^='score.']:checked", form).map((radio) => radio.name)).size;
    chip.textContent = chip.dataset.scored.replace("{n}", n).replace("{total}", chip.dataset.total);
    chip.classList.add("chip--info");
  });
}

const wrong = $(".rubric .govuk-error-summary");
if (wrong) view("rubric");
