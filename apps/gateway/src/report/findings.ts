import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { type Finding, millisOf, UpkeepEvent, WorkspaceEvent } from '#contracts';
import type { EventLog, StoredEvent } from '#log';
import type { Logger } from '#platform';
import { LogIndex } from '../log-index.js';
import { EVENT_LOG, LOGGER } from '../tokens.js';

/** How what was found outside of runs is told, by the type of its event: the one place where further kinds are added. */
const TELLERS: Readonly<Record<string, (event: StoredEvent) => Finding | undefined>> = {
  WorkspaceLost: ({ type, data }) => {
    const lost = WorkspaceEvent.safeParse({ type, data });
    if (!lost.success || lost.data.type !== 'WorkspaceLost') return undefined;
    const { at, runId, holder, reason } = lost.data.data;
    return { at, sentence: `The workspace of run ${runId} on ${holder} was lost: ${reason}`, needsPerson: false };
  },
  OrphanFound: orphan,
  WorkspaceOrphanFound: orphan,
};

function orphan({ type, data }: StoredEvent): Finding | undefined {
  const found = UpkeepEvent.safeParse({ type, data });
  if (!found.success || !('outcome' in found.data.data)) return undefined;
  const { at, sentence, outcome } = found.data.data;
  const became = outcome.mended ? outcome.how : `${outcome.why} ${outcome.toDo}`;
  return { at, sentence: `${sentence} ${became}`, needsPerson: !outcome.mended };
}

const KEPT = 1_000;

/** What was found, and mended or not, outside of runs; the newest of it. */
@Injectable()
export class Findings implements OnModuleDestroy {
  private readonly newest: Finding[] = [];
  private readonly index: LogIndex;

  constructor(@Inject(EVENT_LOG) log: EventLog, @Inject(LOGGER) logger: Logger) {
    this.index = new LogIndex(log, Object.keys(TELLERS), (event) => this.take(event), logger);
  }

  onModuleDestroy(): void {
    this.index.close();
  }

  /** @param moment milliseconds since 1970. @throws Unavailable */
  async since(moment: number): Promise<readonly Finding[]> {
    await this.index.catchUp();
    return this.newest.filter(({ at }) => millisOf(at) >= moment);
  }

  private take(event: StoredEvent): void {
    const finding = TELLERS[event.type]?.(event);
    if (finding) this.newest.push(finding);
    if (this.newest.length > KEPT) this.newest.shift();
  }
}
