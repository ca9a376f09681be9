import { Command } from 'commander';
import { lives } from '../cluster/born.js';
import { type ClusterRecord, isSupervised, readRecord } from '../cluster/cluster-record.js';
import { askProcesses } from '../cluster/control.js';
import type { ListedProcess } from '../cluster/listed-process.js';
import type { CommandContext, CommandFactory } from '../command.js';
import { dataFolder } from '../target.js';

interface Options {
  readonly data?: string;
  readonly json?: true;
}

export const psCommand: CommandFactory = (context) =>
  new Command('ps')
    .description('lists every process of the local cluster')
    .option('--data <dir>', 'the data folder of the cluster')
    .option('--json', 'one JSON array')
    .action((options: Options) => ps(context, options));

async function ps({ environment, output }: CommandContext, options: Options): Promise<void> {
  const data = dataFolder(options.data, environment);
  const record = readRecord(data);
  const supervised = record !== undefined && isSupervised(record);
  const processes = record === undefined ? [] : supervised ? await askProcesses(record) : orphans(record);
  if (options.json) return output.json(processes);
  if (processes.length === 0) return output.say(`No cluster runs on ${data.path}.`);
  output.table(['NAME', 'PID', 'PORT', 'STATE', 'STARTED', 'RUN', 'SEGMENT', 'LAST EXIT'], processes.map(row));
  if (!supervised) output.note('The supervisor is gone and nothing is restarted: `npx baton up` takes over.');
}

/** What works on without its supervisor. */
const orphans = (record: ClusterRecord): readonly ListedProcess[] =>
  record.services
    .filter(lives)
    .map(({ name, pid, port, startedAt }) => ({ name, pid, port, state: 'orphaned', startedAt }));

const row = (one: ListedProcess): readonly string[] =>
  [one.name, one.pid, one.port, one.state, one.startedAt, one.run, one.segment, one.lastExit].map((cell) =>
    String(cell ?? ''),
  );
