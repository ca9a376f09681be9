import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PLANTS, type Plant } from './plants.js';
import { printed, type Trial } from './self-test.js';

interface TortureBug {
  readonly plant: Plant;
  /** What `baton torture` must count more than none of. */
  readonly reveals: 'lost' | 'doubled' | 'changed';
  /** The points of the run below that must bring it to light. */
  readonly points: readonly string[];
}

/** One command of a second and a half that leaves a line, and one item: six appends of the segment-runner, the last its end. */
const AGENT = {
  name: 'clerk',
  model: { name: 'simulator' },
  instructions: 'Note it.',
  tools: ['bash', 'complete_item', 'fail_item'],
  simulate: {
    policy: 'script',
    turns: [
      { calls: [{ tool: 'bash', input: { command: 'sleep 1.5; echo a >> ledger' } }] },
      { calls: [{ tool: 'complete_item', input: { item_id: 'a', result: 'noted' } }] },
      { texts: ['It is noted.'] },
    ],
  },
};

const BUGS: readonly TortureBug[] = [
  {
    plant: {
      name: 'a command that a power cut has ended counts as done',
      module: 'apps/workspace-manager/src/commands',
      was: "kind: 'unknown', reason: 'The process that held",
      becomes: "kind: 'exited', status: 0, ranOutOfMemory: false, reason: 'The process that held",
    },
    reveals: 'lost',
    points: ['power-cut-in-call:1'],
  },
  {
    plant: chaosPlant('apps/segment-runner/src/child/workspace'),
    reveals: 'doubled',
    points: ['child-killed-in-call:1'],
  },
  {
    plant: chaosPlant('apps/segment-runner/src/child/segment-log'),
    reveals: 'doubled',
    points: ['child-frozen:2', 'child-frozen:4'],
  },
  {
    plant: {
      name: 'a segment after the first does not know the instructions',
      module: 'apps/segment-runner/src/child/segment',
      was: '= turnRequest(run, context, basedOn)',
      becomes:
        "= { ...turnRequest(run, context, basedOn), ...(this.parts.log.segment > 1 ? { system: 'Go on.' } : {}) }",
    },
    reveals: 'changed',
    points: ['child-killed-after:2'],
  },
  {
    plant: {
      name: 'a supervisor does not look whether a segment was over that has died',
      module: 'apps/segment-runner/src/supervisor/crashes',
      was: 'if (OVER.has(event.type))',
      becomes: 'if (false)',
    },
    reveals: 'doubled',
    // The others give it the time to write after the run's end.
    points: ['child-killed-after:6', 'child-killed-after:5', 'coordinator-killed-after:1'],
  },
];

/** One that chaos must find too. @throws when there is none in this module */
function chaosPlant(module: string): Plant {
  const plant = PLANTS.find((known) => known.module === module);
  if (plant) return plant;
  throw new Error(`No bug is planted into ${module}.`);
}

/** What torture must find. */
export const TORTURE_TRIALS: readonly Trial[] = BUGS.map(({ plant, reveals, points }) => ({
  plant,
  reveals,
  foundIn: async (checkout) => {
    const file = join(checkout, 'clerk.json');
    const items = join(checkout, 'items.json');
    writeFileSync(file, JSON.stringify(AGENT));
    writeFileSync(items, '["a"]');
    const only = points.flatMap((point) => ['--point', point]);
    const words = ['torture', file, '--items', items, '--seed', '1', '--json', ...only];
    const report = await printed(checkout, join('apps', 'cli', 'src', 'main.js'), words);
    return (JSON.parse(report) as Readonly<Record<typeof reveals, number>>)[reveals];
  },
}));
