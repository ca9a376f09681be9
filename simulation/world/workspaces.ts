import type { z } from 'zod';
import {
  AskCall,
  type CallState,
  momentOf,
  OpenWorkspace,
  ProbeCall,
  RunCall,
  StopCall,
  type TextBlock,
  WorkspaceHere,
  workspaceSubject,
} from '#contracts';
import { BatonError } from '#platform';
import type { BusPort } from './bus-port.js';
import type { Ledger } from './ledger.js';
import type { Outside } from './outside.js';
import { isHttp, toolWork } from './play.js';
import type { Process, World } from './world.js';

class Fenced extends BatonError {
  readonly code = 'fenced';
  readonly remedy = 'stand-down';
}

class NotOpen extends BatonError {
  readonly code = 'workspace-not-open';
  readonly remedy = 'retry';
}

type RunCallRequest = z.infer<typeof RunCall.request>;

interface Entry {
  readonly request: RunCallRequest;
  state: CallState;
  readonly startedAt: number;
  readonly waiting: Set<() => void>;
  stop?: (because: 'cancelled' | 'timed-out') => void;
  /** The manager that has sent it, of a request to the world outside: only that one can hear the answer. */
  readonly sentBy?: Process;
}

/** What the disk holds of one workspace, and the commands that run in it: both outlive every manager. */
class WorkspaceDisk {
  holder: string | undefined;
  newest = 0;
  readonly journal = new Map<string, Entry>();

  constructor(
    private readonly world: World,
    readonly outside: Outside,
    private readonly ledger: Ledger,
  ) {}

  /** A request goes out. Its sender alone can hear the answer; without it nobody knows what came of it. */
  send(key: string, request: RunCallRequest, sentBy: Process): void {
    const { world, outside } = this;
    const state: CallState = { state: 'running', startedAt: momentAt(world) };
    const entry: Entry = { request, state, startedAt: world.now, waiting: new Set(), sentBy };
    this.journal.set(key, entry);
    const { takesMs, prints } = toolWork(request.tool, request.input);
    entry.stop = (because) => this.doubt(entry, `The request was sent. It was stopped (${because}).`);
    outside.request(outsideKey(request), takesMs, {
      arrived: () => this.takeEffect(request),
      answered: (cut) =>
        world.post(sentBy, 0, () => {
          if (!world.passes(sentBy, () => `after: http ${request.callId}`)) return;
          if (cut) this.doubt(entry, 'The request was sent. The connection was cut.');
          else this.finish(entry, 'ok', prints);
        }),
    });
  }

  /** What was under way when the manager ended is in doubt. */
  resume(): void {
    for (const entry of this.journal.values()) {
      if (entry.sentBy?.alive === false) this.doubt(entry, 'The manager ended while the request was under way.');
    }
  }

  private doubt(entry: Entry, reason: string): void {
    if (entry.state.state !== 'running') return;
    this.ledger.unknowable.add(entry.request.callId);
    entry.state = { state: 'unknown', startedAt: entry.state.startedAt, reason };
    for (const wake of entry.waiting) wake();
  }

  /** The command starts; it runs on without its manager. */
  start(key: string, request: RunCallRequest): void {
    const { world } = this;
    const startedAt = world.now;
    const entry: Entry = {
      request,
      state: { state: 'running', startedAt: momentAt(world) },
      startedAt,
      waiting: new Set(),
    };
    this.journal.set(key, entry);
    const { takesMs, prints } = toolWork(request.tool, request.input);
    const ending = world.post(undefined, Math.min(takesMs, request.limitMs), () => {
      const inTime = takesMs <= request.limitMs;
      if (inTime) this.takeEffect(request);
      this.finish(entry, inTime ? 'ok' : 'timed-out', inTime ? prints : 'It took too long.');
    });
    entry.stop = (because) => {
      ending.cancelled = true;
      this.finish(entry, because, 'It was stopped.');
    };
  }

  /** The machine lost its power and has it again: what ran is gone, and whether it took effect nobody can know. */
  reboot(): void {
    for (const entry of this.journal.values()) {
      if (entry.state.state !== 'running' || entry.sentBy) continue;
      const tookEffect = this.world.random() < 0.5;
      entry.stop?.('cancelled');
      if (tookEffect) this.takeEffect(entry.request);
      this.ledger.unknowable.add(entry.request.callId);
      const startedAt = momentOf(Date.now() - (this.world.now - entry.startedAt));
      entry.state = { state: 'unknown', startedAt, reason: 'The machine was switched off while it ran.' };
      for (const wake of entry.waiting) wake();
    }
  }

  private takeEffect({ callId, attempt = 1, tool, input, segment }: RunCallRequest): void {
    this.world.tell('workspace', `EFFECT of ${callId} (${attempt})`);
    this.ledger.effect({ callId, attempt, tool, input: JSON.stringify(input), segment });
  }

