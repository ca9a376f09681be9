import { Command } from 'commander';
import { gone, signal } from '../cluster/born.js';
import { type ClusterRecord, isSupervised, readRecord } from '../cluster/cluster-record.js';
import { askToStop } from '../cluster/control.js';
import type { DataFolder } from '../cluster/data-folder.js';
import { FolderLock } from '../cluster/folder-lock.js';
import { endOrphans, GRACE_MS } from '../cluster/local-cluster.js';
import type { CommandContext, CommandFactory } from '../command.js';
import { Obstacle } from '../errors.js';
import { dataFolder } from '../target.js';

// Every stop group may use up its grace before it is killed.
const MOST_MS = 10 * GRACE_MS;

export const downCommand: CommandFactory = (context) =>
  new Command('down')
    .description('stops the local cluster and everything that it started')
    .option('--data <dir>', 'the data folder of the cluster')
    .action((options: { data?: string }) => down(context, dataFolder(options.data, context.environment)));

async function down({ output }: CommandContext, data: DataFolder): Promise<void> {
  const record = readRecord(data);
  if (record === undefined) return output.say(`No cluster runs on ${data.path}.`);
  if (isSupervised(record)) await stopSupervised(record);
  else await endLeftovers(data, (sentence) => output.note(sentence));
  output.say(`The cluster on ${data.path} is stopped; \`npx baton up\` goes on where it was.`);
}

async function stopSupervised(record: ClusterRecord): Promise<void> {
  // A supervisor that cannot answer may still be able to hear a signal.
  await askToStop(record).catch(() => signal(record.supervisor.pid, 'SIGTERM'));
  if (await gone([record.supervisor], MOST_MS)) return;
  throw new Obstacle(
    `The supervisor (process ${record.supervisor.pid}) did not stop within ${MOST_MS / 1000} s: end it with \`kill -9 ${record.supervisor.pid}\` and run \`npx baton down\` again, which ends what it leaves.`,
  );
}

async function endLeftovers(data: DataFolder, say: (sentence: string) => void): Promise<void> {
  const lock = FolderLock.take(data.lockFile());
  if (lock === undefined) throw new Obstacle(`Another command is at work on ${data.path}: try again in a moment.`);
  try {
    await endOrphans(data, GRACE_MS, say);
  } finally {
    lock.release();
  }
}
