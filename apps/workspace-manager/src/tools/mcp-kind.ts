import { LONGEST_TIMER_MS, messageOf } from '#platform';
import type { HeldWorkspace } from '../journal/entries.js';
import type { Journal } from '../journal/journal.js';
import { CallRefused, CallUnanswered, ServerUnavailable } from '../mcp/connection.js';
import { answerResult } from '../mcp/content.js';
import { serverOf } from '../mcp/declarations.js';
import type { McpServers } from '../mcp/servers.js';
import { rawResult } from './call-results.js';
import {
  abortable,
  type Began,
  type Conclusion,
  concluded,
  type Execution,
  notStarted,
  rejected,
  type ToolKind,
} from './tool-kind.js';

/** How much later than the call's own limit the protocol's strikes, in milliseconds. */
const LATER_MS = 5_000;

/** Tools of MCP servers. */
export class McpKind implements ToolKind {
  constructor(
    private readonly servers: McpServers,
    private readonly journal: Journal,
  ) {}

  has(tool: string, held: HeldWorkspace): boolean {
    return Object.hasOwn(held.external.mcp, serverOf(tool) ?? '');
  }

  /** A server that cannot be asked now has no say: the call itself will tell. */
  async check(tool: string, input: Execution['input'], held: HeldWorkspace): Promise<string | undefined> {
    try {
      const listed = await this.servers.of(held, serverOf(tool) ?? '').tool(tool);
      const fault = listed?.check(input);
      return fault === undefined ? undefined : wrongInput(tool, fault);
    } catch {
      return undefined;
    }
  }

  execute(execution: Execution, began: Began): Promise<Conclusion> {
    const { start, input, held } = execution;
    const limitMs = Math.min(start.limitMs + LATER_MS, LONGEST_TIMER_MS);
    return abortable(began, async (signal) => {
      try {
        const connection = this.servers.of(held, serverOf(start.tool) ?? '');
        const tool = await unlessAborted(signal, connection.tool(start.tool));
        if (tool === undefined) return notStarted(`The MCP server has no tool ${start.tool} (any more).`);
        const fault = tool.check(input);
        if (fault !== undefined) return rejected(wrongInput(start.tool, fault));
        return concluded(answerResult(await connection.call(tool, input, { limitMs, signal })));
      } catch (error) {
        return this.unanswered(error, execution);
      }
    });
  }

  /** The manager ended during the call: nobody here can know what came of it. */
  resume(): Promise<Conclusion> {
    const reason = 'The workspace-manager ended while the MCP server had the call, so its answer is not known.';
    return Promise.resolve({ kind: 'unknown', reason, executions: 1 });
  }

  /** A call that the server has and did not answer is in doubt, unless it changes nothing. */
  private unanswered(error: unknown, { start, effect }: Execution): Conclusion {
    const stopping = this.journal.call(start)?.stopping;
    if (error instanceof CallRefused) return concluded(rawResult('error', messageOf(error)));
    if (!(error instanceof CallUnanswered)) return notStarted(messageOf(error));
    if (effect !== 'none') return { kind: 'unknown', reason: messageOf(error), executions: 1 };
    if (stopping === undefined || stopping === 'disk-full') return concluded(rawResult('error', messageOf(error)));
    return concluded(rawResult(stopping, messageOf(error)));
  }
}

const wrongInput = (tool: string, fault: string): string => `The input of ${tool} is wrong: ${fault}.`;

/** A server that takes its time to begin keeps nobody who does not want to wait. */
function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    const leave = (): void => reject(new ServerUnavailable('The call ended before the MCP server was there.'));
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  });
  return Promise.race([work, aborted]);
}
