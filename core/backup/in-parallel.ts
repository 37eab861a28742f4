/** Many small calls to a vault or workspace, some at a time. */

/** 16: hides the latency of an object store; few enough for a folder and for the limits of a store. */
const atOnce = 16;

/** The first error ends it: nothing new is begun then, and it is thrown when all that had begun has ended. */
export async function inParallel<T>(
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const failures: unknown[] = [];
  const worker = async () => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) {
      if (failures.length > 0) return;
      try {
        await work(next.value);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (failures.length > 0) throw failures[0];
}
