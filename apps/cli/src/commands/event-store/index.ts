import { Command, InvalidArgumentError, Option } from 'commander';
import type { CommandFactory } from '../../command.js';
import { Obstacle } from '../../errors.js';
import { runServer, type ServerWishes } from './run-server.js';
import { runTool } from './run-tool.js';

/** Beyond it a client could not read back what it has appended. */
const LARGEST_APPEND = 16 * 1024 * 1024;

export const eventStoreCommand: CommandFactory = (context) =>
  new Command('event-store')
    .description('runs the event store by itself, without a cluster, until Ctrl-C')
    .option('--data <dir>', 'the folder that holds the events; made when absent')
    .option('--memory', 'keep everything in memory: nothing is written, nothing is left')
    .option('--port <n>', 'where it listens (default 2113; 0 lets the system choose)', between(0, 65_535))
    .option('--host <address>', 'the address that it listens on (default 127.0.0.1)')
    .option('--advertise-host <name>', 'what clients that discover by gossip are told to connect to')
    .option('--advertise-port <n>', 'and the port', between(1, 65_535))
    .option('--tls-cert <file>', 'the certificate chain (PEM)')
    .option('--tls-key <file>', 'its private key (PEM)')
    .option('--users <file>', 'who may sign in: lines of `baton event-store user`')
    .option('--users-without-tls', 'let users sign in without TLS, on the loopback interface only')
    .addOption(
      new Option('--sync <how>', 'what an acknowledged append survives: full, a power cut; normal, a kill').choices([
        'full',
        'normal',
      ]),
    )
    .option(
      '--max-append-size <bytes>',
      'the data of one append at most (default 1048576)',
      between(1024, LARGEST_APPEND),
    )
    .action((wishes: ServerWishes) => runServer(context, wishes))
    .addCommand(backupCommand())
    .addCommand(checkCommand())
    .addCommand(scavengeCommand())
    .addCommand(userCommand());

interface OnFolder {
  readonly data?: string;
  readonly json?: true;
}

/** `--data` before and after the tool's name means the same: commander hands the first to the outer command. */
const folderWords = (command: Command): readonly string[] => {
  const { data, json } = command.optsWithGlobals<OnFolder>();
  if (data === undefined) throw new Obstacle('Name the folder of the events with --data DIR.');
  return ['--data', data, ...(json ? ['--json'] : [])];
};

const onFolder = (name: string, description: string): Command =>
  new Command(name)
    .description(description)
    .option('--data <dir>', 'the folder that holds the events')
    .option('--json', 'for programs');

const backupCommand = (): Command =>
  onFolder('backup', 'copies the events to one new file, beside a running server or without one')
    .argument('<file>')
    .action((file: string, _: OnFolder, command: Command) => runTool(['backup', ...folderWords(command), '--', file]));

const checkCommand = (): Command =>
  onFolder('check', 'looks at every event, in a folder or a backup, and names what is damaged').action(
    (_: OnFolder, command: Command) => runTool(['check', ...folderWords(command)]),
  );

const scavengeCommand = (): Command =>
  onFolder('scavenge', 'gives back the space of what nobody can read, while no server runs on the folder').action(
    (_: OnFolder, command: Command) => runTool(['scavenge', ...folderWords(command)]),
  );

const userCommand = (): Command =>
  new Command('user')
    .description('prints the line of a users file; the password is asked for, or read from standard input')
    .argument('<name>', 'one word; admin is an administrator whatever its groups')
    .option('--groups <list>', 'with commas; $admins may do everything, $ops maintains')
    .action((name: string, { groups }: { groups?: string }) =>
      runTool(['user', name, ...(groups === undefined ? [] : ['--groups', groups])]),
    );

function between(least: number, most: number) {
  return (text: string): number => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= least && number <= most) return number;
    throw new InvalidArgumentError(`It must be a whole number between ${least} and ${most}.`);
  };
}
