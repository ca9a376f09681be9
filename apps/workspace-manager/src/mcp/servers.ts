import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Discovery, McpServer, RunId } from '#contracts';
import { type Clock, messageOf, newId, Unavailable } from '#platform';
import type { DiskUse, Watch } from '../disk-use.js';
import type { Folders } from '../folders.js';
import type { HeldWorkspace } from '../journal/entries.js';
import { type Resolve, reachOf } from '../network/request.js';
import type { Means } from '../probe.js';
import { asEntries, withNamelessFile } from '../secrets/nameless-file.js';
import type { Secrets } from '../secrets/secrets.js';
import { Connection, type Way } from './connection.js';
import { guardedFetch } from './guarded-fetch.js';
import { SandboxedTransport } from './sandboxed-transport.js';

const MIB = 1024 * 1024;
const REASON_CHARACTERS = 2_000;

export interface ServersParts {
  readonly secrets: Secrets;
  readonly resolve: Resolve;
  readonly means: Means;
  readonly folders: Folders;
  readonly disk: DiskUse;
  readonly clock: Clock;
  /** Is told when the connection to a server of a run has broken. */
  readonly onServerLost: (runId: RunId, server: string) => void;
}

/** The MCP servers of the workspaces that are open here; each workspace has connections of its own. */
export class McpServers {
  private readonly connections = new Map<string, Connection>();
  /** The names of the control groups that processes of ours are in. */
  private readonly groups = new Set<string>();

  constructor(private readonly parts: ServersParts) {}

  /** Asks servers for their tools, at the same time; one that cannot say them is no hindrance to the others. */
  discover(held: HeldWorkspace, servers: readonly string[]): Promise<Discovery[]> {
    const redactor = this.parts.secrets.redactor(held.external.secrets);
    return Promise.all(
      servers.map(async (server): Promise<Discovery> => {
        try {
          const { tools, ended, ...instance } = await this.of(held, server).list();
          const told = ended === undefined ? {} : { ended: redactor.text(ended).slice(0, REASON_CHARACTERS) };
          const ready = redactor.json({
            state: 'ready' as const,
            server,
            tools: tools.map(({ declared }) => declared),
          });
          return { ...ready, ...instance, ...told };
        } catch (error) {
          const reason = redactor.text(messageOf(error)).slice(0, REASON_CHARACTERS);
          return { state: 'unavailable', server, reason };
        }
      }),
    );
  }

  /** @throws Unavailable when the agent file does not name the server */
  of(held: HeldWorkspace, server: string): Connection {
    const name = nameOf(held.runId, server);
    const known = this.connections.get(name);
    if (known !== undefined) return known;
    const spec = held.external.mcp[server];
    if (spec === undefined) throw new Unavailable(`The agent file names no MCP server ${server}.`);
    const open = 'url' in spec ? () => this.overHttp(held, spec) : () => this.inSandbox(held, server, spec);
    const onLost = (): void => this.parts.onServerLost(held.runId, server);
    const connection = new Connection({ server, only: spec.tools, open, onLost, clock: this.parts.clock });
    this.connections.set(name, connection);
    return connection;
  }

  /** Ends the servers of a workspace that were started in it, and leaves the others. */
  async release(runId: RunId): Promise<void> {
    const own = [...this.connections].filter(([name]) => name.startsWith(`${runId}.`));
    for (const [name] of own) this.connections.delete(name);
    await Promise.all(own.map(([, connection]) => connection.close()));
  }

  /** Ends the servers of a workspace that nothing is asked of; they are started again when something is. */
  async rest(runId: RunId): Promise<void> {
    const idle = [...this.connections].filter(([name, { isIdle }]) => name.startsWith(`${runId}.`) && isIdle);
    for (const [name] of idle) this.connections.delete(name);
    await Promise.all(idle.map(([, connection]) => connection.close()));
  }

  async close(): Promise<void> {
    await Promise.all([...this.connections.values()].map((connection) => connection.close()));
  }

  /** Whether the control group of this name has a server of ours in it. */
  isLive(name: string): boolean {
    return this.groups.has(name);
  }

  /** The runs with connections. */
  runs(): RunId[] {
    return [...new Set([...this.connections.keys()].map((name) => name.slice(0, name.indexOf('.')) as RunId))];
  }

  private overHttp({ external }: HeldWorkspace, spec: Extract<McpServer, { url: string }>): Way {
    const { secrets, resolve } = this.parts;
    const headers = (): Record<string, string> => secrets.fillAll(spec.headers, external.secrets);
    headers();
    return new StreamableHTTPClientTransport(new URL(spec.url), {
      fetch: guardedFetch(reachOf(spec.allowPrivate, resolve), headers),
    });
  }

  private inSandbox(held: HeldWorkspace, server: string, spec: Extract<McpServer, { command: string[] }>): Way {
    const { secrets, means, folders, disk } = this.parts;
    if (means.sandbox === undefined) throw new Unavailable(means.sentence);
    const limit = held.spec.diskMb * MIB;
    const program = { words: spec.command, fileBytes: limit };
    const commandLine = means.sandbox.commandLine(folders.files(held.runId), held.spec, program);
    // A name of its own for each start: one that still ends must not take its successor with it.
    const name = `${nameOf(held.runId, server)}-${newId().slice(-12)}`;
    this.groups.add(name);
    const group = means.groups?.make(name, held.spec) ?? { folders: [] };
    const others = (): number[] => means.groups?.members(group) ?? [];
    const variables = asEntries(secrets.fillAll({ ...held.spec.env, ...spec.env }, held.external.secrets));
    const way = withNamelessFile(
      variables,
      (descriptor) =>
        new SandboxedTransport({ commandLine, groups: group.folders, path: means.path, variables: descriptor, others }),
    );
    const watch: Watch = disk.watch(held.runId, limit, () => void way.close());
    void way.exited.finally(() => {
      watch.end();
      this.groups.delete(name);
      means.groups?.remove(group);
    });
    return way;
  }
}

const nameOf = (runId: RunId, server: string): string => `${runId}.mcp-${server}`;
