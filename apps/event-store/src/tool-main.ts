import { parseArgs } from 'node:util';
import { Misconfigured, messageOf } from '#platform';
import { backUp } from './tools/backup.js';
import { type CheckReport, checkStore } from './tools/check.js';
import { scavengeFolder } from './tools/scavenge.js';
import { makeUser } from './tools/user.js';

/** What is done beside a server; each takes the words after its name. */
const TOOLS: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  backup: async (args) => {
    const { data, json, words } = read(args);
    const [file, ...more] = words;
    if (file === undefined || more.length > 0) throw new Misconfigured('Name the one file that the backup is to be.');
    const report = await backUp(data, file);
    tell(json, report, `${report.file}: ${report.bytes} bytes, up to position ${report.position}.`);
  },
  check: async (args) => {
    const { data, json } = read(args);
    const report = checkStore(data);
    const { events, streams, problems, found } = report;
    tell(json, report, [...problems.map(inWords), `${events} events in ${streams} streams.`].join('\n'));
    if (found > 0)
      throw new Misconfigured(`${found} things are not as they were written: restore a backup, and check that first.`);
  },
  scavenge: async (args) => {
    const { data, json } = read(args);
    const report = await scavengeFolder(data);
    const { events, streams, released } = report;
    tell(json, report, `${events} events of ${streams} streams are gone; the file is ${released} bytes shorter.`);
  },
  user: makeUser,
};

interface Words {
  readonly data: string;
  readonly json: boolean;
  readonly words: readonly string[];
}

function read(args: readonly string[]): Words {
  const options = { data: { type: 'string' }, json: { type: 'boolean', default: false } } as const;
  const { values, positionals: words } = parseArgs({ args: [...args], options, allowPositionals: true });
  if (values.data === undefined) throw new Misconfigured('Name the folder of the events with --data DIR.');
  return { data: values.data, json: values.json, words };
}

function tell(json: boolean, report: object, sentence: string): void {
  process.stdout.write(`${json ? JSON.stringify(report) : sentence}\n`);
}

function inWords({ what, stream, revision, position, detail }: CheckReport['problems'][number]): string {
  const place = [
    ...(stream === undefined ? [] : [`stream ${JSON.stringify(stream)}`]),
    ...(revision === undefined ? [] : [`revision ${revision}`]),
    ...(position === undefined ? [] : [`position ${position}`]),
  ];
  return `${[what, ...place].join(', ')}: ${detail}`;
}

try {
  const [name = '', ...args] = process.argv.slice(2);
  const tool = TOOLS[name];
  if (!tool)
    throw new Misconfigured(`There is no tool ${JSON.stringify(name)}: there are ${Object.keys(TOOLS).join(', ')}.`);
  await tool(args);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
