// What the page asks of the DOM. Text goes in as text, never as markup.

/**
 * The element of that id, which index.html has.
 * @template {Element} E
 * @param {string} id
 * @param {new () => E} type
 * @returns {E}
 */
export function byId(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`index.html has no ${type.name} #${id}`);
  return found;
}

/**
 * A new element.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {{ class?: string, text?: string | number }} [with_]
 * @param {(Node | string)[]} children strings become text
 * @returns {HTMLElementTagNameMap[T]}
 */
export function el(tag, with_ = {}, ...children) {
  const made = document.createElement(tag);
  if (with_.class !== undefined) made.className = with_.class;
  if (with_.text !== undefined) made.textContent = String(with_.text);
  made.append(...children);
  return made;
}

/**
 * Writes text, where it differs: a live region would else say it again.
 * @param {Element} into
 * @param {string | number} text
 */
export function write(into, text) {
  if (into.textContent !== String(text)) into.textContent = String(text);
}

/**
 * Makes a function that calls work at most once in so many ms, and always after the last call.
 * @param {number} ms
 * @param {() => void} work
 */
export function seldom(ms, work) {
  let due = false;
  let last = -Infinity;
  const run = () => {
    due = false;
    last = performance.now();
    work();
  };
  return () => {
    if (due) return;
    due = true;
    setTimeout(run, Math.max(0, last + ms - performance.now()));
  };
}
