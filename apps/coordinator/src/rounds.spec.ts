import { type Bus, Doorbells, type Published, WrongLastSequence } from '#bus';
import { RunId, RunSegment } from '#contracts';
import { createMemoryLog, HeardRuns, RelayWatch, Runs } from '#log';
import { newId, silentLogger, systemClock } from '#platform';
import { runRequested, until } from '#testing';
import { Advances } from './advances.js';
import { Rounds } from './rounds.js';

const log = createMemoryLog();

async function scheduled(): Promise<RunId> {
  const runId = RunId.parse(newId());
  await new Runs(log, { app: 'gateway', id: 't' }).request(runId, runRequested(Date.now()));
  const at = new Date().toISOString();
  const data = { at, segment: 1, because: 'requested', restartsWithoutProgress: 0 } as const;
  await new Runs(log, { app: 'coordinator', id: 't' }).change(runId, () => [{ type: 'SegmentScheduled', data }]);
  return runId;
}

/** A bus on which others ring so often after the first ring that nobody else gets in between for a while; its house is full. */
function crowdedBus() {
  const rung: string[] = [];
  let [sequence, lostRaces] = [0, 0];
  const publish = async (subject: string): Promise<Published> => {
    if (rung.length > 0 && lostRaces < 75) {
      lostRaces += 1;
      throw new WrongLastSequence('Somebody else was faster.', sequence);
    }
    sequence += 1;
    rung.push(subject.slice(RunSegment.subject.length + 1));
    return { stream: 'BATON_WORK', sequence, duplicate: false };
  };
  const bus: Pick<Bus, 'publish' | 'lastMessage' | 'lastSequence' | 'consumerState'> = {
    publish,
    lastMessage: () => Promise.resolve(undefined),
    lastSequence: () => Promise.resolve(sequence),
    consumerState: () => Promise.resolve({ pending: 1, ackPending: 0 } as never),
  };
  return { bus, rung };
}

describe('the rounds over the open runs', () => {
  it('R2 ring for every segment whose doorbell was lost, although others ring all the time', async () => {
    const runs = [await scheduled(), await scheduled(), await scheduled()];
    const { bus, rung } = crowdedBus();
    const around = { clock: systemClock, logger: silentLogger };
    const watch = new RelayWatch(log, around);
    watch.start();
    const coordinator = new Runs(log, { app: 'coordinator', id: 't' });
    const advances = new Advances({ runs: coordinator, heard: new HeardRuns(), ...around });
    const rounds = new Rounds({ bus, doorbells: new Doorbells(bus), watch, advances, ...around });
    rounds.ringForAll();
    await until(() => runs.every((runId) => rung.includes(runId)));
    expect(rung.toSorted()).toEqual(runs.toSorted());
    rounds.stop();
    advances.stop();
    await watch.stop();
  });
});
