import { type Recorded, type RunEvent, type RunId, streams } from '#contracts';
import { canonical, fromSnapshot, givenBy, type History, type Rebuilding, replay } from '#domain';
import { builtFrom, type HandoffNote, HandoffNotes, type Request, type Runs, requestIn } from '#log';
import { type Clock, messageOf, Unavailable } from '#platform';

/** Of each run the requests in its last events are compared. */
const LAST_EVENTS = 200;
/** How long all of them together may take, milliseconds. */
const BUDGET_MS = 8_000;

/**
 * Folds every open run from its first event, and from its newest note and what came after, and compares: the log alone
 * suffices, and what was a speed-up says the same. One run after the other, as far as the time reaches.
 * @throws Unavailable
 */
export async function rebuildAll(runs: Runs<'gateway'>, open: readonly RunId[], clock: Clock): Promise<Rebuilding> {
  const from = clock.monotonic();
  const faults: { run: RunId; fault: string }[] = [];
  let [rebuilt, fromNotes, requests] = [0, 0, 0];
  for (const run of open) {
    if (clock.monotonic() - from > BUDGET_MS) break;
    try {
      const found = await rebuild(runs, run);
      requests += found.requests;
      if (found.fromNote) fromNotes += 1;
      if (found.fault !== undefined) faults.push({ run, fault: found.fault });
    } catch (error) {
      if (error instanceof Unavailable) throw error;
      faults.push({ run, fault: messageOf(error) });
    }
    rebuilt += 1;
  }
  return { open: open.length, rebuilt, fromNotes, requests, tookMs: clock.monotonic() - from, faults };
}

interface Rebuilt {
  readonly requests: number;
  readonly fromNote: boolean;
  readonly fault?: string;
}

async function rebuild(runs: Runs<'gateway'>, run: RunId): Promise<Rebuilt> {
  const note = await new HandoffNotes(runs.log).newest(run);
  const end = (await runs.log.last(streams.run(run)))?.revision;
  if (end === undefined) return { requests: 0, fromNote: false, fault: 'its stream is empty' };
  const recent = new Map<number, History>();
  let [history, noted]: (History | undefined)[] = [];
  let requests = 0;
  for await (const recorded of runs.events(run, 0, end + 1)) {
    const isRecent = recorded.revision > end - LAST_EVENTS / 2;
    const request = isRecent ? requestFrom(recent, recorded) : undefined;
    if (request && request.rebuilt !== request.recorded) {
      return { requests, fromNote: false, fault: `turn ${request.turn} has another digest` };
    }
    requests += request ? 1 : 0;
    history = replay(history, recorded);
    recent.set(recorded.revision, history);
    recent.delete(recorded.revision - LAST_EVENTS);
    noted = goneOnFrom(note, noted, recorded);
  }
  return { requests, fromNote: noted !== undefined, ...(noted && faultOf(history, noted)) };
}

function requestFrom(recent: ReadonlyMap<number, History>, recorded: Recorded<RunEvent>): Request | undefined {
  const at = recent.get(builtFrom(recorded) ?? -1);
  return at && requestIn(recorded, at);
}

/** The history from the note on. Whoever takes over a short run reads it whole; a wrong note of one is found all the same. */
function goneOnFrom(
  note: HandoffNote | undefined,
  noted: History | undefined,
  recorded: Recorded<RunEvent>,
): History | undefined {
  if (recorded.revision === 0) {
    const given = givenBy(recorded);
    return note && given && fromSnapshot(note.snapshot, given);
  }
  return noted && recorded.revision > noted.run.last.revision ? replay(noted, recorded) : noted;
}

const faultOf = (history: History | undefined, noted: History): Pick<Rebuilt, 'fault'> =>
  canonical(plain(history)) === canonical(plain(noted))
    ? {}
    : { fault: 'its newest note says something else than the log' };

/** As JSON has it: a note has been through JSON once. */
const plain = (history: History | undefined): object => JSON.parse(JSON.stringify(history ?? {})) as object;
