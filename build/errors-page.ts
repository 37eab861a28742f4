/** The page docs/errors.md from the catalogue: every error by name, what it means and what to do. */
import { errorCatalogue } from '../core/contract/errors.ts';

export function errorsPage(): string {
  const rows = Object.entries(errorCatalogue).map(
    ([name, { means, hint, retryable }]) =>
      `| \`${name}\` | ${means} | ${retryable ? 'yes' : 'no'} | ${hint.replaceAll('|', '\\|')} |`,
  );
  return `# Errors
Every error that Holdfast throws on purpose, by its stable name. Made from \`core/contract/errors.ts\` by \`npm run docs\`.
"Again" says whether the same call may succeed with nothing changed by a person; the state machine then tries it by itself.

| name | means | again | what to do |
|---|---|---|---|
${rows.join('\n')}
`;
}
