/** Bounded concurrency: as many calls at once as allowed, results in the order of the items. */

/** The first error stops further calls; those under way are waited for, then it is thrown. */
export async function mapSome<T, R>(
  items: readonly T[],
  atOnce: number,
  call: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = new Array(items.length);
  let next = 0;
  let hasFailed = false;
  const work = async () => {
    while (!hasFailed && next < items.length) {
      const index = next++;
      try {
        results[index] = await call(items[index] as T, index);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  const workers = Array.from({ length: Math.min(atOnce, items.length) }, work);
  const failed = (await Promise.allSettled(workers)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
  return results;
}
