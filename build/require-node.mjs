// Says what to do when an npm script does not run on Node 24; plain JavaScript, so that any Node can say it.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(`Holdfast's scripts need Node 24; this is Node ${process.versions.node}.
Node 24 comes with the devDependency "node", unless install scripts were switched off.
Now: run \`npm ci\` without --ignore-scripts (and with devDependencies), or install Node 24 yourself.`);
  process.exit(1);
}
