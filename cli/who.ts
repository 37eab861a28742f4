/** Who runs this, and where: goes into manifests, evidence and leases. */
import { hostname, userInfo } from 'node:os';

export function who(): { user: string; host: string } {
  return { user: userName(), host: hostname() };
}

/** In a container a uid need not have a name: then it throws. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}
