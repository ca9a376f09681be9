import { type Recorded, type RunEvent, TERMINAL_EVENTS } from '#contracts';
import { canonical, type History, replay } from '#domain';
import { readRunEvent, type StoredEvent } from '#log';
import { sha256 } from '#platform';
import type { Played } from '../play-case.js';
import type { Ledger } from '../world/ledger.js';
import type { PlayedRun } from '../world/play.js';
import { WORLD_BEGINS } from '../world/virtual-time.js';

/** An event of the run, with when the log took it in milliseconds of the world. */
export interface Entry {
  readonly at: number;
  readonly revision: number;
  readonly event: RunEvent;
  readonly recorder: string;
}

/** All that the checker may look at of one run: the log and the world's ledger. */
export interface Account {
  readonly entries: readonly Entry[];
  readonly recorded: readonly Recorded<RunEvent>[];
  readonly ledger: Ledger;
  readonly history: History | undefined;
  /** Names what the model would be shown next. */
  readonly contextDigest: string;
  readonly result: string;
  /** When the run ended, in milliseconds of the world; 0 when it did not. */
  readonly endedAt: number;
  readonly requestDigests: string;
}

export async function accountOf({ world }: Played, { id }: PlayedRun): Promise<Account> {
  const stored: StoredEvent[] = [];
  for await (const event of world.log.read(`run-${id}`)) stored.push(event);
  const recorded = stored.map(readRunEvent);
  const entries = recorded.map(
    ({ event, revision, metadata }, place): Entry => ({
      at: (stored[place]?.created ?? 0) - WORLD_BEGINS,
      revision,
      event,
      recorder: metadata.actor.kind,
    }),
  );
  const history = recorded.reduce<History | undefined>(replay, undefined);
  const { messages = [], notes = [], results = {} } = history?.context ?? {};
  // Where a note stands in the log depends on how often the run was restarted; what it says does not.
  const context = { messages, notes: notes.map(({ text }) => text), results };
  return {
    entries,
    recorded,
    ledger: world.ledgerOf(id),
    history,
    contextDigest: sha256(canonical(context)),
    result: resultOf(entries),
    endedAt: entries.find(({ event }) => ENDS.has(event.type))?.at ?? 0,
    requestDigests: sha256(requestDigests(entries).join('\n')),
  };
}

const ENDS: ReadonlySet<string> = new Set(TERMINAL_EVENTS);

function resultOf(entries: readonly Entry[]): string {
  const end = entries.find(({ event }) => ENDS.has(event.type))?.event;
  if (end?.type !== 'RunCompleted') return end?.type ?? 'none';
  return JSON.stringify({ items: end.data.items, result: end.data.result });
}

const requestDigests = (entries: readonly Entry[]): string[] =>
  entries.flatMap(({ event }) => (event.type === 'ModelTurnCompleted' ? [event.data.requestDigest] : []));
