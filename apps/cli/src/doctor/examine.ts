import { statfsSync } from 'node:fs';
import { type Check, type Examination, millisOf, momentOf } from '#contracts';
import {
  check,
  judgeClocks,
  judgeDisk,
  judgeGateway,
  judgeKeeper,
  judgeVersions,
  type Measured,
  type Trips,
  worst,
} from '#domain';
import { batonVersion, messageOf, systemClock } from '#platform';
import type { Gateway } from '../api/gateway.js';
import { isSupervised, readRecord } from '../cluster/cluster-record.js';
import type { DataFolder } from '../cluster/data-folder.js';

const TRIPS = 5;

/** What can be measured from here is put to what the gateway measures; of a gateway that is away, that much is said. */
export async function examineAll(gateway: Gateway, dataFolder: DataFolder | undefined): Promise<Examination> {
  const trips = await tripsTo(gateway);
  const askedAt = systemClock.now();
  const examined = 'failed' in trips ? { unseen: trips.failed } : await answered(gateway);
  const unsureMs = 'failed' in trips ? 0 : Math.max(...trips.tripsMs);
  const skew = seenAs(examined, ({ at }) => [{ who: 'the gateway', skewMs: millisOf(at) - askedAt, unsureMs }]);
  const versions = seenAs(examined, ({ version }) => [
    { who: 'this command', version: batonVersion() },
    { who: 'the gateway', version },
  ]);
  const room = { unseen: 'The data folder of the cluster is not on this machine.' };
  const checks: readonly Check[] = [
    check('gateway', 'Does the gateway answer?', { seen: trips }, judgeGateway),
    ...('seen' in examined ? examined.seen.checks : [unexamined(examined.unseen, 'failed' in trips)]),
    check('clock-here', 'Does our clock agree with the gateway’s?', skew, judgeClocks),
    check('version-here', 'Is this command of the gateway’s version?', versions, judgeVersions),
    check(
      'data-folder',
      'Is there room for the data folder?',
      dataFolder === undefined ? room : roomOf(dataFolder.path),
      judgeDisk,
    ),
    check('keeper', 'Does somebody start again what dies?', keeperOn(dataFolder), judgeKeeper),
  ];
  const at = 'seen' in examined ? examined.seen.at : momentOf(askedAt);
  return { at, version: batonVersion(), verdict: worst(checks), checks: [...checks] };
}

/** A gateway that is there and cannot examine is broken, or another version's; of one that is away nothing is known. */
const unexamined = (reason: string, isAway: boolean): Check => ({
  id: 'deployment',
  question: 'What does the deployment measure of itself?',
  verdict: isAway ? 'not-seen' : 'red',
  measured: isAway ? 'Nothing of it can be seen while the gateway is away.' : reason,
  numbers: {},
  ...(isAway ? {} : { wayOut: 'Use the `baton` and the key of this gateway; its log says what went wrong.' }),
});

async function tripsTo(gateway: Gateway): Promise<Trips> {
  try {
    const tripsMs: number[] = [];
    for (let trip = 0; trip < TRIPS; trip += 1) {
      const from = systemClock.monotonic();
      await gateway.greet();
      tripsMs.push(systemClock.monotonic() - from);
    }
    return { tripsMs };
  } catch (error) {
    return { failed: messageOf(error) };
  }
}

async function answered(gateway: Gateway): Promise<Measured<Examination>> {
  try {
    return { seen: await gateway.examine() };
  } catch (error) {
    return { unseen: messageOf(error) };
  }
}

const seenAs = <T, U>(value: Measured<T>, change: (seen: T) => U): Measured<U> =>
  'seen' in value
    ? { seen: change(value.seen) }
    : { unseen: 'Nothing of it can be seen without the gateway’s answer.' };

function keeperOn(folder: DataFolder | undefined): Measured<boolean> {
  const record = folder && readRecord(folder);
  return record === undefined
    ? { unseen: 'No local cluster runs on this folder; elsewhere a process manager has to.' }
    : { seen: isSupervised(record) };
}

function roomOf(folder: string): Measured<Parameters<typeof judgeDisk>[0]> {
  try {
    const { bavail, blocks, bsize } = statfsSync(folder);
    return { seen: [{ whose: folder, freeBytes: bavail * bsize, totalBytes: blocks * bsize }] };
  } catch (error) {
    return { unseen: messageOf(error) };
  }
}
