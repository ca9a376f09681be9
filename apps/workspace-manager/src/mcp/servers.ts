import type { Discovery, McpServer, RunId } from '#contracts';
import { type Clock, messageOf, newId, Unavailable } from '#platform';
import type { DiskUse, Watch } from '../disk-use.js';
import type { Folders } from '../folders.js';
import type { HeldWorkspace } from '../journal/entries.js';
import type { Journal } from '../journal/journal.js';
import { type Resolve, reachOf } from '../network/request.js';
import type { Means } from '../probe.js';
import { asEntries, withNamelessFile } from '../secrets/nameless-file.js';
import type { Secrets } from '../secrets/secrets.js';
import { Connection, type Way } from './connection.js';
import { guardedFetch } from './guarded-fetch.js';
import { HttpWay } from './http-way.js';
import { SandboxedTransport } from './sandboxed-transport.js';

const MIB = 1024 * 1024;
const REASON_CHARACTERS = 2_000;
const DISK_FULL = 'The files of the workspace take more room than they may (workspace.diskMb), so it was ended.';

export interface ServersParts {
  readonly journal: Journal;
  readonly secrets: Secrets;
  readonly resolve: Resolve;
  readonly means: Means;
  readonly folders: Folders;
  readonly disk: DiskUse;
  readonly clock: Clock;
  /** Is told when the connection to a server of a run has broken. */
  readonly onServerLost: (runId: RunId, server: string) => void;
}

interface Connected {
  readonly runId: RunId;
  readonly server: string;
  readonly spec: McpServer;
  readonly connection: Connection;
}

/** The MCP servers of the workspaces that are open here; each workspace has connections of its own. */
export class McpServers {
  private readonly connected = new Map<string, Connected>();
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
          const kind = instance.instance && isRemote(held.external.mcp[server]) && { hasSessions: true as const };
          const ready = redactor.json({
            state: 'ready' as const,
            server,
            tools: tools.map(({ declared }) => declared),
          });
          return { ...ready, ...instance, ...kind, ...told };
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
    const known = this.connected.get(name);
    if (known !== undefined) return known.connection;
    const spec = held.external.mcp[server];
    if (spec === undefined) throw new Unavailable(`The agent file names no MCP server ${server}.`);
    const { runId } = held;
    const { journal, clock, onServerLost } = this.parts;
    const connection = new Connection({
      server,
      only: spec.tools,
      open: isRemote(spec) ? () => this.overHttp(held, spec) : () => this.inSandbox(held, server, spec),
      onLost: () => onServerLost(runId, server),
      // What a manager that dies cannot write any more is written while the server stands.
      onStanding: (stands) => this.note({ runId, server, spec }, stands ? 'its workspace-manager ended' : undefined),
      ended: journal.serverEnded(runId, server),
      clock,
    });
    this.connected.set(name, { runId, server, spec, connection });
    return connection;
  }

  /** Ends the servers of a workspace that were started in it, and leaves the others. `because` is a clause. */
  async release(runId: RunId, because: string): Promise<void> {
    await this.giveUp(
      [...this.connected.values()].filter((one) => one.runId === runId),
      because,
    );
  }

  /** Ends the servers of a workspace that nothing is asked of; they are started again when something is. */
  async rest(runId: RunId): Promise<void> {
    const idle = [...this.connected.values()].filter((one) => one.runId === runId && one.connection.isIdle);
    await this.giveUp(idle, 'the run rested');
  }

  async close(): Promise<void> {
    await Promise.all([...this.connected.values()].map(({ connection }) => connection.giveUp()));
  }

  /** Whether the control group of this name has a server of ours in it. */
  isLive(name: string): boolean {
    return this.groups.has(name);
  }

  /** The runs with connections. */
  runs(): RunId[] {
    return [...new Set([...this.connected.values()].map(({ runId }) => runId))];
  }

  private async giveUp(those: readonly Connected[], because: string): Promise<void> {
    for (const { runId, server } of those) this.connected.delete(nameOf(runId, server));
    await Promise.all(those.map(({ connection }) => connection.giveUp()));
    await Promise.all(those.map((one) => this.note(one, because)));
  }

  /** Whoever connects next says why this one has ended. It is a courtesy: a journal that cannot be written is no hindrance. */
  private async note(
    { runId, server, spec }: Omit<Connected, 'connection'>,
    because: string | undefined,
  ): Promise<void> {
    const was = isRemote(spec) ? 'given up' : 'stopped';
    const ended = because === undefined ? null : `It was ${was} because ${because}.`;
    await this.parts.journal.serverEnds(runId, server, ended).catch(() => undefined);
  }

  private overHttp({ external }: HeldWorkspace, spec: Extract<McpServer, { url: string }>): Way {
    const { secrets, resolve } = this.parts;
    const headers = (): Record<string, string> => secrets.fillAll(spec.headers, external.secrets);
    headers();
    return new HttpWay(new URL(spec.url), guardedFetch(reachOf(spec.allowPrivate, resolve), headers));
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
    const others = (): number[] => means.groups?.toEnd(group) ?? [];
    const variables = asEntries(secrets.fillAll({ ...held.spec.env, ...spec.env }, held.external.secrets));
    const way = withNamelessFile(
      variables,
      (descriptor) =>
        new SandboxedTransport({ commandLine, groups: group.folders, path: means.path, variables: descriptor, others }),
    );
    const watch: Watch = disk.watch(held.runId, limit, () => way.end(DISK_FULL));
    void way.exited.finally(() => {
      watch.end();
      this.groups.delete(name);
      means.groups?.remove(group);
    });
    return way;
  }
}

const isRemote = (spec: McpServer | undefined): spec is Extract<McpServer, { url: string }> =>
  spec !== undefined && 'url' in spec;

const nameOf = (runId: RunId, server: string): string => `${runId}.mcp-${server}`;
