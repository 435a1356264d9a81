// On every page. Progressive enhancement only: everything on a page works as plain links and forms without this file.
//
// data-collapse-narrow   (details)  starts closed on a narrow screen
// data-copy="text"       (button)   copies the text; data-copied holds the words shown afterwards
// data-print             (button)   prints the page
// data-poll="url"        (element with an id)  is refreshed from the page at that url every data-poll-every seconds (default 2)
//                        for as long as the new version still carries data-poll; data-poll-to="url" then leads on; what
//                        data-say in it holds is said aloud by the role=status with its id and "-status"
// data-clear-drafts      (form)     sending it removes all texts kept in this browser (logging out)
// data-forget-drafts     (body)     what was written has arrived for good: no text needs to stay in this browser
// data-once              (form)     is sent once: its buttons do nothing while it is under way
// .govuk-error-summary, .note[role=alert], a[role=button]  behave as the script of GOV.UK Frontend, which this spares, makes them

import { $, $$, DRAFT } from "./dom.js";

document.documentElement.classList.add("js");

const narrow = matchMedia("(max-width: 59.99em)");
for (const details of $$("details[data-collapse-narrow]")) {
  if (narrow.matches) details.open = false;
}

for (const button of $$("[data-copy]")) {
  const words = $("span", button) || button;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    words.textContent = button.dataset.copied;
  });
}

for (const button of $$("[data-print]")) button.addEventListener("click", () => print());

for (const form of $$("form[data-clear-drafts]")) form.addEventListener("submit", forgetDrafts);
if ($("body[data-forget-drafts]")) forgetDrafts();

function forgetDrafts() {
  for (const key of Object.keys(localStorage)) if (key.startsWith(DRAFT)) localStorage.removeItem(key);
}

for (const form of $$("form[data-once]")) {
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
  });
  addEventListener("pageshow", () => (sent = false)); // coming back with the browser's back button
}

/** What went wrong, or went well, is read out at once; the links lead to a field with its question in view. */
for (const notice of $$(".govuk-error-summary, .note[role=alert]:not([hidden])")) {
  notice.tabIndex = -1;
  notice.focus();
  notice.addEventListener("blur", () => notice.removeAttribute("tabindex"), { once: true });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest(".govuk-error-summary a[href^='#']");
  const field = link && document.getElementById(decodeURIComponent(link.hash.slice(1)));
  const question = field && questionOf(field);
  if (!question) return;
  event.preventDefault();
  question.scrollIntoView();
  field.focus({ preventScroll: true });
});

/** The legend above a group of choices, or above a field near it; the label of any other field. */
function questionOf(field) {
  const legend = $("legend", field.closest("fieldset") ?? new DocumentFragment());
  const gap = () => field.getBoundingClientRect().bottom - legend.getBoundingClientRect().top;
  if (legend && (field.matches("[type=radio], [type=checkbox]") || gap() < innerHeight / 2)) return legend;
  return field.labels?.[0];
}

/** A field for files shows its own words (parts/evidence.html), and so which were chosen. */
document.addEventListener("change", ({ target }) => {
  const chosen = target.type === "file" && $("[data-chosen]", target.parentElement);
  if (chosen) chosen.textContent = [...target.files].map((file) => file.name).join(", ");
});

/** A link that looks like a button also answers the space bar. */
document.addEventListener("keydown", (event) => {
  if (event.key !== " " || event.target.getAttribute("role") !== "button") return;
  event.preventDefault();
  event.target.click();
});

for (const element of $$("[data-poll][id]")) poll(element);
addEventListener("fresh", (event) => $$("[data-poll][id]", event.target.parentNode).forEach(poll)); // another script put it there

function poll(element) {
  const every = (Number(element.dataset.pollEvery) || 2) * 1000;
  let pause = every;
  const ask = async () => {
    if (document.hidden) return setTimeout(ask, pause);
    try {
      const reply = await fetch(element.dataset.poll, { headers: { "X-Requested-With": "poll" } });
      if (!reply.ok) throw new Error(reply.status);
      const page = new DOMParser().parseFromString(await reply.text(), "text/html");
      const fresh = page.getElementById(element.id);
      if (!fresh) throw new Error("gone");
      if (fresh.dataset.pollTo) return location.assign(fresh.dataset.pollTo);
      if (fresh.innerHTML !== element.innerHTML) refresh(element, fresh);
      pause = every;
      if (!("poll" in fresh.dataset)) return element.removeAttribute("data-poll");
    } catch {
      pause = Math.min(pause * 2, 60_000); // the server is away or the login ended: ask less often
    }
    return setTimeout(ask, pause);
  };
  setTimeout(ask, pause);
}

/** Takes over the new content, but never while somebody is on a control inside it. */
function refresh(element, fresh) {
  if (element.contains(document.activeElement)) return;
  element.replaceChildren(...fresh.childNodes);
  const said = document.getElementById(`${element.id}-status`);
  const words = $("[data-say]", element)?.dataset.say;
  if (said && words && said.textContent !== words) said.textContent = words;
}
