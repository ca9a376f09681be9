import { Command, InvalidArgumentError, Option } from 'commander';
import { BACKOFF } from '../../cluster/backoff.js';
import { clusterServices } from '../../cluster/cluster-services.js';
import { type ClusterPlan, GRACE_MS } from '../../cluster/local-cluster.js';
import type { CommandContext, CommandFactory } from '../../command.js';
import { inheritedVariables, searchPath } from '../../config.js';
import { dataFolder } from '../../target.js';
import { announcement } from './announcement.js';
import { detach } from './detach.js';
import { type Audience, runUntilStopped } from './foreground.js';
import { launcherAudience } from './launcher.js';

interface Options {
  readonly data?: string;
  readonly port?: number;
  readonly detach?: true;
  readonly detached?: true;
}

export const upCommand: CommandFactory = (context) =>
  new Command('up')
    .description('starts the local cluster and keeps it alive until Ctrl-C')
    .option('--data <dir>', 'the folder that holds everything (BATON_DATA; default .baton)')
    .option('--port <n>', 'where the gateway listens (BATON_PORT; default 4700)', portOf)
    .option('--detach', 'leave it running in the background')
    .addOption(new Option('--detached', 'run as the background process').hideHelp())
    .action((options: Options) => up(context, options));

async function up({ environment, output }: CommandContext, options: Options): Promise<void> {
  const data = dataFolder(options.data, environment);
  const port = options.port ?? environment.BATON_PORT;
  if (options.detach) return detach({ data, port, output });
  output.outliveReader();
  const realModel = environment.ANTHROPIC_API_KEY !== undefined;
  const audience: Audience = options.detached
    ? launcherAudience()
    : { say: (text) => output.say(text), ready: (text) => output.say(text) };
  const plan: ClusterPlan = {
    data,
    port,
    services: () => clusterServices({ data, port, realModel, searchPath: searchPath() }),
    variables: inheritedVariables(),
    backoff: BACKOFF,
    graceMs: GRACE_MS,
    say: audience.say,
  };
  await runUntilStopped(plan, audience, announcement({ data, port, realModel, detached: options.detached === true }));
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError('It must be a port between 1 and 65535.');
}
