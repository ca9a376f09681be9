import { setTimeout as pause } from 'node:timers/promises';
import type { z } from 'zod';
import type { Recorded, RunEvent, RunId, StartRunRequest } from '#contracts';
import { newId } from '#platform';
import { follow } from '../api/follow.js';
import type { JournalledCall } from '../demo/journal.js';
import { Obstacle } from '../errors.js';
import { recordedOf } from '../runs/recorded.js';
import { Disturbance } from './disturbance.js';
import { type Evidence, filesBelow } from './evidence.js';
import { answerFor } from './people.js';
import type { Moments, Point } from './points.js';
import type { TortureCluster } from './torture-cluster.js';

/** Where runs are played, and which. */
export interface Stage {
  readonly cluster: TortureCluster;
  readonly request: z.input<typeof StartRunRequest>;
  readonly approve: boolean;
  readonly seed: number;
  /** Aborted when the person leaves. */
  readonly leaving: AbortSignal;
}

/** A run that was played, and what it has left. */
export interface Played extends Evidence {
  readonly run: RunId;
  /** Whether the disturbance has happened; a run may be over before its moment comes. */
  readonly struck: boolean;
  readonly moments: Moments;
  readonly ms: number;
}

/**
 * Plays one run, with the disturbance at its point or with none. What has not ended after `limitMs` is cancelled.
 * @param callMs how long the point's call takes undisturbed, in milliseconds
 */
export async function play(stage: Stage, limitMs: number, point?: Point, callMs?: number): Promise<Played> {
  const { cluster, request, seed } = stage;
  const { gateway, desk, arms } = cluster;
  const began = performance.now();
  const disturbance = new Disturbance(arms, seed, point, callMs);
  const { id: run } = await gateway.start(request, newId());
  desk.register(run, disturbance);
  const seen = await watched(stage, run, limitMs);
  await disturbance.settled();
  // Watching ends with the run; what was held up may have been written after it.
  const events = [...seen, ...(await eventsAfter(stage, run, seen.at(-1)?.revision ?? -1))];
  stage.leaving.throwIfAborted();
  return {
    run,
    events,
    journal: await journalOf(cluster, run),
    files: filesBelow(cluster.workspaces.filesOf(run)),
    struck: disturbance.struck,
    moments: disturbance.moments,
    ms: performance.now() - began,
  };
}

/** What the log has of a run after a revision. */
export async function eventsAfter(
  { cluster: { gateway } }: Stage,
  run: RunId,
  revision: number,
): Promise<readonly Recorded<RunEvent>[]> {
  const events: Recorded<RunEvent>[] = [];
  for await (const shown of gateway.events(run, revision + 1)) events.push(recordedOf(shown));
  return events;
}

async function watched(
  { cluster: { gateway }, approve, leaving }: Stage,
  run: RunId,
  limitMs: number,
): Promise<readonly Recorded<RunEvent>[]> {
  const signal = AbortSignal.any([leaving, AbortSignal.timeout(limitMs)]);
  const events: Recorded<RunEvent>[] = [];
  for await (const shown of follow(gateway.http, run, { from: 0, signal })) {
    const recorded = recordedOf(shown);
    events.push(recorded);
    await answerFor(gateway, run, events, approve);
  }
  if (signal.aborted && !leaving.aborted) await gateway.wish(run, 'cancel', { reason: 'It takes too long.' });
  return events;
}

const JOURNAL_MS = 30_000;

/** The manager may be on its way back. */
async function journalOf({ workspaces }: TortureCluster, run: RunId): Promise<readonly JournalledCall[]> {
  const end = performance.now() + JOURNAL_MS;
  for (;;) {
    try {
      return await workspaces.journalOf(run);
    } catch (error) {
      if (performance.now() > end) {
        throw new Obstacle('The workspace-manager does not answer: its log says why.', { cause: error });
      }
      await pause(50);
    }
  }
}
