import { connect } from 'nats';
import { z } from 'zod';
import { AdvanceRun, RunId } from '#contracts';
import { newId, silentLogger } from '#platform';
import { Gate, startNats, type TestNats, until } from '#testing';
import { AnswerTimedOut, Bus, subjectOf, WORK_STREAM } from './index.js';

let nats: TestNats;
let bus: Bus;

beforeEach(async () => {
  nats = await startNats();
  bus = await Bus.connect({ url: nats.url, name: 'test', logger: silentLogger });
});
afterEach(async () => {
  await bus.close();
  await nats.stop();
});

const aRun = (): RunId => RunId.parse(newId());
const ring = (runId: RunId) => bus.publish(subjectOf(AdvanceRun, runId), { runId });
/** As a publisher does: again until it is in. */
const ringUntilHeard = (runId: RunId) => until(() => ring(runId));

function consume() {
  const heard: RunId[] = [];
  const consuming = bus.consume(
    AdvanceRun,
    'consumer',
    async ({ runId }) => {
      heard.push(runId);
    },
    { concurrency: 4 },
  );
  return { heard, consuming };
}

/** Long before a request for a message that was lost would expire. */
const SOON_MS = 15_000;

describe('a nats-server that is killed', () => {
  it('and started again goes on serving the same consumers', async () => {
    const { heard } = consume();
    const [before, between] = [aRun(), aRun()];
    await ring(before);
    await until(() => heard.includes(before));
    for (let times = 0; times < 2; times += 1) await nats.restart();
    await ringUntilHeard(between);
    await until(() => heard.includes(between));
    expect(new Set(heard)).toEqual(new Set([before, between]));
  });

  it('holds up nothing that was being asked of it', async () => {
    const { heard } = consume();
    const gate = new Gate();
    let asked = false;
    bus.answer('baton.ask.slow', z.unknown(), () => {
      asked = true;
      return gate.opened;
    });
    const asking = bus.ask('baton.ask.slow', {}, z.unknown(), { timeoutMs: 60_000 });
    const outcome = asking.catch((error: unknown) => error);
    await until(() => asked);
    await nats.restart();
    expect(await outcome).toMatchObject({ code: 'unavailable', remedy: 'retry' });
    gate.open();
    const runId = aRun();
    await ringUntilHeard(runId);
    await until(() => heard.includes(runId), SOON_MS);
  });

  it('and killed again while its consumers are made goes on serving them', async () => {
    const { heard } = consume();
    for (let times = 0; times < 5; times += 1) await nats.restart();
    const runId = aRun();
    await ringUntilHeard(runId);
    await until(() => heard.includes(runId), SOON_MS);
  });

  it('has what it acknowledged when it comes back', async () => {
    const runId = aRun();
    const { sequence } = await ring(runId);
    await nats.restart();
    const last = await until(() => bus.lastMessage(WORK_STREAM));
    expect(last).toMatchObject({ sequence, body: { runId } });
  });

  it('lets publishing and asking fail at once, and says so when asked for its health', async () => {
    await nats.kill();
    await until(() => !bus.isConnected());
    await expect(ring(aRun())).rejects.toMatchObject({ code: 'unavailable', remedy: 'retry' });
    await expect(bus.ask('baton.ask.x', {}, z.unknown(), { timeoutMs: 100 })).rejects.toMatchObject({
      code: 'unavailable',
    });
    await expect(bus.health().check()).rejects.toThrow('cannot be reached');
    expect(() => bus.emit('baton.beat.x', {})).not.toThrow();
    await nats.restart();
    await until(() => bus.isConnected());
    await until(async () => (await bus.health().check()) ?? true);
  });

  it('goes on delivering to those who listen and answer', async () => {
    const beats: number[] = [];
    bus.listen('baton.beat.x', z.number(), (beat) => void beats.push(beat));
    bus.answer('baton.ask.double', z.number(), async (number) => number * 2);
    await nats.restart();
    await until(() => bus.isConnected());
    expect(await until(() => bus.ask('baton.ask.double', 21, z.number(), { timeoutMs: 1_000 }))).toBe(42);
    await until(() => {
      bus.emit('baton.beat.x', 1);
      return beats.length > 0;
    });
  });

  it('lets a bus be closed while it is away', async () => {
    consume();
    await nats.kill();
    await until(() => !bus.isConnected());
    await bus.close();
    expect(bus.isConnected()).toBe(false);
  });

  it('delivers again what was being handled', async () => {
    const gate = new Gate();
    const deliveries: number[] = [];
    bus.consume(
      AdvanceRun,
      'consumer',
      async (_body, { deliveryCount }) => {
        deliveries.push(deliveryCount);
        if (deliveryCount === 1) await gate.opened;
      },
      { ackWaitMs: 1_000 },
    );
    await ring(aRun());
    await until(() => deliveries.length === 1);
    await nats.kill();
    await until(() => !bus.isConnected());
    gate.open();
    await nats.restart();
    await until(async () => (await bus.consumerState('consumer'))?.ackPending === 0);
    expect(deliveries.length).toBeLessThanOrEqual(2);
  });
});

