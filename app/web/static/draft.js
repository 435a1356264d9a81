// The draft beside a section's form (templates/candidate/section.html), asked for again after each save. The answer's shape
// stands in app/web/candidate/drafts.py. Whether it is shown is remembered in this browser.
import { $ } from "./dom.js";

const panel = $("#draft");
const box = $(".draft__pages");
const note = $(".draft__note");
const toggle = $(".draft__toggle");
const usual = note.textContent;
const here = document.createElement("i");
let pages = new Map();
let places = {};
let busy = false;
let again = false;

async function renew() {
  again = busy;
  if (busy || !box.offsetHeight) return;
  busy = true;
  try {
    const headers = { "X-Requested-With": "autosave" };
    const answer = await fetch(`${panel.dataset.url}?have=${[...pages.keys()]}`, { headers });
    const reply = await answer.json();
    if (answer.ok) await draw(reply);
    note.textContent = reply.error ?? usual;
  } catch {
    note.textContent = panel.dataset.failed;
  }
  busy = false;
  if (again) renew();
}

/** Pages that stayed the same stay; new ones take their place all at once, when they are ready. */
async function draw(reply) {
  const drawn = new Map();
  for (const { id, svg } of reply.pages) {
    const image = pages.get(id) ?? new Image();
    if (svg) image.src = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
    drawn.set(id, image);
    image.alt = panel.dataset.alt.replace("{n}", drawn.size).replace("{all}", reply.count);
  }
  await Promise.all([...drawn.values()].map((image) => image.decode()));
  for (const [id, image] of pages) if (!drawn.has(id)) URL.revokeObjectURL(image.src);
  [pages, places] = [drawn, reply.places];
  box.replaceChildren(here, ...pages.values());
  follow();
}

/** To the question being written; in a long text as far down as the cursor is. */
function follow() {
  const field = document.activeElement;
  const top = ([page, share]) => box.children[page]?.offsetTop + share * here.nextSibling.offsetHeight;
  const start = places[field.closest("[data-question]")?.dataset.question];
  here.hidden = !start;
  if (!start) return;
  const from = top(start);
  const to = Math.min(...Object.values(places).map(top).filter((one) => one > from + 60)) - 60;
  const at = from + ((to < Infinity && (to - from) * (field.selectionEnd / field.value?.length)) || 0);
  here.style.top = `${at}px`;
  const seen = (at - box.scrollTop) / box.clientHeight;
  if (seen < 0.1 || seen > 0.7) box.scrollTop = at - box.clientHeight / 3;
}

function show(on) {
  panel.toggleAttribute("data-off", !on);
  toggle.ariaExpanded = on;
  toggle.textContent = toggle.dataset[on ? "hide" : "show"];
  localStorage.setItem("panel", on);
  renew();
}

toggle.addEventListener("click", () => show(panel.hasAttribute("data-off")));
document.addEventListener("section:saved", renew);
document.addEventListener("focusin", follow);
addEventListener("resize", () => pages.size || renew());
show(localStorage.getItem("panel") !== "false");
