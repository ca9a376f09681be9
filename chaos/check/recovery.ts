import type { Injection, LoggedEvent, RunFacts } from './facts.js';

/** What counts as progress of a run: a model turn, or what became of a call. */
const STEPS: readonly string[] = ['ModelTurnCompleted', 'ToolCallCompleted', 'ToolCallSettled'];
/** A step that was on its way when the fault struck is no recovery: standing still may begin so long (ms) after the fault. */
const ON_ITS_WAY_MS = 500;

export interface Spread {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly mostMs: number;
}

/** By kind of fault, how long the runs stood still that it struck. Faults that struck together are told as `together`. */
export function recoveries(
  runs: readonly RunFacts[],
  injections: readonly Injection[],
): Readonly<Record<string, Spread>> {
  const byId = new Map(runs.map((run) => [run.id, run.events]));
  const samples = new Map<string, number[]>();
  for (const injection of injections) {
    const alone = injections.every((other) => other === injection || !overlap(other, injection));
    const kind = alone ? injection.kind : 'together';
    const stills = injection.runs.flatMap((run) => standstill(byId.get(run) ?? [], injection));
    samples.set(kind, [...(samples.get(kind) ?? []), ...stills]);
  }
  return Object.fromEntries(
    [...samples].flatMap(([kind, stills]) => (stills.length === 0 ? [] : [[kind, spreadOf(stills)]])),
  );
}

const overlap = (one: Injection, other: Injection): boolean => one.at <= other.over && other.at <= one.over;

/** The longest time without a step that began between the fault and shortly after it was over; none of a run that had ended. */
function standstill(events: readonly LoggedEvent[], { at, over }: Injection): readonly number[] {
  const steps = stepsOf(events).filter((step) => step > at);
  const gaps = [at, ...steps].slice(0, -1).map((from, place) => ({ from, ms: (steps[place] ?? from) - from }));
  const struck = gaps.filter(({ from }) => from <= Math.max(over, at + ON_ITS_WAY_MS));
  return struck.length === 0 ? [] : [Math.max(...struck.map(({ ms }) => ms))];
}

/** The longest time that any run was open and recorded no step, in milliseconds. */
export function longestStill(runs: readonly RunFacts[]): number {
  const gaps = runs.flatMap(({ events }) => {
    const steps = stepsOf(events);
    return steps.slice(1).map((step, place) => step - (steps[place] ?? step));
  });
  return gaps.reduce((most, gap) => Math.max(most, gap), 0);
}

const stepsOf = (events: readonly LoggedEvent[]): readonly number[] =>
  events.filter(({ type }) => STEPS.includes(type)).map(({ created }) => created);

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
  return { count: values.length, p50Ms: at(0.5), p99Ms: at(0.99), mostMs: sorted.at(-1) ?? 0 };
}
