import { cpSync, existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Report as MondayReport } from '#contracts';
import { reportPage } from '../apps/cli/src/report/page.js';
import { reportInWords } from '../apps/cli/src/report/words.js';
import type { Facts, Finding } from './check/facts.js';
import type { Verdict } from './check/verdict.js';

/** A folder that outlives the session, with all that is needed to find out why it failed. */
export class Report {
  readonly folder = mkdtempSync(join(tmpdir(), 'baton-chaos-report-'));

  /** Copies the logs of the services before the cluster's folder goes. */
  keepLogs(...folders: readonly string[]): void {
    for (const folder of folders.filter((one) => existsSync(one)))
      cpSync(folder, join(this.folder, 'logs'), { recursive: true, force: true });
  }

  write(verdict: Verdict & { readonly seed: number }, findings: readonly Finding[], facts: Facts): void {
    this.json('verdict.json', verdict);
    this.json('findings.json', findings);
    this.json('faults.json', facts.injections);
    this.json('absences.json', facts.absences);
    this.monday(facts);
    mkdirSync(join(this.folder, 'runs'));
    const samples = facts.samples.map((sample) => ({ ...sample, asked: new Date(sample.askedAt).toISOString() }));
    for (const run of facts.runs) {
      const told = { ...run, samples: samples.filter((sample) => sample.run === run.id) };
      this.json(join('runs', `${run.id}.json`), told);
    }
  }

  /** What a person would read of the session on Monday. */
  private monday({ report }: Facts): void {
    if (!report) return;
    this.json('report.json', report);
    const monday = MondayReport.parse(report);
    writeFileSync(join(this.folder, 'report.txt'), `${reportInWords(monday)}\n`);
    writeFileSync(join(this.folder, 'report.html'), reportPage(monday));
  }

  private json(name: string, value: unknown): void {
    writeFileSync(join(this.folder, name), `${JSON.stringify(value, null, 2)}\n`);
  }
}
