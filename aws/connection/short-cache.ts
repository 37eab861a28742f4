/**
 * Remembers an answer for seconds, so that a busy function does not ask for the same thing at every connection.
 *
 * Invariant: failures are not remembered, and nothing is older than its time: secrets rotate, servers fail over.
 */
export function shortCache<T>(
  load: (key: string) => Promise<T>,
  lifeMs: number,
  now: () => number = () => performance.now(),
): (key: string) => Promise<T> {
  const known = new Map<string, { readonly until: number; readonly value: Promise<T> }>();
  return (key) => {
    const found = known.get(key);
    if (found !== undefined && now() < found.until) return found.value;
    const value = load(key);
    const entry = { until: now() + lifeMs, value };
    known.set(key, entry);
    value.catch(() => {
      if (known.get(key) === entry) known.delete(key);
    });
    return value;
  };
}
