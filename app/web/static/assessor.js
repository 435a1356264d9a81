// The assessor's reader (parts/reader.html): pdf.js, loaded on this page only. Pages are drawn when they come into view and
// cleared when they are far away, so that a dossier of 500 pages costs no more than one of 5.

import { $, $$ } from "./dom.js";
import { GlobalWorkerOptions, TextLayer, getDocument } from "./vendor/pdfjs/pdf.min.mjs";

const FILES = new URL("./vendor/pdfjs/", import.meta.url).href;
const WIDEST = 860; // CSS pixels of a page at zoom 1
const NARROWEST = 160; // also while the reader is hidden and has no width
const ZOOM = { step: 1.2, least: 0.5, most: 4 };
const SHARPEST = 2; // device pixels per CSS pixel
const LARGEST = 16_000_000; // pixels of one canvas

GlobalWorkerOptions.workerSrc = `${FILES}pdf.worker.min.mjs`;
for (const reader of $$("[data-reader]")) open(reader);

async function open(reader) {
  const status = $("[role=status]", reader);
  const say = (words, values = {}) => {
    status.textContent = words.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  };
  try {
    const task = getDocument({
      url: reader.dataset.reader,
      enableXfa: false,
      useWasm: false, // our content security policy allows no compiled code
      wasmUrl: FILES,
      standardFontDataUrl: FILES,
      useSystemFonts: true,
    });
    task.onProgress = ({ loaded, total }) => {
      if (total) say(reader.dataset.loading, { share: Math.min(100, Math.round((loaded / total) * 100)) });
    };
    const pdf = await task.promise;
    task.onProgress = null;
    await show(reader, pdf);
    say("");
  } catch (failure) {
    say(reader.dataset.failed);
    throw failure;
  }
}

