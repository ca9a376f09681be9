import { AdvanceRun, RunId } from '#contracts';
import { BatonError, newId, silentLogger, Unavailable, Unreadable } from '#platform';
import { Gate, type SourceProgram, startNats, startSource, type TestNats, until } from '#testing';
import { Bus, type ConsumeOptions, type Consuming, subjectOf } from './index.js';

const CONSUMER = new URL('../fixtures/consumer.ts', import.meta.url);

let nats: TestNats;
let bus: Bus;
const programs: SourceProgram[] = [];

beforeEach(async () => {
  nats = await startNats();
  bus = await Bus.connect({ url: nats.url, name: 'test', logger: silentLogger });
});
afterEach(async () => {
  await Promise.all(programs.splice(0).map((program) => program.kill()));
  await bus.close();
  await nats.stop();
});

class TakenOver extends BatonError {
  readonly code = 'taken-over';
  readonly remedy = 'stand-down';
}

const aRun = (): RunId => RunId.parse(newId());
const ring = (runId: RunId) => bus.publish(subjectOf(AdvanceRun, runId), { runId });
const settled = () => until(async () => idle(await bus.consumerState('consumer')));
const idle = (state: { pending: number; ackPending: number } | undefined) =>
  state?.pending === 0 && state.ackPending === 0;

/** For what the server has to deliver again; otherwise a slow machine would have everything delivered twice. */
const HASTY = { ackWaitMs: 500 };
const firstParked = () => until(async () => (await bus.parked()).newest[0]);

/** Consumes as `consumer` and notes each delivery. */
function consume(handle: (deliveryCount: number) => Promise<void> | void, options: ConsumeOptions = {}) {
  const heard: { runId: RunId; deliveryCount: number; at: number }[] = [];
  const consuming = bus.consume(
    AdvanceRun,
    'consumer',
    async ({ runId }, { deliveryCount }) => {
      heard.push({ runId, deliveryCount, at: performance.now() });
      await handle(deliveryCount);
    },
    { ackWaitMs: 30_000, backoffMs: [50], ...options },
  );
  return { heard, consuming };
}

function consumer(...args: readonly string[]): SourceProgram {
  const program = startSource(CONSUMER, [nats.url, ...args]);
  programs.push(program);
  return program;
}

describe('a message', () => {
  it('is delivered once by all who consume under one name', async () => {
    const first = consume(() => undefined);
    const second = consume(() => undefined);
    const runs = Array.from({ length: 50 }, aRun);
    await Promise.all(runs.map(ring));
    await settled();
    const heard = [...first.heard, ...second.heard].map(({ runId }) => runId);
    expect(heard.toSorted()).toEqual(runs.toSorted());
  });

  it('that was published before anybody consumed is delivered', async () => {
    const runId = aRun();
    await ring(runId);
    const { heard } = consume(() => undefined);
    await until(() => heard.length === 1);
    expect(heard).toMatchObject([{ runId, deliveryCount: 1 }]);
  });

  it('is delivered again when the process is killed in its handler', async () => {
    await ring(aRun());
    const victim = consumer('hang');
    await until(() => victim.lines.includes('delivered 1'));
    await victim.kill();
    const { heard } = consume(() => undefined, HASTY);
    await until(() => heard.length > 0);
    expect(heard).toMatchObject([{ deliveryCount: 2 }]);
    await settled();
  });

  it('is delivered again when the process is killed twice in its handler', async () => {
    await ring(aRun());
    for (const delivery of ['delivered 1', 'delivered 2']) {
      const victim = consumer('hang');
      await until(() => victim.lines.includes(delivery));
      await victim.kill();
    }
    const { heard } = consume(() => undefined, HASTY);
    await until(() => heard.length > 0);
    expect(heard).toMatchObject([{ deliveryCount: 3 }]);
  });

  it('is delivered by a consumer that was made with another patience', async () => {
    const before = consume(() => undefined, { ackWaitMs: 30_000 });
    await ring(aRun());
    await until(() => before.heard.length === 1);
    await before.consuming.stop();
    const { heard } = consume(() => undefined, { ackWaitMs: 5_000 });
    await ring(aRun());
    await until(() => heard.length === 1);
  });

  it('stays with its handler for longer than the ack wait', async () => {
    const gate = new Gate();
    const slow = consume(() => gate.opened, { ackWaitMs: 1_000 });
    await ring(aRun());
    await until(() => slow.heard.length === 1);
    const other = consume(() => undefined, { ackWaitMs: 1_000 });
    await until(() => performance.now() - (slow.heard[0]?.at ?? 0) > 2_500);
    gate.open();
    await settled();
    expect(other.heard).toEqual([]);
    expect(slow.heard).toHaveLength(1);
  });

  it('whose handler fails is delivered again after its back-off', async () => {
    const { heard } = consume(
      (deliveryCount) => {
        if (deliveryCount < 3) throw new Unavailable('not now');
      },
      { backoffMs: [100, 400] },
    );
    await ring(aRun());
    await settled();
    expect(heard.map(({ deliveryCount }) => deliveryCount)).toEqual([1, 2, 3]);
    const [first, second, third] = heard.map(({ at }) => at);
    expect(Number(second) - Number(first)).toBeGreaterThanOrEqual(95);
    expect(Number(third) - Number(second)).toBeGreaterThanOrEqual(395);
  });

  it('that waits for its back-off holds up no other', async () => {
    const [failing, other] = [aRun(), aRun()];
    await ring(failing);
    await ring(other);
    const { heard } = consume(
      (deliveryCount) => {
        if (deliveryCount === 1 && heard.length === 1) throw new Unavailable('not now');
      },
      { backoffMs: [1_000], concurrency: 1 },
    );
    await settled();
    expect(heard.map(({ runId }) => runId)).toEqual([failing, other, failing]);
  });
});

