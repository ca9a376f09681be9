import { momentOf, RunId, streams } from '#contracts';
import { createMemoryLog, type EventLog, Runs } from '#log';
import { newId, silentLogger } from '#platform';
import { runRequested } from '#testing';
import { SegmentRunnerConfig } from '../config.js';
import type { FromChild } from '../ipc.js';
import { Child } from './child.js';

const runId = RunId.parse(newId());
const at = momentOf(Date.now());
const noBus = {
  isConnected: () => false,
  emit: () => undefined,
  listen: () => ({ stop: () => undefined, unreadable: () => 0 }),
  ask: () => Promise.reject(new Error('nobody answers')),
};

async function scheduled(): Promise<EventLog> {
  const log = createMemoryLog();
  await new Runs(log, { app: 'gateway', id: 'g' }).request(runId, runRequested(Date.now()));
  const data = { at, segment: 1, because: 'requested', restartsWithoutProgress: 0 } as const;
  await new Runs(log, { app: 'coordinator', id: 'c' }).change(runId, () => [{ type: 'SegmentScheduled', data }]);
  return log;
}

/** The log as a child sees it that another one is always faster than. */
function beaten(log: EventLog): EventLog {
  const rival = new Runs(log, { app: 'segment-runner', id: 'the rival' });
  const runner = { runnerId: 'the rival', host: 'h', pid: 1 };
  return new Proxy(log, {
    get: (target, name: keyof EventLog) => {
      if (name !== 'append') return target[name].bind(target);
      return async (...args: Parameters<EventLog['append']>) => {
        await rival.change(runId, ({ relay }) =>
          relay.phase === 'scheduled'
            ? [{ type: 'SegmentStarted', data: { at, segment: 1, runner, deadline: at } }]
            : [],
        );
        return target.append(...args);
      };
    },
  });
}

/** A child on this log, what it tells its supervisor, and how its heart beats. */
function born(log: EventLog, ready: Promise<void> = Promise.resolve()) {
  const told: FromChild['type'][] = [];
  const pulse: string[] = [];
  const child = new Child({
    config: SegmentRunnerConfig.parse({}),
    logger: silentLogger,
    bus: noBus,
    log,
    prices: { source: '', readOn: '', usdPerMillionTokens: {} },
    tell: ({ type }) => told.push(type),
    pulse: {
      ready,
      begin: () => pulse.push('begin'),
      doing: () => undefined,
      recorded: () => undefined,
      end: () => pulse.push('end'),
    },
    createModel: () => ({ turn: () => Promise.reject(new Error('it is not asked')) }),
    mark: MARK,
  });
  return { child, told, pulse };
}

const MARK = { home: 'here', born: 'then' };
const order = { runId, segment: 1, runnerId: 'r' };

describe('a child', () => {
  it('is not heard as at work on a segment that another one has begun first', async () => {
    const { child, told, pulse } = born(beaten(await scheduled()));
    await child.run(order);
    expect(told).toEqual(['declined', 'idle']);
    expect(pulse).toEqual(['begin', 'end']);
  });

  it('begins no segment before its heart can be heard, however long its thread needs to start', async () => {
    const log = await scheduled();
    let hear: () => void = () => undefined;
    const { child, told } = born(log, new Promise((resolve) => (hear = resolve)));
    child.drain();
    const working = child.run(order);
    // All that it does without being heard is done by then.
    await new Promise(setImmediate);
    expect([told, (await log.last(streams.run(runId)))?.type]).toEqual([[], 'SegmentScheduled']);
    hear();
    await working;
    expect(told).toEqual(['started', 'idle']);
  });

  it('records which process it is, so that who sees it not to be there knows', async () => {
    const log = await scheduled();
    const { child } = born(log);
    child.drain();
    await child.run(order);
    const starts = [];
    for await (const { type, data } of log.read(streams.run(runId))) if (type === 'SegmentStarted') starts.push(data);
    expect(starts).toEqual([expect.objectContaining({ runner: expect.objectContaining({ mark: MARK }) })]);
  });
});
