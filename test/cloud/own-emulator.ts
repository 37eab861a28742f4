/**
 * What only the emulator that the suite starts itself can be asked to do. With AWS_ENDPOINT_URL of another one the tests of
 * it are skipped, each with the reason in its title; without (as in our CI) none is.
 */

export const isOurs = (process.env['AWS_ENDPOINT_URL'] ?? '') === '';

/** @returns what goes behind a title: why it is skipped, and nothing where it runs */
export const onlyOurs = (why: string): string =>
  isOurs ? '' : ` [skipped on an emulator that we did not start: ${why}]`;
