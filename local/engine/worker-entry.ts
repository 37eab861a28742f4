/** The program of a worker process: beside this module, in the source tree and in the bundle. */
export const workerEntry = new URL(
  `./worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`,
  import.meta.url,
);
