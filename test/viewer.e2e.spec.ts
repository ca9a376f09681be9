import type { EventView, RunId } from '#contracts';
import { eventOf, LiveViewer, sse } from '../apps/gateway/test/viewers.js';
import { ClusterRig, completedExactly, TEST_MS } from './cluster-rig.js';

/** Disconnection is not cancellation: a viewer who drops again and again sees exactly the log, and the run goes on. */
let rig: ClusterRig;
beforeAll(async () => {
  rig = await ClusterRig.start();
}, TEST_MS);
afterAll(() => rig.remove(), TEST_MS);

const DROPS = 100;
const isEnd = (event: EventView | undefined): boolean => event?.type === 'RunCompleted';

async function overServerSentEvents(run: RunId): Promise<readonly EventView[]> {
  const seen: EventView[] = [];
  for (let drops = 0; ; drops += 1) {
    let taken = 0;
    for await (const sent of sse(rig, run, seen.at(-1)?.revision)) {
      if (sent.event === 'end') return seen;
      seen.push(eventOf(sent));
      taken += 1;
      if (drops < DROPS && taken > drops % 3) break;
    }
  }
}

async function overWebSocket(run: RunId): Promise<readonly EventView[]> {
  const seen: EventView[] = [];
  for (let drops = 0; !isEnd(seen.at(-1)); drops += 1) {
    const viewer = await LiveViewer.connect(rig, `?key=${await rig.key()}`);
    viewer.say({ type: 'follow', run, from: seen.length });
    let taken = 0;
    for await (const frame of viewer) {
      if (frame.type === 'event') seen.push(frame.event);
      taken += 1;
      if (isEnd(seen.at(-1)) || (drops < DROPS && taken > drops % 3)) break;
    }
    viewer.drop();
  }
  return seen;
}

describe('a viewer who drops a hundred times', () => {
  it(
    'sees exactly the log of a run that works meanwhile, by either way',
    async () => {
      const run = await rig.run({ command: 'echo {id} >> ledger' }, 40);
      const seen = await Promise.all([overServerSentEvents(run), overWebSocket(run)]);
      const events = await completedExactly(rig, run, 40);
      expect(seen).toEqual([events, events]);
    },
    TEST_MS,
  );
});
