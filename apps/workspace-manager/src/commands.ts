import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, watch, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { WorkspaceSpec } from '#contracts';
import { messageOf, parseStat } from '#platform';
import type { Ballast } from './ballast.js';
import type { CallGroup, ControlGroups } from './control-groups.js';
import { codeOf } from './errors.js';
import type { Folders } from './folders.js';
import { type CallKey, nameOf } from './journal/entries.js';
import type { Means } from './probe.js';
import { endTree, isAlive, leftBehind, type ProcessName, processName, YIELDING } from './processes.js';
import { asEntries, withNamelessFile } from './secrets/nameless-file.js';
import type { SecretValue } from './secrets/redaction.js';
import { EXIT_PENDING, parseExit, SHIM } from './shim.js';

/** What is kept of a command's output. */
export const MAX_OUTPUT_BYTES = 8 * 1024 * 1024;
/** How long a command has between TERM and KILL. */
const GRACE_MS = 2_000;
/** How often an adopted command is looked at in case a change of its folder was not told. */
const LOOK_MS = 1_000;
/** How often a claim is looked for while a command is being started. */
const CLAIM_LOOK_MS = 5;
/** How long a shim may take from making its claim to having it written. */
const CLAIM_MS = 2_000;

/** How a command ended: by itself, never begun, or in a way that nobody can tell. */
export type CommandEnd =
  | { readonly kind: 'exited'; readonly status: number; readonly ranOutOfMemory: boolean }
  | { readonly kind: 'not-begun'; readonly reason: string }
  | { readonly kind: 'unknown'; readonly reason: string };

/** A command to start. */
export interface CommandOrder {
  readonly spec: WorkspaceSpec;
  /** For bash. */
  readonly command: string;
  /** Its variables, secrets filled in. */
  readonly variables: Readonly<Record<string, string>>;
  /** What must not reach its output file. */
  readonly secrets: readonly SecretValue[];
  /** No file may grow beyond it, in bytes. */
  readonly fileBytes: number;
  /** When the shim itself ends the command, in milliseconds. */
  readonly guardMs: number;
}

/** A command that runs under its shim, whoever started it. */
export interface RunningCommand {
  readonly ended: Promise<CommandEnd>;
  /** Ends the command and all that it has started. */
  stop(): Promise<void>;
}

/** Starts commands under shims that outlive the manager, and finds them again. The protocol is in shim.ts. */
export class Commands {
  private readonly groups: ControlGroups | undefined;

  constructor(
    private readonly folders: Folders,
    private readonly means: Means,
    private readonly ballast: Ballast,
    /** The command line of the program that keeps secrets out of outputs; see secrets/redact-stream.ts. */
    private readonly filter: readonly string[],
  ) {
    this.groups = means.groups;
  }

  /** Starts a call's command. Trouble before the start is an end of the kind `not-begun`. */
  start(call: CallKey, order: CommandOrder): RunningCommand {
    const { sandbox } = this.means;
    if (sandbox === undefined) return notBegun(this.means.sentence);
    try {
      const folder = this.folders.call(call);
      this.prepare(folder);
      const group = this.groups?.make(nameOf(call), order.spec) ?? { folders: [] };
      const filter = order.secrets.length === 0 ? [] : [...this.filter, String(MAX_OUTPUT_BYTES)];
      const program = { words: ['bash', '-c', order.command], fileBytes: order.fileBytes };
      const words = [
        ...YIELDING.words,
        '/bin/sh',
        '-c',
        SHIM,
        'baton-call',
        ...shimArguments(order.guardMs, group, filter),
        ...sandbox.commandLine(this.folders.files(call.runId), order.spec, program),
      ];
      const child = withNamelessFile(asEntries(order.variables), (variables) =>
        withNamelessFile(JSON.stringify(order.secrets), (secrets) =>
          spawn(YIELDING.program, words, {
            cwd: folder,
            detached: true,
            stdio: ['ignore', 'ignore', 'ignore', 'ignore', variables, secrets],
            env: { PATH: this.means.path },
          }),
        ),
      );
      child.unref();
      return this.own(folder, group, child);
    } catch (error) {
      return notBegun(messageOf(error));
    }
  }

  private prepare(folder: string): void {
    try {
      mkdirSync(folder, { recursive: true });
      for (const name of ['status', 'exit']) writeFileSync(join(folder, name), EXIT_PENDING);
    } catch (error) {
      if (codeOf(error) !== 'ENOSPC' || !this.ballast.drop()) throw error;
      this.prepare(folder);
    }
  }

  private own(folder: string, group: CallGroup, child: ChildProcess): RunningCommand {
    const shim = child.pid === undefined ? undefined : processName(child.pid);
    const ended = new Promise<CommandEnd>((resolve) => {
      child.once('error', (error) => resolve({ kind: 'not-begun', reason: messageOf(error) }));
      child.once('exit', () =>
        resolve(hadNoRoom(folder) ? { kind: 'not-begun', reason: NO_ROOM } : this.endOf(folder, group)),
      );
    });
    return { ended, stop: () => this.stop(shim, group) };
  }

