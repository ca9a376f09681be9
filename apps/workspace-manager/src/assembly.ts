import { chmodSync, mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { Blobs, type EventLog } from '#log';
import { type Clock, type Logger, messageOf } from '#platform';
import { Ballast } from './ballast.js';
import { Calls } from './calls.js';
import { Commands } from './commands.js';
import { Executor } from './executor.js';
import { Folders } from './folders.js';
import { holderId } from './holder.js';
import { Journal } from './journal.js';
import { bootId } from './machine.js';
import { Openings } from './openings.js';
import { type Means, probe } from './probe.js';
import { Tidying } from './tidying.js';
import { Workspaces } from './workspaces.js';

/** How often what was left behind is looked for. */
const TIDY_MS = 30_000;

export interface AssemblyParts {
  readonly data: string;
  readonly allowUnsandboxed: boolean;
  /** The PATH by which the programs around a command are found. */
  readonly path: string;
  readonly log: EventLog;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A manager at work, whatever its requests come by. */
export interface WorkspaceManager {
  readonly holder: string;
  readonly means: Means;
  readonly workspaces: Workspaces;
  /** Answers those who wait for running calls, so that the answering can end. */
  letGo(): void;
  /** Stops the manager; running commands go on. */
  close(): void;
}

/** Puts the parts together and takes up the calls that had not ended when the manager last did. */
export async function assemble(parts: AssemblyParts): Promise<WorkspaceManager> {
  const { data, allowUnsandboxed, path, log, clock, logger } = parts;
  const folders = new Folders(resolve(data));
  mkdirSync(folders.root, { recursive: true });
  chmodSync(folders.root, 0o700);
  const journal = Journal.open(folders.journal);
  const holder = holderId(folders.holder);
  const means = await probe({ group: `baton-${holder}`, etc: folders.etc, path, allowUnsandboxed });
  const blobs = new Blobs(log);
  const boot = bootId();
  const commands = new Commands(folders, means, new Ballast(folders.ballast));
  const owner = means.sandbox?.owner;
  const executor = new Executor({ journal, commands, folders, owner, bootId: boot, clock });
  const calls = new Calls({ journal, executor, commands, blobs, folders, bootId: boot, clock, logger });
  const openings = new Openings({ holder, log, blobs, journal, folders, means, clock, logger });
  calls.resume();
  const tidying = new Tidying(journal, calls, folders, means.groups);
  const timer = setInterval(() => {
    tidying.tidy().catch((error: unknown) => logger.warn({ error: messageOf(error) }, 'tidying up did not succeed'));
  }, TIDY_MS).unref();
  return {
    holder,
    means,
    workspaces: new Workspaces(journal, openings, calls),
    letGo: () => calls.letGo(),
    close: () => {
      clearInterval(timer);
      journal.close();
      means.groups?.leave();
    },
  };
}
