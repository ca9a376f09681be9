import { setTimeout as pause } from 'node:timers/promises';
import { type CallId, type RunId, runEventSchemas } from '#contracts';
import { carrierOf } from '#domain';
import { type Append, type Treatment, UNTOUCHED } from '../faults/log-proxy.js';
import { fraction, idOf, type Moments, POINT_KINDS, type Point, type Writer } from './points.js';

/** What can be done to the processes of a cluster. */
export interface Arms {
  kill(pid: number): void;
  freeze(pid: number): void;
  thaw(pid: number): void;
  killService(name: 'segment-runner' | 'coordinator' | 'workspace-manager'): void;
  /** The supervisor of the segments and all of them. */
  killRunner(): void;
  /** The commands of the run that are being carried out. */
  killCommands(run: RunId): void;
  /** Delivers the messages once more that woke the coordinator and the segment. */
  ringAgain(run: RunId, segment: number): Promise<void>;
  /** Resolves when the workspace has begun with the call: whether it is still at work on it. */
  begun(run: RunId, call: CallId): Promise<boolean>;
}

/** A frozen segment is woken when another one works, or after this long, in milliseconds. */
const FROZEN_MS = 20_000;
/** Longer than the log's client waits for an answer, so that it sends again what is still on its way, milliseconds. */
const CUT_OFF_MS = { least: 5_500, more: 2_000 };
/** The blow falls before this part of a command's undisturbed time is over: at once, or when something has been done. */
const INTO_COMMAND = 0.5;
/** At least so far into a command it may fall, in milliseconds; other calls may be over by then. */
const INTO_COMMAND_MS = 25;

const NEVER_WRITTEN: Treatment = { forward: false, answer: 'swallow' };

interface Started {
  readonly segment: number;
  readonly pid: number;
}

/** Watches the appends of one run, and strikes once: at its point, when it has one. */
export class Disturbance {
  /** Whether its moment has come. */
  struck = false;
  private readonly seen = { appends: [] as string[], decisions: [] as string[], calls: [] as string[] };
  private started: Started | undefined;
  private frozen: { readonly pid: number; readonly wake: () => void } | undefined;
  private blow: Promise<void> = Promise.resolve();

  constructor(
    private readonly arms: Arms,
    private readonly seed: number,
    private readonly point?: Point,
    /** How long the call at its point takes when nobody disturbs it, milliseconds. */
    private readonly callMs = 0,
  ) {}

  get moments(): Moments {
    return this.seen;
  }

  /** Resolves when everything that was begun here is done, and nothing stands still any more. */
  async settled(): Promise<void> {
    this.frozen?.wake();
    await this.blow;
  }

  /** @throws what the blow has thrown */
  async onAppend(writer: Writer, append: Append): Promise<Treatment> {
    const types = append.events.map(({ type }) => type).join(' + ');
    const list = writer === 'coordinator' ? this.seen.decisions : this.seen.appends;
    list.push(types);
    const calls = this.note(append);
    const { point } = this;
    if (point === undefined) return UNTOUCHED;
    const { at } = POINT_KINDS[point.kind];
    if (at === 'call') return this.inCall(append, calls, point);
    const isMoment = list.length === point.place && (at === 'decision') === (writer === 'coordinator');
    if (!isMoment || this.struck) return this.wakesOther(append) ?? UNTOUCHED;
    this.struck = true;
    return this.strike(append, point);
  }

  /** Remembers which process works, and answers with the calls that the append starts. */
  private note({ events }: Append): readonly CallId[] {
    return events.flatMap(({ type, data }) => {
      const event = runEventSchemas.get(type)?.safeParse({ type, data: JSON.parse(data) }).data;
      if (event?.type === 'SegmentStarted') {
        this.started = { segment: event.data.segment, pid: event.data.runner.pid };
      }
      if (event?.type !== 'ToolCallStarted' || carrierOf(event.data.tool) !== 'workspace') return [];
      this.seen.calls.push(event.data.tool);
      return [event.data.callId];
    });
  }

