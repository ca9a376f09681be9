import { builtInTools } from '#contracts';
import type { Clock } from '#platform';
import type { CommandEnd, CommandOrder, Commands, RunningCommand } from '../commands.js';
import type { DiskUse } from '../disk-use.js';
import type { CallStart, HeldWorkspace, JournalledCall } from '../journal/entries.js';
import type { Journal } from '../journal/journal.js';
import type { Secrets } from '../secrets/secrets.js';
import type { Background } from './background.js';
import { commandResult } from './call-results.js';
import {
  type Began,
  type Conclusion,
  concluded,
  type Execution,
  notStarted,
  rejected,
  type ToolKind,
} from './tool-kind.js';

/** The kernel takes no longer argument, and counts the NUL at its end. */
const MAX_COMMAND_BYTES = 128 * 1024 - 1;
/** How long after a call's limit the shim itself ends the command, for when no manager is there to do it. */
const GUARD_MS = 5_000;
/** How long a command in the background may run, whatever becomes of its workspace. */
const LONGEST_BACKGROUND_MS = 7 * 86_400_000;
const MIB = 1024 * 1024;

export interface CommandKindParts {
  readonly journal: Journal;
  readonly commands: Commands;
  readonly background: Background;
  readonly secrets: Secrets;
  readonly disk: DiskUse;
  readonly bootId: string;
  readonly clock: Clock;
}

/** Commands, in the foreground and in the background. */
export class CommandKind implements ToolKind {
  constructor(private readonly parts: CommandKindParts) {}

  has(tool: string): boolean {
    return tool === 'bash' || tool === 'check_command' || tool === 'stop_command';
  }

  async execute(execution: Execution, began: Began): Promise<Conclusion> {
    const { start, input } = execution;
    if (start.tool === 'check_command') {
      const { command_id: label, wait_seconds: seconds = 0 } = builtInTools.check_command.input.parse(input);
      return this.parts.background.check(start, { label, waitMs: seconds * 1_000 }, began);
    }
    if (start.tool === 'stop_command') {
      return this.parts.background.stop(start, builtInTools.stop_command.input.parse(input).command_id);
    }
    const { command, background = false } = builtInTools.bash.input.parse(input);
    if (Buffer.byteLength(command) > MAX_COMMAND_BYTES) {
      return rejected(`The command is longer than ${MAX_COMMAND_BYTES} bytes: write it to a file and run that.`);
    }
    const guardMs = background ? LONGEST_BACKGROUND_MS : start.limitMs + GUARD_MS;
    const order = await this.order(execution.held, command, guardMs);
    if (background) return this.parts.background.start(start, execution.held, order);
    const running = this.parts.commands.start(start, order);
    const end = await this.followed(start, execution.held, running, began);
    if (end.kind === 'not-begun') return notStarted(`The command was not started: ${end.reason}`);
    return this.conclude(start, execution.held, end);
  }

  async resume(call: JournalledCall, began: Began): Promise<Conclusion> {
    const { journal, background, commands, bootId } = this.parts;
    const held = journal.workspace(call.runId);
    // Looking and stopping again are harmless.
    if (call.tool !== 'bash' || held === undefined) return { kind: 'void' };
    const running = commands.adopt(call, call.bootId === bootId);
    if (journal.background(call)) return background.resume(call, running);
    const end = await this.followed(call, held, running, began);
    return end.kind === 'not-begun' ? { kind: 'void' } : this.conclude(call, held, end);
  }

  private async order(
    { runId, spec, external }: HeldWorkspace,
    command: string,
    guardMs: number,
  ): Promise<CommandOrder> {
    const { secrets, disk } = this.parts;
    const variables = secrets.fillAll(spec.env, external.secrets);
    const given = Object.values(spec.env).some((value) => value.includes('{secret:'));
    const limit = spec.diskMb * MIB;
    // In a full workspace a command can remove files and write none.
    const fileBytes = (await disk.of(runId, limit / 2)) > limit ? 0 : limit;
    return { spec, command, variables, secrets: given ? secrets.values(external.secrets) : [], fileBytes, guardMs };
  }

  private async followed(
    call: CallStart,
    { spec }: HeldWorkspace,
    running: RunningCommand,
    began: Began,
  ): Promise<CommandEnd> {
    const { disk, journal } = this.parts;
    began(running);
    const watch = disk.watch(call.runId, spec.diskMb * MIB, () => {
      const noted = journal.stopping(call, 'disk-full').catch(() => undefined);
      void noted.then(() => running.stop());
    });
    return running.ended.finally(() => watch.end());
  }

  private conclude(
    call: CallStart,
    { spec }: HeldWorkspace,
    end: Exclude<CommandEnd, { readonly kind: 'not-begun' }>,
  ): Conclusion {
    const { commands, journal, clock } = this.parts;
    const executions = commands.claims(call);
    if (end.kind === 'unknown') return { ...end, executions };
    const ending = {
      ...end,
      limitMs: call.limitMs,
      elapsedMs: clock.now() - call.startedAt,
      stopping: journal.call(call)?.stopping,
      diskMb: spec.diskMb,
    };
    return concluded(commandResult(commands.output(call), ending), executions);
  }
}
