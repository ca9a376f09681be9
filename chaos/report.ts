import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Report as MondayReport } from '#contracts';
import { reportPage } from '../apps/cli/src/report/page.js';
import { reportInWords } from '../apps/cli/src/report/words.js';
import type { Facts, Finding, RunFacts, Sample } from './check/facts.js';
import type { Verdict } from './check/verdict.js';

type KeptRun = RunFacts & { readonly samples: readonly Sample[] };

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
    this.json('viewings.json', facts.viewings);
    this.monday(facts);
    mkdirSync(join(this.folder, 'runs'));
    const samples = facts.samples.map((sample) => ({ ...sample, asked: new Date(sample.askedAt).toISOString() }));
    for (const run of facts.runs) {
      const told = { ...run, samples: samples.filter((sample) => sample.run === run.id) };
      this.json(join('runs', `${run.id}.json`), told);
    }
  }

  /** What was known of a session whose report is in the folder. @throws when something of it is not there */
  static factsIn(folder: string): Facts {
    const json = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), 'utf8'));
    const runs = readdirSync(join(folder, 'runs')).map((name) => json(join('runs', name)) as KeptRun);
    return {
      runs,
      samples: runs.flatMap(({ samples }) => samples),
      viewings: json('viewings.json') as Facts['viewings'],
      absences: json('absences.json') as Facts['absences'],
      injections: json('faults.json') as Facts['injections'],
      ...(existsSync(join(folder, 'report.json')) && { report: MondayReport.parse(json('report.json')) }),
    };
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
