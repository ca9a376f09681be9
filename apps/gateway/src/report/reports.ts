import { Inject, Injectable } from '@nestjs/common';
import { momentOf, type Report, type RunId } from '#contracts';
import { entered, type Ledger, openLedger, reportOf } from '#domain';
import { Runs } from '#log';
import { type Clock, messageOf, Unavailable } from '#platform';
import { InTurn } from '../http/in-turn.js';
import { RunList } from '../runs/run-list.js';
import { CLOCK } from '../tokens.js';
import { Findings } from './findings.js';

/** A report costs the reading of its runs: it stops at the first of these, and says how many runs are left. */
const MOST_RUNS = 2_000;
const MOST_EVENTS = 1_000_000;

/** What happened since a moment, read from the log when it is asked for: one run after the other, an event at a time. */
@Injectable()
export class Reports {
  private readonly turns = new InTurn();

  constructor(
    @Inject(RunList) private readonly runList: RunList,
    @Inject(Runs) private readonly runs: Runs<'gateway'>,
    @Inject(Findings) private readonly findings: Findings,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** One at a time. @param since milliseconds since 1970. @throws Unavailable when the log does not answer, ApiProblem 429 */
  since(since: number, mostRuns = MOST_RUNS): Promise<Report> {
    return this.turns.take(() => this.make(since, mostRuns));
  }

  private async make(since: number, mostRuns: number): Promise<Report> {
    const until = momentOf(this.clock.now());
    const ids = await this.runList.openSince(since);
    const ledgers = new Map<RunId, Ledger>();
    const unreadable: { run: RunId; reason: string }[] = [];
    let [looked, left] = [0, MOST_EVENTS];
    for (const id of ids.slice(0, mostRuns)) {
      if (left <= 0) break;
      looked += 1;
      try {
        const ledger = await this.ledgerOf(id, since);
        left -= (ledger.run?.last.revision ?? 0) + 1;
        ledgers.set(id, ledger);
      } catch (error) {
        if (error instanceof Unavailable) throw error;
        unreadable.push({ run: id, reason: messageOf(error) });
      }
    }
    const findings = await this.findings.since(since);
    const leftRuns = ids.length - looked;
    return reportOf(ledgers, { since: momentOf(since), until, findings, unreadable, leftRuns });
  }

  private async ledgerOf(id: RunId, since: number): Promise<Ledger> {
    let ledger = openLedger(momentOf(since));
    for await (const event of this.runs.events(id)) ledger = entered(ledger, event);
    return ledger;
  }
}
