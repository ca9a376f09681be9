import { ofType, textOf } from './calls.js';
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

/** From when to when, in milliseconds since 1970. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * By kind of fault, how long nothing was at work for the runs that it struck. Faults that struck together are told as
 * `together`.
 */
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

/** Whether one struck while the other lasted, or so soon after it that what that one had struck was not at work again. */
const overlap = (one: Injection, other: Injection): boolean =>
  one.at <= other.over + ON_ITS_WAY_MS && other.at <= one.over + ON_ITS_WAY_MS;

/**
 * The longest time between two steps that began between the fault and shortly after it was over, without the time in which
 * commands of the run were running or the model was answering it: what they take is theirs. An answer that came to nobody is
 * no work, and so neither is the time that it took. None of a run that had ended.
 */
function standstill(events: readonly LoggedEvent[], { at, over }: Injection): readonly number[] {
  const steps = stepsOf(events).filter((step) => step > at);
  const gaps = [at, ...steps].slice(0, -1).map((from, place): Span => ({ from, to: steps[place] ?? from }));
  const struck = gaps.filter(({ from }) => from <= Math.max(over, at + ON_ITS_WAY_MS));
  const work = [...commandsOf(events), ...answersOf(events)].toSorted((one, other) => one.from - other.from);
  return struck.length === 0 ? [] : [Math.max(...struck.map((gap) => idleMs(gap, work)))];
}

/** When its commands ran, by the workspace's account of how long each took. */
function commandsOf(events: readonly LoggedEvent[]): readonly Span[] {
  const took = new Map(ofType(events, 'ToolCallCompleted').map(({ data }) => [data['callId'], data['durationMs']]));
  return ofType(events, 'ToolCallStarted').flatMap(({ data, created }) => {
    const ms = took.get(data['callId']);
    return typeof ms === 'number' ? [{ from: created, to: created + ms }] : [];
  });
}

/** When the model was answering, by the segment's account of when the answer was there and how long it took. */
function answersOf(events: readonly LoggedEvent[]): readonly Span[] {
  return ofType(events, 'ModelTurnCompleted').flatMap(({ data: { at, durationMs: ms } }) => {
    const to = Date.parse(textOf(at));
    return typeof ms === 'number' && Number.isFinite(to) ? [{ from: to - ms, to }] : [];
  });
}

/** @param work in the order in which it began */
function idleMs({ from, to }: Span, work: readonly Span[]): number {
  let idle = 0;
  let free = from;
  for (const one of work) {
    idle += Math.max(0, Math.min(one.from, to) - free);
    free = Math.max(free, one.to);
  }
  return idle + Math.max(0, to - free);
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
