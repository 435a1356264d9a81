// On every page. Progressive enhancement only: everything on a page works as plain links and forms without this file.
//
// data-collapse-narrow   (details)  starts closed on a narrow screen
// data-copy="text"       (button)   copies the text; data-copied holds the words shown afterwards
// data-print             (button)   prints the page
// data-poll="url"        (element with an id)  is refreshed from the page at that url every data-poll-every seconds (default 2)
//                        for as long as the new version still carries data-poll; data-poll-to="url" then leads on
// data-clear-drafts      (form)     sending it removes all texts kept in this browser (logging out)
// data-forget-drafts     (body)     what was written has arrived for good: no text needs to stay in this browser
// data-once              (form)     is sent once: its buttons do nothing while it is under way

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

for (const element of $$("[data-poll][id]")) poll(element);

function poll(element) {
  let pause = (Number(element.dataset.pollEvery) || 2) * 1000;
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
}
