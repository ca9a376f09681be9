import { stat } from 'node:fs/promises';
import { Inject, Injectable } from '@nestjs/common';
import { type Check, type Examination, momentOf } from '#contracts';
import {
  check,
  judgeAppend,
  judgeBus,
  judgeCaps,
  judgeClocks,
  judgeDisk,
  judgeKept,
  judgeKey,
  judgeLog,
  judgeMirror,
  judgeNoticing,
  judgeParked,
  judgeRebuilding,
  judgeServices,
  judgeTaking,
  judgeTruth,
  judgeUntended,
  judgeVersions,
  judgeWaiting,
  type KeyPlace,
  type Measured,
  type Present,
  worst,
} from '#domain';
import { Runs } from '#log';
import { batonVersion, type Clock } from '#platform';
import { Allowance } from '../runs/allowance.js';
import { CLOCK, KEY_FILE } from '../tokens.js';
import { BusMeasures } from './bus-measures.js';
import { LogMeasures } from './log-measures.js';
import { measured } from './measured.js';
import { rebuildAll } from './rebuild.js';
import { RunMeasures } from './run-measures.js';

type Services = Awaited<ReturnType<BusMeasures['present']>>;

/** Asks the log, the bus and every service, and answers the design's questions with what was measured just now. */
@Injectable()
export class Doctor {
  // oxlint-disable-next-line max-params -- what Nest injects is no list that a caller has to get right
  constructor(
    @Inject(LogMeasures) private readonly log: LogMeasures,
    @Inject(BusMeasures) private readonly bus: BusMeasures,
    @Inject(RunMeasures) private readonly measures: RunMeasures,
    @Inject(Runs) private readonly runs: Runs<'gateway'>,
    @Inject(Allowance) private readonly allowance: Allowance,
    @Inject(KEY_FILE) private readonly key: { readonly file: string | undefined },
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** In bounded time, whatever answers or does not. */
  async examine(): Promise<Examination> {
    const at = momentOf(this.clock.now());
    // The round trips come first and alone, so that they measure the way and not what else is asked.
    const ground = [
      check('log', 'Does the event log answer?', await measured(() => this.log.trips()), judgeLog),
      check('bus', 'Does the bus answer?', await measured(() => this.bus.trips()), judgeBus),
    ];
    const services = await measured(() => this.bus.present());
    const checks = [
      ...ground,
      ...(await this.storage(services)),
      ...this.deployment(services),
      ...(await this.work(services)),
    ];
    return { at, version: batonVersion(), verdict: worst(checks), checks };
  }

  private async storage(services: Measured<Services>): Promise<readonly Check[]> {
    const [probed, mirroring, parking, taking] = await Promise.all([
      measured(() => this.log.append()),
      measured(() => this.bus.mirroring()),
      measured(() => this.bus.parking()),
      measured(() => this.bus.taking()),
    ]);
    const skews = over(probed, services, ({ skew }, { skews: others }) => [...others, ...(skew ? [skew] : [])]);
    const rooms = of(services, ({ present }) => present.flatMap(roomOf));
    const noRoom = 'seen' in rooms && rooms.seen.length === 0;
    return [
      check(
        'append',
        'Does the log keep what it takes?',
        of(probed, ({ append }) => append),
        judgeAppend,
      ),
      check('mirror', 'Is the bus told of all that is in the log?', mirroring, judgeMirror),
      check(
        'work',
        'Does somebody take the work?',
        over(taking, services, (states, { present }) => ({ states, idle: idleOf(present) })),
        ({ states, idle }) => judgeTaking(states, idle),
      ),
      check('parked', 'Is there a message that nobody could handle?', parking, judgeParked),
      check(
        'disk',
        'Is there room on the disks?',
        noRoom ? { unseen: 'No service says how much room its disk has.' } : rooms,
        judgeDisk,
      ),
      check('clocks', 'Do the clocks agree?', skews, judgeClocks),
    ];
  }

  private deployment(services: Measured<Services>): readonly Check[] {
    const versions = of(services, ({ present }) => [
      { who: 'this gateway', version: batonVersion() },
      ...present.map(({ answer }) => ({ who: answer.service, version: answer.version })),
    ]);
    return [
      check(
        'services',
        'Is every service up, and of each a second one?',
        of(services, ({ present }) => present),
        judgeServices,
      ),
      check('versions', 'Are they all of one version?', versions, judgeVersions),
    ];
  }

  private async work(services: Measured<Services>): Promise<readonly Check[]> {
    const now = momentOf(this.clock.now());
    const [noticing, caps, truth, untended, waiting, rebuilding, key] = await Promise.all([
      measured(() => this.measures.noticing()),
      measured(() => this.measures.caps()),
      measured(() => this.measures.truth()),
      measured(() => this.measures.untended(now)),
      measured(() => this.measures.waiting(now)),
      measured(() => this.rebuilding()),
      measured(() => this.keyPlace()),
    ]);
    const heard = over(noticing, services, (known, { present }) => ({
      ...known,
      sweepers: present.flatMap(({ answer }) => answer.watch ?? []),
    }));
    const kept = over(untended, services, (_known, { present }) => ({
      kept: present.flatMap(({ answer }) =>
        (answer.holds ?? []).map((holding) => ({
          holding,
          who: `${answer.service} on ${answer.host}`,
          run: this.measures.outlineOf(holding.runId),
        })),
      ),
      idle: idleOf(present),
    }));
    return [
      check('silence', 'How long until a silent death is noticed?', heard, judgeNoticing),
      check('rebuild', 'Can every open run be rebuilt?', rebuilding, judgeRebuilding),
      check('truth', 'Is the status that is shown the true one?', truth, judgeTruth),
      check('tended', 'Does somebody look after every open run?', untended, judgeUntended),
      check('caps', 'Does anything lack a cap?', caps, (capped) => judgeCaps(capped, this.allowance.caps)),
      check('cost', 'What is being paid for that does nothing?', kept, (found) =>
        judgeKept(found.kept, found.idle, now),
      ),
      check('people', 'Does a run wait for a person?', waiting, (found) => judgeWaiting(found, now)),
      check('key', 'Is the key kept from others?', key, judgeKey),
    ];
  }

  private async rebuilding() {
    const open = [...(await this.measures.outlined())].filter(([, { relay }]) => relay.phase !== 'ended');
    return rebuildAll(
      this.runs,
      open.map(([id]) => id),
      this.clock,
    );
  }

  private async keyPlace(): Promise<KeyPlace> {
    const { file } = this.key;
    return file === undefined ? 'variable' : { mode: (await stat(file)).mode, file };
  }
}

const idleOf = (present: readonly Present[]): number =>
  present.reduce((sum, { answer }) => sum + (answer.idleProcesses ?? 0), 0);

const roomOf = ({ answer: { service, host, disk } }: Present) =>
  disk ? [{ whose: `${service} on ${host}`, freeBytes: disk.free, totalBytes: disk.total }] : [];

const of = <T, U>(value: Measured<T>, change: (seen: T) => U): Measured<U> =>
  'seen' in value ? { seen: change(value.seen) } : value;

const over = <A, B, C>(a: Measured<A>, b: Measured<B>, join: (a: A, b: B) => C): Measured<C> =>
  'unseen' in a ? a : of(b, (seen) => join(a.seen, seen));
