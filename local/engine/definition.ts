/** Where the state machines are: the source is in local/engine/, the bundle in dist/; statemachines/ is beside both. */
const up = import.meta.url.endsWith('.ts') ? '../../' : '../';

export const definitionOf = (machine: 'backup' | 'restore' | 'drill'): URL =>
  new URL(`${up}statemachines/${machine}.asl.json`, import.meta.url);
