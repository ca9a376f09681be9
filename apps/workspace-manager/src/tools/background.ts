import { setTimeout as pause } from 'node:timers/promises';
import { CallId, type RunId } from '#contracts';
import { type Clock, type Logger, messageOf } from '#platform';
import type { CommandEnd, CommandOrder, Commands, RunningCommand } from '../commands.js';
import type { DiskUse } from '../disk-use.js';
import {
  type BackgroundCommand,
  type BackgroundStopping,
  type CallKey,
  type CallStart,
  type HeldWorkspace,
  labelOf,
  nameOf,
} from '../journal/entries.js';
import type { Journal } from '../journal/journal.js';
import type { Secrets } from '../secrets/secrets.js';
import { commandResult, type RawResult, rawResult, resultOf } from './call-results.js';
import { abortable, type Began, type Conclusion, concluded, notStarted } from './tool-kind.js';
import { insist, type WholeOutputs } from './whole-outputs.js';

/** How many commands of one workspace may be in the background; each has the workspace's memory and processes. */
const MOST = 8;
const MIB = 1024 * 1024;

export interface BackgroundParts {
  readonly journal: Journal;
  readonly commands: Commands;
  readonly outputs: WholeOutputs;
  readonly secrets: Secrets;
  readonly disk: DiskUse;
  readonly bootId: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Live {
  readonly key: CallKey;
  readonly command: RunningCommand;
  /** Its end is in the journal, and what it held is freed. */
  readonly settled: Promise<void>;
}

/**
 * Commands that outlive the calls that start them.
 *
 * B1. The journal says that a call starts such a command before it starts it, so after a crash it is known as one.
 * B2. The call has ended once the command's claim is there; the command's own end is written down when it comes.
 * B3. It lives as long as it works, at most as long as its workspace is open and its run does not rest for long.
 */
export class Background {
  private readonly live = new Map<string, Live>();
  /** On their way into the journal; they have their place. */
  private readonly starting = new Set<CallKey>();

  constructor(private readonly parts: BackgroundParts) {}

  async start(call: CallStart, held: HeldWorkspace, order: CommandOrder): Promise<Conclusion> {
    const others = [...[...this.live.values()].map(({ key }) => key), ...this.starting].filter(
      ({ runId }) => runId === call.runId,
    );
    if (others.length >= MOST) {
      const labels = others.map(labelOf).join(', ');
      return notStarted(`${MOST} commands are in the background already (${labels}): stop one first.`);
    }
    const command = await this.started(call, held, order);
    return this.begun(call, command);
  }

  private async started(call: CallStart, held: HeldWorkspace, order: CommandOrder): Promise<RunningCommand> {
    this.starting.add(call);
    try {
      await this.parts.journal.inBackground(call);
      const command = this.parts.commands.start(call, order);
      this.follow(call, held, command);
      return command;
    } finally {
      this.starting.delete(call);
    }
  }

  /** Takes up the call of an earlier life of this manager. */
  async resume(call: CallStart, command: RunningCommand): Promise<Conclusion> {
    const held = this.parts.journal.workspace(call.runId);
    const claims = this.parts.commands.claims(call);
    if (held === undefined || claims === 0) return { kind: 'void' };
    this.follow(call, held, command);
    return this.begun(call, command);
  }

  /** Takes up the commands whose calls had ended when this manager last did. */
  resumeAll(): void {
    const { journal, commands, bootId } = this.parts;
    for (const found of journal.backgroundRunning()) {
      const held = journal.workspace(found.runId);
      const call = journal.call(found);
      if (held === undefined || call?.state === 'running') continue;
      this.follow(found, held, commands.adopt(found, found.bootId === bootId));
    }
  }

  /** Tells how far a command is, after at most `waitMs`. */
  check(asking: CallStart, { label, waitMs }: { label: string; waitMs: number }, began: Began): Promise<Conclusion> {
    return abortable(began, async (signal) => {
      const key = keyOf(asking.runId, label);
      const live = key && this.live.get(nameOf(key));
      const wait = Math.min(waitMs, Math.max(0, asking.limitMs - 1_000));
      if (live)
        await Promise.race([live.settled, pause(wait, undefined, { signal, ref: false }).catch(() => undefined)]);
      return this.found(asking, label);
    });
  }

  /** Ends a command and tells what it has printed. */
  async stop(asking: CallStart, label: string): Promise<Conclusion> {
    const key = keyOf(asking.runId, label);
    const live = key && this.live.get(nameOf(key));
    if (live) await this.end(live);
    return this.found(asking, label);
  }