  /** A segment that stands still is woken when another one has begun. */
  private wakesOther({ events }: Append): Treatment | undefined {
    const { frozen } = this;
    const begins = events.some(({ type }) => type === 'SegmentStarted');
    if (!frozen || !begins || this.started?.pid === frozen.pid) return undefined;
    return { ...UNTOUCHED, answered: frozen.wake };
  }

  private strike(append: Append, { kind }: Point): Treatment | Promise<Treatment> {
    const { arms } = this;
    const pid = this.started?.pid;
    const killChild = (): void => {
      if (pid !== undefined) arms.kill(pid);
    };
    switch (kind) {
      case 'child-killed-before':
        killChild();
        return NEVER_WRITTEN;
      case 'child-killed-after':
        return { forward: true, answer: 'swallow', answered: killChild };
      case 'child-frozen':
        return pid === undefined ? UNTOUCHED : this.freeze(pid);
      case 'answer-lost':
        return { forward: true, answer: 'fail' };
      case 'partitioned':
        append.cutOff(pause(CUT_OFF_MS.least + this.chance() * CUT_OFF_MS.more));
        return UNTOUCHED;
      case 'doorbell-doubled':
        this.blow = this.ring(append.run as RunId);
        return UNTOUCHED;
      case 'supervisor-killed':
        arms.killService('segment-runner');
        return UNTOUCHED;
      case 'runner-killed':
        arms.killRunner();
        return NEVER_WRITTEN;
      case 'coordinator-killed-before':
        arms.killService('coordinator');
        return NEVER_WRITTEN;
      case 'coordinator-killed-after':
        return { forward: true, answer: 'swallow', answered: () => arms.killService('coordinator') };
      case 'child-killed-in-call':
      case 'workspace-killed-in-call':
      case 'power-cut-in-call':
        return UNTOUCHED;
    }
  }

  /** The append waits with the process; when both go on, the log has moved on. */
  private async freeze(pid: number): Promise<Treatment> {
    this.arms.freeze(pid);
    const over = new AbortController();
    this.frozen = { pid, wake: () => over.abort() };
    await pause(FROZEN_MS, undefined, { signal: over.signal }).catch(() => undefined);
    this.frozen = undefined;
    this.arms.thaw(pid);
    return UNTOUCHED;
  }

  private ring(run: RunId): Promise<void> {
    return this.arms.ringAgain(run, this.started?.segment ?? 1);
  }

  /** The call's start is in the log when the blow falls, and the workspace is at work on it. */
  private inCall({ run }: Append, calls: readonly CallId[], { kind, place }: Point): Treatment {
    const call = calls[place - 1 - (this.seen.calls.length - calls.length)];
    if (call === undefined) return UNTOUCHED;
    const mostMs = Math.max(INTO_COMMAND_MS, INTO_COMMAND * this.callMs);
    const intoMs = this.seen.calls[place - 1] === 'bash' ? this.chance() * mostMs : 0;
    const answered = (): void => {
      this.blow = this.strikeInCall({ run: run as RunId, call, intoMs }, kind);
    };
    return { ...UNTOUCHED, answered };
  }

  private async strikeInCall(
    { run, call, intoMs }: { readonly run: RunId; readonly call: CallId; readonly intoMs: number },
    kind: Point['kind'],
  ): Promise<void> {
    const { arms } = this;
    if (!(await arms.begun(run, call))) return;
    if (intoMs > 0) await pause(intoMs);
    this.struck = true;
    if (kind === 'child-killed-in-call') {
      if (this.started !== undefined) arms.kill(this.started.pid);
      return;
    }
    arms.killService('workspace-manager');
    if (kind === 'power-cut-in-call') arms.killCommands(run);
  }

  private chance(): number {
    return fraction(this.seed, this.point ? idOf(this.point) : '');
  }
}
