/**
 * Reads the text of `environments/<env>.json`.
 *
 * Invariant: what is refused is told by its path, with the value got, what is allowed and what to do; all of it at once.
 */
import { type Environment, environmentSchema } from '../contract/environment.ts';
import { HoldfastError } from '../contract/errors.ts';
import { maskSecrets } from '../mask-secrets.ts';
import { tellIssue } from './tell-issue.ts';

/**
 * @param file how messages name it
 * @param name what the file is called without `.json`: the environment must be named so
 * @throws ConfigurationError with a line for each value that is not allowed
 */
export function readEnvironment(text: string, file: string, name: string): Environment {
  const value = parseJson(text, file);
  const parsed = environmentSchema.safeParse(value);
  const problems = parsed.success
    ? namesItself(parsed.data, name)
    : parsed.error.issues.flatMap((issue) => tellIssue(issue, value, environmentSchema));
  if (problems.length > 0) throw refused(file, problems);
  return environmentSchema.parse(value);
}

function namesItself({ name }: Environment, expected: string): string[] {
  if (name === expected) return [];
  return [
    `name is ${JSON.stringify(name)}; allowed is ${JSON.stringify(expected)}, as the file is called`,
  ];
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    // The parser quotes what it found, which may be a password.
    throw refused(file, [`is not JSON: ${maskSecrets((cause as Error).message)}`]);
  }
}

const refused = (file: string, problems: readonly string[]): HoldfastError =>
  new HoldfastError(
    'ConfigurationError',
    `${file} has ${problems.length === 1 ? 'a value that is' : `${problems.length} values that are`} not allowed:\n` +
      problems.map((problem) => `  ${maskSecrets(problem)}`).join('\n'),
    {
      hint: `Correct ${file} and run the command again; docs/schemas/environment.schema.json lists every key, and editors show it when "$schema" names it.`,
    },
  );
