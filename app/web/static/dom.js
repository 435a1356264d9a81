// What the other scripts share. No effects of its own, as it may be loaded more than once.

export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** In front of the keys of texts that are kept in this browser because they could not be saved. */
export const DRAFT = "draft:";
