import { type Random, wholeBelow } from '../simulation/world/random.js';

/** Every kind of fault, and how many cards of it are in the deck. */
const CARDS = {
  child: 6,
  supervisor: 3,
  coordinator: 1,
  sweeper: 1,
  gateway: 1,
  workspaceManager: 2,
  model: 1,
  bus: 2,
  busWiped: 1,
  busRobbed: 1,
  log: 2,
  childFrozen: 1,
  supervisorFrozen: 1,
  connectionsCut: 2,
  cutOff: 2,
  oneWay: 1,
  diskFull: 1,
  allOff: 1,
} as const;

export type Kind = keyof typeof CARDS;
export const KINDS = Object.keys(CARDS) as readonly Kind[];

export const isKind = (word: string): word is Kind => Object.hasOwn(CARDS, word);

/** Milliseconds from the end of one fault to the next, so that the runs are at work again. */
const PAUSE_MS = { least: 1_500, more: 3_500 };
const TOGETHER = 0.15;
/**
 * A cluster refuses to start on a full disk, and says so: that is no recovery. Wires that are cut in two ways are mended when
 * the first of these is over. And a bus whose files are taken before it has made any is not robbed: it makes them.
 */
const NOT_TOGETHER: readonly (readonly [Kind, Kind])[] = [
  ['allOff', 'diskFull'],
  ['cutOff', 'oneWay'],
  ['busWiped', 'busRobbed'],
];

export interface Turn {
  readonly pauseMs: number;
  /** What strikes now; two strike at the same time. */
  readonly kinds: readonly Kind[];
}

/** Each kind once, in an order that the seed decides. */
export function* once(random: Random, kinds: readonly Kind[]): Generator<Turn, void> {
  for (const kind of shuffled(random, kinds)) yield { pauseMs: pauseMs(random), kinds: [kind] };
}

/** First each kind once, then for ever deck after deck, each shuffled, so that no kind stays away for long. */
export function* plan(random: Random, kinds: readonly Kind[]): Generator<Turn, void> {
  yield* once(random, kinds);
  const cards = kinds.flatMap((kind) => Array.from({ length: CARDS[kind] }, () => kind));
  const deck: Kind[] = [];
  for (;;) {
    if (deck.length < 2) deck.push(...shuffled(random, cards));
    const together = random() < TOGETHER && mayStrikeTogether(deck.slice(0, 2));
    yield { pauseMs: pauseMs(random), kinds: deck.splice(0, together ? 2 : 1) };
  }
}

const pauseMs = (random: Random): number => PAUSE_MS.least + wholeBelow(random, PAUSE_MS.more);

function mayStrikeTogether([one, other]: readonly Kind[]): boolean {
  return one !== other && !NOT_TOGETHER.some((pair) => pair.every((kind) => kind === one || kind === other));
}

function shuffled<T>(random: Random, values: readonly T[]): T[] {
  const left = [...values];
  return values.flatMap(() => left.splice(wholeBelow(random, left.length), 1));
}
