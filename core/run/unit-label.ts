/** What a unit is of, in its output: whoever opens one of a thousand children of a Map sees at once which table it had. */

const namesAtMost = 3;
/** A name has 63 bytes, with its schema twice as many. */
const lengthAtMost = 130;

/** `public.orders`, `public.a, public.b, public.c and 24 more`. @param names each may come more than once */
export function unitLabel(names: Iterable<string>): string {
  const all = [...new Set(names)];
  const shown = all
    .slice(0, namesAtMost)
    .map((name) => (name.length > lengthAtMost ? `${name.slice(0, lengthAtMost)}…` : name));
  const more = all.length - shown.length;
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
}
