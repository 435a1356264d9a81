// [data-upload-progress]   in a form with file fields: shown while its files are on their way with the form

import { $, $$ } from "./dom.js";

/** A big file takes a while: say so, with its size, instead of a page that seems to hang. */
document.addEventListener("submit", ({ target: form }) => {
  for (const progress of $$("[data-upload-progress]", form)) {
    const files = $$("input[type=file]", form).flatMap((input) => [...input.files]);
    if (!files.length) continue;
    const megabytes = Math.max(0.1, files.reduce((sum, file) => sum + file.size, 0) / 1e6);
    const size = megabytes.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 });
    const words = progress.dataset.uploadProgress.replace("{n}", files.length).replace("{size}", size);
    $("[role=status]", progress).textContent = words;
    progress.hidden = false;
    progress.scrollIntoView({ block: "nearest" });
  }
});
