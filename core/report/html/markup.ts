/**
 * HTML that is escaped by itself: whatever is put into an `html` template is text, unless it is markup made by one.
 *
 * Invariant: there is no other way from a string to markup, but for constants of this folder (`constantMarkup`).
 */
import { printable } from '../format.ts';

export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = Markup | string | number | null | false | readonly Part[];

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Control and direction characters are spelt out: a name must not turn the text around it. Newlines stay. */
export const escapeText = (text: string): string =>
  text
    .split('\n')
    .map(printable)
    .join('\n')
    .replaceAll(/[&<>"']/g, (character) => escapes[character] ?? character);

export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const rest = parts.map((part, index) => render(part) + (strings[index + 1] ?? ''));
  return new Markup((strings[0] ?? '') + rest.join(''));
}

/** @param text written by us, word for word: a style sheet */
export const constantMarkup = (text: string): Markup => new Markup(text);

function render(part: Part): string {
  if (part === null || part === false) return '';
  if (part instanceof Markup) return part.text;
  if (typeof part === 'string') return escapeText(part);
  return typeof part === 'number' ? String(part) : part.map(render).join('');
}