  /** Finds the command of a call that an earlier life of this manager has started. */
  adopt(call: CallKey, sameBoot: boolean): RunningCommand {
    const folder = this.folders.call(call);
    const group = this.groups?.of(nameOf(call)) ?? { folders: [] };
    const status = statusIn(folder);
    const over = (end: CommandEnd | Promise<CommandEnd>): RunningCommand => ({
      ended: Promise.resolve(end),
      stop: () => this.stop(undefined, group),
    });
    if (status !== undefined) return over(this.endOf(folder, group));
    if (!sameBoot) return over({ kind: 'unknown', reason: 'The machine was restarted while the command ran.' });
    if (claimFor(folder)) return over({ kind: 'not-begun', reason: 'The manager ended before the command began.' });
    const found = this.watchOver(folder, group);
    return { ended: found, stop: () => this.stop(shimIn(folder), group) };
  }

  /** How often the call's command was really started. */
  claims(call: CallKey): number {
    return shimIn(this.folders.call(call)) === undefined ? 0 : 1;
  }

  output(call: CallKey): Buffer {
    try {
      return readFileSync(join(this.folders.call(call), 'output'));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return Buffer.alloc(0);
      throw error;
    }
  }

  /** Frees what an ended call still holds; resolves when its folder is gone. */
  async release(call: CallKey): Promise<void> {
    const group = this.groups?.of(nameOf(call));
    if (group) this.groups?.remove(group);
    this.ballast.takeIn();
    await rm(this.folders.call(call), { recursive: true, force: true });
  }

  /** Resolves when it is settled whether the command begins: its shim has made the claim, or is gone. */
  async settled(call: CallKey, running: RunningCommand): Promise<void> {
    const claim = join(this.folders.call(call), 'claim');
    const over = new AbortController();
    const ended = running.ended.finally(() => over.abort());
    while (!over.signal.aborted && !existsSync(claim)) {
      await Promise.race([ended, pause(CLAIM_LOOK_MS, undefined, { ref: false })]);
    }
  }

  private async stop(shim: ProcessName | undefined, group: CallGroup): Promise<void> {
    const members = (): number[] => this.groups?.toEnd(group) ?? [];
    // At once, so that a frozen command hears that it is to end.
    members();
    await endTree(shim ?? { pid: 0, startTime: '' }, shim ? GRACE_MS : 0, members);
  }

  private async endOf(folder: string, group: CallGroup): Promise<CommandEnd> {
    const status = statusIn(folder);
    if (status !== undefined) {
      const ranOutOfMemory = status !== 0 && (this.groups?.ranOutOfMemory(group) ?? false);
      return { kind: 'exited', status, ranOutOfMemory };
    }
    if (existsSync(join(folder, 'claim'))) {
      const shim = shimIn(folder);
      // Whoever is told that nobody knows may repeat it: from here on it does nothing more.
      if (shim) await endTree(shim, 0, () => [...leftBehind(shim), ...(this.groups?.toEnd(group) ?? [])]);
      return { kind: 'unknown', reason: 'The process that held the command was killed; the command ended with it.' };
    }
    return { kind: 'not-begun', reason: 'The command could not be started.' };
  }

  /** Waits for the end of a command that is no child of this process. */
  private watchOver(folder: string, group: CallGroup): Promise<CommandEnd> {
    const begun = performance.now();
    return new Promise((resolve) => {
      const look = (): void => {
        const shim = shimIn(folder);
        const alive = shim ? isAlive(shim) : performance.now() - begun < CLAIM_MS;
        // In this order: a shim that has just gone has written its status before.
        if (statusIn(folder) === undefined && alive) return;
        watcher.close();
        clearInterval(timer);
        resolve(this.endOf(folder, group));
      };
      const watcher = listenTo(folder, look);
      const timer = setInterval(look, LOOK_MS).unref();
      look();
    });
  }
}

/** Hears changes of a folder. Where the system lets nobody watch any more, looking now and then must do. */
function listenTo(folder: string, onChange: () => void): { close(): void } {
  try {
    const watcher = watch(folder, { persistent: false }, onChange);
    return watcher.on('error', () => watcher.close());
  } catch {
    return { close: () => undefined };
  }
}

const NO_ROOM = 'There was no room on the disk for the command to begin.';
const MANAGERS_CLAIM = 'manager\n';

const notBegun = (reason: string): RunningCommand => ({
  ended: Promise.resolve({ kind: 'not-begun', reason }),
  stop: () => Promise.resolve(),
});

function shimArguments(guardMs: number, group: CallGroup, filter: readonly string[]): string[] {
  const quoted = filter.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  const cap = String(MAX_OUTPUT_BYTES / 512);
  return [cap, String(Math.ceil(guardMs / 1_000)), String(process.pid), group.folders.join(' '), quoted];
}

/** Claims a call's start for the manager, so that a shim on its way goes away. False when the shim was first. */
function claimFor(folder: string): boolean {
  try {
    writeFileSync(join(folder, 'claim'), MANAGERS_CLAIM, { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return true; // no folder: no shim was ever started
    if (codeOf(error) === 'EEXIST') return readText(join(folder, 'claim')) === MANAGERS_CLAIM;
    throw error;
  }
}

function statusIn(folder: string): number | undefined {
  return parseExit(readText(join(folder, 'exit')) ?? '');
}

/** Of a shim that is gone: it has made the claim and could not write its line, so it never came to the command (S1). */
const hadNoRoom = (folder: string): boolean => existsSync(join(folder, 'claim')) && shimIn(folder) === undefined;

function shimIn(folder: string): ProcessName | undefined {
  return parseStat(readText(join(folder, 'claim')) ?? '');
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
