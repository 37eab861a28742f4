/** One entry of the error catalogue. */
export interface ErrorEntry {
  /** What happened, in a few words, for the generated documentation. */
  readonly means: string;
  /** May the same call succeed when it is made again, with nothing changed by a person? */
  readonly retryable: boolean;
  /** The answer to "what do I do now" when the thrower knows nothing better. */
  readonly hint: string;
}

export const entry = (means: string, hint: string, retryable = false): ErrorEntry => ({
  means,
  hint,
  retryable,
});