describe('a nats-server that hangs', () => {
  /** That nobody listens is told by the server itself, so only one that stands still lets this question time out. */
  const serverIsSilent = async (): Promise<boolean> => {
    const asking = bus.ask('baton.ask.nobody', {}, z.unknown(), { timeoutMs: 200 });
    const outcome: unknown = await asking.catch((error: unknown) => error);
    return outcome instanceof AnswerTimedOut;
  };

  it('lets publishing time out, and goes on serving its consumers when it turns again', async () => {
    const { heard } = consume();
    const [before, during, after] = [aRun(), aRun(), aRun()];
    await ring(before);
    await until(() => heard.includes(before));
    await until(async () => (await bus.consumerState('consumer'))?.ackPending === 0);
    nats.freeze();
    await until(serverIsSilent);
    const hung = bus.publish(subjectOf(AdvanceRun, during), { runId: during }, { messageId: during, timeoutMs: 300 });
    await expect(hung).rejects.toMatchObject({ code: 'unavailable', remedy: 'retry' });
    nats.thaw();
    await bus.publish(subjectOf(AdvanceRun, during), { runId: during }, { messageId: during });
    await ring(after);
    await until(() => heard.includes(after));
    expect(heard).toEqual([before, during, after]);
  });
});

describe('a stream that somebody deletes', () => {
  it('is made again, and those who consume go on', async () => {
    const { heard } = consume();
    const [before, after] = [aRun(), aRun()];
    await ring(before);
    await until(() => heard.includes(before));
    const administrator = await connect({ servers: nats.url });
    const streams = (await administrator.jetstreamManager()).streams;
    await streams.delete(WORK_STREAM);
    await administrator.close();
    await ringUntilHeard(after);
    await until(() => heard.includes(after));
    expect(heard).toEqual([before, after]);
  });
});

describe('a nats-server whose storage was wiped', () => {
  it('gets its streams and consumers again, and those who consume go on', async () => {
    const { heard } = consume();
    const [before, after] = [aRun(), aRun()];
    await ring(before);
    await until(() => heard.includes(before));
    await nats.restartWiped();
    await ringUntilHeard(after);
    await until(() => heard.includes(after));
    expect(heard).toEqual([before, after]);
    expect(await bus.lastMessage(WORK_STREAM)).toMatchObject({ sequence: 1, body: { runId: after } });
  });

  it('gets its streams again when nobody consumes', async () => {
    await ring(aRun());
    await nats.restartWiped();
    await until(() => bus.isConnected());
    expect(await until(() => ring(aRun()))).toMatchObject({ sequence: 1 });
  });

  it('takes no word about a message from before for a message with the same number', async () => {
    const gate = new Gate();
    const hung = new Gate();
    const deliveries: string[] = [];
    const [old, young] = [aRun(), aRun()];
    bus.consume(
      AdvanceRun,
      'consumer',
      async ({ runId }, { deliveryCount }) => {
        deliveries.push(`${runId === old ? 'old' : 'young'} ${deliveryCount}`);
        if (runId === old) await gate.opened;
        if (runId === young && deliveryCount === 1) await hung.opened;
      },
      { concurrency: 3, ackWaitMs: 1_000, handlerLimitMs: 1_500 },
    );
    await ring(old);
    await until(() => deliveries.length === 1);
    await nats.restartWiped();
    await ringUntilHeard(young);
    await until(() => deliveries.length === 2);
    gate.open();
    await until(() => deliveries.length === 3);
    hung.open();
    expect(deliveries).toEqual(['old 1', 'young 1', 'young 2']);
  });
});

describe('a nats-server whose files were removed', () => {
  it('is known not to serve although it takes messages, and serves when it was started again', async () => {
    await ring(aRun());
    // What a server still has in memory it goes on reading.
    await nats.restart();
    await ringUntilHeard(aRun());
    await nats.rob();
    const { sequence } = await ring(aRun());
    await expect(bus.health().check()).rejects.toThrow(`BATON_WORK has message ${sequence}, and cannot read it`);
    await nats.restart();
    const { heard } = consume();
    const last = aRun();
    await ringUntilHeard(last);
    await until(() => heard.includes(last));
    await bus.health().check();
  });

  it('is known not to serve who comes later, while it serves those who were there before', async () => {
    const { heard } = consume();
    const [before, after, last] = [aRun(), aRun(), aRun()];
    await ring(before);
    await until(() => heard.includes(before));
    await nats.rob();
    const later = await Bus.connect({ url: nats.url, name: 'later', logger: silentLogger });
    try {
      later.consume(AdvanceRun, 'consumer', () => Promise.resolve());
      const problem = (): Promise<string> =>
        later
          .health()
          .check()
          .then(String, (error: Error) => error.message);
      await until(async () => /delivers nothing .* no such file/s.test(await problem()));
      await ring(after);
      await until(() => heard.includes(after));
      await nats.restart();
      await until(async () => (await later.health().check()) ?? true);
    } finally {
      await later.close();
    }
    await ringUntilHeard(last);
    await until(() => heard.includes(last));
  });
});
