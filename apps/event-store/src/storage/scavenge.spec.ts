import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkStore } from '../tools/check.js';
import { type Opened, openStorage } from './database.js';
import type { ProposedEvent } from './event.js';
import { EventLog } from './event-log.js';
import { Reader } from './reader.js';
import { Scavenger } from './scavenge.js';

let folder: string;
let opened: Opened;
let log: EventLog;
let reader: Reader;
let scavenger: Scavenger;
let clock: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'scavenge-'));
  clock = 1_000_000;
  open();
});
afterEach(() => {
  opened.close();
  rmSync(folder, { recursive: true, force: true });
});

function open(): void {
  opened = openStorage({ folder, sync: 'full' });
  log = new EventLog(opened.database, () => clock, opened.mark);
  reader = new Reader(opened.database, log, () => clock);
  scavenger = new Scavenger(opened.database, log, () => clock);
}

function reopen(): void {
  opened.close();
  open();
}

const anEvent = (size = 10, id = crypto.getRandomValues(new Uint8Array(16))): ProposedEvent => ({
  id,
  type: 'Happened',
  json: false,
  metadata: new Uint8Array(0),
  data: new Uint8Array(size),
});
const append = (stream: string, count: number, size?: number) =>
  log.append({ stream, expected: 'any', events: Array.from({ length: count }, () => anEvent(size)) });
const limit = (stream: string, policy: object) => {
  const data = Buffer.from(JSON.stringify(policy));
  return log.append({ stream: `$$${stream}`, expected: 'any', events: [{ ...anEvent(), type: '$metadata', data }] });
};
const revisionsOf = (stream: string): number[] =>
  reader.readStream(log.streams.get(stream), 0, 'forwards', 100_000).map(({ revision }) => revision);
const stored = (stream: string): number =>
  (
    opened.database
      .prepare('SELECT count(*) AS n FROM events WHERE stream=(SELECT id FROM streams WHERE name=?)')
      .get(stream) as { n: number }
  ).n;
const positions = (): number[] => reader.readAll(0, 'forwards', 100_000).events.map(({ position }) => position);
const upTo = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);

