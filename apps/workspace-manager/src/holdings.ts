import { HOLDINGS_TOLD, type Holding } from '#contracts';
import type { Journal } from './journal/journal.js';
import type { McpServers } from './mcp/servers.js';

/** What is at work here: calls, commands in the background, MCP servers, each with the run that it is for. */
export function holdings({ journal, servers }: { readonly journal: Journal; readonly servers: McpServers }): Holding[] {
  const calls = journal.unfinished().map(({ runId }): Holding => ({ runId, what: 'call' }));
  const commands = journal.backgroundRunning().map(({ runId }): Holding => ({ runId, what: 'command' }));
  const connected = servers.runs().map((runId): Holding => ({ runId, what: 'server' }));
  return [...calls, ...commands, ...connected].slice(0, HOLDINGS_TOLD);
}