async function show(reader, pdf) {
  const view = $(".reader__view", reader);
  const number = $(".reader__number", reader);
  $("[data-reader-total]", reader).textContent = pdf.numPages;
  const first = (await pdf.getPage(1)).getViewport({ scale: 1 });
  let zoom = 1;
  let current = 1;

  const sheets = Array.from({ length: pdf.numPages }, (_, index) => {
    const element = document.createElement("section");
    element.className = "reader__sheet";
    element.setAttribute("aria-label", reader.dataset.pageLabel.replace("{page}", index + 1));
    return { element, page: index + 1, size: first, drawn: 0, task: null };
  });
  const of_element = new Map(sheets.map((sheet) => [sheet.element, sheet]));
  const scale = () => {
    const gap = parseFloat(getComputedStyle(view).paddingLeft) * 2;
    return (Math.max(NARROWEST, Math.min(view.clientWidth - gap, WIDEST)) / first.width) * zoom;
  };
  const fit = (sheet) => {
    sheet.element.style.setProperty("--width", `${sheet.size.width * scale()}px`);
    sheet.element.style.setProperty("--height", `${sheet.size.height * scale()}px`);
  };

  async function draw(sheet) {
    const wanted = scale();
    if (sheet.drawn === wanted) return;
    sheet.drawn = wanted;
    const page = await pdf.getPage(sheet.page);
    sheet.size = page.getViewport({ scale: 1 });
    fit(sheet);
    const viewport = page.getViewport({ scale: wanted });
    const sharpness = Math.min(devicePixelRatio || 1, SHARPEST, Math.sqrt(LARGEST / (viewport.width * viewport.height)));
    const canvas = document.createElement("canvas");
    canvas.width = Math.floor(viewport.width * sharpness);
    canvas.height = Math.floor(viewport.height * sharpness);
    canvas.setAttribute("aria-hidden", "true");
    sheet.task?.cancel();
    sheet.task = page.render({ canvas, viewport, transform: [sharpness, 0, 0, sharpness, 0, 0] });
    try {
      await sheet.task.promise;
    } catch (failure) {
      if (failure.name === "RenderingCancelledException") return;
      throw failure;
    }
    if (sheet.drawn !== wanted) return;
    const text = document.createElement("div");
    text.className = "textLayer";
    sheet.element.style.setProperty("--total-scale-factor", wanted);
    sheet.element.style.setProperty("--scale-factor", wanted);
    sheet.element.replaceChildren(canvas, text);
    await new TextLayer({ textContentSource: page.streamTextContent(), container: text, viewport }).render();
    mark(text, reader.dataset.sought);
    for (const link of await links(page, viewport)) sheet.element.append(link);
  }

  function clear(sheet) {
    sheet.task?.cancel();
    sheet.task = null;
    sheet.drawn = 0;
    sheet.element.replaceChildren();
  }

  /** Links of the page, to other pages and to the web: an area to click on, and a link for the keyboard that shows on focus. */
  async function links(page, viewport) {
    const found = await page.getAnnotations({ intent: "display" });
    return found
      .filter((note) => note.subtype === "Link" && (note.url || note.dest))
      .flatMap((note) => {
        const [left, bottom, right, top] = viewport.convertToViewportRectangle(note.rect);
        const area = document.createElement("div");
        area.className = "reader__area";
        area.style.width = `${Math.abs(right - left)}px`;
        area.style.height = `${Math.abs(top - bottom)}px`;
        const link = document.createElement("a");
        link.className = "reader__link";
        link.textContent = note.contentsObj?.str || note.url || reader.dataset.linkLabel;
        link.href = note.url || `${reader.dataset.reader}${typeof note.dest === "string" ? `#nameddest=${note.dest}` : ""}`;
        for (const element of [area, link]) {
          element.style.left = `${Math.min(left, right)}px`;
          element.style.top = `${Math.min(top, bottom)}px`;
        }
        area.addEventListener("click", () => link.click());
        if (note.url) Object.assign(link, { target: "_blank", rel: "noopener noreferrer" });
        else link.addEventListener("click", (event) => event.preventDefault() || go_to_place(note.dest));
        return [area, link];
      });
  }

  async function go_to_place(destination) {
    const place = typeof destination === "string" ? await pdf.getDestination(destination) : destination;
    if (!place) return;
    go_to((typeof place[0] === "object" ? await pdf.getPageIndex(place[0]) : place[0]) + 1);
  }

  function go_to(page) {
    const sheet = sheets[Math.max(1, Math.min(pdf.numPages, page || 1)) - 1];
    current = sheet.page;
    number.value = current;
    view.scrollTop = sheet.element.offsetTop - parseFloat(getComputedStyle(view).paddingTop) / 2;
  }

  let fitted = 0; // the scale that the sheets have
  let redrawing;

  function rescale() {
    if (!view.clientWidth || scale() === fitted) return; // hidden: whoever shows it again changes its width
    fitted = scale();
    const page = current;
    for (const sheet of sheets) fit(sheet);
    go_to(page);
    clearTimeout(redrawing);
    redrawing = setTimeout(() => {
      for (const sheet of sheets) if (sheet.drawn) draw(sheet);
    }, 200);
  }

  view.replaceChildren(...sheets.map((sheet) => sheet.element));
  for (const sheet of sheets) fit(sheet);
  new ResizeObserver(rescale).observe(view);

  const near = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        const sheet = of_element.get(target);
        if (isIntersecting) draw(sheet);
        else if (sheet.drawn) clear(sheet);
      }
    },
    { root: view, rootMargin: "100% 0px" },
  );
  for (const sheet of sheets) near.observe(sheet.element);

  view.addEventListener("scroll", () => {
    if (!view.clientWidth || scale() !== fitted) return; // not read on, but shown, hidden or made wider
    const middle = view.scrollTop + view.clientHeight / 3;
    const sheet = sheets.findLast(({ element }) => element.offsetTop <= middle) ?? sheets[0];
    if (sheet.page === current) return;
    current = sheet.page;
    if (document.activeElement !== number) number.value = current;
  });
  number.addEventListener("change", () => {
    go_to(Number.parseInt(number.value, 10));
  });
  number.addEventListener("focus", () => number.select());
  number.form?.addEventListener("submit", (event) => event.preventDefault());
  for (const button of $$("[data-reader-zoom]", reader)) {
    button.addEventListener("click", () => {
      const factor = button.dataset.readerZoom === "1" ? ZOOM.step : 1 / ZOOM.step;
      zoom = Math.max(ZOOM.least, Math.min(ZOOM.most, zoom * factor));
      rescale();
    });
  }
  document.addEventListener("reader:go", ({ detail }) => (detail.page ? go_to(detail.page) : go_to_place(detail.place)));
  const from_address = () => Number.parseInt(new URLSearchParams(location.hash.slice(1)).get("page"), 10);
  addEventListener("hashchange", () => from_address() && go_to(from_address()));

  await contents(reader, pdf, go_to_place);
  search(reader, pdf, { go_to, sheets });
  go_to(from_address() || Number.parseInt(reader.dataset.page, 10));
  reader.dataset.ready = "yes";
}