  private finish(entry: Entry, outcome: 'ok' | 'cancelled' | 'timed-out', text: string): void {
    if (entry.state.state !== 'running') return;
    const content: TextBlock[] = [{ type: 'text', text }];
    const { startedAt } = entry.state;
    entry.state = { state: 'finished', startedAt, endedAt: momentAt(this.world), outcome, content };
    for (const wake of entry.waiting) wake();
    delete entry.stop;
  }
}

const outsideKey = ({ runId, callId }: { readonly runId: string; readonly callId: string }): string =>
  `${runId}/${callId}`;

/** The disk of the machine with workspaces: one for each run. */
export class WorkspaceDisks {
  private readonly disks = new Map<string, WorkspaceDisk>();

  constructor(
    private readonly world: World,
    private readonly outside: Outside,
  ) {}

  of(runId: string): WorkspaceDisk {
    const { world, outside } = this;
    const known = this.disks.get(runId) ?? new WorkspaceDisk(world, outside, world.ledgerOf(runId));
    this.disks.set(runId, known);
    return known;
  }

  reboot(): void {
    for (const disk of this.disks.values()) disk.reboot();
  }

  resume(): void {
    for (const disk of this.disks.values()) disk.resume();
  }
}

const momentAt = (world: World): string => momentOf(Date.UTC(2026, 0, 5, 3) + world.now);

/** A workspace-manager: it answers for the workspaces of its machine, as the contract of `workspace-asks.ts` says. */
export function manageWorkspaces(world: World, process: Process, bus: BusPort, disks: WorkspaceDisks): void {
  const holder = 'machine-w';
  /** The workspace that the segment may still ask. */
  const asked = (verb: string, { runId, segment }: { runId: string; segment: number }): WorkspaceDisk => {
    const disk = disks.of(runId);
    if (segment < disk.newest) throw new Fenced(`Segment ${segment} is over: the workspace works for ${disk.newest}.`);
    disk.newest = segment;
    world.ledgerOf(runId).ask({ verb, segment });
    if (disk.holder === undefined && verb !== 'open') throw new NotOpen('Open it first.');
    return disk;
  };
  const keyOf = ({ callId, attempt = 1 }: { callId: string; attempt?: number | undefined }): string =>
    `${callId}/${attempt}`;
  const stateOf = async (disk: WorkspaceDisk, key: string, waitMs: number): Promise<CallState> => {
    const entry = disk.journal.get(key);
    if (!entry) return { state: 'absent' };
    if (entry.state.state === 'running') await ended(entry, waitMs);
    return entry.state;
  };
  const ended = (entry: Entry, waitMs: number): Promise<void> =>
    new Promise((resolve) => {
      const wake = (): void => {
        entry.waiting.delete(wake);
        clearTimeout(timer);
        world.post(process, world.trip(), () => {
          if (world.passes(process, () => 'the end of a call is seen')) resolve();
        });
      };
      const timer = setTimeout(wake, waitMs);
      entry.waiting.add(wake);
    });
  bus.answer(
    OpenWorkspace.subject,
    OpenWorkspace.request,
    async (request) => {
      const disk = asked('open', request);
      const created = disk.holder === undefined;
      disk.holder = holder;
      return { holder, created };
    },
    { queue: 'workspace-manager' },
  );
  bus.answer(workspaceSubject(holder, RunCall.verb), RunCall.request, async (request) => {
    const disk = asked(RunCall.verb, request);
    const key = keyOf(request);
    const known = disk.journal.get(key);
    if (known && JSON.stringify(known.request.input) !== JSON.stringify(request.input)) {
      world.chronicle.surprises.push(`The call ${key} came with another input.`);
    }
    if (!known) {
      if (!world.passes(process, () => `before: tool start ${request.callId}`)) return undefined;
      if (isHttp(request.tool)) disk.send(key, request, process);
      else disk.start(key, request);
      if (!world.passes(process, () => `after: tool start ${request.callId}`)) return undefined;
    }
    return await stateOf(disk, key, request.waitMs);
  });
  bus.answer(workspaceSubject(holder, AskCall.verb), AskCall.request, (request) => {
    return stateOf(asked(AskCall.verb, request), keyOf(request), request.waitMs);
  });
  bus.answer(workspaceSubject(holder, StopCall.verb), StopCall.request, (request) => {
    const disk = asked(StopCall.verb, request);
    disk.journal.get(keyOf(request))?.stop?.(request.because);
    return stateOf(disk, keyOf(request), 0);
  });
  bus.answer(workspaceSubject(holder, ProbeCall.verb), ProbeCall.request, async (request) => {
    if (!asked(ProbeCall.verb, request).outside.hasTaken(outsideKey(request))) return { found: 'not-done' };
    return { found: 'done', content: [{ type: 'text', text: 'It was taken.' }] };
  });
  disks.resume();
  const here = (): void => bus.emit(`${WorkspaceHere.subject}.${holder}`, { holder });
  bus.onFound(here);
  here();
}