describe('the parking lot', () => {
  it('takes a message that cannot be read', async () => {
    const { heard } = consume(() => undefined);
    await bus.publish('baton.work.run.advance.not-a-run', { runId: 7 });
    const parked = await firstParked();
    expect(parked).toMatchObject({
      reason: 'unreadable',
      subject: 'baton.work.run.advance.not-a-run',
      durable: 'consumer',
      deliveries: 1,
      body: { runId: 7 },
    });
    expect(parked.error).toContain('breaks its contract');
    await settled();
    expect(heard).toEqual([]);
  });

  it('takes at once what its handler gives up on', async () => {
    const { heard } = consume(() => {
      throw new Unreadable('nobody can read this');
    });
    await ring(aRun());
    const parked = await firstParked();
    expect(parked).toMatchObject({ reason: 'gave-up', error: 'nobody can read this', deliveries: 1 });
    await settled();
    expect(heard).toHaveLength(1);
  });

  it('takes what failed at each of its deliveries, and the others go on', async () => {
    const poison = aRun();
    const { heard } = consume(
      () => {
        if (heard.at(-1)?.runId === poison) throw new Error('a bug');
      },
      { maxDeliver: 3 },
    );
    await ring(poison);
    const newest = await firstParked();
    expect(newest).toMatchObject({ reason: 'max-deliveries', error: 'a bug', deliveries: 3, body: { runId: poison } });
    await ring(aRun());
    await settled();
    expect(heard).toHaveLength(4);
    expect((await bus.parked()).total).toBe(1);
  });

  it('takes what killed its process at each of its deliveries', async () => {
    const runId = aRun();
    await ring(runId);
    for (let deaths = 0; deaths < 2; deaths += 1) await consumer('die', '2').ended;
    const { heard } = consume(() => undefined, { maxDeliver: 2, ...HASTY });
    const newest = await firstParked();
    expect(newest).toMatchObject({ reason: 'max-deliveries', durable: 'consumer', deliveries: 2, body: { runId } });
    await settled();
    expect(heard).toEqual([]);
  });

  it('does not take what its handler stood down from', async () => {
    const { heard } = consume(() => {
      throw new TakenOver('another has it');
    });
    await ring(aRun());
    await until(() => heard.length === 1);
    await settled();
    expect(await bus.parked()).toEqual({ total: 0, newest: [] });
  });
});

describe('slots', () => {
  it('limit what is handled at the same time', async () => {
    const gate = new Gate();
    const { heard } = consume(() => gate.opened, { concurrency: 4 });
    await Promise.all(Array.from({ length: 40 }, () => ring(aRun())));
    await until(() => heard.length === 4);
    expect(await bus.consumerState('consumer')).toMatchObject({ pending: 36, ackPending: 4, waiting: 0 });
    gate.open();
    await settled();
    expect(heard).toHaveLength(40);
  });

  it('that stay taken after the handler has returned let nothing more in until they are free and it is told', async () => {
    let free = 2;
    const take = consume(
      () => {
        free -= 1;
      },
      { slots: () => free },
    );
    await Promise.all(Array.from({ length: 5 }, () => ring(aRun())));
    await until(() => take.heard.length === 2);
    await until(async () => (await bus.consumerState('consumer'))?.ackPending === 0);
    expect(await bus.consumerState('consumer')).toEqual({ pending: 3, ackPending: 0, waiting: 0 });

    free += 1;
    take.consuming.wake();
    await until(() => take.heard.length === 3);
    free += 2;
    take.consuming.wake();
    await settled();
    expect(take.heard.map(({ deliveryCount }) => deliveryCount)).toEqual([1, 1, 1, 1, 1]);
    expect(free).toBe(0);
  });

  it('that are free are counted over all processes, and those of a killed process no longer', async () => {
    const victim = consumer('hang');
    consume(() => undefined, { concurrency: 3 });
    await until(async () => (await bus.consumerState('consumer'))?.waiting === 4);
    await victim.kill();
    await until(async () => (await bus.consumerState('consumer'))?.waiting === 3);
  });

  it('that were taken away leave the message to another', async () => {
    let free = 1;
    const { heard, consuming } = consume(() => undefined, { slots: () => free });
    await until(async () => (await bus.consumerState('consumer')) !== undefined);
    free = 0;
    consuming.wake();
    const other = consume(() => undefined);
    await ring(aRun());
    await settled();
    expect(heard).toEqual([]);
    expect(other.heard).toHaveLength(1);
  });
});

describe('closing', () => {
  it('waits for the handlers that run, and what they did is settled', async () => {
    const gate = new Gate();
    const leaving = await Bus.connect({ url: nats.url, name: 'leaving', logger: silentLogger });
    let handling = false;
    const consuming: Consuming = leaving.consume(AdvanceRun, 'consumer', async () => {
      handling = true;
      await gate.opened;
    });
    await ring(aRun());
    await until(() => handling);
    let closed = false;
    const close = async (): Promise<void> => {
      await leaving.close();
      closed = true;
    };
    const closing = close();
    await ring(aRun());
    expect(closed).toBe(false);
    gate.open();
    await closing;
    await consuming.stop();
    expect(await bus.consumerState('consumer')).toEqual({ pending: 1, ackPending: 0, waiting: 0 });
  });
});
