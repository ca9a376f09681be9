/**
 * The runs of which a subscription has brought every event so far: they were just asked for, or no segment has done a step
 * yet. What comes next for them is decided without reading; after an outage that spares thousands of reads.
 *
 * H1  A run is known from its first event on and without a gap. After a gap it is forgotten: from then on it is read.
 * H2  What is known may be behind the log. Whoever decides on it records at its very revision, or hears of more later.
 * H3  Memory is bounded: agents that are alike are kept once, and a run beyond the limit is read like any other.
 */
import type { RunId } from '#contracts';
import { evolve, type Run } from '#domain';
import type { StoredEvent } from './event-log.js';
import { readRunEvent } from './read-run-event.js';

/** Of all runs together, as JSON. */
const MOST_CHARACTERS = 32_000_000;
const MOST_EVENTS = 20;
/** What the smaller things of a run take, in the same measure. */
const CHARACTERS_A_RUN = 1_000;

interface Agent {
  readonly text: string;
  readonly value: unknown;
  runs: number;
}

interface Heard {
  readonly events: StoredEvent[];
  readonly agent: Agent;
  readonly characters: number;
}

export class HeardRuns {
  private readonly runs = new Map<RunId, Heard>();
  private readonly agents = new Map<string, Agent>();
  private characters = 0;

  constructor(private readonly mostCharacters = MOST_CHARACTERS) {}

  /** @param isOpen whether the run is still open after this event */
  take(runId: RunId, stored: StoredEvent, isOpen: boolean): void {
    const events = this.runs.get(runId)?.events;
    if (events === undefined) {
      if (isOpen && stored.revision === 0) this.begin(runId, stored);
      return;
    }
    if (stored.revision < events.length) return;
    if (isOpen && stored.revision === events.length && events.length < MOST_EVENTS) events.push(stored);
    else this.forget(runId);
  }

  /** The run as it was heard of; undefined when it has to be read. @throws UnknownFact */
  run(runId: RunId): Run | undefined {
    return this.runs.get(runId)?.events.map(readRunEvent).reduce<Run | undefined>(evolve, undefined);
  }

  private begin(runId: RunId, stored: StoredEvent): void {
    const { agent: value, ...rest } = Object(stored.data) as Record<string, unknown>;
    const text = JSON.stringify(value) ?? '';
    const known = this.agents.get(text);
    const characters = JSON.stringify(rest).length + CHARACTERS_A_RUN;
    if (this.characters + characters + (known ? 0 : text.length) > this.mostCharacters) return;
    const agent = known ?? { text, value, runs: 0 };
    if (!known) this.characters += text.length;
    agent.runs += 1;
    this.agents.set(text, agent);
    this.characters += characters;
    const event = { ...stored, data: { ...rest, agent: agent.value } };
    this.runs.set(runId, { events: [event], agent, characters });
  }

  private forget(runId: RunId): void {
    const heard = this.runs.get(runId);
    if (heard === undefined) return;
    this.runs.delete(runId);
    const { agent, characters } = heard;
    this.characters -= characters;
    agent.runs -= 1;
    if (agent.runs > 0) return;
    this.agents.delete(agent.text);
    this.characters -= agent.text.length;
  }
}
