import { z } from 'zod';
import { Bus, RemoteProblem } from '#bus';
import { StopCall, WorkspaceHere, workspaceSubject } from '#contracts';
import { silentLogger, systemClock } from '#platform';
import { startNats, type TestNats, until } from '#testing';
import { askAgain } from './ask-again.js';

/** Longer than any test: whoever is answered has not waited for it. */
const TIMEOUT_MS = 600_000;
const HOLDER = 'machine-1';
const SUBJECT = workspaceSubject(HOLDER, StopCall.verb);
const HERE = `${WorkspaceHere.subject}.${HOLDER}`;

let nats: TestNats;
const buses: Bus[] = [];
beforeAll(async () => {
  nats = await startNats();
});
afterEach(async () => {
  await Promise.all(buses.splice(0).map((bus) => bus.close()));
});
afterAll(() => nats.stop());

async function connected(name: string): Promise<Bus> {
  const bus = await Bus.connect({ url: nats.url, name, logger: silentLogger });
  buses.push(bus);
  return bus;
}

/** Takes a request and dies without an answer; resolves when it has. */
async function dying(): Promise<{ readonly dead: Promise<unknown> }> {
  const bus = await connected('dying');
  let taken = false;
  const listening = bus.listen(SUBJECT, z.object({}), () => {
    taken = true;
    listening.stop();
  });
  return { dead: until(() => taken) };
}

/** What a child does. */
function asking(bus: Bus, { holder = HOLDER, signal = new AbortController().signal } = {}) {
  let asked = 0;
  const ask = (): Promise<string> => {
    asked += 1;
    return bus.ask(SUBJECT, {}, z.string(), { timeoutMs: TIMEOUT_MS });
  };
  const answer = askAgain({ bus, clock: systemClock }, () => ({ ask, holder }), { signal });
  answer.catch(() => undefined);
  return { answer, asked: () => asked };
}

describe('a question to a manager that dies before it answers', () => {
  it.each([HOLDER, '*'])('is asked again at the word of the next one (%s)', async (holder) => {
    const [child, next, { dead }] = await Promise.all([connected('child'), connected('next'), dying()]);
    const { answer, asked } = asking(child, { holder });
    await dead;
    const before = asked();
    next.answer(SUBJECT, z.object({}), () => Promise.resolve('from the next'));
    next.emit(HERE, { holder: HOLDER });
    expect(await answer).toBe('from the next');
    expect(asked()).toBe(before + 1);
  });

  it('is given up when the signal says so', async () => {
    const [child, { dead }] = await Promise.all([connected('child'), dying()]);
    const leave = new AbortController();
    const { answer } = asking(child, { signal: leave.signal });
    await dead;
    leave.abort();
    await expect(answer).rejects.toMatchObject({ remedy: 'retry' });
  });
});

describe('a question that nobody is there to hear', () => {
  it('is asked less and less often, and at once when somebody comes', async () => {
    const [child, next] = await Promise.all([connected('child'), connected('next')]);
    const began = performance.now();
    const { answer, asked } = asking(child);
    await until(() => asked() === 5);
    expect(performance.now() - began).toBeGreaterThan(2_500);
    next.answer(SUBJECT, z.object({}), () => Promise.resolve('here'));
    next.emit(HERE, { holder: HOLDER });
    expect(await answer).toBe('here');
  });

  it('is not asked again when the answer is a refusal', async () => {
    const [child, manager] = await Promise.all([connected('child'), connected('manager')]);
    manager.answer(SUBJECT, z.object({}), () =>
      Promise.reject(new RemoteProblem('fenced', 'stand-down', 'It is over.')),
    );
    await until(() =>
      child.ask(SUBJECT, {}, z.string(), { timeoutMs: 1_000 }).catch((e: unknown) => e instanceof RemoteProblem),
    );
    const { answer, asked } = asking(child);
    await expect(answer).rejects.toMatchObject({ code: 'fenced' });
    expect(asked()).toBe(1);
  });
});
