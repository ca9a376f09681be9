import { Command } from 'commander';
import { inTime } from '#domain';
import type { CommandContext, CommandFactory } from '../command.js';
import type { DemoResult } from '../demo/count.js';
import { isGood } from '../demo/count.js';
import { playDemo } from '../demo/demo.js';
import { type DemoCluster, openDemoCluster } from '../demo/demo-cluster.js';
import { Obstacle } from '../errors.js';
import type { Output } from '../output.js';
import { LiveView } from '../runs/live-view.js';

interface Options {
  readonly data?: string;
  readonly json?: true;
  readonly exit?: true;
}

export const demoCommand: CommandFactory = (context) =>
  new Command('demo')
    .description('profiles twenty real files with a cluster of its own, and kills a runner on the way')
    .option(
      '--data <dir>',
      'the demo keeps its data in the folder demo inside of this one (BATON_DATA; default .baton)',
    )
    .option('--json', 'one JSON object on standard output; how it goes, on standard error')
    .option('--exit', 'stop the cluster at the end')
    .action((options: Options) => demo(context, options));

async function demo({ environment, output }: CommandContext, options: Options): Promise<void> {
  output.outliveReader();
  const view = new LiveView(options.json ? process.stderr : process.stdout);
  const within = options.data ?? environment.BATON_DATA;
  const opened = await openDemoCluster(within, environment.BATON_PORT, (sentence) => view.line(sentence));
  const left = stopOnSignals(opened, view);
  let result: DemoResult | undefined;
  try {
    view.line(`Starting a cluster on ${opened.data.path} …`);
    await Promise.race([opened.cluster.start(), opened.cluster.stopped]);
    left.throwIfAborted();
    result = await playDemo(opened, view, left);
    tell(output, opened, result, options);
    if (!options.exit) await opened.cluster.stopped;
  } catch (error) {
    if (!left.aborted) throw error;
  } finally {
    await opened.cluster.stop();
  }
  if (result === undefined)
    throw new Obstacle('The demo was stopped before its end; start it again with `npm run demo`.');
  if (!isGood(result)) throw new Obstacle(badEnd(result, opened));
}

/** Aborts with the first signal, which stops the cluster too; a second one kills it. */
function stopOnSignals({ cluster }: DemoCluster, view: LiveView): AbortSignal {
  const leaving = new AbortController();
  let firstAt: number | undefined;
  const onSignal = (): void => {
    if (firstAt !== undefined && performance.now() - firstAt > SAME_WISH_MS) return cluster.kill();
    if (firstAt !== undefined) return;
    firstAt = performance.now();
    view.line('Stopping …');
    leaving.abort();
    void cluster.stop();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  return leaving.signal;
}

// npm passes a Ctrl-C on that the terminal has sent us already.
const SAME_WISH_MS = 1_000;

function tell(output: Output, { target, data }: DemoCluster, result: DemoResult, options: Options): void {
  if (options.json) return output.json(result);
  const { items, effects, recoveryMs } = result;
  output.say('');
  output.table(
    ['WHAT', 'COUNTED'],
    [
      ['status', result.status],
      ['items done', `${items.done} of ${items.total}`],
      ['segments', String(result.segments)],
      ['handoffs', String(result.handoffs)],
      ['kills', String(result.kills)],
      ['without progress after the kill', recoveryMs === null ? 'no kill' : inTime(recoveryMs)],
      ['commands executed', String(effects.executed)],
      ['effects done twice', String(effects.doubled)],
      ['effects lost', String(effects.lost)],
    ],
  );
  output.say(`\nThe reports lie in ${result.report}`);
  if (options.exit) return;
  output.say(`The cluster is up at ${target.url} until Ctrl-C. Have a look from another terminal:`);
  for (const words of ['status latest', 'replay latest', 'verify latest', 'ps']) {
    output.say(`  npx baton ${words} --data ${data.path}`);
  }
}

const badEnd = ({ status, kills, effects }: DemoResult, { data }: DemoCluster): string =>
  `The demo did not end as it should (${status}, ${kills} kills, ${effects.doubled} effects doubled, ${effects.lost} lost): the logs are in ${data.logs()}.`;
