import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Bus, Doorbells, subjectOf } from '#bus';
import { AdvanceRun, type CallId, type RunId, RunSegment } from '#contracts';
import { newId, parseStat } from '#platform';
import { signal } from '../cluster/born.js';
import type { LocalCluster } from '../cluster/local-cluster.js';
import type { Arms } from './disturbance.js';
import type { Workspaces } from './workspaces.js';

/** How long a call may take to reach the workspace, in milliseconds. */
const BEGUN_MS = 20_000;

/** Does to the processes of a cluster what crashes, schedulers and power cuts do. */
export function armsOf(cluster: LocalCluster, bus: Bus, workspaces: Workspaces): Arms {
  const pidsOf = (name: string): readonly number[] =>
    cluster.list().flatMap((listed) => (listed.name === name && listed.pid !== null ? [listed.pid] : []));
  const killAll = (name: string): void => {
    for (const pid of pidsOf(name)) signal(pid, 'SIGKILL');
  };
  return {
    kill: (pid) => signal(pid, 'SIGKILL'),
    freeze: (pid) => signal(pid, 'SIGSTOP'),
    thaw: (pid) => signal(pid, 'SIGCONT'),
    killService: killAll,
    killRunner: () => {
      const segments = pidsOf('segment');
      killAll('segment-runner');
      for (const pid of segments) signal(pid, 'SIGKILL');
    },
    killCommands: (run) => {
      const shims = shimsOf(workspaces.callsOf(run));
      // A command has a process group of its own in the session of its shim; the sandbox in it goes with it.
      for (const pid of shims.flatMap(sessionOf)) signal(pid, 'SIGKILL');
    },
    ringAgain: async (runId, segment) => {
      const doorbells = new Doorbells(bus);
      const ring = (subject: string, body: object): Promise<void> =>
        doorbells.ring({ subject, body, messageId: newId() });
      await ring(subjectOf(RunSegment, runId), { runId, segment });
      await ring(subjectOf(AdvanceRun, runId), { runId });
    },
    begun: (run, call) => begun(workspaces, run, call),
  };
}

async function begun(workspaces: Workspaces, run: RunId, call: CallId): Promise<boolean> {
  const end = performance.now() + BEGUN_MS;
  while (performance.now() < end) {
    const calls = await workspaces.journalOf(run).catch(() => []);
    const known = calls.find(({ callId }) => callId === call);
    if (known !== undefined && (known.executions > 0 || known.state !== 'running')) return known.state === 'running';
    await pause(1);
  }
  return false;
}

/** The processes that hold the run's commands; each has written its own line of /proc/PID/stat into `claim`. */
function shimsOf(calls: string): readonly number[] {
  return namesIn(calls).flatMap((call) => {
    const pid = Number.parseInt(textOf(join(calls, call, 'claim')), 10);
    return Number.isSafeInteger(pid) && pid > 1 ? [pid] : [];
  });
}

/** The processes of a session, its leader among them. */
const sessionOf = (leader: number): readonly number[] =>
  namesIn('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => parseStat(textOf(`/proc/${pid}/stat`))?.session === leader);

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // There is none while no command runs.
    return [];
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
