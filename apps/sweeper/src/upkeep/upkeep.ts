/**
 * Looks every twenty seconds for what nobody keeps on the bus and in the log, mends it where that can be done, and records
 * what it found in the stream `upkeep`. Several sweepers may do so; see `Findings`.
 */
import { type Bus, Doorbells } from '#bus';
import { type EventLog, type Finding, Findings, type HeardRuns, OpenRunNotes, type RelayWatch, Runs } from '#log';
import { type Clock, type Logger, messageOf } from '#platform';
import { Grooming } from './grooming.js';
import { OpenRunsNoteKeeper } from './open-runs-note.js';
import { ParkedMessages } from './parked-messages.js';
import { StrayKeeper } from './strays.js';
import { Timers } from './timers.js';
import { unansweredRuns } from './waiting-runs.js';

const ROUND_EVERY_MS = 20_000;
/** Grooming does not compete with what has to be done first after an outage. */
const GROOM_AFTER_MS = 600_000;

export interface UpkeepSurroundings {
  readonly bus: Pick<
    Bus,
    | 'publish'
    | 'lastMessage'
    | 'lastSequence'
    | 'consumerState'
    | 'isConnected'
    | 'parkedSince'
    | 'strays'
    | 'removeStray'
  >;
  readonly log: EventLog;
  readonly watch: RelayWatch;
  readonly heard: HeardRuns;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Who records: unique to the process. */
  readonly id: string;
}

export interface Upkeep {
  start(): void;
  stop(): void;
  /** One round over everything but the grooming; never rejects. */
  round(): Promise<void>;
}

export function createUpkeep({ bus, log, watch, heard, logger, clock, id }: UpkeepSurroundings): Upkeep {
  const findings = new Findings(log, { app: 'sweeper', id }, clock, logger);
  const runs = new Runs(log, { app: 'sweeper', id });
  const timers = new Timers({ runs, watch, heard, doorbells: new Doorbells(bus), clock });
  const strays = new StrayKeeper(bus, clock);
  const parked = new ParkedMessages(bus, findings);
  const openRuns = new OpenRunsNoteKeeper({ notes: new OpenRunNotes(log), watch, clock, id });
  const stopping = new AbortController();
  const grooming = new Grooming({ log, clock, logger, id, signal: stopping.signal });
  const recorded = (look: () => Promise<readonly Finding<'sweeper'>[]>) => async () =>
    void (await findings.record(await look()));
  const keepers: Readonly<Record<string, () => Promise<unknown>>> = {
    runs: recorded(() => unansweredRuns({ bus, watch, clock })),
    timers: recorded(() => timers.round()),
    parked: () => parked.round(),
    strays: recorded(() => strays.round()),
    'open runs': () => openRuns.round(),
  };
  const attempt = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!stopping.signal.aborted)
        logger.warn({ what, reason: messageOf(error) }, 'upkeep did not succeed; the next round goes on');
    }
  };
  const round = async (): Promise<void> => {
    if (!bus.isConnected()) return;
    for (const [what, work] of Object.entries(keepers)) await attempt(what, work);
  };
  const startedAt = clock.monotonic();
  const timed = [
    { work: round, isDue: () => true },
    {
      work: () => attempt('grooming', () => grooming.round()),
      isDue: () => clock.monotonic() - startedAt >= GROOM_AFTER_MS,
    },
  ];
  const timersOfOurs: NodeJS.Timeout[] = [];
  return {
    round,
    start: () => {
      for (const { work, isDue } of timed) {
        let running = false;
        const tick = (): void => {
          if (running || !isDue()) return;
          running = true;
          void work().finally(() => {
            running = false;
          });
        };
        timersOfOurs.push(setInterval(tick, ROUND_EVERY_MS).unref());
      }
    },
    stop: () => {
      stopping.abort();
      for (const timer of timersOfOurs) clearInterval(timer);
    },
  };
}
