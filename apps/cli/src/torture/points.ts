import { sha256 } from '#platform';

/** The services whose appends lead through a proxy. */
export type Writer = 'segment-runner' | 'coordinator';

/** What a kind of disturbance is, and at which of a run's moments it strikes. */
interface PointKind {
  /** `append`, `decision`: the n-th append of the segment-runner, of the coordinator; `call`: the n-th call in the workspace. */
  readonly at: 'append' | 'decision' | 'call';
  /** It concerns a service that all runs share, so no other run may be under way. */
  readonly alone: boolean;
  readonly says: string;
}

export const POINT_KINDS = {
  'child-killed-before': { at: 'append', alone: false, says: 'the segment is killed before this append is in the log' },
  'child-killed-after': {
    at: 'append',
    alone: false,
    says: 'the segment is killed when this append is in the log and it has not heard so',
  },
  'child-frozen': {
    at: 'append',
    alone: false,
    says: 'the segment stands still with this append under way until another one works, and is woken',
  },
  'answer-lost': {
    at: 'append',
    alone: false,
    says: 'the append is written and answered with an error, so that it is sent twice',
  },
  partitioned: { at: 'append', alone: false, says: 'the segment is cut off from the log for some seconds' },
  'doorbell-doubled': { at: 'append', alone: false, says: 'the messages that woke the run are delivered once more' },
  'child-killed-in-call': { at: 'call', alone: false, says: 'the segment is killed while this call is carried out' },
  'supervisor-killed': { at: 'append', alone: true, says: 'the supervisor of the segments is killed' },
  'runner-killed': { at: 'append', alone: true, says: 'the supervisor and all segments are killed' },
  'coordinator-killed-before': {
    at: 'decision',
    alone: true,
    says: 'the coordinator is killed before this decision is in the log',
  },
  'coordinator-killed-after': {
    at: 'decision',
    alone: true,
    says: 'the coordinator is killed when this decision is in the log and it has not heard so',
  },
  'workspace-killed-in-call': {
    at: 'call',
    alone: true,
    says: 'the workspace-manager is killed while this call is carried out',
  },
  'power-cut-in-call': {
    at: 'call',
    alone: true,
    says: 'the workspace-manager and the commands are killed while this call is carried out, as by a power cut',
  },
} as const satisfies Readonly<Record<string, PointKind>>;

type PointName = keyof typeof POINT_KINDS;

/** One disturbance of one run. */
export interface Point {
  readonly kind: PointName;
  /** Which append, decision or call, from 1. */
  readonly place: number;
}

/** The moments of a run that nobody disturbs. */
export interface Moments {
  /** For each append of the segment-runner the types of its events, in order. */
  readonly appends: readonly string[];
  readonly decisions: readonly string[];
  /** The tools that the workspace has carried out, in the order of their calls. */
  readonly calls: readonly string[];
}

export const idOf = ({ kind, place }: Point): string => `${kind}:${place}`;

/** The point of this name, or undefined when there is none. */
export function pointNamed(id: string): Point | undefined {
  const [, kind = '', place] = /^([a-z-]+):([1-9]\d*)$/.exec(id) ?? [];
  return isKind(kind) ? { kind, place: Number(place) } : undefined;
}

const isKind = (name: string): name is PointName => Object.hasOwn(POINT_KINDS, name);

const KINDS = Object.keys(POINT_KINDS).filter(isKind);

/** Every kind of disturbance at every moment of the run, in the run's order. */
export function allPoints(moments: Moments): readonly Point[] {
  const lengths = { append: moments.appends.length, decision: moments.decisions.length, call: moments.calls.length };
  const longest = Math.max(...Object.values(lengths));
  return Array.from({ length: longest }, (_, index) => index + 1).flatMap((place) =>
    KINDS.filter((kind) => place <= lengths[POINT_KINDS[kind].at]).map((kind) => ({ kind, place })),
  );
}

/**
 * At most so many of a run's points, spread evenly; which of each stretch is the seed's. Each tool is met once by what
 * leaves its calls in doubt, however few the points are: a command outlives its manager, but no power cut.
 */
export function sampled(moments: Moments, most: number, seed: number): readonly Point[] {
  const points = allPoints(moments);
  if (points.length <= most) return points;
  const firsts = new Set([...new Set(moments.calls)].map((tool) => moments.calls.indexOf(tool) + 1));
  const isDue = ({ kind, place }: Point): boolean =>
    firsts.has(place) &&
    kind === (moments.calls[place - 1] === 'bash' ? 'power-cut-in-call' : 'workspace-killed-in-call');
  const due = points.filter(isDue).slice(0, most);
  const others = points.filter((point) => !due.includes(point));
  const count = most - due.length;
  const chosen = Array.from({ length: count }, (_, stretch) => {
    const [from = 0, to = 0] = [stretch, stretch + 1].map((edge) => Math.floor((edge * others.length) / count));
    return others[from + Math.floor(fraction(seed, `sample ${stretch}`) * (to - from))];
  });
  return points.filter((point) => due.includes(point) || chosen.includes(point));
}

/** A number from 0 (included) to 1 (excluded) that the seed decides for each name. */
export const fraction = (seed: number, name: string): number =>
  Number.parseInt(sha256(`${seed}/${name}`).slice(0, 8), 16) / 2 ** 32;

/** What happens there, for people. */
export function inWords({ kind, place }: Point, moments: Moments): string {
  const { at, says } = POINT_KINDS[kind];
  const what = { append: moments.appends, decision: moments.decisions, call: moments.calls }[at][place - 1];
  return `${at} ${place}${what === undefined ? '' : ` (${what})`}: ${says}`;
}
