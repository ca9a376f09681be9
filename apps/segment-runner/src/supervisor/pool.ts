import type { ChildProcess } from 'node:child_process';
import { HOLDINGS_TOLD, type RunId, type ServiceAnswer } from '#contracts';
import { type Logger, messageOf, type ReportedProcess } from '#platform';
import { FromChild, type ToChild, TURNING_MS } from '../ipc.js';

/** What a child works on. */
export interface Assignment {
  readonly runId: RunId;
  readonly segment: number;
}

/** The death of a child that held a segment. */
export interface Crash extends Assignment {
  readonly pid: number;
  /** The newest revision of the run at which it was known to be at work; undefined when it had not said that it began. */
  readonly knownAt: number | undefined;
  /** Why the supervisor has killed it, or the signal or the exit code. */
  readonly how: string;
}

/** A child process, as far as the pool uses it. */
export type PoolChild = Pick<ChildProcess, 'pid' | 'connected' | 'send' | 'kill' | 'on' | 'once'>;

export interface PoolSettings {
  /** Starts a child. */
  readonly fork: () => PoolChild;
  readonly size: number;
  readonly segmentsPerChild: number;
  /** A child that was not heard for so long is killed, milliseconds. */
  readonly hungMs: number;
  readonly runnerId: string;
  readonly logger: Logger;
}

/** Who hears of the pool. */
export interface PoolListener {
  /** A child has died while it held a segment, begun or not. */
  readonly onCrash: (crash: Crash) => void;
  /** A child is done with what it was given, begun or not. */
  readonly onDone: (assignment: Assignment) => void;
  /** A slot has become free, or the list of processes has changed. */
  readonly onChange: () => void;
}

/** How an order to begin a segment ended. */
export type Begun = 'started' | 'declined';

interface Member {
  readonly child: PoolChild;
  readonly startedAt: string;
  state: 'starting' | 'idle' | 'beginning' | 'working' | 'leaving';
  assignment: Assignment | undefined;
  served: number;
  /** See `Crash`. */
  knownAt: number | undefined;
  /** The ticks of this supervisor since the child was last heard. */
  unheardTicks: number;
  /** Why it was killed. */
  killedFor: string | undefined;
  answer: { readonly resolve: (begun: Begun) => void; readonly reject: (error: Error) => void } | undefined;
}

const RESTART_MS = { first: 50, longest: 5_000 };
/** Booting is work for the processor: the first child is ready sooner when the others begin after it. */
const BOOTING_AT_ONCE = 2;
/** A run whose child was killed goes on in an idle one: its replacement lets it go first, milliseconds. */
const AFTER_CRASH_MS = 300;
/** A child that boots says nothing yet. */
const LONGEST_BOOT_MS = 60_000;

/**
 * The child processes of a runner, started ahead of time, one segment at a time each.
 *
 * P1  A child that dies is replaced; one that dies before it was ever idle is replaced with a growing pause.
 * P2  A child that dies while it holds a segment is reported once.
 * P3  After its share of segments a child makes room for a fresh one, between two segments.
 * P4  A few children boot at the same time, so that the first ones can work soon.
 * P5  A child whose loop does not turn, or that says that it is stuck, is killed. Time is counted in the supervisor's
 *     own ticks: a machine that swaps or sleeps holds up both, and takes nobody's patience.
 * P6  A child that says what no child says is killed: its fault is not the others'.
 */
export class Pool {
  private readonly members = new Set<Member>();
  private stopping = false;
  private failures = 0;
  /** Children that are to be started as soon as others have booted. */
  private missing = 0;
  private readonly watching: NodeJS.Timeout;
  private listener: PoolListener = { onCrash: () => undefined, onDone: () => undefined, onChange: () => undefined };

  constructor(readonly settings: PoolSettings) {
    this.missing = settings.size;
    this.watching = setInterval(() => this.watch(), TURNING_MS).unref();
    this.fill();
  }

  /** From now on this one hears; a child can hold no segment before, since nobody has given it one. */
  listen(listener: PoolListener): void {
    this.listener = listener;
    listener.onChange();
  }

  free(): number {
    return this.stopping ? 0 : this.idle().length;
  }

  /** Gives the segment to an idle child; resolves when its start is in the log. */
  begin(assignment: Assignment): Promise<Begun> {
    const [member] = this.idle();
    if (!member) return Promise.reject(new Error('No child is free.'));
    member.state = 'beginning';
    member.assignment = assignment;
    member.served += 1;
    const answered = new Promise<Begun>((resolve, reject) => {
      member.answer = { resolve, reject };
    });
    tell(member, { type: 'run', ...assignment, runnerId: this.settings.runnerId });
    this.listener.onChange();
    return answered;
  }

  processes(): readonly ReportedProcess[] {
    return [...this.members].map(({ child, state, startedAt, assignment }) => ({
      name: 'segment',
      pid: child.pid ?? 0,
      state,
      startedAt,
      ...(assignment ? { run: assignment.runId, segment: assignment.segment } : {}),
    }));
  }

