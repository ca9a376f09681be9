import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { CommandContext, CommandFactory } from '../command.js';
import { Obstacle } from '../errors.js';
import { LiveView } from '../runs/live-view.js';
import { dataFolder } from '../target.js';
import { badgeOf } from '../torture/badge.js';
import { junitOf } from '../torture/junit.js';
import type { Stage } from '../torture/play.js';
import { type Point, pointNamed } from '../torture/points.js';
import { Progress } from '../torture/progress.js';
import { headline, isGood, reportInWords, reportOn, type TortureReport } from '../torture/report.js';
import { type Subject, subjectOf } from '../torture/subject.js';
import { PARALLEL, torture } from '../torture/torture.js';
import { openTortureCluster, type TortureCluster } from '../torture/torture-cluster.js';
import { readItems } from '../work-items/read-items.js';
import { countOf } from './addressed.js';

interface Options {
  readonly items?: string;
  readonly input?: string;
  readonly points: number;
  readonly seed?: number;
  readonly point?: readonly Point[];
  readonly minutes?: number;
  readonly recorded?: string;
  readonly approve?: true;
  readonly junit?: string;
  readonly badge?: string;
  readonly data?: string;
  readonly json?: true;
}

const POINTS = 200;
const SEEDS = 1_000_000;
const MINUTE_MS = 60_000;

export const tortureCommand: CommandFactory = (context) =>
  new Command('torture')
    .description('runs an agent and its tools with crashes at every event, on a cluster of its own; the tools are real')
    .argument('<agent>', 'an agent file, or the name of an agent on the cluster of --data')
    .option('--items <file>', 'work items: .json, .jsonl or .csv')
    .option('--input <text>', 'what the agent is told at the beginning')
    .option('--points <n>', 'how many crash points at most, spread evenly over the run', countOf, POINTS)
    .option(
      '--seed <n>',
      'decides which points are tried, and what varies in them (default: another one each time)',
      countOf,
    )
    .option('--point <name>', 'only this point, as a report names it; may be given several times', withPoint)
    .addOption(
      new Option(
        '--minutes <n>',
        'as many points as go into this time: first of every kind, and again with other seeds when all are through',
      )
        .argParser(minutesOf)
        .conflicts('points'),
    )
    .option('--recorded <run>', 'the simulator plays the turns of this run of the cluster of --data')
    .option('--approve', 'agree to every call for which the agent asks a person')
    .option('--junit <file>', 'write the report as JUnit XML too')
    .option('--badge <file>', 'write an SVG badge too')
    .option('--data <dir>', 'the data folder of the cluster that knows the agent or the run, and of the secrets')
    .option('--json', 'one JSON object on standard output')
    .action((agent: string, options: Options) => tortureAgent(context, agent, options));

async function tortureAgent({ environment, output }: CommandContext, agent: string, options: Options): Promise<void> {
  const { input, recorded, data } = options;
  const items = options.items === undefined ? [] : readItems(options.items);
  const subject = await subjectOf({ agent, items, input, recorded, data }, environment);
  const view = new LiveView(process.stderr);
  view.line('Starting a cluster of its own …');
  const secrets = dataFolder(data, environment).file('secrets');
  const cluster = await openTortureCluster({ pool: PARALLEL + 2, secrets, say: (sentence) => view.line(sentence) });
  const leaving = leaveOnSignals(cluster, view);
  let report: TortureReport | undefined;
  try {
    view.line(`Playing ${subject.spec.name} undisturbed, twice …`);
    report = await reported(cluster, subject, { agent, options, leaving, view });
  } catch (error) {
    if (leaving.aborted) throw new Obstacle('The torture was stopped before anything was played.', { cause: error });
    throw error;
  } finally {
    view.close();
    await cluster.close(report !== undefined && !isGood(report));
  }
  if (options.junit !== undefined) writeFileSync(options.junit, junitOf(report));
  if (options.badge !== undefined) writeFileSync(options.badge, badgeOf(report));
  if (options.json) output.json(report);
  else output.say(reportInWords(report));
  if (!isGood(report)) throw new Obstacle(`${headline(report)}. The logs and the workspaces are in ${cluster.folder}.`);
  if (report.stopped) throw new Obstacle('The torture was stopped before its end.');
  if (report.missed === report.points) throw new Obstacle('Nothing was struck, so nothing is known.');
}

interface Playing {
  /** As it was named. */
  readonly agent: string;
  readonly options: Options;
  readonly leaving: AbortSignal;
  readonly view: LiveView;
}

async function reported(
  cluster: TortureCluster,
  subject: Subject,
  { agent, options, leaving, view }: Playing,
): Promise<TortureReport> {
  const began = performance.now();
  const { seed = randomInt(SEEDS), minutes, point, points } = options;
  const forMs = minutes === undefined ? undefined : minutes * MINUTE_MS;
  const stage = await stageOf(cluster, subject, { approve: options.approve === true, seed, leaving });
  const progress = new Progress(view, () => performance.now(), forMs);
  const tortured = await torture(stage, {
    most: Math.max(1, points),
    ...(point && { only: point }),
    ...(forMs !== undefined && { forMs }),
    onPlanned: (planned) => progress.plan(planned),
    onCase: (done, left) => progress.note(done, left),
  });
  const seconds = (performance.now() - began) / 1_000;
  return reportOn(tortured, {
    agent: subject.spec.name,
    command: commandOf(agent, options, subject.recorded),
    seconds,
  });
}

async function stageOf(
  cluster: TortureCluster,
  { spec, files, items, input }: Subject,
  how: Pick<Stage, 'approve' | 'seed' | 'leaving'>,
): Promise<Stage> {
  const { gateway } = cluster;
  for (const { seed, content } of files) await gateway.store(seed.digest, content());
  const { name, version } = await gateway.apply({ spec, files: files.map(({ seed }) => seed) });
  const request = { agent: name, version, items: [...items], ...(input === undefined ? {} : { input }) };
  return { cluster, request, ...how };
}

/** The first signal ends the torture in order; a second one kills what is left. */
function leaveOnSignals({ cluster }: TortureCluster, view: LiveView): AbortSignal {
  const leaving = new AbortController();
  const onSignal = (): void => {
    if (leaving.signal.aborted) return cluster.kill();
    view.line('Stopping …');
    leaving.abort();
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  return leaving.signal;
}

function withPoint(text: string, others: readonly Point[] = []): readonly Point[] {
  const point = pointNamed(text);
  if (point) return [...others, point];
  throw new InvalidArgumentError('It must be a point as a report names it, e.g. child-killed-after:3.');
}

function minutesOf(text: string): number {
  const minutes = Number(text);
  if (minutes > 0 && Number.isFinite(minutes)) return minutes;
  throw new InvalidArgumentError('It must be a number above 0.');
}

/** The run by its own name, since the latest one is soon another. */
function commandOf(agent: string, { items, input, approve, data }: Options, recorded: string | undefined): string {
  const words = [
    'npx baton torture',
    quoted(agent),
    ...(items === undefined ? [] : ['--items', quoted(items)]),
    ...(input === undefined ? [] : ['--input', quoted(input)]),
    ...(recorded === undefined ? [] : ['--recorded', recorded]),
    ...(approve ? ['--approve'] : []),
    ...(data === undefined ? [] : ['--data', quoted(data)]),
  ];
  return words.join(' ');
}

/** For a shell. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
