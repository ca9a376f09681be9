import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { z } from 'zod';
import { builtApp } from '../../cluster/checkout.js';
import type { CommandContext } from '../../command.js';
import { inheritedVariables } from '../../config.js';
import { AlreadyTold, Obstacle } from '../../errors.js';

/** The options of `baton event-store`. */
export interface ServerWishes {
  readonly data?: string;
  readonly memory?: true;
  readonly port?: number;
  readonly host?: string;
  readonly advertiseHost?: string;
  readonly advertisePort?: number;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly users?: string;
  readonly usersWithoutTls?: true;
  readonly sync?: 'full' | 'normal';
  readonly maxAppendSize?: number;
}

const Ready = z.object({ type: z.literal('ready'), port: z.number() });

/** Runs the server as a child in this terminal until a signal, or its own end. @throws Obstacle, AlreadyTold */
export async function runServer({ output }: CommandContext, wishes: ServerWishes): Promise<void> {
  const child = fork(builtApp('event-store'), [], {
    execArgv: [],
    env: { BATON_LOG_LEVEL: 'warn', ...withoutOurs(inheritedVariables()), ...settingsOf(wishes) },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  child.on('message', (message) => {
    const ready = Ready.safeParse(message);
    if (ready.success) output.say(announcement(wishes, ready.data.port));
  });
  const [code] = (await once(passingSignals(child), 'exit')) as [number | null];
  if (code !== 0) throw new AlreadyTold(code ?? 1);
}

/** The child leaves with its parent; a signal that only we have got is passed on. */
function passingSignals(child: ChildProcess): ChildProcess {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill('SIGTERM'));
  return child;
}

/** What `baton` reads of its own (the data and the port of a cluster) means something else to the event store. */
function withoutOurs(variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(variables).filter(([name]) => !name.startsWith('BATON_') || name === 'BATON_LOG_LEVEL'),
  );
}

function settingsOf(wishes: ServerWishes): NodeJS.ProcessEnv {
  const { data, memory, tlsCert, tlsKey } = wishes;
  if ((data === undefined) === (memory === undefined))
    throw new Obstacle('Name the folder of the events with --data DIR, or keep nothing with --memory; one of the two.');
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw new Obstacle('TLS needs both a certificate and its private key: --tls-cert FILE --tls-key FILE.');
  return {
    BATON_DATA: data,
    BATON_MEMORY: memory && 'true',
    BATON_PORT: text(wishes.port),
    BATON_HOST: wishes.host,
    BATON_ADVERTISE_HOST: wishes.advertiseHost,
    BATON_ADVERTISE_PORT: text(wishes.advertisePort),
    BATON_TLS_CERT: tlsCert,
    BATON_TLS_KEY: tlsKey,
    BATON_USERS: wishes.users,
    BATON_USERS_WITHOUT_TLS: wishes.usersWithoutTls && 'true',
    BATON_SYNC: wishes.sync,
    BATON_MAX_APPEND: text(wishes.maxAppendSize),
    BATON_STOP_WITH_PARENT: 'true',
  };
}

const text = (number: number | undefined): string | undefined => (number === undefined ? undefined : String(number));

function announcement({ data, host = '127.0.0.1', tlsCert, users }: ServerWishes, port: number): string {
  const name = host.includes(':') ? `[${host}]` : host;
  const who = users === undefined ? '' : 'NAME:PASSWORD@';
  const options = tlsCert === undefined ? 'tls=false' : `tls=true&tlsCaFile=${encodeURIComponent(tlsCert)}`;
  return [
    `The event store is ready: esdb://${who}${name}:${port}?${options}`,
    `  data  ${data ?? 'in memory: gone when it stops'}`,
    `  page  http${tlsCert === undefined ? '' : 's'}://${name}:${port}/`,
    'Ctrl-C stops it.',
  ].join('\n');
}