  /** Which segments its children hold, and how many of them hold none. */
  presence(): Required<Pick<ServiceAnswer, 'holds' | 'idleProcesses'>> {
    const members = [...this.members];
    const holds = members.flatMap(({ assignment }) =>
      assignment ? [{ ...assignment, what: 'segment' as const }] : [],
    );
    return { holds: holds.slice(0, HOLDINGS_TOLD), idleProcesses: members.length - holds.length };
  }

  /** Asks every child to hand off and waits for their ends; after `limitMs` what is left is killed. */
  async stop(limitMs: number): Promise<void> {
    this.stopping = true;
    clearInterval(this.watching);
    const ends = [...this.members].map(
      (member) =>
        new Promise<void>((resolve) => {
          member.child.once('exit', () => resolve());
          if (member.assignment) tell(member, { type: 'drain' });
          else member.child.kill('SIGKILL');
        }),
    );
    const timer = setTimeout(() => {
      for (const { child } of this.members) child.kill('SIGKILL');
    }, limitMs);
    await Promise.all(ends);
    clearTimeout(timer);
  }

  private idle(): Member[] {
    return [...this.members].filter(({ state }) => state === 'idle');
  }

  private fill(): void {
    const booting = [...this.members].filter(({ state }) => state === 'starting').length;
    const count = this.stopping ? 0 : Math.min(this.missing, BOOTING_AT_ONCE - booting);
    for (let place = 0; place < count; place += 1) this.start();
  }

  private start(): void {
    this.missing -= 1;
    const child = this.settings.fork();
    const member: Member = {
      child,
      startedAt: new Date().toISOString(),
      state: 'starting',
      assignment: undefined,
      served: 0,
      knownAt: undefined,
      unheardTicks: 0,
      killedFor: undefined,
      answer: undefined,
    };
    this.members.add(member);
    child.on('message', (message) => this.hear(member, message));
    child.on('error', (error) => {
      this.settings.logger.warn({ error: messageOf(error) }, 'a child cannot be reached');
      // One that could not be started has no exit to tell of.
      if (child.pid === undefined) this.gone(member, messageOf(error));
    });
    child.once('exit', (code, signal) => this.gone(member, member.killedFor ?? signal ?? `exit code ${code}`));
  }

  private hear(member: Member, message: unknown): void {
    const read = FromChild.safeParse(message);
    if (!read.success) return this.kill(member, 'It said what no child says.');
    const said = read.data;
    member.unheardTicks = 0;
    switch (said.type) {
      case 'turning':
        member.knownAt = said.revision ?? member.knownAt;
        return;
      case 'stuck':
        return this.kill(member, said.why);
      case 'idle':
        return this.becameIdle(member);
      case 'started':
        member.state = 'working';
        member.knownAt = said.revision;
        member.answer?.resolve('started');
        break;
      case 'declined':
        member.answer?.resolve('declined');
        break;
      case 'unable':
        member.answer?.reject(new Error(said.why));
        break;
    }
    member.answer = undefined;
    this.listener.onChange();
  }

  private watch(): void {
    for (const member of this.members) {
      member.unheardTicks += 1;
      const ms = member.state === 'starting' ? LONGEST_BOOT_MS : this.settings.hungMs;
      if (member.unheardTicks * TURNING_MS > ms) this.kill(member, `Its loop had not turned for ${ms / 1_000} s.`);
    }
  }

  private kill(member: Member, why: string): void {
    const { child, assignment } = member;
    if (member.killedFor === undefined)
      this.settings.logger.warn({ pid: child.pid, ...assignment, why }, 'a child is killed');
    member.killedFor ??= why;
    child.kill('SIGKILL');
  }

  private becameIdle(member: Member): void {
    const { assignment } = member;
    this.failures = 0;
    member.assignment = undefined;
    member.knownAt = undefined;
    member.state = 'idle';
    if (this.stopping || member.served >= this.settings.segmentsPerChild) {
      member.state = 'leaving';
      member.child.kill('SIGKILL');
    }
    if (assignment) this.listener.onDone(assignment);
    this.fill();
    this.listener.onChange();
  }

  private gone(member: Member, how: string): void {
    if (!this.members.delete(member)) return;
    const { assignment, answer, state } = member;
    answer?.reject(new Error(`The child died before the segment had begun (${how}).`));
    if (assignment) this.listener.onCrash({ ...assignment, pid: member.child.pid ?? 0, how, knownAt: member.knownAt });
    setTimeout(() => {
      this.missing += 1;
      this.fill();
    }, this.pauseAfter(state));
    this.listener.onChange();
  }

  private pauseAfter(state: Member['state']): number {
    if (state === 'starting') {
      this.failures += 1;
      return Math.min(RESTART_MS.first * 2 ** this.failures, RESTART_MS.longest);
    }
    return state === 'leaving' || this.idle().length === 0 ? 0 : AFTER_CRASH_MS;
  }
}

function tell({ child }: Member, order: ToChild): void {
  if (child.connected) child.send(order, () => undefined);
}
