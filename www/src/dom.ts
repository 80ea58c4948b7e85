/** Typed access to the elements that index.html promises. */

type Constructor<T extends Element> = abstract new (...args: never[]) => T;

/** The one element that matches; a page without it was built wrongly, so its absence is an error. */
export function find<T extends Element>(root: ParentNode, selector: string, type: Constructor<T>): T {
  const element = root.querySelector(selector);
  if (!(element instanceof type)) throw new Error(`the page has no ${type.name} at ${selector}`);
  return element;
}

/** Writes only what differs: screen readers and text selections survive a tick that changes nothing. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function create<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  text: string,
  attributes: Readonly<Record<string, string>> = {},
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
