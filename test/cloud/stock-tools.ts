/** The AWS Encryption SDK's own command line (PyPI), which knows nothing of us. */
import { pythonTools } from './python-tools.ts';

/** @returns the folder of its programs */
export const stockTools = (): Promise<string> =>
  pythonTools('stock', 'aws-encryption-sdk-cli==4.3.0');
