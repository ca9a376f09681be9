import { type ChildProcess, fork } from 'node:child_process';
import { closeSync } from 'node:fs';
import { builtApp } from '../../cluster/checkout.js';
import { readRecord } from '../../cluster/cluster-record.js';
import { askProcesses } from '../../cluster/control.js';
import type { DataFolder } from '../../cluster/data-folder.js';
import { lastLines, openLog } from '../../cluster/log-file.js';
import { Obstacle } from '../../errors.js';
import type { Output } from '../../output.js';
import { readLaunchReport } from './launcher.js';

const PATIENCE_MS = 60_000;

interface Launch {
  readonly data: DataFolder;
  readonly port: number;
  readonly output: Output;
}

/** Starts the supervisor in the background, shows how it goes, and returns when the cluster is ready. */
export async function detach({ data, port, output }: Launch): Promise<void> {
  data.prepare();
  const log = openLog(data.logOf('supervisor'));
  const words = ['up', '--detached', '--data', data.path, '--port', String(port)];
  const child = fork(builtApp('cli'), words, { detached: true, execArgv: [], stdio: ['ignore', log, log, 'ipc'] });
  closeSync(log);
  try {
    await untilReady(child, data, output);
  } finally {
    if (child.connected) child.disconnect();
    child.unref();
  }
}

function untilReady(child: ChildProcess, data: DataFolder, output: Output): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => void stillStarting(data).then(reject, reject), PATIENCE_MS);
    const end = (done: () => void) => {
      clearTimeout(late);
      done();
    };
    child.on('message', (message) => {
      const report = readLaunchReport(message);
      if (report?.type === 'said') output.note(report.sentence);
      if (report?.type !== 'ready') return;
      output.say(report.announcement);
      end(resolve);
    });
    child.once('error', (error) => end(() => reject(error)));
    child.once('exit', () => end(() => reject(new Obstacle(lastLines(data.logOf('supervisor'), 1).join('')))));
  });
}

async function stillStarting(data: DataFolder): Promise<Obstacle> {
  const record = readRecord(data);
  const processes = record === undefined ? [] : await askProcesses(record);
  const missing = processes.filter(({ state }) => state !== 'running').map(({ name, state }) => `${name} (${state})`);
  return new Obstacle(
    `The cluster is not ready after ${PATIENCE_MS / 1000} s and goes on trying: ${missing.join(', ')}; their logs are in ${data.logs()}, \`npx baton ps\` shows how it goes.`,
  );
}