/** The document's bookmarks as a list of buttons; stays hidden when there are none. */
async function contents(reader, pdf, go_to_place) {
  const box = $("[data-reader-contents]", reader);
  const outline = await pdf.getOutline();
  if (!outline?.length) return;
  const list = (items) => {
    const ul = document.createElement("ul");
    for (const item of items) {
      const li = document.createElement("li");
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "link-button", textContent: item.title });
      button.addEventListener("click", () => {
        box.open = false;
        go_to_place(item.dest);
      });
      li.append(button);
      if (item.items.length) li.append(list(item.items));
      ul.append(li);
    }
    return ul;
  };
  $("nav", box).append(list(outline));
  box.hidden = false;
}

/** Finds words in the whole document. The text of all pages is read once, at the first search. */
function search(reader, pdf, { go_to, sheets }) {
  const box = $("[data-reader-search]", reader);
  if (!box) return;
  const field = $("input", box);
  const status = $("[role=status]", box);
  let texts = null;
  let found = [];
  let place = -1;

  async function look() {
    const wanted = plain(field.value);
    if (reader.dataset.sought !== wanted) {
      status.textContent = status.dataset.busy;
      texts ??= await Promise.all(sheets.map((sheet) => text_of(pdf, sheet.page)));
      reader.dataset.sought = wanted;
      found = wanted ? texts.flatMap((text, index) => Array(text.split(wanted).length - 1).fill(index + 1)) : [];
      const here = Number.parseInt($(".reader__number", reader).value, 10);
      const next = found.findIndex((page) => page >= here); // on from the page that one reads
      place = (next < 0 ? 0 : next) - 1;
      for (const layer of $$(".textLayer", reader)) mark(layer, wanted);
    }
  }

  async function step(by) {
    await look();
    if (!found.length) return (status.textContent = field.value ? status.dataset.none : "");
    place = (place + by + found.length) % found.length;
    go_to(found[place]);
    const values = { number: place + 1, total: found.length, page: found[place] };
    status.textContent = status.dataset.found.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  }

  $("form", box).addEventListener("submit", (event) => {
    event.preventDefault();
    step(1);
  });
  $("[data-reader-search-back]", box).addEventListener("click", () => step(-1));
  box.addEventListener("toggle", () => box.open && field.focus());
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    box.open = false;
    $("summary", box).focus();
  });
}

const plain = (text) => text.normalize("NFKC").toLowerCase().replace(/\s+/g, " ").trim();

async function text_of(pdf, number) {
  const { items } = await (await pdf.getPage(number)).getTextContent();
  return plain(items.map((item) => (item.str ?? "") + (item.hasEOL ? " " : "")).join(""));
}

/** Colours the pieces of text that hold the words sought. */
function mark(layer, wanted) {
  for (const piece of $$("span", layer)) piece.classList.toggle("reader__hit", Boolean(wanted) && plain(piece.textContent).includes(wanted));
}
