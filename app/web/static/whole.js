// Writing in the whole window. Loaded when somebody asks for it.

import { $ } from "./dom.js";

/** The field in the whole window and back: nothing else can be reached meanwhile, and the save status comes along. */
export function whole(box) {
  const [button, status] = [$("[data-deed=whole]", box), $("[data-save-status]")];
  const words = $("span", button);
  const around = status?.parentElement;
  const title = $("h1").cloneNode(true); // of which section this is: the page itself is out of reach
  title.className = "caption";
  const hidden = [];
  for (let one = box; one !== document.body; one = one.parentElement) {
    hidden.push(...[...one.parentElement.children].filter((other) => other !== one && !other.inert));
  }
  const turn = (on) => {
    box.classList.toggle("writing--whole", on);
    document.documentElement.classList.toggle("still", on);
    button.setAttribute("aria-pressed", on);
    [words.textContent, button.dataset.words] = [button.dataset.words, words.textContent];
    for (const one of hidden) one.inert = on;
    if (on) box.prepend(title);
    else title.remove();
    if (status) (on ? box : around).append(status);
    $("textarea", box).focus();
  };
  const fit = () => box.style.setProperty("height", `${visualViewport.height}px`); // above a phone's keyboard
  const leave = (event) => {
    if (event.type === "keydown" ? event.key !== "Escape" || event.isComposing : !button.contains(event.target)) return;
    event.stopPropagation();
    off.abort();
    box.style.removeProperty("height");
    turn(false);
  };
  const off = new AbortController();
  box.addEventListener("keydown", leave, { signal: off.signal });
  box.addEventListener("click", leave, { signal: off.signal, capture: true });
  visualViewport.addEventListener("resize", fit, { signal: off.signal });
  fit();
  turn(true);
}
