import { exitWhenDone, messageOf, programOptions } from '#platform';
import type { Finding } from './check/facts.js';
import { judge, type Verdict } from './check/verdict.js';
import { isKind, KINDS } from './plan.js';
import { Report } from './report.js';
import { chaosTrials, selfTest } from './self-test.js';
import { type Say, Session, type Wishes } from './session.js';
import { TORTURE_TRIALS } from './torture-trials.js';

const values = programOptions('chaos', {
  minutes: { type: 'string', default: '5' },
  runs: { type: 'string', default: '8' },
  items: { type: 'string', default: '20' },
  'think-ms': { type: 'string', default: '250' },
  seed: { type: 'string' },
  only: { type: 'string' },
  json: { type: 'boolean', default: false },
  once: { type: 'boolean', default: false },
  keep: { type: 'boolean', default: false },
  judge: { type: 'string' },
  'self-test': { type: 'boolean', default: false },
  torture: { type: 'boolean', default: false },
});

/** How many findings are told; the report has all. */
const TOLD = 20;

const began = performance.now();
const say: Say = (line) =>
  void process.stderr.write(`chaos ${((performance.now() - began) / 1_000).toFixed(1).padStart(6)} s: ${line}\n`);

/** @throws when it is no number above 0, or no whole one where only those make sense */
function number(option: 'minutes' | 'runs' | 'items' | 'think-ms' | 'seed', text: string): number {
  const value = Number(text);
  if (value > 0 && (option === 'minutes' || Number.isSafeInteger(value))) return value;
  throw new Error(`--${option} is "${text}"; use a number above 0.`);
}

function wishesOf(): Wishes {
  if (values.torture && !values['self-test']) throw new Error('--torture goes with --self-test only.');
  const kinds = values.only?.split(',') ?? KINDS;
  const stranger = kinds.find((kind) => !isKind(kind));
  if (stranger !== undefined) throw new Error(`--only names "${stranger}"; use ${KINDS.join(', ')}.`);
  return {
    minutes: values.once ? 'once' : number('minutes', values.minutes),
    runs: number('runs', values.runs),
    itemsEach: number('items', values.items),
    thinkMs: number('think-ms', values['think-ms']),
    seed: values.seed === undefined ? 1 + Math.floor(Math.random() * 1e6) : number('seed', values.seed),
    kinds: kinds.filter(isKind),
  };
}

function commandFor({ minutes, runs, itemsEach, thinkMs, seed, kinds }: Wishes): string {
  const long = minutes === 'once' ? '--once' : `--minutes ${minutes}`;
  const only = values.only === undefined ? '' : ` --only ${kinds.join(',')}`;
  return `npm run chaos -- ${long} --runs ${runs} --items ${itemsEach} --think-ms ${thinkMs} --seed ${seed}${only}`;
}

const isGood = ({ runs, finished, lost, doubled, lies, untold }: Verdict): boolean =>
  finished === runs && lost + doubled + lies + untold === 0;

async function chaos(wishes: Wishes): Promise<boolean> {
  say(commandFor(wishes));
  const session = new Session(wishes, say);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void session.end().finally(() => process.exit(1)));
  }
  try {
    const facts = await session.play();
    const { verdict, findings } = judge(facts);
    const { brokeOff } = session;
    const told = {
      ...verdict,
      busy: session.busy(),
      seed: wishes.seed,
      ...(brokeOff === undefined ? {} : { brokeOff }),
    };
    process.stdout.write(`${JSON.stringify(told, null, values.json ? 0 : 2)}\n`);
    tell(findings);
    const isWell = isGood(verdict) && brokeOff === undefined;
    if (!isWell || values.keep) keep(session, wishes).write(told, findings, facts);
    return isWell;
  } catch (error) {
    keep(session, wishes);
    throw error;
  } finally {
    await session.end();
  }
}

/** The same judgement of a session that was kept, by the checker as it is now. */
function judgeAgain(folder: string): boolean {
  const { verdict, findings } = judge(Report.factsIn(folder));
  process.stdout.write(`${JSON.stringify(verdict, null, values.json ? 0 : 2)}\n`);
  tell(findings);
  return isGood(verdict);
}

function tell(findings: readonly Finding[]): void {
  for (const { kind, run, what } of findings.slice(0, TOLD))
    say(`${kind}: ${run === undefined ? '' : `run ${run} `}${what}`);
}

/** Opens a report before the session's folder goes. */
function keep(session: Session, wishes: Wishes): Report {
  const report = new Report();
  report.keepLogs(...session.logs());
  say(`what is known of it is in ${report.folder}; again: ${commandFor(wishes)}`);
  return report;
}

async function isFine(): Promise<boolean> {
  if (values.judge !== undefined) return judgeAgain(values.judge);
  const wishes = wishesOf();
  if (!values['self-test']) return chaos(wishes);
  return selfTest(say, values.torture ? TORTURE_TRIALS : chaosTrials(wishes.seed));
}

exitWhenDone();
try {
  process.exitCode = (await isFine()) ? 0 : 1;
} catch (error) {
  process.stderr.write(`chaos: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