describe('a scavenge', () => {
  it('removes what $maxCount hides; what stays keeps its revision and position, also after a restart', async () => {
    await append('kept', 5);
    await append('limited', 1000);
    await limit('limited', { $maxCount: 3 });
    const before = new Map(reader.readAll(0, 'forwards', 2000).events.map((event) => [event.position, event.revision]));
    expect(await scavenger.run()).toMatchObject({ streams: 1, events: 997 });
    for (const round of [1, 2]) {
      expect([round, stored('limited')]).toEqual([round, 3]);
      expect(revisionsOf('limited')).toEqual([997, 998, 999]);
      expect(revisionsOf('kept')).toEqual([0, 1, 2, 3, 4]);
      for (const { position, revision } of reader.readAll(0, 'forwards', 2000).events)
        expect(before.get(position)).toBe(revision);
      reopen();
    }
    expect(await append('limited', 1)).toMatchObject({ revision: 1000, position: 1007 });
    expect(checkStore(folder)).toMatchObject({ found: 0 });
  });

  it('honours $tb, and $maxAge only from the beginning of the stream', async () => {
    await append('cut', 10);
    await limit('cut', { $tb: 7 });
    await append('aged', 2);
    clock += 5_000;
    await append('aged', 2);
    clock -= 4_000;
    await append('aged', 1);
    clock += 10_000;
    await limit('aged', { $maxAge: 12 });
    await scavenger.run();
    expect(stored('cut')).toBe(3);
    expect(revisionsOf('cut')).toEqual([7, 8, 9]);
    expect(stored('aged')).toBe(5);
    clock += 5_000;
    await scavenger.run();
    expect([stored('aged'), revisionsOf('aged')]).toEqual([3, [2, 3]]);
    clock += 5_000;
    await scavenger.run();
    expect(stored('aged')).toBe(0);
    expect(await append('aged', 1)).toMatchObject({ revision: 5 });
  });

  it('leaves nothing of a deleted stream but its place, and of a tombstoned one but the tombstone', async () => {
    await append('deleted', 20);
    await log.delete('deleted', 'any');
    await append('ended', 20);
    await limit('ended', { $maxCount: 5 });
    await log.tombstone('ended', 'any');
    await scavenger.run();
    reopen();
    expect([stored('deleted'), stored('ended'), stored('$$ended')]).toEqual([0, 1, 0]);
    expect(await append('ended', 1)).toEqual({ kind: 'deleted' });
    expect(await append('deleted', 1)).toMatchObject({ revision: 20 });
    expect(revisionsOf('deleted')).toEqual([20]);
    expect(checkStore(folder)).toMatchObject({ found: 0 });
  });

  it('keeps only the newest metadata', async () => {
    for (let count = 10; count > 0; count -= 1) await limit('limited', { $maxCount: count });
    await scavenger.run();
    reopen();
    expect(stored('$$limited')).toBe(1);
    expect(log.streams.get('limited').policy).toEqual({ maxCount: 1 });
    expect(log.streams.get('$$limited').last).toBe(9);
  });

  it('never gives a position twice, though the last events are gone', async () => {
    await append('deleted', 3);
    await log.delete('deleted', 'any');
    await log.tombstone('deleted', 'any').catch(() => undefined);
    const last = log.lastPosition;
    await scavenger.run();
    opened.database.exec('DELETE FROM events');
    reopen();
    expect(log.lastPosition).toBe(last);
  });

  it('makes the file shorter', async () => {
    await append('large', 64, 16_000);
    await append('small', 1);
    for (let n = 0; n < 8; n += 1) await append('large', 64, 16_000);
    await limit('large', { $maxCount: 1 });
    opened.database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    const before = statSync(opened.file ?? '').size;
    const { released } = await scavenger.run();
    opened.database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    expect(before - statSync(opened.file ?? '').size).toBe(released);
    expect(released).toBeGreaterThan(0.9 * before);
    expect(revisionsOf('small')).toEqual([0]);
  });

  it('lets appends through between its slices, and a reader of $all goes on across what is gone', async () => {
    await append('limited', 3000);
    await limit('limited', { $maxCount: 1 });
    let beyond = reader.readAll(0, 'forwards', 100).considered;
    let done = false;
    const scavenged = scavenger.run().finally(() => (done = true));
    let between = 0;
    while (!done) {
      await append('live', 1);
      between += 1;
    }
    expect((await scavenged).events).toBe(2999);
    expect(between).toBeGreaterThan(5);
    const rest: number[] = [];
    for (;;) {
      const page = reader.readAll(beyond, 'forwards', 100);
      rest.push(...page.events.map(({ position }) => position));
      beyond = page.considered;
      if (page.end) break;
    }
    expect(rest).toEqual(upTo(3000, 3002 + between));
    expect(positions()).toEqual(rest);
  });

  it('blocks appends for less than 100 ms at a time, however slow the disk is', async () => {
    await append('limited', 1000);
    await append('large', 100, 30_000);
    await limit('limited', { $maxCount: 1 });
    await limit('large', { $maxCount: 1 });
    // Each look at the stopwatch finds that 20 ms have gone by, as if that were what a step takes.
    let ms = 0;
    scavenger = new Scavenger(
      opened.database,
      log,
      () => clock,
      () => (ms += 20),
    );
    const before = log.commits.counted.commits;
    const { events, longestSliceMs } = await scavenger.run();
    expect(events).toBe(999 + 99);
    expect(longestSliceMs).toBeLessThan(100);
    expect(log.commits.counted.commits - before).toBeGreaterThan(999 / 40 + 99 / 10);
    expect(checkStore(folder)).toMatchObject({ found: 0 });
  });

  it('that is stopped after any slice has done no harm, and the next one goes on', async () => {
    await append('limited', 2000);
    await limit('limited', { $maxCount: 10 });
    for (let slices = 0; slices < 4; slices += 1) {
      const running = scavenger.run();
      await append('other', 1);
      await scavenger.stop();
      await running;
      reopen();
      expect(revisionsOf('limited')).toEqual(upTo(1990, 2000));
      expect(checkStore(folder)).toMatchObject({ found: 0 });
    }
    const left = stored('limited');
    expect(left).toBeLessThan(2000);
    await scavenger.run();
    expect(stored('limited')).toBe(10);
  });
});
