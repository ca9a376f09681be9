import { isDeepStrictEqual } from 'node:util';
import type { Finding, RunFacts, Viewing } from './facts.js';

/** A viewer who came back after every drop has seen exactly the log. */
export function liesToViewer({ id, events }: RunFacts, viewing: Viewing): readonly Finding[] {
  const lie = (what: string): readonly Finding[] => [
    { kind: 'lie', run: id, what: `a viewer by ${viewing.way}, dropped ${viewing.drops} times, ${what}` },
  ];
  for (const [place, { revision, type, data }] of events.entries()) {
    const seen = viewing.events[place];
    if (!seen) return lie(`has not seen ${type} (${revision})`);
    if (seen.revision !== revision) return lie(`has seen revision ${seen.revision} where ${revision} comes`);
    if (seen.type !== type || !isDeepStrictEqual(seen.data, data)) return lie(`has seen another ${type} (${revision})`);
  }
  return viewing.events.length > events.length ? lie('has seen more than the log has') : [];
}
