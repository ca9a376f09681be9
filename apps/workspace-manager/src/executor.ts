import { builtInTools, ToolName, type WorkspaceSpec } from '#contracts';
import { type Clock, messageOf } from '#platform';
import { type CallResult, commandResult, result } from './call-results.js';
import type { CommandEnd, Commands, RunningCommand } from './commands.js';
import { FileTools } from './file-tools.js';
import type { Folders } from './folders.js';
import type { CallStart, Journal, JournalledCall } from './journal.js';
import type { Owner } from './sandbox.js';

/** The kernel takes no longer argument, and counts the NUL at its end. */
const MAX_COMMAND_BYTES = 128 * 1024 - 1;

/** What the execution of a call came to. `void`: it certainly did nothing, so it may be asked for as if it were new. */
export type Conclusion =
  | { readonly kind: 'finished'; readonly result: CallResult; readonly executions: number }
  | { readonly kind: 'unknown'; readonly reason: string; readonly executions: number }
  | { readonly kind: 'void' };

/** An accepted call with what it needs to be executed. */
export interface Execution {
  readonly start: CallStart;
  readonly input: Readonly<Record<string, unknown>>;
  readonly spec: WorkspaceSpec;
}

export interface ExecutorParts {
  readonly journal: Journal;
  readonly commands: Commands;
  readonly folders: Folders;
  readonly owner: Owner | undefined;
  readonly bootId: string;
  readonly clock: Clock;
}

type FileTool = Exclude<ToolName, 'bash' | 'complete_item' | 'fail_item'>;

/** Carries out calls that are in the journal, and finds out about those that a dead manager has left. */
export class Executor {
  constructor(private readonly parts: ExecutorParts) {}

  /** `began` is told of the command as soon as there is one. */
  async execute({ start, input, spec }: Execution, began: (command: RunningCommand) => void): Promise<Conclusion> {
    const refused = (why: string): Conclusion =>
      finished(result('rejected', Buffer.from(why), [], start.outputBytes), 0);
    const tool = ToolName.safeParse(start.tool).data;
    if (tool === undefined || tool === 'complete_item' || tool === 'fail_item') {
      return refused(`A workspace has no tool ${start.tool}.`);
    }
    const checked = builtInTools[tool].input.safeParse(input);
    if (!checked.success) {
      const faults = checked.error.issues.map((issue) => `${issue.path.join('.') || 'input'}: ${issue.message}`);
      return refused(`The input of ${tool} is wrong: ${faults.join('; ')}.`);
    }
    if (tool !== 'bash') return this.runFileTool(start, tool, input);
    const { command } = builtInTools.bash.input.parse(input);
    if (Buffer.byteLength(command) > MAX_COMMAND_BYTES) {
      return refused(`The command is longer than ${MAX_COMMAND_BYTES} bytes: write it to a file and run that.`);
    }
    const running = this.parts.commands.start(start, spec, command);
    began(running);
    return this.conclude(start, await running.ended);
  }

  /** Follows up a call that had not ended when the manager last did. */
  async resume(call: JournalledCall, began: (command: RunningCommand) => void): Promise<Conclusion> {
    if (call.tool !== 'bash') return this.resumeFileTool(call);
    const running = this.parts.commands.adopt(call, call.bootId === this.parts.bootId);
    began(running);
    const end = await running.ended;
    return end.kind === 'not-begun' ? { kind: 'void' } : this.conclude(call, end);
  }

  private conclude(call: CallStart, end: CommandEnd): Conclusion {
    const executions = this.parts.commands.claims(call);
    if (end.kind === 'unknown') return { ...end, executions };
    if (end.kind === 'not-begun') {
      return finished(
        result('error', Buffer.from(`The command was not started: ${end.reason}`), [], call.outputBytes),
        0,
      );
    }
    const ending = {
      ...end,
      limitMs: call.limitMs,
      elapsedMs: this.parts.clock.now() - call.startedAt,
      stopping: this.parts.journal.call(call.runId, call.callId)?.stopping,
    };
    return finished(commandResult(this.parts.commands.output(call), ending, call.outputBytes), executions);
  }

  private async runFileTool(start: CallStart, tool: FileTool, input: unknown): Promise<Conclusion> {
    try {
      const output = await this.fileTool(start, tool, input);
      return finished(result('ok', output, [], start.outputBytes), 1);
    } catch (error) {
      // A change is the very last step of its tool, so after an error nothing has changed.
      return finished(result('error', Buffer.from(messageOf(error)), [], start.outputBytes), 1);
    }
  }

  private fileTool(start: CallStart, tool: FileTool, input: unknown): Promise<Buffer> {
    const tools = this.toolsOf(start);
    switch (tool) {
      case 'read_file':
        return tools.read(builtInTools.read_file.input.parse(input));
      case 'write_file':
        return tools.write(builtInTools.write_file.input.parse(input));
      case 'edit_file':
        return tools.edit(builtInTools.edit_file.input.parse(input), (edit) => this.parts.journal.editing(start, edit));
      case 'list_files':
        return tools.list(builtInTools.list_files.input.parse(input));
    }
  }

  /** Reading again is harmless and writing again writes the same bytes; an edit shows by the file whether it was made. */
  private async resumeFileTool(call: JournalledCall): Promise<Conclusion> {
    if (call.tool !== 'edit_file' || call.edit === undefined) return { kind: 'void' };
    const { path, before, after } = call.edit;
    const now = await this.toolsOf(call)
      .digestOf(path)
      .catch(() => undefined);
    if (now === before) return { kind: 'void' };
    if (now === after)
      return finished(result('ok', Buffer.from(`Edited ${path}: 1 replacement.`), [], call.outputBytes), 1);
    const reason = `${path} was changed by others since, so it cannot be told whether the edit was made.`;
    return { kind: 'unknown', reason, executions: 1 };
  }

  private toolsOf(call: CallStart): FileTools {
    return new FileTools(this.parts.folders.files(call.runId), this.parts.owner);
  }
}

const finished = (found: CallResult, executions: number): Conclusion => ({
  kind: 'finished',
  result: found,
  executions,
});
