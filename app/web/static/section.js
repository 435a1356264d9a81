// Pages where people write: word counts, saving by itself, and no text lost when saving fails.
//
// form[data-autosave="url"]  is posted there (without files) 2 seconds after the last change and on leaving, with its field
//   "version". Answers: 200 {"version": n, "time": "14.32", "shown": ["question", …]?, "unprintable": {question: words}?, "completeness": html?}; 409 with Location: both texts stand on
//   that page, nothing is overwritten (409 without Location: the whole form is sent, and its answer shows both); other 4xx
//   {"error": words}: shown. Anything else counts as failed and is tried again. Unsaved text is kept in this browser and offered
//   back on return. data-draft names the kept text (default: the autosave url).
// "section:saved" is sent to the document after each save, with that answer as its detail.
// [data-save-status]         shows the state; its data-saving, data-saved ("{time}"), data-failed and data-logged-out are the words
// [data-restored]            the notice with the buttons data-restore and data-discard
// [data-words="id"]          word bar of the text field with that id: data-min, data-max, data-low, data-ok, data-over
// [data-question="id"]       is shown or hidden after a save by "shown"; its [data-unprintable] says what "unprintable" says of it

import { $, $$, DRAFT } from "./dom.js";

const PAUSE = 2000;
const RETRY = 10_000;
const SPEAK = 1500;
const PATIENCE = 5000;
const KEEP_DAYS = 30;
const KEEPALIVE_LIMIT = 60_000; // browsers refuse bigger bodies on a page that is being left

for (const bar of $$("[data-words]")) countWords(bar);
for (const form of $$("form[data-autosave]")) autosave(form);

function fill(words, values) {
  return words.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** The visible count follows at once; screen readers hear it after a pause in typing. */
function countWords(bar) {
  const field = document.getElementById(bar.dataset.words);
  if (!field) return;
  const [min, max] = [Number(bar.dataset.min) || 0, Number(bar.dataset.max) || 0];
  const shown = $(".word-bar__count", bar);
  const spoken = $("[role=status]", bar);
  let timer;
  if (max) bar.style.setProperty("--minimum", `${(min / max) * 100}%`);
  const update = () => {
    const n = wordsOf(field.value);
    const state = max && n > max ? "over" : n < min ? "low" : "ok";
    bar.dataset.state = state;
    bar.style.setProperty("--share", `${Math.min(100, (n / (max || min || 1)) * 100)}%`);
    shown.textContent = fill(bar.dataset[n || min ? state : "none"], { n, left: min - n, over: n - max });
  };
  field.addEventListener("input", () => {
    update();
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (document.activeElement === field) spoken.textContent = shown.textContent;
    }, SPEAK);
  });
  update();
}

/** Words as the server counts them: stretches without white space. */
function wordsOf(text) {
  return text.match(/\S+/g)?.length ?? 0;
}

