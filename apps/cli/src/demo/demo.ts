import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Recorded, RunEvent, RunId } from '#contracts';
import { newId } from '#platform';
import { applyAgent } from '../agent-file/apply-agent.js';
import { Gateway } from '../api/gateway.js';
import { root } from '../cluster/checkout.js';
import type { LiveView } from '../runs/live-view.js';
import { recordedOf } from '../runs/recorded.js';
import { readItems } from '../work-items/read-items.js';
import { count, type DemoResult } from './count.js';
import type { DemoCluster } from './demo-cluster.js';
import type { Kill } from './killing.js';
import { showRelay } from './relay-show.js';

const EXAMPLE = join(root, 'examples', 'file-profiler');

/** A demo's run, from the cluster that is opened for it to what it came to. */
export async function playDemo(
  { workspaces, target }: DemoCluster,
  view: LiveView,
  signal: AbortSignal,
): Promise<DemoResult> {
  const gateway = new Gateway(target);
  const agent = await applyAgent(gateway, join(EXAMPLE, 'agent.yaml'));
  const items = readItems(join(EXAMPLE, 'items.json'));
  const { id: run } = await gateway.start({ agent: agent.name, version: agent.version, items: [...items] }, newId());
  view.line(`Run ${run}: ${items.length} files to profile, in segments of ${agent.spec.caps.segmentSeconds} seconds.`);
  const kill = await showRelay(gateway, run, view, signal);
  signal.throwIfAborted();
  return counted(gateway, workspaces, run, kill);
}

async function counted(
  gateway: Gateway,
  workspaces: DemoCluster['workspaces'],
  run: RunId,
  kill: Kill | undefined,
): Promise<DemoResult> {
  const events: Recorded<RunEvent>[] = [];
  for await (const event of gateway.events(run)) events.push(recordedOf(event));
  const report = join(workspaces.filesOf(run), 'report');
  const ledger = workspaces.ledgerOf(run);
  const journal = await workspaces.journalOf(run);
  const reported = new Set(ledger.filter((table) => existsSync(join(report, `${nameOf(table)}.md`))));
  return count({ run, events, journal, ledger, reported, report, ...(kill ? { killedAt: kill.at } : {}) });
}

/** How profile.sh names the report on a table. */
const nameOf = (table: string): string => (table.split('/').at(-1) ?? table).replace(/\.tsv$/, '');
