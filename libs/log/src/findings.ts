import { type FindingOf, momentOf, SCHEMA_VERSION, streams, UPKEEP_DAYS } from '#contracts';
import { type Clock, idOf, type Logger } from '#platform';
import type { EventLog } from './event-log.js';

/** What was found, without what the recorder adds. */
export type Finding<App extends keyof FindingOf> = Omit<FindingOf[App]['data'], 'at'>;

const TYPES = { sweeper: 'OrphanFound', 'workspace-manager': 'WorkspaceOrphanFound' } as const satisfies {
  readonly [App in keyof FindingOf]: FindingOf[App]['type'];
};

const MS_A_DAY = 86_400_000;
/** Findings that one round records at most; those left over are found again by the next. */
const MOST_A_ROUND = 20;
const REMEMBERED = 10_000;

/**
 * Records what nobody kept in the stream `upkeep`.
 *
 * F1  A finding that repeats is recorded once a day, however many look: its id is made of the kind, the thing, what
 *     became of it and the day.
 * F2  A flood is recorded bit by bit.
 */
export class Findings<App extends keyof FindingOf> {
  private readonly told = new Set<string>();
  private limited = false;

  constructor(
    private readonly log: EventLog,
    private readonly recorder: { readonly app: App; readonly id: string },
    private readonly clock: Pick<Clock, 'now'>,
    private readonly logger: Logger,
  ) {}

  /** @returns how many were new @throws Unavailable; what was not recorded is found again */
  async record(found: readonly Finding<App>[]): Promise<number> {
    const now = this.clock.now();
    const fresh = found
      .map((finding) => ({ finding, id: idOf(nameOf(finding, now)) }))
      .filter(({ id }) => !this.told.has(id))
      .slice(0, MOST_A_ROUND);
    for (const { finding, id } of fresh) {
      await this.append(id, { at: momentOf(now), ...finding });
      this.remember(id);
      const { kind, thing, runId, outcome } = finding;
      this.logger.warn({ kind, thing, run: runId, outcome }, finding.sentence);
    }
    return fresh.length;
  }

  private async append(id: string, data: object): Promise<void> {
    const metadata = {
      tenant: 'default',
      correlationId: streams.upkeep,
      actor: { kind: 'service', id: this.recorder.id },
      schemaVersion: SCHEMA_VERSION,
    };
    const type = TYPES[this.recorder.app];
    await this.log.append(streams.upkeep, [{ id, type, data, metadata }], 'any');
    if (!this.limited) await this.log.limit(streams.upkeep, { days: UPKEEP_DAYS });
    this.limited = true;
  }

  private remember(id: string): void {
    this.told.add(id);
    const [oldest] = this.told;
    if (this.told.size > REMEMBERED && oldest !== undefined) this.told.delete(oldest);
  }
}

const nameOf = <App extends keyof FindingOf>({ kind, thing, outcome }: Finding<App>, now: number): string =>
  `${kind}/${thing}/${outcome.mended}/${Math.floor(now / MS_A_DAY)}`;
