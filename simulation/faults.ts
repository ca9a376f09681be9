import { RunSegment } from '#contracts';
import type { Cluster } from './world/cluster.js';
import { oneOf, type Random, wholeBelow } from './world/random.js';
import type { Process, Strike, World } from './world/world.js';

/** What may happen at a boundary. */
const KINDS = [
  'crash',
  'power-off',
  'pause',
  'cut-off',
  'lost',
  'answer-lost',
  'doubled',
  'delayed',
  'delivery-lost',
  'delivery-doubled',
  'delivery-delayed',
  'log-away',
  'bus-away',
  'bus-wiped',
  'commands-lost',
  'clock-jumps',
  'rivals',
  'request-cut',
  'answer-cut',
] as const;
type FaultKind = (typeof KINDS)[number];

/** One disturbance: where it strikes, and for how long in milliseconds (or by how much a clock jumps). */
export interface Fault {
  readonly place: number;
  readonly kind: FaultKind;
  readonly ms: number;
}

const LONGEST_AWAY_MS = 9_000;
const FARTHEST_JUMP_MS = 6 * 3_600_000;

export function anyFault(random: Random, place: number): Fault {
  const kind = random() < 0.35 ? 'crash' : oneOf(random, KINDS);
  const ms =
    kind === 'clock-jumps'
      ? Math.round((2 * random() - 1) * FARTHEST_JUMP_MS)
      : 200 + wholeBelow(random, kind === 'pause' || kind === 'cut-off' ? 3 * LONGEST_AWAY_MS : LONGEST_AWAY_MS);
  return { place, kind, ms };
}

/** What the fault does to the cluster when a process comes to its place. */
export function strikeOf({ world, stream, disks, outside }: Cluster, { kind, ms }: Fault): Strike {
  const wipe = (): void => stream.wipe();
  const strikes: Record<FaultKind, (process: Process) => void> = {
    crash: (process) => world.kill(process, 'crash'),
    'power-off': ({ machine }) => {
      world.powerOff(machine);
      if (machine === 'machine-w') disks.reboot();
    },
    pause: (process) => world.pause(process, ms),
    'cut-off': ({ machine }) => world.cut(machine, ms),
    lost: (process) => world.doom(process, 'lost'),
    'answer-lost': (process) => world.doom(process, 'answer-lost'),
    doubled: (process) => world.doom(process, 'doubled'),
    delayed: (process) => world.doom(process, 'delayed'),
    'delivery-lost': () => world.doomDelivery('lost'),
    'delivery-doubled': () => world.doomDelivery('doubled'),
    'delivery-delayed': () => world.doomDelivery('delayed'),
    'log-away': () => world.loseLog(ms),
    'bus-away': () => world.loseBus(ms, () => undefined),
    'bus-wiped': () => world.loseBus(ms, wipe),
    'commands-lost': () => {
      world.powerOff('machine-w');
      disks.reboot();
    },
    'request-cut': () => outside.cutNext('request'),
    'answer-cut': () => outside.cutNext('answer'),
    rivals: () => makeRivals(world, ms),
    'clock-jumps': (process) => {
      process.skewMs += ms;
    },
  };
  return (process) => {
    const lasts =
      kind === 'pause' || kind === 'cut-off' || kind.endsWith('-away') || kind === 'bus-wiped' || kind === 'rivals';
    world.chronicle.disturbances.push({ at: world.now, until: world.now + (lasts ? ms : 0), kind });
    strikes[kind](process);
  };
}

/** Two runners are handed the next segment at once; the machine of the one that gets it is switched off a while later. */
function makeRivals(world: World, ms: number): void {
  world.doomDelivery('doubled', RunSegment.subject);
  const forget = world.onCommit(({ type }, { machine }) => {
    if (type !== 'SegmentStarted') return;
    forget();
    world.disturb(ms);
    world.post(undefined, ms, () => world.powerOff(machine));
  });
}
