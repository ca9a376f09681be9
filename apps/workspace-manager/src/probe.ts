import { execFile } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { WorkspaceSpec } from '#contracts';
import { messageOf } from '#platform';
import { ControlGroups } from './control-groups.js';
import { codeOf } from './errors.js';
import { bubblewrap, type Sandbox, unsandboxed, writeEtc } from './sandbox.js';

const run = promisify(execFile);

/** How commands can be run on this machine. */
export interface Means {
  /** The PATH by which the programs around a command are found. */
  readonly path: string;
  /** Undefined: commands cannot be run, for the reason in `refusal`. */
  readonly sandbox: Sandbox | undefined;
  readonly groups: ControlGroups | undefined;
  /** One sentence for the person who starts the manager, and for those whom it must refuse. */
  readonly sentence: string;
}

export interface ProbeSettings {
  /** The name of the manager's control group. */
  readonly group: string;
  /** A folder for the sandbox's own files of /etc. */
  readonly etc: string;
  readonly path: string;
  readonly allowUnsandboxed: boolean;
}

/** Tries out what works here. */
export async function probe({ group, etc, path, allowUnsandboxed }: ProbeSettings): Promise<Means> {
  const groups = ControlGroups.find(group);
  writeEtc(etc);
  const walled = bubblewrap(etc, groups === undefined);
  const trouble = await troubleWith(walled, path);
  const limits = groups
    ? `memory and processes are limited by ${groups.description}`
    : 'no control groups can be made here, so memory and processes are limited for each process only, which is weak';
  if (trouble === undefined) {
    return { path, sandbox: walled, groups, sentence: `Commands run under bubblewrap; ${limits}.` };
  }
  if (allowUnsandboxed) {
    const sentence =
      `Commands run WITHOUT a sandbox, as BATON_ALLOW_UNSANDBOXED allows: they see this machine's files and network ` +
      `(bubblewrap: ${trouble}); ${limits}.`;
    return { path, sandbox: unsandboxed(groups === undefined), groups, sentence };
  }
  const sentence =
    `No workspace can be opened, because bubblewrap cannot run here (${trouble}): install bubblewrap and allow user ` +
    `namespaces, or set BATON_ALLOW_UNSANDBOXED=1 to let commands see this machine's files and network.`;
  return { path, sandbox: undefined, groups, sentence };
}

/** Why a sandbox does not work here, or undefined when it does. */
async function troubleWith(sandbox: Sandbox, path: string): Promise<string | undefined> {
  const files = mkdtempSync(join(tmpdir(), 'baton-probe-'));
  try {
    if (sandbox.owner) chownSync(files, sandbox.owner.uid, sandbox.owner.gid);
    const spec = WorkspaceSpec.parse({ memoryMb: 256, processes: 16 });
    const words = ['bash', '-c', 'test -w /workspace && test -w /tmp && test -d /proc/self'];
    const [program = '', ...args] = sandbox.commandLine(files, spec, { words, fileBytes: 1024 });
    await run('/bin/sh', ['-c', 'exec "$@" 4</dev/null', 'sh', program, ...args], {
      timeout: 10_000,
      env: { PATH: path },
    });
    return undefined;
  } catch (error) {
    if (codeOf(error) === '127') return 'it is not installed';
    const said = typeof error === 'object' && error !== null && 'stderr' in error ? String(error.stderr).trim() : '';
    return said || messageOf(error);
  } finally {
    rmSync(files, { recursive: true, force: true });
  }
}