function autosave(form) {
  const status = $("[data-save-status]");
  const words = status && $("[data-words-of-status]", status);
  const key = DRAFT + (form.dataset.draft || form.dataset.autosave);
  let timer;
  let dirty = false;
  let under_way = null; // the promise of the save that was sent
  let waiting = false;
  let stopped = false;
  let forgetting = false;

  const show = (state, text) => {
    if (!status) return;
    status.dataset.state = state;
    words.textContent = text;
  };
  const data = () => {
    const body = new FormData(form);
    for (const input of $$("input[type=file]", form)) body.delete(input.name);
    return body;
  };
  const keep = ({ sent = false } = {}) => {
    const entries = [...data()].filter(([name]) => name !== "csrf_token");
    try {
      localStorage.setItem(key, JSON.stringify({ at: Date.now(), version: form.elements.version.value, sent, entries }));
    } catch {
      // a full or forbidden store: leaving the page still asks for confirmation
    }
  };
  const later = (pause) => {
    clearTimeout(timer);
    timer = setTimeout(save, pause);
  };

  async function save({ leaving = false } = {}) {
    clearTimeout(timer);
    if (under_way && !leaving) await under_way; // two at once would carry the same version
    if (!dirty || under_way || stopped) return;
    dirty = false;
    under_way = send(leaving);
    await under_way;
  }

  async function send(leaving) {
    show("saving", status?.dataset.saving);
    try {
      const body = new URLSearchParams([...data()]);
      const keepalive = leaving && String(body).length < KEEPALIVE_LIMIT;
      const headers = { "X-Requested-With": "autosave", Accept: "application/json" };
      const reply = await fetch(form.dataset.autosave, { method: "POST", body, keepalive, headers });
      if (reply.status === 409) return conflict(reply);
      if (reply.redirected || reply.status === 401) throw new Error("logged out");
      if (reply.status >= 400 && reply.status < 500) return refused((await reply.json()).error);
      if (!reply.ok) throw new Error(reply.status);
      saved(await reply.json());
    } catch (failure) {
      const out = failure.message === "logged out";
      refused(out ? status?.dataset.loggedOut : status?.dataset.failed);
      if (!out) later(RETRY);
    } finally {
      under_way = null;
    }
    if (dirty && status?.dataset.state !== "failed") later(PAUSE);
  }

  /** Not saved: the text stays in this browser; trying the same again only makes sense when the server was away. */
  function refused(words) {
    dirty = true;
    keep();
    show("failed", words);
  }

  function saved(reply) {
    form.elements.version.value = reply.version;
    show("saved", fill(status?.dataset.saved ?? "", { time: reply.time }));
    document.dispatchEvent(new CustomEvent("section:saved", { detail: reply }));
    if (!dirty) localStorage.removeItem(key);
    if (reply.shown) {
      for (const box of $$("[data-question]", form)) box.hidden = !reply.shown.includes(box.dataset.question);
    }
    if (reply.unprintable) warn(form, reply.unprintable);
    if (reply.completeness) measured(reply.completeness);
  }

  async function conflict(reply) {
    stopped = true;
    const { late } = await reply.json().catch(() => ({}));
    keep({ sent: Boolean(late) }); // until one of the two texts is chosen; the server kept what came from an old form
    const address = reply.headers.get("Location");
    if (address) location.assign(address);
    else form.submit(); // the full page answers with both texts
  }

  /** Sends the form once the save under way has brought its version; without it, one would conflict with oneself. */
  async function after_save(button) {
    waiting = true;
    await Promise.race([under_way, new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
    [waiting, under_way] = [false, null];
    if (!stopped) form.requestSubmit(button);
  }

  form.addEventListener("input", (event) => {
    if (event.target.type === "file") return;
    [dirty, forgetting] = [true, false];
    later(event.target.matches("input[type=radio], input[type=checkbox], select") ? 0 : PAUSE);
  });
  form.addEventListener("submit", (event) => {
    if (under_way && !stopped) {
      event.preventDefault();
      if (!waiting) after_save(event.submitter);
      return;
    }
    keep({ sent: true }); // if it does not arrive, the text is still here; restore() finds out on return
    [dirty, stopped] = [false, true];
  });
  addEventListener("beforeunload", (event) => {
    if (dirty) event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "hidden" || !dirty) return;
    if (!forgetting) keep();
    save({ leaving: true });
  });
  addEventListener("online", () => save());
  document.addEventListener("submit", async (event) => {
    if (!event.target.matches("[data-clear-drafts]") || forgetting || !(dirty || under_way)) return;
    event.preventDefault();
    forgetting = true; // logging out: saved first, and then nothing stays in this browser
    await save();
    event.target.requestSubmit();
  });
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[href]");
    const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
    if (!(dirty || under_way) || !link || !plain || link.target || link.hash || link.origin !== location.origin) return;
    event.preventDefault();
    await save();
    location.assign(link.href);
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload(); // a page from the browser's memory holds an old version
  });

  restore(form, key, () => {
    dirty = true;
    later(0);
  });
}

