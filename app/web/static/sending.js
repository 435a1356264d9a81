// Sends files in parts, and goes on by itself after a lost connection, or when the same file is chosen again. app/web/uploads.py
// is the other side. Fetched by uploads.js, which says what a box has.

import { $, $$ } from "./dom.js";

class Refused extends Error {}
const AWAY = [502, 503, 504];
const AGAIN = [...AWAY, 404, 409]; // of a part: starting again says where to go on

/** What takes the files chosen in this box: a function of a list of files. */
export function sender(box) {
  const { sendTo, use, shows, listed } = box.dataset;
  const words = JSON.parse(box.dataset.words);
  const list = $("ul", box);
  const status = $("[role=status]", box);
  let line = Promise.resolve();
  let waiting = 0;

  const take = (files) => {
    for (const file of files) {
      const row = newRow(file);
      waiting++;
      line = line.then(() => send(file, row)).finally(() => --waiting || refresh());
    }
  };
  addEventListener("beforeunload", (event) => waiting && event.preventDefault());

  return take;

  function newRow(file) {
    const row = $("template", box).content.firstElementChild.cloneNode(true);
    for (const place of $$("[data-name]", row)) place.textContent = file.name;
    $("progress", row).ariaLabel = file.name;
    $("button", row).onclick = () => row.remove();
    list.append(row);
    list.hidden = false;
    tell(row, words.queued);
    return row;
  }

  function tell(row, text, failed = false) {
    const place = $("[data-state]", row);
    if (place.textContent === text) return;
    place.textContent = text;
    place.className = failed ? "files__reason" : "muted";
    if (text !== words.queued) status.textContent = `${$("[data-name]", row).textContent}: ${text}`;
  }

  async function send(file, row) {
    for (let pause = 1000; row.isConnected; pause = Math.min(pause * 2, 20_000)) {
      try {
        const about = { filename: file.name, size: file.size, modified: file.lastModified, use };
        let { id, at, part } = await ask(sendTo, about);
        for (; row.isConnected && at < file.size; pause = 1000) {
          tell(row, words.sending);
          $("progress", row).value = at / file.size;
          ({ at } = await ask(`${sendTo}/${id}?at=${at}`, file.slice(at, at + part)));
        }
        if (!row.isConnected) return;
        $("progress", row).value = 1;
        const done = await ask(`${sendTo}/${id}/klaar`, { sha256: await sha256(file) });
        return added(row, done.id);
      } catch (failure) {
        if (failure instanceof Refused) return end(row, failure.message || words.failed, true);
        tell(row, words.waiting);
        await new Promise((resolve) => {
          setTimeout(resolve, pause);
          addEventListener("online", resolve, { once: true });
        });
      }
    }
  }

  async function ask(url, data) {
    const body = data instanceof Blob ? data : new URLSearchParams(data);
    const token = box.closest("form").elements.csrf_token.value;
    const reply = await fetch(url, { method: "POST", body, headers: { "X-CSRFToken": token, "X-Requested-With": "upload" } });
    if (reply.redirected || reply.status === 401) throw new Refused(words.out);
    if ((url === sendTo ? AWAY : AGAIN).includes(reply.status)) throw new Error(reply.status);
    const answer = await reply.json().catch(() => ({}));
    if (reply.ok) return answer;
    throw new Refused(answer.error);
  }

  function end(row, text, failed) {
    $("progress", row).remove();
    $("[data-stop]", row).textContent = words.hide;
    tell(row, text, failed);
  }

  function added(row, id) {
    end(row, words.added);
    row.dataset.added = "";
    if (!listed) return $("button", row).remove();
    row.append(Object.assign(document.createElement("input"), { type: "hidden", name: listed, value: id }));
  }

  /** As the server has it now; what failed stays to be read. */
  async function refresh() {
    const old = shows && document.getElementById(shows);
    if (!old || old.contains(document.activeElement)) return;
    const page = await fetch(location.pathname).then(
      (reply) => (reply.ok ? reply.text() : ""),
      () => "",
    );
    if (!page) return setTimeout(refresh, 5000);
    const fresh = new DOMParser().parseFromString(page, "text/html").getElementById(shows);
    if (!fresh) return;
    old.replaceWith(fresh);
    fresh.dispatchEvent(new Event("fresh", { bubbles: true }));
    for (const row of $$("[data-added]", list)) row.remove();
    list.hidden = !list.children.length;
  }
}

/** Only where the browser can: not over plain http. */
async function sha256(file) {
  if (!crypto.subtle) return "";
  const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return [...new Uint8Array(digest)].map((one) => one.toString(16).padStart(2, "0")).join("");
}
