import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunId } from '#contracts';
import { until } from '#testing';
import { holdsOpen } from '../chaos/open-files.js';
import { ClusterRig, completedExactly, freeze, GATED, idsOf, kill, STEADY, TEST_MS, thaw } from './cluster-rig.js';

/*
 * Whatever a run needs may be away for a while, and may have forgotten what it is allowed to forget: the run goes on, and
 * each item is worked on exactly once.
 */
let rig: ClusterRig;
beforeAll(async () => {
  rig = await ClusterRig.start();
}, TEST_MS);
afterAll(() => rig.remove(), TEST_MS);

const begun = (id: RunId): Promise<boolean> =>
  until(async () => {
    const notes = await Promise.all([rig.notes(id, 'begun'), rig.notes(id, 'ledger')]);
    return notes.flat().length > 0;
  }, TEST_MS);

/** The service is there and answers nobody for as long as this takes; then it is killed, and started again. */
async function away(name: string, meanwhile: () => Promise<unknown>): Promise<void> {
  const pid = await rig.pidOf(name);
  freeze(pid);
  try {
    await meanwhile();
  } finally {
    kill(pid);
  }
}

const loseTheBus = (): Promise<void> => away('nats', () => rm(join(rig.data, 'nats'), { recursive: true }));

async function coordinatorAway(): Promise<void> {
  const id = await rig.run({ command: GATED, caps: { segmentSeconds: 3, reserveSeconds: 1 } }, 1);
  await begun(id);
  await away('coordinator', async () => {
    const ended = await until(async () => {
      const last = (await rig.events(id)).at(-1);
      return last?.type === 'SegmentEnded' ? last : undefined;
    }, TEST_MS);
    await rig.openGate(id);
    await until(async () => (await rig.notes(id, 'ledger')).length === 1, TEST_MS);
    expect((await rig.events(id)).at(-1)).toEqual(ended);
  });
  await completedExactly(rig, id, 1);
  expect(await rig.notes(id, 'begun')).toEqual(idsOf(1));
}

async function gatewayAway(): Promise<void> {
  const id = await rig.run({ command: STEADY }, 5);
  await begun(id);
  await away('gateway', () => until(async () => (await rig.notes(id, 'ledger')).length === 5, TEST_MS));
  await completedExactly(rig, id, 5);
}

async function busWiped(): Promise<void> {
  const id = await rig.run({ command: STEADY, caps: { segmentSeconds: 2.5, reserveSeconds: 1 } }, 10);
  await begun(id);
  await loseTheBus();
  const events = await completedExactly(rig, id, 10);
  // It was handed over by a bus that knew nothing of it.
  expect(events.filter(({ type }) => type === 'SegmentStarted').length).toBeGreaterThan(1);
}

async function busStuck(): Promise<void> {
  const id = await rig.run({ command: STEADY }, 10);
  await begun(id);
  const pid = await rig.pidOf('nats');
  freeze(pid);
  await until(async () => (await rig.pidOf('nats').catch(() => pid)) !== pid, TEST_MS);
  await completedExactly(rig, id, 10);
}

/** Kills the bus; resolves with its next process once that serves. */
async function busStartedAnew(): Promise<number> {
  const before = await rig.pidOf('nats');
  kill(before);
  return until(async () => {
    const log = await readFile(join(rig.data, 'logs', 'nats.log'), 'utf8');
    const now = await rig.pidOf('nats').catch(() => before);
    if (now === before) return undefined;
    const isReady = log.split('\n').some((line) => line.startsWith(`[${now}]`) && line.endsWith('Server is ready'));
    return isReady ? now : undefined;
  }, TEST_MS);
}

/**
 * The server lives, answers, and can store nothing any more: somebody has removed its files. One that has just started
 * holds none of them open; another one would keep them for two minutes.
 */
async function busRobbed(): Promise<void> {
  const pid = await busStartedAnew();
  const files = join(rig.data, 'nats');
  await rm(files, { recursive: true, maxRetries: 10 });
  await until(() => !holdsOpen(pid, files), TEST_MS);
  const id = await rig.run({ command: STEADY, caps: { segmentSeconds: 2.5, reserveSeconds: 1 } }, 10);
  await completedExactly(rig, id, 10);
  expect(await rig.pidOf('nats')).not.toBe(pid);
}

/** What it still has in memory and in the files that it has open may be enough for these runs, and is not for later ones. */
async function busRobbedAtWork(): Promise<void> {
  const caps = { segmentSeconds: 2.5, reserveSeconds: 1 };
  const ids = await Promise.all(Array.from({ length: 3 }, () => rig.run({ command: STEADY, caps }, 10)));
  await Promise.all(ids.map(begun));
  await rm(join(rig.data, 'nats'), { recursive: true, maxRetries: 10 });
  for (const id of ids) await completedExactly(rig, id, 10);
  await busStartedAnew();
}

async function busWipedBeforeTheStart(): Promise<void> {
  const runner = await rig.pidOf('segment-runner');
  freeze(runner);
  let id: RunId;
  try {
    id = await rig.run({ command: STEADY }, 2);
    await rig.recorded(id, 'SegmentScheduled');
    await loseTheBus();
  } finally {
    thaw(runner);
  }
  await completedExactly(rig, id, 2);
}

async function storeKilledUnderLoad(): Promise<void> {
  const ids = await Promise.all(Array.from({ length: 5 }, () => rig.run({ command: STEADY }, 4)));
  for (const lines of [1, 2, 3]) {
    await until(async () => (await rig.notes(ids[0] as RunId, 'ledger')).length >= lines, TEST_MS);
    kill(await rig.pidOf('event-store'));
  }
  for (const id of ids) await completedExactly(rig, id, 4);
}

describe('a run goes on, each item worked on once,', () => {
  it('although the coordinator is away when its segment ends', coordinatorAway, TEST_MS);
  it('while the gateway is away, and shows all of it when that is back', gatewayAway, TEST_MS);
  it('when everything that the bus has stored is lost in the middle of it', busWiped, TEST_MS);
  it('when the bus stands still and does not come back by itself', busStuck, TEST_MS);
  it('when the files of the bus are removed while it runs', busRobbed, TEST_MS);
  it('when these are removed while it works with them', busRobbedAtWork, TEST_MS);
  it('when the bus has lost a segment that nobody had taken', busWipedBeforeTheStart, TEST_MS);
  it('with four others when the event store is killed again and again', storeKilledUnderLoad, TEST_MS);
});
