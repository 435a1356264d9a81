// [data-send-to="url"]  around file fields in a form: files go in parts as soon as they are chosen or dropped (sending.js, which is
//   fetched when somebody comes near). data-shows: id of the element to bring up to date; data-listed: else the name of
//   hidden inputs; data-words: as JSON.

import { $$ } from "./dom.js";

const PAUSE = 3000;

for (const box of $$("[data-send-to]")) {
  const area = box.closest(".card") ?? box;
  let coming;
  const sender = () => (coming ??= fetched().then((sending) => sending.sender(box)));
  const take = async (files) => (await sender())(files);

  for (const sign of ["focusin", "pointerenter", "dragenter"]) area.addEventListener(sign, sender, { once: true });
  for (const input of $$("input[type=file]", box)) {
    input.addEventListener("change", () => {
      take([...input.files]);
      input.value = "";
    });
  }
  area.addEventListener("dragover", (event) => event.dataTransfer.types.includes("Files") && event.preventDefault());
  area.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    take([...event.dataTransfer.files]);
  });
}

/** Without a connection it is asked for again, each time by another address: some browsers remember a failure. */
async function fetched() {
  for (let attempt = 0; ; attempt++) {
    try {
      return await import(attempt ? `./sending.js?${attempt}` : "./sending.js");
    } catch {
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}
