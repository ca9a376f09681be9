import { once } from 'node:events';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { WebSocket } from 'ws';
import type { EventView, RunId } from '#contracts';
import { completed, itemStarted, KEY, type Rig, scheduled, started, startRig } from '../../test/rig.js';
import { eventOf, LiveViewer, sse } from '../../test/viewers.js';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig({ timing: { keepAliveMs: 30 } });
});
afterEach(() => rig.gateway.close(200));

async function stored(run: RunId): Promise<readonly { revision: number; type: string; data: unknown }[]> {
  const events = [];
  for await (const { revision, type, data } of rig.log.read(`run-${run}`)) events.push({ revision, type, data });
  return events;
}

const shown = (views: readonly EventView[]) => views.map(({ revision, type, data }) => ({ revision, type, data }));

/** A run that goes on while it is watched; it ends. */
async function work(run: RunId, steps: number): Promise<void> {
  await rig.record('coordinator', run, scheduled(1));
  await rig.record('segment-runner', run, started(1));
  for (let step = 0; step < steps; step += 1) {
    await rig.record('segment-runner', run, itemStarted(`item ${step}`), itemStarted(`part of ${step}`));
    await turn();
  }
  await rig.record('coordinator', run, completed);
}

const aHundredDrops = (): readonly number[] => fc.sample(fc.integer({ min: 0, max: 12 }), { numRuns: 100, seed: 7 });

describe('Server-Sent Events', () => {
  it('show a viewer who drops a hundred times exactly the log, and end with the run', async () => {
    const run = await rig.aRun();
    const working = work(run, 300);
    const seen: EventView[] = [];
    let ended = false;
    for (const patience of [...aHundredDrops(), Number.POSITIVE_INFINITY]) {
      let taken = 0;
      for await (const sent of sse(rig, run, seen.at(-1)?.revision)) {
        if (sent.event === 'end') ended = true;
        else seen.push(eventOf(sent));
        taken += 1;
        if (ended || taken > patience) break;
      }
    }
    await working;
    expect(ended).toBe(true);
    expect(shown(seen)).toEqual(await stored(run));
  });

  it('carry the revision as id and the type as event', async () => {
    const run = await rig.aRun();
    await rig.record('coordinator', run, completed);
    const all = [];
    for await (const { id, event } of sse(rig, run)) all.push({ id, event });
    expect(all).toEqual([
      { id: '0', event: 'RunRequested' },
      { id: '1', event: 'RunCompleted' },
      { id: undefined, event: 'end' },
    ]);
  });

  it('end at once for a viewer who has seen it all', async () => {
    const run = await rig.aRun();
    await rig.record('coordinator', run, completed);
    const all = [];
    for await (const { event } of sse(rig, run, 1)) all.push(event);
    expect(all).toEqual(['end']);
  });

  it('give signs of life while nothing happens, and say goodbye when the gateway stops', async () => {
    const run = await rig.aRun();
    const response = await rig.ask(`/v1/runs/${run}/events?from=1`, { headers: { accept: 'text/event-stream' } });
    let text = '';
    for await (const bytes of response.body ?? []) {
      text += Buffer.from(bytes as Uint8Array).toString();
      if (text.includes(': still here')) void rig.gateway.close();
    }
    expect(text).toMatch(/event: goodbye\n/);
  });

  it('refuse an unknown run and a last event that is none', async () => {
    const headers = { accept: 'text/event-stream' };
    const unknown = '/v1/runs/0198a6a2-0000-7000-8000-000000000000/events';
    expect((await rig.ask(unknown, { headers })).status).toBe(404);
    const run = await rig.aRun();
    const odd = await rig.ask(`/v1/runs/${run}/events`, { headers: { ...headers, 'last-event-id': 'x' } });
    expect(odd.status).toBe(422);
  });
});

