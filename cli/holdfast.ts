#!/usr/bin/env node
/**
 * The entry of `holdfast`: looks at the Node version before anything is loaded that an older one could not even parse.
 *
 * Invariant: nothing but Node 20's syntax and no import here, and the rest is a file of its own (a static import, or a
 * bundle of both, would be linked before the guard has spoken).
 */
const neededMajor = 24;
const major = Number(process.versions.node.split('.')[0]);

if (major < neededMajor) {
  process.stderr.write(
    `holdfast needs Node ${neededMajor} or newer; this is Node ${process.versions.node}.\n` +
      '  What to do: inside the checkout run it as `npx holdfast …` or `npm run holdfast -- …`\n' +
      '  (after `npm ci`, which brings Node 24 with it), or install Node 24 from https://nodejs.org.\n',
  );
  process.exitCode = 2;
} else {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  const { main } = await import(new URL(`./main${extension}`, import.meta.url).href);
  await main(process.argv.slice(2));
}

export {};