/** Text that was not saved last time goes back into the form, unless something newer has been saved since: then on request. */
function restore(form, key, changed) {
  const stored = localStorage.getItem(key);
  const notice = $("[data-restored]");
  if (!stored || !notice) return;
  const draft = JSON.parse(stored);
  const old = Date.now() - draft.at > KEEP_DAYS * 86_400_000;
  const before = [...new FormData(form)].filter(([, value]) => typeof value === "string");
  if (form.hasAttribute("data-unsaved")) return changed(); // refused just now: it stands in the form and is not saved yet
  const newer = draft.version !== form.elements.version.value;
  const made_for = draft.entries.find(([name]) => name === "made-for")?.[1];
  const late = made_for && made_for !== form.elements["made-for"]?.value; // from a page of another version of the forms
  const arrived = draft.sent && (newer || late); // saving gives a new version
  if (old || arrived || (!late && same(form, before, draft.entries))) return localStorage.removeItem(key);

  if (late) return send_late(form, key, draft.entries);

  for (const words of $$("[data-when]", notice)) words.hidden = (words.dataset.when === "newer") !== newer;
  $("[data-restore]", notice).hidden = !newer;
  notice.hidden = false;
  const put_back = () => {
    put(form, draft.entries);
    changed();
  };
  if (!newer) put_back();
  $("[data-restore]", notice).addEventListener("click", () => {
    put_back();
    notice.hidden = true;
  });
  $("[data-discard]", notice).addEventListener("click", () => {
    put(form, before);
    localStorage.removeItem(key);
    if (!newer) changed(); // the restored text may have been saved meanwhile
    notice.hidden = true;
  });
}

/** Text kept on a page of another version of the forms: the server knows which of it is still asked, and keeps all of it. */
function send_late(form, key, entries) {
  const late = document.createElement("form");
  [late.method, late.action, late.hidden] = ["post", form.getAttribute("action"), true]; // form.action is the buttons of that name
  for (const [name, value] of [...entries, ["csrf_token", form.elements.csrf_token.value]]) {
    late.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
  document.body.append(late);
  localStorage.removeItem(key);
  late.submit();
}

/** At each field: the characters in it that the documents cannot show. `words`: by question. */
function warn(form, words) {
  for (const said of $$("[data-unprintable]", form)) {
    const { question } = said.parentElement.dataset;
    const note = document.getElementById(`unprintable-${question}`); // what was so when the page came
    if (note) note.hidden = !words[question];
    if (said.textContent !== (words[question] ?? "")) said.textContent = words[question] ?? "";
  }
}

/** How far the area is now; left as it is while somebody is in there. */
function measured(html) {
  const box = document.getElementById("completeness");
  if (!box || box.contains(document.activeElement)) return;
  const open = $("details", box)?.open;
  box.innerHTML = html;
  if (open) $("details", box).open = true;
}

/** The fields that people fill in themselves. */
function fields(form) {
  const others = ["hidden", "file", "submit", "button"];
  return [...form.elements].filter((field) => field.name && !others.includes(field.type));
}

function same(form, before, entries) {
  const names = new Set(fields(form).map((field) => field.name));
  const text = (pairs) => {
    const mine = pairs.filter(([name]) => names.has(name));
    return JSON.stringify(mine.map(([name, value]) => [name, value.replace(/\r\n/g, "\n")]));
  };
  return text(before) === text(entries);
}

function put(form, entries) {
  for (const field of fields(form)) {
    const values = entries.filter(([name]) => name === field.name).map(([, value]) => value);
    if (field.type === "radio" || field.type === "checkbox") field.checked = values.includes(field.value);
    else if (values.length) field.value = values[0];
  }
  for (const field of fields(form)) if (field.tagName === "TEXTAREA") field.dispatchEvent(new Event("input"));
}
