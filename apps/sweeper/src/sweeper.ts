import { type Bus, Doorbells } from '#bus';
import { Heartbeat, type RunnerRef, type ServiceAnswer } from '#contracts';
import { DEFAULT_PATIENCE } from '#domain';
import { type EventLog, HeardRuns, RelayWatch, Runs } from '#log';
import { type Clock, type Logger, messageOf } from '#platform';
import { Death } from './death.js';
import { Keeper } from './keeper.js';
import { Segments } from './segments.js';
import { Sweep } from './sweep.js';

const TICK_MS = 500;

/** What a sweeper is given at its start. */
export interface Surroundings {
  readonly bus: Pick<
    Bus,
    'publish' | 'lastMessage' | 'lastSequence' | 'consumerState' | 'isConnected' | 'ask' | 'listen'
  >;
  readonly log: EventLog;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Who records: unique to the process. */
  readonly id: string;
  /** Silence for this long is death, milliseconds. */
  readonly silenceMs: number;
  /** Whether the process of a segment is certainly gone; false also where nobody can tell. */
  readonly isGone: (runner: RunnerRef) => boolean;
}

export interface Sweeper {
  /** The open runs as this sweeper knows them. */
  readonly openRuns: RelayWatch;
  readonly heard: HeardRuns;
  start(): void;
  stop(): Promise<void>;
  /** What it hears now. */
  watch(): NonNullable<ServiceAnswer['watch']>;
}

export function createSweeper({ bus, log, logger, clock, id, silenceMs, isGone }: Surroundings): Sweeper {
  const segments = new Segments();
  const heard = new HeardRuns();
  const watch = new RelayWatch(log, {
    clock,
    logger,
    heard,
    onNews: (runId, news) => segments.take(runId, news, clock.monotonic()),
  });
  const death = new Death(new Runs(log, { app: 'sweeper', id }), clock);
  const patience = { ...DEFAULT_PATIENCE, deadMs: silenceMs, lateMs: Math.min(DEFAULT_PATIENCE.lateMs, silenceMs / 2) };
  const sweep = new Sweep({ bus, segments, death, patience, isGone, clock, logger });
  const keeper = new Keeper({ bus, doorbells: new Doorbells(bus), watch, clock });
  const rounds = oneAtATime(() => keeper.round(), logger);
  const listening = bus.listen(`${Heartbeat.subject}.*`, Heartbeat.body, (beat) =>
    segments.hear(beat, clock.monotonic()),
  );
  let timer: NodeJS.Timeout | undefined;
  const tick = (): void => {
    void sweep.tick();
    rounds();
  };
  const beginWhenReady = async (): Promise<void> => {
    await watch.ready();
    segments.takeAll(watch.open, clock.monotonic());
    timer = setInterval(tick, TICK_MS).unref();
  };
  return {
    openRuns: watch,
    heard,
    start: () => {
      watch.start();
      void beginWhenReady();
    },
    watch: () => ({ silenceMs, ...sweep.hearing() }),
    stop: async () => {
      clearInterval(timer);
      listening.stop();
      await watch.stop();
    },
  };
}

function oneAtATime(work: () => Promise<void>, logger: Logger): () => void {
  let running = false;
  return () => {
    if (running) return;
    running = true;
    work()
      .catch((error: unknown) =>
        logger.warn({ reason: messageOf(error) }, 'a keeper round failed; the next one goes on'),
      )
      .finally(() => {
        running = false;
      });
  };
}
