import type { z } from 'zod';
import {
  AskCall,
  type CallState,
  momentOf,
  OpenWorkspace,
  RunCall,
  StopCall,
  type TextBlock,
  WorkspaceHere,
  workspaceSubject,
} from '#contracts';
import { BatonError } from '#platform';
import type { BusPort } from './bus-port.js';
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
}

/** What the disk of a machine with workspaces holds, and the commands that run there: both outlive every manager. */
export class WorkspaceDisk {
  holder: string | undefined;
  newest = 0;
  readonly journal = new Map<string, Entry>();

  constructor(
    private readonly world: World,
    /** How long a call takes, in milliseconds, and what it prints: both by its tool and input alone. */
    private readonly work: (tool: string, input: unknown) => { readonly takesMs: number; readonly prints: string },
  ) {}

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
    const { takesMs, prints } = this.work(request.tool, request.input);
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
      if (entry.state.state !== 'running') continue;
      const tookEffect = this.world.random() < 0.5;
      entry.stop?.('cancelled');
      if (tookEffect) this.takeEffect(entry.request);
      this.world.ledger.unknowable.add(entry.request.callId);
      const startedAt = momentOf(Date.now() - (this.world.now - entry.startedAt));
      entry.state = { state: 'unknown', startedAt, reason: 'The machine was switched off while it ran.' };
      for (const wake of entry.waiting) wake();
    }
  }

  private takeEffect({ callId, attempt = 1, tool, input, segment }: RunCallRequest): void {
    this.world.tell('workspace', `EFFECT of ${callId} (${attempt})`);
    this.world.ledger.effect({ callId, attempt, tool, input: JSON.stringify(input), segment });
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

const momentAt = (world: World): string => momentOf(Date.UTC(2026, 0, 5, 3) + world.now);

/** A workspace-manager: it answers for a disk, as the contract of `workspace-asks.ts` says. */
export function manageWorkspaces(world: World, process: Process, bus: BusPort, disk: WorkspaceDisk): void {
  const holder = 'machine-w';
  const refuseOlder = (verb: string, segment: number): void => {
    if (segment < disk.newest) throw new Fenced(`Segment ${segment} is over: the workspace works for ${disk.newest}.`);
    disk.newest = segment;
    world.ledger.ask({ verb, segment });
    if (disk.holder === undefined && verb !== 'open') throw new NotOpen('Open it first.');
  };
  const keyOf = ({ callId, attempt = 1 }: { callId: string; attempt?: number | undefined }): string =>
    `${callId}/${attempt}`;
  const stateOf = async (key: string, waitMs: number): Promise<CallState> => {
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
          if (world.passes(process, 'the end of a call is seen')) resolve();
        });
      };
      const timer = setTimeout(wake, waitMs);
      entry.waiting.add(wake);
    });
  bus.answer(
    OpenWorkspace.subject,
    OpenWorkspace.request,
    async ({ segment }) => {
      const created = disk.holder === undefined;
      disk.holder = holder;
      refuseOlder('open', segment);
      return { holder, created };
    },
    { queue: 'workspace-manager' },
  );
  bus.answer(workspaceSubject(holder, RunCall.verb), RunCall.request, async (request) => {
    refuseOlder(RunCall.verb, request.segment);
    const key = keyOf(request);
    const known = disk.journal.get(key);
    if (known && JSON.stringify(known.request.input) !== JSON.stringify(request.input)) {
      world.ledger.surprises.push(`The call ${key} came with another input.`);
    }
    if (!known) {
      if (!world.passes(process, `before: tool start ${request.callId}`)) return undefined;
      disk.start(key, request);
      if (!world.passes(process, `after: tool start ${request.callId}`)) return undefined;
    }
    return await stateOf(key, request.waitMs);
  });
  bus.answer(workspaceSubject(holder, AskCall.verb), AskCall.request, (request) => {
    refuseOlder(AskCall.verb, request.segment);
    return stateOf(keyOf(request), request.waitMs);
  });
  bus.answer(workspaceSubject(holder, StopCall.verb), StopCall.request, (request) => {
    refuseOlder(StopCall.verb, request.segment);
    disk.journal.get(keyOf(request))?.stop?.(request.because);
    return stateOf(keyOf(request), 0);
  });
  const here = (): void => bus.emit(`${WorkspaceHere.subject}.${holder}`, { holder });
  bus.onFound(here);
  here();
}
