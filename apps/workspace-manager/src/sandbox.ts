import { lstatSync, mkdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkspaceSpec } from '#contracts';

/** Who the commands are when the manager is root. */
const SANDBOX_UID = 64_700;
const PATH = '/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin';

const words = (line: string): string[] => line.split(' ');

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** A way to run a workspace's commands. */
export interface Sandbox {
  readonly name: 'bubblewrap' | 'none';
  /** Whom the workspace's files belong to; undefined: to the manager's own user. */
  readonly owner: Owner | undefined;
  /** The command line that runs a program in `files`, the workspace's folder; its variables come by descriptor 4. */
  commandLine(files: string, spec: WorkspaceSpec, program: Program): string[];
}

interface Program {
  readonly words: readonly string[];
  /** No file may grow beyond it, in bytes. */
  readonly fileBytes: number;
}

/**
 * What goes in front of every program, inside the sandbox and without privileges: it limits the size of files and takes
 * the variables, which are NAME=VALUE with a NUL after each, so that they stand in nobody's list of processes.
 */
const ENTRANCE = [
  'bash',
  '-c',
  `ulimit -f "$1"; shift; while IFS= read -r -d '' entry; do export "$entry"; done <&4; exec 4<&-; exec "$@"`,
  'baton',
];

const entering = ({ words: line, fileBytes }: Program): string[] => [
  ...ENTRANCE,
  String(Math.floor(fileBytes / 1024)),
  ...line,
];

/**
 * No sandbox, for where it was allowed explicitly. `perProcess`: no control groups can be had, so the weaker limit of
 * each process's address space must do. The number of processes is not limited then: it would count the whole user's.
 */
export function unsandboxed(perProcess: boolean): Sandbox {
  return {
    name: 'none',
    owner: undefined,
    commandLine: (files, spec, program) => [
      ...words('env -i -C'),
      files,
      `HOME=${files}`,
      ...words(`PATH=${PATH} LANG=C.UTF-8`),
      ...(perProcess ? ['prlimit', `--as=${bytesOf(spec)}`, '--'] : []),
      ...entering(program),
    ],
  };
}

/**
 * Bubblewrap: namespaces of its own, the system's programs read-only, the workspace at /workspace, nothing else of the
 * host. When the manager is root the command is an ordinary user nonetheless, outside the sandbox's walls too.
 */
export function bubblewrap(etc: string, perProcess: boolean): Sandbox {
  const root = process.getuid?.() === 0;
  const walls = [...namespaces(root), ...view(etc)];
  return {
    name: 'bubblewrap',
    owner: root ? { uid: SANDBOX_UID, gid: SANDBOX_UID } : undefined,
    commandLine: (files, spec, program) => [
      'bwrap',
      ...walls,
      ...(spec.network ? NETWORK_FILES : ['--unshare-net']),
      '--bind',
      files,
      ...words('/workspace --chdir /workspace --'),
      ...(root ? ORDINARY_USER : []),
      ...(perProcess ? ['prlimit', `--as=${bytesOf(spec)}`, `--nproc=${spec.processes}`, '--'] : []),
      ...entering(program),
    ],
  };
}

/** Writes the few files of /etc that a sandbox sees instead of the host's. */
export function writeEtc(etc: string): void {
  const uid = process.getuid?.() === 0 ? SANDBOX_UID : (process.getuid?.() ?? SANDBOX_UID);
  mkdirSync(etc, { recursive: true });
  const files: Readonly<Record<string, string>> = {
    passwd: `root:x:0:0:root:/:/usr/sbin/nologin\nagent:x:${uid}:${uid}:agent:/workspace:/bin/bash\n`,
    group: `root:x:0:\nagent:x:${uid}:\n`,
    hosts: '127.0.0.1 localhost workspace\n::1 localhost\n',
    'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(etc, name), content, { mode: 0o644 });
}

const ORDINARY_USER = [
  'setpriv',
  ...words(`--reuid=${SANDBOX_UID} --regid=${SANDBOX_UID} --clear-groups --inh-caps=-all --bounding-set=-all --`),
];

const NETWORK_FILES = ['/etc/resolv.conf', '/etc/ssl', '/etc/pki', '/etc/ca-certificates'].flatMap((file) => [
  '--ro-bind-try',
  file,
  file,
]);

const bytesOf = (spec: WorkspaceSpec): number => spec.memoryMb * 1024 * 1024;

function namespaces(root: boolean): string[] {
  // Root needs no user namespace, which would make its commands root to the kernel; it changes the user instead. Until
  // then it must be able to enter the workspace, whatever mode the workspace's folder has.
  const changeUser = ['CAP_SETUID', 'CAP_SETGID', 'CAP_SETPCAP', 'CAP_DAC_READ_SEARCH'].flatMap((name) => [
    '--cap-add',
    name,
  ]);
  return [
    ...(root ? [] : ['--unshare-user']),
    ...words('--unshare-ipc --unshare-pid --unshare-uts --unshare-cgroup-try --hostname workspace'),
    // The parent is the shim, not the manager: a killed shim takes the sandbox with it, a killed manager does not.
    ...words('--new-session --die-with-parent'),
    ...words('--cap-drop ALL'),
    ...(root ? changeUser : []),
    ...words(`--clearenv --setenv PATH ${PATH} --setenv HOME /workspace --setenv LANG C.UTF-8`),
  ];
}

function view(etc: string): string[] {
  return [
    ...words('--ro-bind /usr /usr --dir /etc'),
    ...['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'].flatMap(systemFolder),
    ...['/etc/alternatives', '/etc/ld.so.cache'].flatMap((file) => ['--ro-bind-try', file, file]),
    ...['passwd', 'group', 'hosts', 'nsswitch.conf'].flatMap((name) => ['--ro-bind', join(etc, name), `/etc/${name}`]),
    ...words('--proc /proc --dev /dev --perms 1777 --tmpfs /tmp'),
    ...words('--perms 1777 --tmpfs /dev/shm'),
  ];
}

/** Where /bin is a link to usr/bin it is one in the sandbox too. */
function systemFolder(path: string): string[] {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  return stat.isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : ['--ro-bind', path, path];
}
