/** Rows of COPY text: lines out of pieces of any size, and values out of lines. */

const newline = 0x0a;

/** Without the line feeds. A line is the consumer's until it asks for the next one. */
export async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let begun: Buffer[] = [];
  for await (const chunk of chunks) {
    let from = 0;
    for (let to = chunk.indexOf(newline); to >= 0; to = chunk.indexOf(newline, from)) {
      const piece = chunk.subarray(from, to);
      yield begun.length === 0 ? piece : Buffer.concat([...begun, piece]);
      begun = [];
      from = to + 1;
    }
    // A copy: the chunk's memory is the reader's again.
    if (from < chunk.length) begun.push(Buffer.from(chunk.subarray(from)));
  }
}

const escapes: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** The value of a field of COPY text; null for `\N`. */
export const unescapeCopy = (field: string): string | null =>
  field === '\\N'
    ? null
    : field.replaceAll(/\\(.)/gs, (_, character: string) => escapes[character] ?? character);
