/** A sign beside the verdict, so that it is understood without its colour. */
import type { Tone } from './headline.ts';
import { html, type Markup } from './markup.ts';

const marks: Readonly<Record<Tone, Markup>> = {
  good: html`<path d="M8 16.5l5.5 5.5L24 11"/>`,
  warning: html`<path d="M16 8v10M16 23v.5"/>`,
  bad: html`<path d="M10 10l12 12M22 10L10 22"/>`,
};

export const verdictMark = (tone: Tone): Markup =>
  html`<svg class="mark" viewBox="0 0 32 32" width="44" height="44" aria-hidden="true"><circle cx="16" cy="16" r="15"/>${marks[tone]}</svg>`;
