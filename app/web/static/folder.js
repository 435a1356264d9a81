// The evidence folder: files are dragged to another place in the list. The buttons beside each file do the same.

import { $, $$ } from "./dom.js";

const form = () => $("#order");
let dragged = null;

const rowOf = (event) => event.target.closest?.(".folder > li");

document.addEventListener("mousedown", (event) => {
  const row = rowOf(event);
  if (row && form()) row.draggable = !event.target.closest("details, a, button"); // text fields keep their selection
});
document.addEventListener("dragstart", (event) => {
  dragged = rowOf(event) ?? null;
  if (dragged) event.dataTransfer.effectAllowed = "move";
});
document.addEventListener("dragover", (event) => {
  const row = rowOf(event);
  if (!dragged || !row) return;
  event.preventDefault();
  const box = row.getBoundingClientRect();
  row[event.clientY < box.top + box.height / 2 ? "before" : "after"](dragged);
});
document.addEventListener("drop", (event) => dragged && event.preventDefault());
document.addEventListener("dragend", async () => {
  if (!dragged) return;
  dragged = null;
  const body = new URLSearchParams(new FormData(form()));
  body.set("order", $$("[data-file]").map((row) => row.dataset.file));
  await fetch(form().action, { method: "POST", body }).catch(() => {});
  location.reload(); // as the server has it, with the right buttons at both ends
});