describe('the WebSocket', () => {
  it('shows a viewer who drops a hundred times exactly the log', async () => {
    const run = await rig.aRun();
    const working = work(run, 300);
    const seen: EventView[] = [];
    for (const patience of [...aHundredDrops(), Number.POSITIVE_INFINITY]) {
      if (seen.at(-1)?.type === 'RunCompleted') break;
      const viewer = await LiveViewer.connect(rig);
      viewer.say({ type: 'follow', run, from: seen.length });
      let taken = 0;
      for await (const frame of viewer) {
        if (frame.type === 'event') seen.push(frame.event);
        taken += 1;
        if (taken > patience || seen.at(-1)?.type === 'RunCompleted') break;
      }
      viewer.drop();
    }
    await working;
    expect(shown(seen)).toEqual(await stored(run));
  });

  it('follows several runs, each from its own revision, first history and then live', async () => {
    const [one, two] = [await rig.aRun(), await rig.aRun()];
    await rig.record('coordinator', two, scheduled(1));
    const viewer = await LiveViewer.connect(rig);
    viewer.say({ type: 'follow', run: one });
    expect(await viewer.take(2)).toMatchObject([
      { type: 'event', event: { run: one, revision: 0 } },
      { type: 'caught-up', run: one, revision: 0 },
    ]);
    viewer.say({ type: 'follow', run: two, from: 1 });
    expect(await viewer.take(2)).toMatchObject([
      { type: 'event', event: { run: two, revision: 1 } },
      { type: 'caught-up', run: two, revision: 1 },
    ]);
    await rig.record('coordinator', one, scheduled(1));
    expect(await viewer.take(1)).toMatchObject([{ type: 'event', event: { run: one, revision: 1 } }]);
    viewer.say({ type: 'unfollow', run: one });
    viewer.say({ type: 'follow', run: two, from: 2 });
    expect(await viewer.take(1)).toMatchObject([{ type: 'caught-up', run: two, revision: 1 }]);
    await rig.record('coordinator', one, completed);
    await rig.record('segment-runner', two, started(1));
    expect(await viewer.take(1)).toMatchObject([{ type: 'event', event: { run: two, revision: 2 } }]);
    viewer.drop();
  });

  it('answers what it cannot do with a problem and goes on', async () => {
    const run = await rig.aRun();
    const viewer = await LiveViewer.connect(rig);
    viewer.socket.send('{');
    viewer.say({ type: 'follow', run: '0198a6a2-0000-7000-8000-000000000000' });
    viewer.say({ type: 'follow', run, from: 1 });
    const frames = await viewer.take(3);
    expect(frames.map((frame) => (frame.type === 'problem' ? frame.code : frame.type)).toSorted()).toEqual([
      'caught-up',
      'invalid-request',
      'run-unknown',
    ]);
    viewer.drop();
  });

  it('hears nothing more from a viewer who asks and does not read, until he does', async () => {
    const calm = await startRig();
    const deaf = new WebSocket(`${calm.url.replace('http', 'ws')}/v1/live?key=${KEY}`);
    await once(deaf, 'open');
    deaf.pause();
    const ask = async (): Promise<boolean> => {
      for (let nth = 1; nth < 1_000; nth += 1) deaf.send('{'.padEnd(300));
      await new Promise((sent) => deaf.send('{', sent));
      return true;
    };
    let asked = 1;
    let asking = ask();
    while (asked < 200 && (await Promise.race([asking, pause(1_000, false)]))) {
      asked += 1;
      asking = ask();
    }
    deaf.resume();
    await asking;
    deaf.terminate();
    await calm.gateway.close(200);
    expect(asked).toBeLessThan(200);
  });

  it('stays shut without the key and elsewhere than at its place', async () => {
    await expect(LiveViewer.connect(rig, '')).rejects.toThrow(/401/);
    await expect(LiveViewer.connect(rig, '?key=wrong')).rejects.toThrow(/401/);
    await expect(LiveViewer.connect({ ...rig, url: `${rig.url}/elsewhere` })).rejects.toThrow(/404/);
  });

  it('is closed with a word when the gateway stops', async () => {
    const viewer = await LiveViewer.connect(rig);
    await rig.gateway.close();
    expect(await viewer.closed).toEqual({ code: 1_001 });
  });

  it('drops a viewer who answers no ping for too long', async () => {
    const impatient = await startRig({ timing: { keepAliveMs: 20, deadViewerMs: 60 } });
    const silent = new WebSocket(`${impatient.url.replace('http', 'ws')}/v1/live?key=${KEY}`, { autoPong: false });
    const [code] = await once(silent, 'close');
    expect(code).toBe(1_006);
    await impatient.gateway.close(200);
  });
});
