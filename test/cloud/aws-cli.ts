/** The AWS CLI (PyPI), for the commands of documents. */
import { join } from 'node:path';
import { pythonTools } from './python-tools.ts';

/** @returns the words that a command line begins with: its own first line names the interpreter where it was made */
export async function awsCli(): Promise<readonly [string, string]> {
  const tools = await pythonTools('aws-cli', 'awscli==1.46.2');
  return [join(tools, 'python'), join(tools, 'aws')];
}