  /** Ends all commands of a run. */
  async stopAll(runId: RunId, because: BackgroundStopping = 'cancelled'): Promise<void> {
    const own = [...this.live.values()].filter(({ key }) => key.runId === runId);
    await Promise.all(own.map((live) => this.end(live, because)));
  }

  /** The runs with commands in the background. */
  runs(): RunId[] {
    return [...this.live.values()].map(({ key }) => key.runId);
  }

  /** Whether the command of this name (`nameOf`) runs, or its end is not yet in the journal. */
  isLive(name: string): boolean {
    return this.live.has(name);
  }

  private async end({ key, command, settled }: Live, because: BackgroundStopping = 'cancelled'): Promise<void> {
    await this.parts.journal.backgroundStopping(key, because);
    await command.stop();
    await settled;
  }

  private async begun(call: CallStart, command: RunningCommand): Promise<Conclusion> {
    await this.parts.commands.settled(call, command);
    const executions = this.parts.commands.claims(call);
    const end = executions === 0 ? await command.ended : undefined;
    if (end?.kind === 'not-begun') return notStarted(`The command was not started: ${end.reason}`);
    const label = labelOf(call);
    const text = `The command runs in the background; its id is ${label}. Use check_command to see how far it is and stop_command to end it.`;
    return concluded(rawResult('ok', text), 1);
  }

  private follow(call: CallStart, held: HeldWorkspace, command: RunningCommand): void {
    const name = nameOf(call);
    const { disk, journal, logger } = this.parts;
    const watch = disk.watch(call.runId, held.spec.diskMb * MIB, () => {
      const noted = journal.backgroundStopping(call, 'disk-full').catch(() => undefined);
      void noted.then(() => command.stop());
    });
    const settled = command.ended
      .finally(() => watch.end())
      .then((end) => this.writeDown(call, held, end))
      .catch((error: unknown) => logger.error({ call: name, error: messageOf(error) }, 'a background command was lost'))
      .finally(() => this.live.delete(name));
    this.live.set(name, { key: call, command, settled });
  }

  private async writeDown(call: CallStart, held: HeldWorkspace, end: CommandEnd): Promise<void> {
    const { commands, journal, outputs, secrets, clock } = this.parts;
    const at = clock.now();
    const raw = this.rawEnd(call, held, end, at);
    const { outcome, content, whole } = resultOf(raw, secrets.redactor(held.external.secrets), call.outputBytes);
    const stored = await outputs.keep(call, whole);
    await insist(() => journal.backgroundEnded(call, { outcome, content, whole: stored }, at));
    await commands.release(call);
  }

  private rawEnd(call: CallStart, { spec }: HeldWorkspace, end: CommandEnd, at: number): RawResult {
    const output = this.parts.commands.output(call);
    if (end.kind !== 'exited') return rawResult('error', output, [end.reason]);
    const stopping = this.parts.journal.background(call)?.stopping;
    const elapsedMs = at - call.startedAt;
    const ending = { ...end, stopping, elapsedMs, limitMs: Number.POSITIVE_INFINITY, diskMb: spec.diskMb };
    const raw = commandResult(output, ending);
    return { ...raw, notes: [...raw.notes, `the command has ended, after ${seconds(elapsedMs)}`] };
  }

  private found(asking: CallStart, label: string): Conclusion {
    const key = keyOf(asking.runId, label);
    const command = key && this.parts.journal.background(key);
    if (command === undefined) return notStarted(`There is no command ${label} in the background.`);
    return command.end === undefined ? this.soFar(command) : collectedEnd(command.end);
  }

  private soFar(command: BackgroundCommand): Conclusion {
    const ran = seconds(this.parts.clock.now() - command.startedAt);
    // What it has printed so far is stored once, when it has ended.
    return concluded({
      ...rawResult('ok', this.parts.commands.output(command), [`the command still runs, for ${ran} now`]),
      whole: 'not-kept',
    });
  }
}

const collectedEnd = ({ content, whole }: NonNullable<BackgroundCommand['end']>): Conclusion => ({
  kind: 'collected',
  result: { outcome: 'ok', content, media: [], whole },
  executions: 1,
});

const seconds = (milliseconds: number): string => `${(milliseconds / 1_000).toFixed(1)} s`;

function keyOf(runId: RunId, label: string): CallKey | undefined {
  const [, id, attempt = '1'] = /^(\d+-\d+)(?:\.(\d+))?$/.exec(label) ?? [];
  return id === undefined ? undefined : { runId, callId: CallId.parse(id), attempt: Number(attempt) };
}
