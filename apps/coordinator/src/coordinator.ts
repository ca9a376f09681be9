/**
 * The coordinator's parts, put together.
 *
 * Two ways lead to a look at a run: its own subscription to the log (the fast path: a handoff costs one delivery and one
 * append) and the doorbell on the bus (the safety net: it is delivered again until some coordinator has looked). Asking
 * twice is harmless, and the second look reads the run's tail at most. Several coordinators may run: the expected
 * revision decides whose decision is recorded, and the others find that nothing is left to decide.
 */

import { type Bus, Doorbells } from '#bus';
import { WAKING_EVENTS } from '#contracts';
import { HeardRuns, RelayWatch, Runs } from '#log';
import { Advances } from './advances.js';
import { Mirror } from './mirror/mirror.js';
import { Rounds } from './rounds.js';
import type { Surroundings } from './surroundings.js';

const ASKING: ReadonlySet<string> = new Set(WAKING_EVENTS.filter((type) => type !== 'SegmentScheduled'));

export interface Coordinator {
  readonly advances: Advances;
  start(): void;
  stop(): Promise<void>;
}

/** The bus, as far as the coordinator itself uses it. */
type CoordinatorBus = Pick<Bus, 'publish' | 'lastMessage' | 'lastSequence' | 'consumerState' | 'onFound'>;

export function createCoordinator({
  bus,
  log,
  logger,
  clock,
  id,
}: Omit<Surroundings, 'bus'> & { readonly bus: CoordinatorBus }): Coordinator {
  const doorbells = new Doorbells(bus);
  const heard = new HeardRuns();
  const advances = new Advances({ runs: new Runs(log, { app: 'coordinator', id }), heard, clock, logger });
  const watch = new RelayWatch(log, {
    clock,
    logger,
    heard,
    onNews: (runId, { type }) => {
      if (ASKING.has(type)) advances.nudge(runId);
    },
  });
  const rounds = new Rounds({ bus, doorbells, watch, advances, clock, logger });
  const mirror = new Mirror({ log, doorbells, logger, onWiped: () => rounds.ringForAll() });
  bus.onFound(() => void mirror.check().catch(() => undefined));
  return {
    advances,
    start: () => {
      watch.start();
      rounds.start();
      mirror.start();
    },
    stop: async () => {
      rounds.stop();
      advances.stop();
      await Promise.all([watch.stop(), mirror.stop()]);
    },
  };
}
