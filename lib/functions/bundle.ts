/** The code of all functions: one folder, made by `npm run build`; each function has its own handler in it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Code } from 'aws-cdk-lib/aws-lambda';
import type { FunctionName } from '../../core/contract/functions.ts';

const bundle = join(import.meta.dirname, '../../dist/lambda');

/** `DumpUnit` → `dump-unit`: the file in lambdas/ and in the bundle. */
export const handlerFileOf = (name: FunctionName): string =>
  name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();

/**
 * @param folder default: what the build leaves
 * @throws Error, at synth, when it was not built
 */
export function functionCode(folder: string = bundle): Code {
  if (existsSync(folder)) return Code.fromAsset(folder);
  throw new Error(`The functions are not built: ${folder} is missing. Run: npm run build`);
}
