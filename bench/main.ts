import { exitWhenDone, messageOf } from '#platform';
import type { Bench } from './bench.js';

/** Who adds a bench adds one line here: its name and the module whose `bench` it is. */
const BENCHES: Readonly<Record<string, () => Promise<{ readonly bench: Bench }>>> = {
  relay: () => import('./relay/main.js'),
  'event-store': () => import('./event-store/main.js'),
};
const DEFAULT = 'relay';

const [first = '', ...rest] = process.argv.slice(2);
exitWhenDone();
const named = Object.hasOwn(BENCHES, first);
try {
  if (!named && first !== '' && !first.startsWith('-')) {
    throw new Error(`there is no bench ${first}: use ${Object.keys(BENCHES).join(', ')}`);
  }
  const load = BENCHES[named ? first : DEFAULT];
  await (await load?.())?.bench.run(named ? rest : process.argv.slice(2));
} catch (error) {
  process.stderr.write(`bench: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
