import { Gate } from '#testing';
import { type Free, Intake } from './intake.js';

/** An intake whose items a test gives one by one. */
function bench(free: Free, handle: () => Promise<void> = async () => undefined) {
  const waiting: ((item: string | undefined) => void)[] = [];
  const handedBack: string[] = [];
  const next = (signal: AbortSignal): Promise<string | undefined> =>
    new Promise((resolve) => {
      waiting.push(resolve);
      signal.addEventListener('abort', () => {
        waiting.splice(waiting.indexOf(resolve), 1);
        resolve(undefined);
      });
    });
  const handBack = async (item: string): Promise<void> => void handedBack.push(item);
  const give = async (item: string): Promise<void> => {
    waiting.shift()?.(item);
    await aMoment();
  };
  return { intake: new Intake({ next, handle, handBack, free }), waiting, handedBack, give };
}

const aMoment = (): Promise<void> => new Promise(setImmediate);

describe('an intake', () => {
  it('asks for as many items as there are free slots', () => {
    const { intake, waiting } = bench(() => 3);
    expect(waiting).toHaveLength(0);
    intake.wake();
    intake.wake();
    expect(waiting).toHaveLength(3);
  });

  it('asks for the next one when a handler has returned', async () => {
    const gate = new Gate();
    const { intake, waiting, give } = bench(
      (running) => 1 - running,
      () => gate.opened,
    );
    intake.wake();
    await give('a');
    expect(waiting).toHaveLength(0);
    gate.open();
    await aMoment();
    expect(waiting).toHaveLength(1);
  });

  it('withdraws what it has asked for when slots are taken away', () => {
    let free = 3;
    const { intake, waiting } = bench(() => free);
    intake.wake();
    free = 1;
    intake.wake();
    expect(waiting).toHaveLength(1);
    free = -1;
    intake.wake();
    expect(waiting).toHaveLength(0);
  });

  it('hands back what arrives when there is no slot any more', async () => {
    let free = 1;
    let handled = 0;
    const { intake, handedBack, give } = bench(
      () => free,
      async () => {
        handled += 1;
      },
    );
    intake.wake();
    free = 0;
    await give('a');
    expect(handled).toBe(0);
    expect(handedBack).toEqual(['a']);
  });

  it('waits for its handlers when it stops, and asks for nothing more', async () => {
    const gate = new Gate();
    const { intake, waiting, give } = bench(
      () => 2,
      () => gate.opened,
    );
    intake.wake();
    await give('a');
    let stopped = false;
    const stop = async (): Promise<void> => {
      await intake.stop();
      stopped = true;
    };
    const stopping = stop();
    await aMoment();
    expect(stopped).toBe(false);
    gate.open();
    await stopping;
    expect(waiting).toHaveLength(0);
  });
});
