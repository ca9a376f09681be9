import { chmodSync, mkdirSync } from 'node:fs';
import { resolve as absolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Holding, RunId } from '#contracts';
import { Blobs, type EventLog, Findings, Runs } from '#log';
import { type Clock, type Logger, messageOf } from '#platform';
import { Ballast } from './ballast.js';
import { Calls } from './calls.js';
import { Commands } from './commands.js';
import { DiskUse } from './disk-use.js';
import { Ends } from './ends.js';
import { Folders } from './folders.js';
import { holderId } from './holder.js';
import { holdings } from './holdings.js';
import { Journal } from './journal/journal.js';
import { bootId } from './machine.js';
import { McpServers } from './mcp/servers.js';
import type { Resolve } from './network/request.js';
import { Openings } from './openings.js';
import { type Means, probe } from './probe.js';
import { Retirement } from './retirement.js';
import { type SecretSources, Secrets } from './secrets/secrets.js';
import { Tidying } from './tidying.js';
import { Background } from './tools/background.js';
import { CommandKind } from './tools/command-kind.js';
import { Executor } from './tools/executor.js';
import { FileKind } from './tools/file-kind.js';
import { HttpKind } from './tools/http-kind.js';
import { McpKind } from './tools/mcp-kind.js';
import { WholeOutputs } from './tools/whole-outputs.js';
import { WorkspaceRecord } from './workspace-record.js';
import { Workspaces } from './workspaces.js';
import { WritePace } from './write-pace.js';

/** How often what was left behind is looked for. */
const TIDY_MS = 30_000;

/** The program that keeps secrets out of the output of commands. */
export const redactStream = (): string[] => [
  process.execPath,
  fileURLToPath(new URL('secrets/redact-stream.js', import.meta.url)),
];

export interface AssemblyParts {
  readonly data: string;
  readonly allowUnsandboxed: boolean;
  /** The PATH by which the programs around a command are found. */
  readonly path: string;
  readonly secrets: SecretSources;
  /** The command line of secrets/redact-stream.ts. */
  readonly filter: readonly string[];
  readonly resolve: Resolve;
  readonly log: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long files are kept after the run's end, and how long a resting run keeps its commands; milliseconds. */
  readonly keepMs: number;
  readonly restMs: number;
  /** What a command may write to the disk in a second, on average, in bytes. */
  readonly writeBytesPerSecond: number;
  /** Is told when the connection to an MCP server of a run has broken. */
  readonly onServerLost: (runId: RunId, server: string) => void;
}

/** A manager at work, whatever its requests come by. */
export interface WorkspaceManager {
  readonly holder: string;
  readonly means: Means;
  readonly workspaces: Workspaces;
  /** What is at work here, and for which runs. */
  holdings(): Holding[];
  /** Answers those who wait for running calls, so that the answering can end. */
  letGo(): void;
  /** Ends and removes what was left behind; done from time to time anyway. */
  tidy(): Promise<void>;
  /** Releases workspaces from now on as soon as their runs end. */
  hearEnds(): void;
  /** Stops the manager; running commands go on, MCP servers end. */
  close(): Promise<void>;
}

/** Puts the parts together and takes up the calls that had not ended when the manager last did. */
export async function assemble(parts: AssemblyParts): Promise<WorkspaceManager> {
  const { data, allowUnsandboxed, path, resolve, log, clock, logger, keepMs, restMs, onServerLost } = parts;
  const { writeBytesPerSecond: bytesPerSecond } = parts;
  const folders = new Folders(absolute(data));
  mkdirSync(folders.root, { recursive: true });
  chmodSync(folders.root, 0o700);
  const journal = Journal.open(folders.journal);
  const holder = holderId(folders.holder);
  const means = await probe({ group: `baton-${holder}`, etc: folders.etc, path, allowUnsandboxed });
  const shared = { journal, folders, clock, logger, bootId: bootId(), secrets: new Secrets(parts.secrets) };
  const blobs = new Blobs(log);
  const record = new WorkspaceRecord(log, clock, holder);
  const outputs = new WholeOutputs(blobs, record, logger);
  const disk = new DiskUse(folders);
  const commands = new Commands(folders, means, new Ballast(folders.ballast), parts.filter);
  const background = new Background({ ...shared, commands, outputs, disk });
  const servers = new McpServers({ ...shared, resolve, means, disk, onServerLost });
  const http = new HttpKind({ ...shared, resolve });
  const kinds = [
    new FileKind({ ...shared, disk, owner: means.sandbox?.owner }),
    new CommandKind({ ...shared, commands, background, disk }),
    http,
    new McpKind(servers, journal),
  ];
  const executor = new Executor(kinds, journal, shared.secrets);
  const calls = new Calls({ ...shared, executor, commands, outputs });
  const openings = new Openings({ holder, record, log, blobs, journal, folders, means, logger });
  const workspaces = new Workspaces({ journal, openings, calls, servers, http, executor });
  calls.resume();
  background.resumeAll();
  const { groups } = means;
  const writePace = groups && new WritePace({ groups, bytesPerSecond, clock, logger });
  writePace?.start();
  const recorder = { app: 'workspace-manager', id: `workspace-manager/${holder}` } as const;
  const housekeeping = { ...shared, log, openings, calls, background, servers, keepMs };
  const retirement = new Retirement({ ...housekeeping, runs: new Runs(log, recorder), record, disk, restMs });
  const findings = new Findings(log, recorder, clock, logger);
  const tidying = new Tidying({ ...housekeeping, retirement, findings, groups });
  const ends = new Ends({
    log,
    logger,
    onEnd: async (runId) => {
      const held = journal.workspace(runId);
      if (held) await findings.record(await retirement.look(held));
    },
  });
  const timer = setInterval(() => {
    tidying.tidy().catch((error: unknown) => logger.warn({ error: messageOf(error) }, 'tidying up did not succeed'));
  }, TIDY_MS).unref();
  return {
    holder,
    means,
    workspaces,
    holdings: () => holdings({ journal, servers }),
    letGo: () => calls.letGo(),
    tidy: () => tidying.tidy(),
    hearEnds: () => ends.start(),
    close: async () => {
      ends.stop();
      clearInterval(timer);
      await servers.close();
      journal.close();
      writePace?.stop();
      groups?.leave();
    },
  };
}
